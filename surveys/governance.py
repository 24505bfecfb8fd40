"""Why an invitation must not go now: the suppression rules, read as rows.

A right of the person or of the client (consent, bounce, departure, freeze) is asked of
`clients.consent`; what was asked before, of `surveys.history`. A rule without a row acts as it
is shipped, so that a database without reference data asks too little, never too much.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from django.conf import settings

from bank import workdays
from clients import consent
from clients.models import Case, Contact
from surveys import history
from surveys.models import SuppressionRule, Trigger

# Code and parameter of each rule that acts now, in the shipped order.
SHIPPED: Mapping[str, Any] = {
    "no_consent": None,
    "contact_cooldown": 90,
    "client_cap": [3, 30],
    "lower_priority": 30,
    "decline_freeze": 30,
    "overdue_or_recovery": None,
    "open_complaint": None,
    "compliance_hold": None,
    "yearly_cap": 4,
    "quiet_hours": [["09:30", "11:00"], ["14:30", "16:30"]],
    "left_company": None,
    "address_bounced": None,
    "follow_up_open": None,
}
# What the person decided cannot be switched off by anybody else.
ALWAYS = {"no_consent"}
# The rules that hold for every questionnaire, as shipped; the others for the pushed ones.
FOR_ALL = {"no_consent", "overdue_or_recovery", "compliance_hold", "left_company"}
# The triggers a rule does not hold for, as shipped.
EXEMPT: Mapping[str, tuple[str, ...]] = {
    "contact_cooldown": ("TR15",),
    "client_cap": ("TR15",),
    "lower_priority": ("TR15",),
    "decline_freeze": ("TR11", "TR15"),
    "open_complaint": ("TR15",),
    "yearly_cap": ("TR15",),
    "follow_up_open": ("TR15",),
}
# The stage of a case that leaves its client alone, by the rule it stands for.
STAGES = {
    "declined": "decline_freeze",
    "overdue": "overdue_or_recovery",
    "recovery": "overdue_or_recovery",
}
# Who is asked first when a client's cap leaves too few places.
ROLES: dict[str, int] = {Contact.BuyingRole.DECIDER: 0, Contact.BuyingRole.INFLUENCER: 1}


@dataclass(frozen=True)
class Refusal:
    """The code of the first rule that forbids the mail, and when it may be asked again."""

    code: str
    free_on: date | None = None

    def as_row(self) -> dict[str, str | None]:
        """The refusal as an occasion keeps it."""
        day = self.free_on.isoformat() if self.free_on else None
        return {"reason": self.code, "free_on": day}


@dataclass(frozen=True)
class Book:
    """The rules in force and the calendar, read once for a whole plan or batch."""

    positions: Mapping[str, int]
    parameters: Mapping[str, Any]
    calendar: workdays.Calendar
    exempt: Mapping[str, Collection[str]] = field(default_factory=dict)
    scopes: Mapping[str, str] = field(default_factory=dict)
    _next: dict[tuple[str, datetime], datetime] = field(default_factory=dict)

    def acts(self, code: str) -> bool:
        """Whether this rule is switched on."""
        return code in self.positions

    def free(self, trigger: Trigger) -> frozenset[str]:
        """The rules that do not hold for what this trigger asks."""
        pushed_only = SuppressionRule.Scope.PUSHED
        return frozenset(
            code
            for code in self.positions.keys() - ALWAYS
            if trigger.code in self.exempt.get(code, ())
            or (not trigger.pushed and self.scopes.get(code) == pushed_only)
        )

    def of(self, trigger: Trigger) -> "Book":
        """The rules as they hold for what this trigger asks."""
        free = self.free(trigger)
        if not free:
            return self
        kept = {code: place for code, place in self.positions.items() if code not in free}
        return replace(
            self,
            positions=kept,
            parameters={code: self.parameters[code] for code in kept},
        )

    def next_send(self, contact: Contact, *, at: datetime) -> datetime:
        """The instant itself if mail may leave then, else the start of the next window."""
        if not self.acts("quiet_hours"):
            return at
        key = (contact.time_zone, at)
        if key not in self._next:
            windows = self.parameters["quiet_hours"]
            self._next[key] = self.calendar.next_send(at, contact.time_zone, windows)
        return self._next[key]


def book() -> Book:
    """Read the rules and the calendar in two queries."""
    rows = {row.code: row for row in SuppressionRule.objects.all()}
    positions, parameters, exempt, scopes = {}, {}, {}, {}
    for place, (code, shipped) in enumerate(SHIPPED.items()):
        row = rows.get(code) or _shipped(code, place)
        if not row.enabled and code not in ALWAYS:
            continue
        positions[code], exempt[code], scopes[code] = row.position, row.exempt, row.scope
        parameters[code] = shipped if row.parameter is None else row.parameter
    return Book(positions, parameters, workdays.calendar(), exempt, scopes)


def _shipped(code: str, place: int) -> SuppressionRule:
    scopes = SuppressionRule.Scope
    return SuppressionRule(
        code=code,
        position=place,
        exempt=EXEMPT.get(code, ()),
        scope=scopes.ALL if code in FOR_ALL else scopes.PUSHED,
    )


def refusals(
    contacts: Sequence[Contact],
    *,
    at: datetime,
    rules: Book | None = None,
    but: Collection[int] = (),
    outranked: Mapping[int, datetime] = MappingProxyType({}),
    rivals: bool = True,
) -> dict[int, Refusal]:
    """The first refusal of each contact that must not be asked; constant in queries.

    `but` names invitations that do not count as history: a mail is not refused for itself.
    `outranked` says for whom something goes first, and when. The contacts are rivals for the
    places of their client if all of them are to be asked; candidates of whom one is chosen
    are not.
    """
    rules = rules or book()
    past = history.read(contacts, at=at, spans=_spans(rules, at=at), but=but)
    rights = consent.reasons(contacts, at=at)
    stopped = _stopped({contact.client_id for contact in contacts})
    found: dict[int, Refusal] = {}
    for contact in contacts:
        reasons = rights.get(contact.pk, []) + stopped.get(contact.client_id, [])
        candidates = _rights(reasons, at=at, rules=rules)
        candidates += _asked(contact, past, rules=rules, at=at)
        if contact.pk in outranked and rules.acts("lower_priority"):
            candidates.append(_after(outranked[contact.pk], rules=rules))
        if candidates:
            found[contact.pk] = _first(candidates, rules=rules)
    if rivals and rules.acts("client_cap"):
        _share_places(contacts, found, past, at=at, rules=rules)
    return found


def _stopped(clients: Collection[int]) -> dict[int, list[consent.Refusal]]:
    """The reasons that lie in the cases of the clients: declined, overdue, in recovery."""
    cases = Case.objects.filter(stage__in=STAGES)
    if len(clients) <= history.NARROW:
        cases = cases.filter(client__in=clients)
    found: dict[int, list[consent.Refusal]] = {}
    for client, stage, closed_on in cases.values_list("client", "stage", "closed_on"):
        since = datetime.combine(closed_on, time(), settings.ZONE) if closed_on else None
        if stage != "declined" or since is not None:
            reason = consent.Refusal(STAGES[stage], since)
            found.setdefault(client, []).append(reason)
    return found


def _rights(reasons: Iterable[consent.Refusal], *, at: datetime, rules: Book) -> list[Refusal]:
    """The reasons of person and client whose rules act; a declined request is over in time."""
    found = []
    for reason in reasons:
        days = rules.parameters.get(reason.code)
        over = reason.since + timedelta(days=days) if days and reason.since else None
        if rules.acts(reason.code) and (over is None or over > at):
            found.append(Refusal(reason.code, over and _day(over, 0)))
    return found


def _asked(contact: Contact, past: history.History, *, rules: Book, at: datetime) -> list[Refusal]:
    """What the questionnaires of this person, and of the others of the client, stand against."""
    found = _cap(past.clients.get(contact.client_id, {}), contact, rules=rules)
    last = past.contacts.get(contact.pk)
    if last is not None and rules.acts("contact_cooldown"):
        days = rules.parameters["contact_cooldown"]
        found.append(Refusal("contact_cooldown", _day(last, days)))
    if rules.acts("yearly_cap") and past.years[contact.pk] >= rules.parameters["yearly_cap"]:
        found.append(Refusal("yearly_cap", date(_day(at, 0).year + 1, 1, 1)))
    return found


def _after(other: datetime, *, rules: Book) -> Refusal:
    """Free again when what goes first has gone and the person's days are over."""
    return Refusal("lower_priority", _day(other, rules.parameters.get("contact_cooldown", 0)))


def _first(candidates: Sequence[Refusal], *, rules: Book) -> Refusal:
    """The refusal of the first rule; free only when all that end by themselves have ended."""
    first = min(candidates, key=lambda one: rules.positions[one.code])
    if first.free_on is None:
        return first
    return replace(first, free_on=max(one.free_on for one in candidates if one.free_on))


def _cap(asked: Mapping[int, datetime], contact: Contact, *, rules: Book) -> list[Refusal]:
    """Refuse when the client's other contacts have used up the places."""
    if not rules.acts("client_cap"):
        return []
    places, days = rules.parameters["client_cap"]
    others = sorted(when for who, when in asked.items() if who != contact.pk)
    if len(others) < places:
        return []
    return [Refusal("client_cap", _day(others[len(others) - places], days))]


def _share_places(
    contacts: Sequence[Contact],
    found: dict[int, Refusal],
    past: history.History,
    *,
    at: datetime,
    rules: Book,
) -> None:
    """Give the places a client has left to the first contacts in a stable order."""
    places, days = rules.parameters["client_cap"]
    taken: dict[int, int] = {}
    for contact in sorted(contacts, key=_rank):
        if contact.pk in found:
            continue
        asked = past.clients.get(contact.client_id, {})
        used = taken.setdefault(contact.client_id, len(asked.keys() - {contact.pk}))
        if used >= places:
            found[contact.pk] = Refusal("client_cap", _day(at, days))
        else:
            taken[contact.client_id] = used + 1


def _rank(contact: Contact) -> tuple[int, int, str]:
    return contact.client_id, ROLES.get(contact.buying_role or "", 2), contact.external_id


def _spans(rules: Book, *, at: datetime) -> history.Spans:
    """How far back each rule looks; one that does not act looks nowhere."""
    new_year = datetime(_day(at, 0).year, 1, 1, tzinfo=settings.ZONE)
    return history.Spans(
        contact=at - timedelta(days=rules.parameters.get("contact_cooldown", 0)),
        client=at - timedelta(days=rules.parameters.get("client_cap", (0, 0))[1]),
        year=new_year if rules.acts("yearly_cap") else at,
    )


def _day(start: datetime, days: int) -> date:
    return (start + timedelta(days=days)).astimezone(settings.ZONE).date()
