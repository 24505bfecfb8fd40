"""Why an invitation must not go now: the suppression rules, read as rows.

A right of the person or of the client (consent, bounce, departure, freeze) is asked of
`clients.consent`; what needs the history of invitations is judged here. A rule without a row
acts as it is shipped, so that a database without reference data asks too little, never too much.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Max, Q

from bank import workdays
from clients import consent
from clients.models import Case, Contact
from surveys.models import Delivery, Invitation, SuppressionRule

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
    "quiet_hours": [["09:30", "11:00"], ["14:30", "16:30"]],
    "left_company": None,
    "address_bounced": None,
    "follow_up_open": None,
}
# What the person decided cannot be switched off by anybody else.
ALWAYS = {"no_consent"}
# The triggers a rule does not hold for, as shipped.
EXEMPT: Mapping[str, tuple[str, ...]] = {
    "contact_cooldown": ("TR15",),
    "client_cap": ("TR15",),
    "lower_priority": ("TR15",),
    "decline_freeze": ("TR11", "TR15"),
    "open_complaint": ("TR15",),
    "follow_up_open": ("TR15",),
}
# A campaign is a wave: it goes before everything but what has priority 1.
CAMPAIGN_PRIORITY = 2
# The stage of a case that leaves its client alone, by the rule it stands for.
STAGES = {
    "declined": "decline_freeze",
    "overdue": "overdue_or_recovery",
    "recovery": "overdue_or_recovery",
}
# Who is asked first when a client's cap leaves too few places.
ROLES: dict[str, int] = {Contact.BuyingRole.DECIDER: 0, Contact.BuyingRole.INFLUENCER: 1}
# Up to here a list of keys in the query is cheaper than the whole window.
NARROW = 500
# What has not been sent as far as we know; after a lost outcome nobody knows.
_WAITING = (Delivery.State.QUEUED, Delivery.State.CLAIMED, Delivery.State.RETRY)


@dataclass(frozen=True)
class Refusal:
    """The code of the first rule that forbids the mail, and when it may be asked again."""

    code: str
    free_on: date | None = None


@dataclass(frozen=True)
class Book:
    """The rules in force and the calendar, read once for a whole plan or batch."""

    positions: Mapping[str, int]
    parameters: Mapping[str, Any]
    calendar: workdays.Calendar
    exempt: Mapping[str, Collection[str]] = field(default_factory=dict)
    _next: dict[tuple[str, datetime], datetime] = field(default_factory=dict)

    def acts(self, code: str) -> bool:
        """Whether this rule is switched on."""
        return code in self.positions

    def without(self, trigger: str) -> "Book":
        """The rules as they hold for what this trigger asks."""
        free = {
            code
            for code, triggers in self.exempt.items()
            if trigger in triggers and code not in ALWAYS
        }
        if not free & self.positions.keys():
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


@dataclass(frozen=True)
class History:
    """When each contact was last asked, and whom of each client we asked."""

    contacts: dict[int, datetime]
    clients: dict[int, dict[int, datetime]]


def book() -> Book:
    """Read the rules and the calendar in two queries."""
    rows = {row.code: row for row in SuppressionRule.objects.all()}
    positions, parameters, exempt = {}, {}, {}
    for place, (code, shipped) in enumerate(SHIPPED.items()):
        row = rows.get(code)
        if row is not None and not row.enabled and code not in ALWAYS:
            continue
        positions[code] = row.position if row is not None else place
        given = row.parameter if row is not None else None
        parameters[code] = shipped if given is None else given
        exempt[code] = row.exempt if row is not None else EXEMPT.get(code, ())
    return Book(positions, parameters, workdays.calendar(), exempt)


def refusals(
    contacts: Sequence[Contact],
    *,
    at: datetime,
    rules: Book | None = None,
    but: Collection[int] = (),
    rivals: bool = True,
) -> dict[int, Refusal]:
    """The first refusal of each contact that must not be asked; constant in queries.

    `but` names invitations that do not count as history: a mail is not refused for itself.
    The contacts are rivals for the places of their client if all of them are to be asked;
    candidates of whom one is chosen are not.
    """
    rules = rules or book()
    past = _history(contacts, at=at, rules=rules, but=but)
    rights = consent.reasons(contacts, at=at)
    stopped = _stopped({contact.client_id for contact in contacts})
    found: dict[int, Refusal] = {}
    for contact in contacts:
        reasons = rights.get(contact.pk, []) + stopped.get(contact.client_id, [])
        candidates = _rights(reasons, at=at, rules=rules)
        candidates += _cooldown(contact, past, rules=rules)
        candidates += _cap(past.clients.get(contact.client_id, {}), contact, rules=rules)
        if candidates:
            found[contact.pk] = min(candidates, key=lambda one: rules.positions[one.code])
    if rivals and rules.acts("client_cap"):
        _share_places(contacts, found, past, at=at, rules=rules)
    return found


def refusal(invitation: Invitation, *, at: datetime, rules: Book | None = None) -> Refusal | None:
    """Why this invitation, or its reminder, must not go at this instant."""
    contact, but = invitation.contact, [invitation.pk]
    if invitation.occasion is None:
        return refusals([contact], at=at, rules=rules, but=but).get(contact.pk)
    trigger = invitation.occasion.trigger
    rules = (rules or book()).without(trigger.code)
    found = refusals([contact], at=at, rules=rules, but=but).get(contact.pk)
    if found is not None or not rules.acts("lower_priority"):
        return found
    # Two of the same rank go in their order; the cool-down then holds the second.
    before = held([contact], but=but).get(contact.pk, trigger.priority)
    return Refusal("lower_priority") if before < trigger.priority else None


def held(contacts: Sequence[Contact], *, but: Collection[int] = ()) -> dict[int, int]:
    """The best priority with which each contact waits for a mail already; one query."""
    waiting = (
        Invitation.objects.filter(
            Q(occasion__isnull=False) | Q(campaign__status__in=["scheduled", "sending"]),
            state=Invitation.State.PLANNED,
            contact__in=[contact.pk for contact in contacts],
        )
        .exclude(pk__in=but)
        .values_list("contact", "occasion__trigger__priority")
    )
    best: dict[int, int] = {}
    for contact, priority in waiting:
        rank = priority or CAMPAIGN_PRIORITY
        best[contact] = min(rank, best.get(contact, rank))
    return best


def _stopped(clients: Collection[int]) -> dict[int, list[consent.Refusal]]:
    """The reasons that lie in the cases of the clients: declined, overdue, in recovery."""
    cases = Case.objects.filter(stage__in=STAGES)
    if len(clients) <= NARROW:
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


def _cooldown(contact: Contact, past: History, *, rules: Book) -> list[Refusal]:
    last = past.contacts.get(contact.pk)
    if last is None or not rules.acts("contact_cooldown"):
        return []
    return [Refusal("contact_cooldown", _day(last, rules.parameters["contact_cooldown"]))]


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
    past: History,
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


def _history(
    contacts: Sequence[Contact], *, at: datetime, rules: Book, but: Collection[int]
) -> History:
    """Read who was asked within the longest window, in two queries.

    A mail whose outcome is open counts as asked: two campaigns must not both reach the person.
    """
    cooldown = at - timedelta(days=rules.parameters.get("contact_cooldown", 0))
    cap = at - timedelta(days=rules.parameters.get("client_cap", (0, 0))[1])
    asked = Invitation.objects.filter(sent_at__gt=min(cooldown, cap)).exclude(pk__in=but)
    open_ = (
        Delivery.objects.filter(
            Q(state__in=[Delivery.State.SENDING, Delivery.State.UNKNOWN])
            | Q(state__in=_WAITING, losses__gt=0),
            kind=Delivery.Kind.INVITATION,
        )
        .exclude(invitation__in=but)
        .values_list("invitation__contact", "invitation__client")
    )
    clients = {contact.client_id for contact in contacts}
    if len(clients) <= NARROW:
        # A person who has moved to another client was asked all the same.
        people = [contact.pk for contact in contacts]
        asked = asked.filter(Q(client__in=clients) | Q(contact__in=people))
        open_ = open_.filter(Q(invitation__client__in=clients) | Q(invitation__contact__in=people))
    # What is open first: a mail that another sender settles between the two reads is then seen
    # twice, in the other order it would not be seen at all.
    rows = [(contact, client, at) for contact, client in open_]
    rows += asked.values_list("contact", "client").annotate(last=Max("sent_at"))
    past = History({}, {})
    for contact, client, last in rows:
        if last > cooldown:
            past.contacts[contact] = max(last, past.contacts.get(contact, last))
        if last > cap:
            others = past.clients.setdefault(client, {})
            others[contact] = max(last, others.get(contact, last))
    return past


def _day(start: datetime, days: int) -> date:
    return (start + timedelta(days=days)).astimezone(settings.ZONE).date()
