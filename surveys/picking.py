"""Whom a trigger asks on an occasion: candidates in order of preference, and why not each.

Everything is read once for a block of occasions; choosing itself asks the database nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

from clients.models import Contact, Party
from clients.models.cases import CaseKind
from surveys import governance, history, occasions
from surveys.models import Invitation, Occasion, Trigger

JOB, BUYING, PERSON = (kind.value for kind in Trigger.TargetKind)
# The client of a case is its borrower, unless the parties say otherwise.
BORROWER = {CaseKind.LOAN.value: "borrower", CaseKind.PROJECT_FINANCE.value: "borrower_spv"}
RESERVED, OUTRANKED, RECENT = "reserved_for_wave", "lower_priority", "trigger_cooldown"
ALREADY = "already_asked"

Group = list[Contact]


@dataclass
class Picked:
    """Who is asked, and the refusal of everybody who was looked at before."""

    contacts: list[Contact] = field(default_factory=list)
    refused: dict[int, governance.Refusal] = field(default_factory=dict)
    present: bool = False


@dataclass
class Desk:
    """What the choice for a block of occasions looks at."""

    at: datetime
    rules: governance.Book
    contacts: dict[int, Group] = field(default_factory=dict)
    people: dict[int, Contact] = field(default_factory=dict)
    parties: dict[int, list[Party]] = field(default_factory=dict)
    # Refusals by the rules that a trigger is exempt from.
    refusals: dict[frozenset[str], dict[int, governance.Refusal]] = field(default_factory=dict)
    # (contact, trigger) and (contact, questionnaire of a campaign) → when last asked.
    asked: dict[tuple[int, str, int], datetime] = field(default_factory=dict)
    held: dict[int, int] = field(default_factory=dict)
    future: dict[int, int] = field(default_factory=dict)
    reserved: dict[int, int] = field(default_factory=dict)
    # (milestone, contact) that were asked, and (occasion, role) of a wave that were.
    taken: set[tuple[int, int]] = field(default_factory=set)
    filled: set[tuple[int, str]] = field(default_factory=set)

    def pick(self, occasion: Occasion, *, rivals: bool = True) -> Picked:
        """Choose the first present and eligible contacts, one of each group in turn."""
        trigger = occasion.trigger
        groups = self.groups(occasion)
        picked = Picked(present=any(groups))
        rounds = 1 if trigger.target_kind == BUYING else trigger.max_contacts
        places = trigger.max_contacts - sum(pk == occasion.pk for pk, _role in self.filled)
        for _round in range(rounds):
            before = len(picked.contacts)
            for group in groups:
                if len(picked.contacts) < places:
                    self._next(group, occasion, picked, rivals=rivals)
            if len(picked.contacts) == before:
                break
        return picked

    def groups(self, occasion: Occasion) -> list[Group]:
        """The candidates: by party for a case, by role for a wave, else of the client."""
        trigger = occasion.trigger
        own = self.contacts.get(occasion.client_id, [])
        if trigger.target_kind == BUYING:
            free = [one for one in trigger.targets if (occasion.pk, one) not in self.filled]
            return [_in_order(own, [role], "buying_role") for role in free]
        if trigger.target_kind == PERSON:
            person = self.people.get(_person(occasion) or 0)
            if person is not None:
                return [[person]]
        if occasion.case is None or not trigger.party_roles:
            return [_in_order(own, trigger.targets, "job_role")]
        return [self._party(party, trigger) for party in self._parties(occasion, trigger)]

    def waits(self, trigger: Trigger, contact: Contact) -> datetime | None:
        """When this trigger may ask the contact again, if it did not long ago."""
        keys = (("t", trigger.pk), ("q", trigger.questionnaire_id))
        times = [self.asked[key] for one in keys if (key := (contact.pk, *one)) in self.asked]
        if not times:
            return None
        free = max(times) + timedelta(days=trigger.cooldown_days)
        return free if free > self.at else None

    def refusal(
        self, occasion: Occasion, contact: Contact, *, rivals: bool
    ) -> governance.Refusal | None:
        """Why this contact is not the one to ask."""
        trigger = occasion.trigger
        if (occasion.milestone_id, contact.pk) in self.taken:
            return governance.Refusal(ALREADY)
        found = self.refusals[self.rules.free(trigger)].get(contact.pk)
        if found is not None:
            return found
        free = self.waits(trigger, contact)
        if free is not None:
            return governance.Refusal(RECENT, occasions.day(free))
        return self._outranked(trigger, contact) if rivals else None

    def _outranked(self, trigger: Trigger, contact: Contact) -> governance.Refusal | None:
        """Whether something that goes first waits for the contact, or soon will."""
        if not self.rules.of(trigger).acts(OUTRANKED):
            return None
        rank = trigger.priority
        if self.held.get(contact.pk, rank + 1) <= rank or self.future.get(contact.pk, rank) < rank:
            return governance.Refusal(OUTRANKED)
        if self.reserved.get(contact.pk, rank) < rank:
            return governance.Refusal(RESERVED)
        return None

    def _next(self, group: Group, occasion: Occasion, picked: Picked, *, rivals: bool) -> None:
        chosen = {contact.pk for contact in picked.contacts}
        for contact in group:
            if contact.pk in chosen or contact.pk in picked.refused:
                continue
            found = self.refusal(occasion, contact, rivals=rivals)
            if found is None:
                picked.contacts.append(contact)
                return
            picked.refused[contact.pk] = found

    def _parties(self, occasion: Occasion, trigger: Trigger) -> list[Party]:
        """The parties the trigger concerns, in the order of its roles."""
        case = occasion.case
        if case is None:
            return []
        parties = list(self.parties.get(case.pk, []))
        role = BORROWER.get(case.kind, "")
        if all(party.role != role for party in parties):
            parties.append(Party(case=case, role=role, client_id=case.client_id))
        concerned = [party for party in parties if party.role in trigger.party_roles]
        concerned.sort(key=lambda party: (trigger.party_roles.index(party.role), party.pk or 0))
        return concerned

    def _party(self, party: Party, trigger: Trigger) -> Group:
        """The contacts of a party by role; whom the deal names goes first among equals, and
        stands in where nobody has one of the roles."""
        named = self.people.get(party.contact_id or 0)
        group = list(self.contacts.get(party.client_id or 0, []))
        if named is None:
            return _in_order(group, trigger.targets, "job_role")
        if all(contact.pk != named.pk for contact in group):
            group.append(named)
        group.sort(key=lambda contact: contact.pk != named.pk)
        ordered = _in_order(group, trigger.targets, "job_role")
        return ordered if named in ordered else [*ordered, named]


def load(
    rows: Sequence[Occasion], *, at: datetime, rules: governance.Book, also: Sequence[Trigger] = ()
) -> Desk:
    """Read all a block of occasions needs; constant in queries for any number of them."""
    desk = Desk(at, rules)
    cases = {row.case_id for row in rows if row.case_id}
    for party in Party.objects.filter(case__in=cases).order_by("pk"):
        desk.parties.setdefault(party.case_id, []).append(party)
    parties = [party for found in desk.parties.values() for party in found]
    clients = {row.client_id for row in rows} | {one.client_id for one in parties if one.client_id}
    people = {party.contact_id for party in parties if party.contact_id}
    people |= {person for row in rows if (person := _person(row)) is not None}
    _load_contacts(desk, clients, people)
    everybody = list(desk.people.values())
    triggers = {row.trigger_id: row.trigger for row in rows} | {one.pk: one for one in also}
    for free, one in {rules.free(one): one for one in triggers.values()}.items():
        desk.refusals[free] = governance.refusals(
            everybody, at=at, rules=rules.of(one), rivals=False
        )
    desk.held = history.held(everybody)
    _load_asked(desk, triggers.values())
    return desk


def is_sampled(occasion: Occasion) -> bool:
    """Whether an event is among the share that is asked: always the same for the same number."""
    trigger = occasion.trigger
    number = int.from_bytes(sha256(f"{trigger.code}|{_key(occasion)}".encode()).digest()[:8])
    return number < float(trigger.sample_share) * 2**64


def _person(row: Occasion) -> int | None:
    """Whom the event itself names: who was visited, or who complained."""
    event = row.touchpoint or row.client_event
    return event.contact_id if event is not None else None


def _key(row: Occasion) -> str:
    """The number of the event in the bank's own books."""
    if row.milestone is not None:
        return row.milestone.external_id
    if row.touchpoint is not None:
        return row.touchpoint.event_id
    if row.client_event is not None:
        return row.client_event.external_id
    return f"{row.client.code}/{row.slot}"


def _in_order(people: Iterable[Contact], roles: Sequence[str], name: str) -> Group:
    """Those who have one of the roles, in the order of the roles."""
    ranks = {role: rank for rank, role in enumerate(roles)}
    found = [person for person in people if getattr(person, name) in ranks]
    return sorted(found, key=lambda person: ranks[getattr(person, name)])


def _load_contacts(desk: Desk, clients: Iterable[int], people: Iterable[int]) -> None:
    """The contacts of the clients, and those who are named, with all their letters need."""
    found = Contact.objects.filter(client__in=list(clients)) | Contact.objects.filter(
        pk__in=list(people)
    )
    for contact in found.select_related("client__team", "client__manager").order_by("external_id"):
        desk.people[contact.pk] = contact
        desk.contacts.setdefault(contact.client_id, []).append(contact)


def _load_asked(desk: Desk, triggers: Iterable[Trigger]) -> None:
    """When each contact was last asked by each trigger, or in its questionnaire's campaigns."""
    longest = max((one.cooldown_days for one in triggers), default=0)
    rows = (
        Invitation.objects.filter(
            contact__in=list(desk.people),
            test_of__isnull=True,
            created_at__gt=desk.at - timedelta(days=longest),
            state__in=[
                Invitation.State.PLANNED,
                Invitation.State.INVITED,
                Invitation.State.ANSWERED,
            ],
        )
        .order_by("created_at")
        .values_list("contact", "occasion__trigger", "version__questionnaire", "created_at")
    )
    for contact, trigger, line, at in rows:
        desk.asked[(contact, "t", trigger) if trigger else (contact, "q", line)] = at
