"""What the case model says of single triggers: events on which nobody is asked after all.

Each guard reads a whole block of occasions at once and names those it holds back.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bank import workdays
from clients.models import Case, Milestone, Stage, Touchpoint
from surveys import occasions
from surveys.models import Occasion, Response

# Settled after trouble is no moment to ask about service.
SETTLED, TROUBLE = "final_repayment", {"overdue", "recovery"}
# Who answered the one within so many days is not asked the other.
RELIEVED = {"TR06": ("TR05", 30)}
# A renewal that was approved in fewer working days is no event for its client.
APPROVED, RENEWALS, QUICK_DAYS = "TR02", {"RENEWAL"}, 3
# Nobody is asked about a refusal before the manager has spoken to the client; a month later
# nobody is asked at all.
DECLINED, SPOKEN, CALL_DAYS = "TR11", ("call", "meeting", "visit"), 30
CONFIDENTIAL = Case.DeclineReason.COMPLIANCE_CONFIDENTIAL


@dataclass
class Guards:
    """Occasion → why it asks nobody; and those that wait for a call first."""

    reasons: dict[int, str] = field(default_factory=dict)
    uncalled: set[int] = field(default_factory=set)

    def hold(self, rows: Iterable[int], reason: str) -> None:
        """These occasions ask nobody; a reason that was found before stays."""
        for pk in rows:
            self.reasons.setdefault(pk, reason)


def load(rows: Sequence[Occasion], *, calendar: workdays.Calendar, at: datetime) -> Guards:
    """Ask every guard about a block; constant in queries."""
    guards = Guards()
    guards.hold(_relieved(rows, at=at), "answered_before")
    guards.hold(_troubled(rows), "after_overdue")
    guards.hold(_quick(rows, calendar=calendar), "quick_renewal")
    declined = [row for row in rows if row.trigger.code == DECLINED and row.case is not None]
    if declined:
        guards.hold(_unsaid(declined), "decline_reason")
        guards.uncalled = _uncalled(declined)
        over = {
            row.pk
            for row in declined
            if row.pk in guards.uncalled and row.happened_at + timedelta(days=CALL_DAYS) <= at
        }
        guards.hold(over, "not_called")
    return guards


def _relieved(rows: Sequence[Occasion], *, at: datetime) -> set[int]:
    """Occasions for whose case an answer to another trigger came just now."""
    found = set()
    for code, (other, days) in RELIEVED.items():
        concerned = {row.pk: row.case_id for row in rows if row.trigger.code == code}
        if not concerned:
            continue
        answers = Response.objects.filter(
            invitation__occasion__trigger__code=other,
            invitation__case__in=set(concerned.values()),
            submitted_at__gt=at - timedelta(days=days),
        )
        cases = set(answers.values_list("invitation__case", flat=True))
        found |= {pk for pk, case in concerned.items() if case in cases}
    return found


def _troubled(rows: Sequence[Occasion]) -> set[int]:
    """Occasions that settle a case which was overdue or in recovery just before."""
    settled = {row.milestone_id: row for row in rows if row.event == SETTLED and row.milestone_id}
    if not settled:
        return set()
    entries = Milestone.objects.filter(
        case__in={row.case_id for row in settled.values()},
        code__in=Stage.objects.values("code"),
        occurred_at__isnull=False,
    ).order_by("occurred_at", "external_id")
    stages: dict[int, str] = {}
    found: set[int] = set()
    for entry in entries:
        if entry.pk in settled and stages.get(entry.case_id) in TROUBLE:
            found.add(settled[entry.pk].pk)
        stages[entry.case_id] = entry.code
    return found


def _quick(rows: Sequence[Occasion], *, calendar: workdays.Calendar) -> set[int]:
    """Renewals that were approved in a few working days after they were applied for."""
    renewals = [
        (row, row.case)
        for row in rows
        if row.trigger.code == APPROVED
        and row.case is not None
        and row.case.product is not None
        and row.case.product.code in RENEWALS
    ]
    if not renewals:
        return set()
    applied = dict(
        Milestone.objects.filter(
            case__in=[case.pk for _row, case in renewals],
            code="application",
            occurred_at__isnull=False,
        )
        .order_by("-occurred_at", "-pk")
        .values_list("case", "occurred_at")
    )
    found = set()
    for row, case in renewals:
        first = applied.get(case.pk)
        start = occasions.day(first) if first is not None else case.opened_on
        if calendar.between(start, occasions.day(row.happened_at)) < QUICK_DAYS:
            found.add(row.pk)
    return found


def _unsaid(rows: Sequence[Occasion]) -> set[int]:
    """Refusals whose reason must not be disclosed, or is not known to be one that may."""
    return {
        row.pk
        for row in rows
        if row.case is not None and row.case.decline_reason in {"", CONFIDENTIAL}
    }


def _uncalled(rows: Sequence[Occasion]) -> set[int]:
    """Refusals after which nobody has spoken to the client yet."""
    talks = Touchpoint.objects.filter(
        client__in={row.client_id for row in rows},
        kind__in=SPOKEN,
        at__gte=min(row.happened_at for row in rows),
    ).order_by("at")
    last = dict(talks.values_list("client", "at"))
    return {
        row.pk
        for row in rows
        if row.client_id not in last or last[row.client_id] < row.happened_at
    }
