"""Person or machine: each hit is judged apart from the visit, and what follows from it is kept.

A person's first visit opens the survey and is the click of its mail; a machine's changes nothing.
New hits of a mail are weighed together with its earlier ones, so a judgement may turn while a
gateway is still at work; an administrator's decision never does. Openings and clicks are made
to agree with the judgements each time, so whoever judges need not know what depends on it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

from django.db import transaction
from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from bank import audit, settings
from bank.models import User
from clients import machines
from surveys import traces, verdicts
from surveys.models import Delivery, Hit, Invitation
from surveys.verdicts import Verdict, Visit

LONGEST_REASON = 200
_JUDGED = (
    "pk", "invitation", "at", "page", "method", "address", "agent", "score",
    "person", "signals", "ruled_by",
)  # fmt: skip


class NoReason(ValueError):
    """Whoever decides on a hit says why."""


@dataclass(frozen=True)
class _Row:
    """One hit as it is stored, and as it is weighed."""

    key: int
    visit: Visit
    person: bool | None
    signals: tuple[str, ...]
    ruled: bool

    def stands(self, verdict: Verdict) -> bool:
        """Whether this judgement says nothing new, or is none of the clock's business."""
        return self.ruled or (self.person, self.signals) == (verdict.person, verdict.signals)


def judge_visits(*, at: datetime) -> int:
    """Judge the hits that nobody has judged yet; return how many.

    Done apart from the visit, so that opening the page stays one read and one line of evidence.
    """
    done = 0
    for _block in range(traces.BLOCKS):
        found = _judge_block(at)
        done += found
        if found < traces.BLOCK:
            break
    return done


@transaction.atomic
def rule(hit: Hit, *, person: bool, reason: str, at: datetime, by: User) -> Hit:
    """Decide by hand who came; openings, clicks and figures follow. The same again is nothing."""
    why = " ".join(reason.split())[:LONGEST_REASON]
    if not why:
        raise NoReason
    held = Hit.objects.select_for_update(of=("self",)).get(pk=hit.pk)
    if held.ruled_by is not None and (held.person, held.ruled_why) == (person, why):
        return held
    before, held.person = held.person, person
    held.ruled_by, held.ruled_at, held.ruled_why = by, at, why
    held.save(update_fields=["person", "ruled_by", "ruled_at", "ruled_why"])
    data = {"person": [before, person], "signals": held.signals, "reason": why}
    audit.record("hit.rule", held, at=at, by=by, data=data)
    _agree({held.invitation_id}, at=at)
    return held


@transaction.atomic
def _judge_block(at: datetime) -> int:
    waiting = Hit.objects.filter(person__isnull=True).select_for_update(skip_locked=True)
    keys = set(waiting.order_by("pk").values_list("pk", flat=True)[: traces.BLOCK])
    if not keys:
        return 0
    found: dict[Verdict, list[int]] = defaultdict(list)
    changed: set[int] = set()
    new = 0
    for invitation, rows, mails in _mails(keys):
        for row, verdict in _weighed(rows, mails):
            new += row.person is None
            if not row.stands(verdict):
                found[verdict].append(row.key)
                changed.add(invitation)
    for verdict, hits in found.items():
        Hit.objects.filter(pk__in=hits).update(
            person=verdict.person,
            signals=list(verdict.signals),
            weight=verdict.weight,
            rule=verdicts.RULE,
        )
    _agree(changed, at=at)
    return new


def _weighed(rows: Collection[_Row], mails: list[datetime]) -> Iterable[tuple[_Row, Verdict]]:
    """The judgement on each hit of one invitation."""
    # Two hits may be equal in all that counts: then so are their judgements.
    by_visit = {
        visit: verdicts.judge(visit, run, mails=mails)
        for run in verdicts.runs(row.visit for row in rows)
        for visit in run
    }
    return ((row, by_visit[row.visit]) for row in rows)


def _mails(keys: set[int]) -> Iterable[tuple[int, list[_Row], list[datetime]]]:
    """By invitation: all hits of those that have new ones, and when their mails left."""
    new = Hit.objects.filter(pk__in=keys)
    crowded = dict(new.filter(address__isnull=False).annotate(n=_crowd()).values_list("pk", "n"))
    theirs = Hit.objects.filter(invitation__in=new.values("invitation")).order_by("at", "pk")
    listed = _Listed()
    rows: dict[int, list[_Row]] = defaultdict(list)
    for values in theirs.values(*_JUDGED):
        rows[values["invitation"]].append(_row(values, crowded, listed))
    sent: dict[int, list[datetime]] = defaultdict(list)
    left = Delivery.objects.filter(invitation__in=list(rows), sent_at__isnull=False)
    for invitation, moment in left.values_list("invitation", "sent_at"):
        if moment is not None:
            sent[invitation].append(moment)
    return ((one, rows[one], sent[one]) for one in rows)


def _crowd() -> Subquery:
    """Of how many mails the address of a hit followed links at about the same time."""
    near = Hit.objects.filter(
        address=OuterRef("address"),
        at__gte=OuterRef("at") - verdicts.TOGETHER,
        at__lte=OuterRef("at") + verdicts.TOGETHER,
    )
    counted = near.order_by().values("address").annotate(n=Count("invitation", distinct=True))
    return Subquery(counted.values("n"))


class _Listed:
    """The networks and names that the bank itself knows as those of machines."""

    def __init__(self) -> None:
        self.networks = [ip_network(one) for one in settings.get("scanner_networks")]
        self.agents = [str(one).casefold() for one in settings.get("scanner_agents")]

    def network(self, address: str | None) -> bool:
        """Whether the address lies in one of the networks."""
        return address is not None and any(ip_address(address) in one for one in self.networks)

    def program(self, agent: str) -> bool:
        """Whether the visitor names a program, or nothing at all."""
        spoken = agent.casefold()
        return machines.is_machine(agent) or any(word in spoken for word in self.agents)


def _row(values: dict[str, Any], crowded: dict[int, int], listed: _Listed) -> _Row:
    signals = tuple(values["signals"])
    # What was a crowd when it was judged stays one: its neighbours are not read again.
    otherwise = verdicts.MAILS if "mails" in signals else 1
    visit = Visit(
        at=values["at"],
        page=values["page"],
        method=values["method"],
        network=verdicts.network_of(values["address"]),
        score=values["score"],
        program=listed.program(values["agent"]),
        listed=listed.network(values["address"]),
        mails=crowded.get(values["pk"], otherwise),
    )
    return _Row(values["pk"], visit, values["person"], signals, values["ruled_by"] is not None)


def _agree(invitations: Collection[int], *, at: datetime) -> None:
    """Date the openings by the first visit of a person, and make the clicks agree as well."""
    if not invitations:
        return
    first = Hit.objects.openings().filter(invitation=OuterRef("pk")).order_by("at", "pk")
    opened = Coalesce(Subquery(first.values("at")[:1]), F("answered_at"))
    Invitation.objects.filter(pk__in=invitations).update(opened_at=opened)
    visits = Hit.objects.openings().filter(invitation__in=invitations)
    traces.settle_clicks(invitations, visits.values_list("invitation", "at"), at=at)
