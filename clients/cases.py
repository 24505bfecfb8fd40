"""The life of a case: stages entered and milestones reached, by the graph of its kind."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bank import audit
from bank.models import ApiKey, User
from clients.models import Case, Milestone, MilestoneType, Stage, Transition

# A machine's clock may run ahead of ours by so much.
_AHEAD = timedelta(minutes=5)


class Refused(Exception):
    """The graph of the case does not allow this; the text says why, for people."""


@dataclass(frozen=True)
class Graph:
    """Stages, transitions and milestones of every case kind, read once."""

    stages: dict[str, dict[str, bool]] = field(default_factory=dict)  # kind → code → terminal
    initial: dict[str, str] = field(default_factory=dict)
    edges: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    events: frozenset[str] = frozenset()
    milestones: dict[str, list[str]] = field(default_factory=dict)  # code → kinds

    def knows(self, kind: str, code: str) -> bool:
        """Is this a stage or a milestone of the case kind?"""
        return code in self.stages.get(kind, {}) or kind in self.milestones.get(code, [])

    def allows(self, kind: str, source: str, target: str, event: str) -> bool:
        """May a case go from one stage to the other, by this event or, without one, by any?"""
        found = self.edges.get((kind, source, target), [])
        return event in found if event else bool(found)


@dataclass(frozen=True)
class Entry:
    """One stage entry of a history, as `follow` needs it."""

    key: str
    code: str
    event: str
    occurred_at: datetime


@dataclass(frozen=True)
class Report:
    """A stage or milestone as a machine reports it."""

    external_id: str
    code: str
    event: str = ""
    planned_on: date | None = None
    occurred_at: datetime | None = None
    note: str = ""


def graph() -> Graph:
    """The graph as loaded from the reference data, in three queries."""
    stages: dict[str, dict[str, bool]] = {}
    initial: dict[str, str] = {}
    for stage in Stage.objects.filter(is_active=True).order_by("case_kind", "position", "pk"):
        stages.setdefault(stage.case_kind, {})[stage.code] = stage.terminal
        initial.setdefault(stage.case_kind, stage.code)
    edges: dict[tuple[str, str, str], list[str]] = {}
    for edge in Transition.objects.filter(is_active=True).order_by("pk"):
        edges.setdefault((edge.case_kind, edge.from_code, edge.to_code), []).append(edge.event)
    milestones = MilestoneType.objects.filter(is_active=True)
    return Graph(
        stages=stages,
        initial=initial,
        edges=edges,
        events=frozenset(event for found in edges.values() for event in found),
        milestones=dict(milestones.values_list("code", "case_kinds")),
    )


def follow(graph: Graph, kind: str, entries: Iterable[Entry]) -> tuple[list[Entry], set[str]]:
    """The stage entries in order of time, and the keys of those the graph does not allow."""
    ordered = sorted(entries, key=lambda entry: (entry.occurred_at, entry.key))
    irregular = set()
    present = ""
    for entry in ordered:
        regular = (
            graph.allows(kind, present, entry.code, entry.event)
            if present
            else entry.code == graph.initial.get(kind)
        )
        if not regular:
            irregular.add(entry.key)
        present = entry.code
    return ordered, irregular


@transaction.atomic
def record(  # noqa: PLR0913 - the facts of a milestone as it is reported
    case: Case,
    *,
    code: str,
    external_id: str,
    event: str = "",
    planned_on: date | None = None,
    occurred_at: datetime | None = None,
    note: str = "",
    at: datetime,
    by: User | ApiKey | None,
) -> Milestone:
    """Write one stage or milestone; the same number again corrects its times, or nothing."""
    case = Case.objects.select_for_update().get(pk=case.pk)
    known = Milestone.objects.filter(external_id=external_id).first()
    if known is not None:
        if (known.case_id, known.code, known.event) != (case.pk, code, event):
            raise Refused(_("This number belongs to another milestone."))
        return _correct(
            known,
            case,
            {"planned_on": planned_on, "occurred_at": occurred_at, "note": note},
            at=at,
            by=by,
        )
    new = Milestone(
        external_id=external_id,
        case=case,
        code=code,
        event=event,
        planned_on=planned_on,
        occurred_at=occurred_at,
        note=note,
    )
    rules = graph()
    _check_shape(rules, case, new, at=at)
    if occurred_at is not None and code in rules.stages.get(case.kind, {}):
        _check_transition(rules, case, new)
    new.save(force_insert=True)
    settle(case, rules)
    data = {"case": case.number, "code": code, "event": event, "external_id": external_id}
    audit.record("case.milestone", case, at=at, by=by, data=data)
    return new


@transaction.atomic
def receive(
    case: Case, report: Report, *, correction: bool, at: datetime, by: User | ApiKey | None
) -> tuple[Milestone, bool]:
    """Take a machine's report and say whether it was new; only a declared correction changes."""
    case = Case.objects.select_for_update().get(pk=case.pk)
    known = case.milestones.filter(external_id=report.external_id).first()
    if known is not None and not correction:
        stored = Report(**{name: getattr(known, name) for name in asdict(report)})
        if stored != report:
            raise Refused(_("This number was already reported with another content."))
    return record(case, **asdict(report), at=at, by=by), known is None


@transaction.atomic
def correct(
    milestone: Milestone,
    *,
    planned_on: date | None,
    occurred_at: datetime | None,
    note: str,
    at: datetime,
    by: User | ApiKey | None,
) -> Milestone:
    """Replace the times and the note of a milestone; the order of stages must go on holding."""
    case = Case.objects.select_for_update().get(pk=milestone.case_id)
    milestone = Milestone.objects.get(pk=milestone.pk)  # as it is now that the case is ours
    values = {"planned_on": planned_on, "occurred_at": occurred_at, "note": note}
    return _correct(milestone, case, values, at=at, by=by)


def settle(case: Case, rules: Graph | None = None) -> None:
    """Bring the stage of the case, and its end, into line with its latest stage entry."""
    rules = rules or graph()
    stages = rules.stages.get(case.kind, {})
    last = (
        case.milestones.filter(occurred_at__isnull=False, code__in=list(stages))
        .order_by("-occurred_at", "-pk")
        .first()
    )
    if last is None or last.occurred_at is None:
        return
    closed_on = timezone.localdate(last.occurred_at) if stages[last.code] else None
    if closed_on is not None:
        closed_on = max(closed_on, case.opened_on)
    if (case.stage, case.closed_on) != (last.code, closed_on):
        case.stage, case.closed_on = last.code, closed_on
        case.save(update_fields=["stage", "closed_on"])


def _correct(
    milestone: Milestone,
    case: Case,
    values: dict[str, date | datetime | str | None],
    *,
    at: datetime,
    by: User | ApiKey | None,
) -> Milestone:
    before = {name: getattr(milestone, name) for name in values}
    if before == values:
        return milestone
    rules = graph()
    order = _order(rules, case)
    planned = milestone.occurred_at is None
    for name, value in values.items():
        setattr(milestone, name, value)
    _check_shape(rules, case, milestone, at=at)
    if planned and milestone.occurred_at and milestone.code in rules.stages.get(case.kind, {}):
        # What was planned has happened: the case enters the stage now.
        _check_transition(rules, case, milestone)
        order.append(milestone.pk)
    milestone.save(update_fields=list(values))
    if _order(rules, case) != order:
        raise Refused(_("With this time the stages of the case would change their order."))
    settle(case, rules)
    changed = {name: str(before[name] or "") for name in values if before[name] != values[name]}
    data = {"case": case.number, "external_id": milestone.external_id, "before": changed}
    audit.record("case.correct", case, at=at, by=by, data=data)
    return milestone


def _order(rules: Graph, case: Case) -> list[int]:
    return list(
        case.milestones.filter(
            occurred_at__isnull=False, code__in=list(rules.stages.get(case.kind, {}))
        )
        .order_by("occurred_at", "pk")
        .values_list("pk", flat=True)
    )


def _check_shape(rules: Graph, case: Case, new: Milestone, *, at: datetime) -> None:
    if not rules.knows(case.kind, new.code):
        raise Refused(
            _("“%(code)s” is no stage or milestone of this kind of case.") % {"code": new.code}
        )
    if new.event and new.event not in rules.events:
        raise Refused(_("“%(event)s” is no event of the case model.") % {"event": new.event})
    if new.planned_on is None and new.occurred_at is None:
        raise Refused(_("A planned day or the time it happened is needed."))
    if new.occurred_at is not None and new.occurred_at > at + _AHEAD:
        raise Refused(_("The time lies in the future; give a planned day instead."))


def _check_transition(rules: Graph, case: Case, new: Milestone) -> None:
    """The stage entered must follow from the present one, and not lie before it."""
    entered = case.milestones.filter(
        occurred_at__isnull=False, code__in=list(rules.stages[case.kind])
    )
    last = entered.order_by("-occurred_at", "-pk").first()
    if last is None and new.code == case.stage and not new.event:
        return  # the stage in which the case was opened, now with its time
    moments = [entry.occurred_at for entry in (last, new) if entry and entry.occurred_at]
    if moments != sorted(moments):
        raise Refused(_("The case entered its present stage after this time."))
    names = {"source": case.stage, "target": new.code, "event": new.event}
    found = rules.edges.get((case.kind, case.stage, new.code), [])
    if not found:
        raise Refused(_("A case cannot go from “%(source)s” to “%(target)s”.") % names)
    if new.event and new.event not in found:
        raise Refused(_("“%(event)s” does not lead from “%(source)s” to “%(target)s”.") % names)
    if not new.event and len(found) > 1:
        raise Refused(
            _("Name the event, since several lead from “%(source)s” to “%(target)s”.") % names
        )
