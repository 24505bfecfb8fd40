"""What people were asked before, and what waits for them: the past that the rules look at."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Max, Q

from clients.models import Contact
from surveys.models import Delivery, Invitation

# A campaign is a wave: it goes before everything but what has priority 1.
CAMPAIGN_PRIORITY = 2
# Up to here a list of keys in the query is cheaper than the whole window.
NARROW = 500
# What has not been sent as far as we know; after a lost outcome nobody knows.
_WAITING = (Delivery.State.QUEUED, Delivery.State.CLAIMED, Delivery.State.RETRY)
# What a campaign asks is pushed; of what a trigger asks, the trigger says it.
_PUSHED = Q(occasion__isnull=True) | Q(occasion__trigger__pushed=True)


@dataclass(frozen=True)
class Spans:
    """From when on a questionnaire counts: for the person, for the client, for the year."""

    contact: datetime
    client: datetime
    year: datetime


@dataclass(frozen=True)
class History:
    """When each contact was last asked, how often this year, and whom of each client we asked."""

    contacts: dict[int, datetime] = field(default_factory=dict)
    clients: dict[int, dict[int, datetime]] = field(default_factory=dict)
    years: Counter[int] = field(default_factory=Counter)

    def note(self, contact: int, client: int, last: datetime, *, spans: Spans) -> None:
        """Remember one person's last questionnaire, as far back as it counts."""
        if last > spans.contact:
            self.contacts[contact] = max(last, self.contacts.get(contact, last))
        if last > spans.client:
            others = self.clients.setdefault(client, {})
            others[contact] = max(last, others.get(contact, last))


@dataclass(frozen=True)
class Waiting:
    """A mail that waits for a contact: how early it goes in rank, and when it is due."""

    contact: int
    rank: int
    due_at: datetime


def read(
    contacts: Sequence[Contact], *, at: datetime, spans: Spans, but: Collection[int] = ()
) -> History:
    """Who was asked within the spans, in two queries; `but` names invitations left out.

    Questionnaires count, not mails: a reminder brings the same one again. A mail whose outcome
    is open counts as sent: two campaigns must not both reach the person.
    """
    asked = Invitation.objects.filter(
        _PUSHED, sent_at__gte=min(spans.contact, spans.client, spans.year)
    ).exclude(pk__in=but)
    open_ = (
        Invitation.objects.filter(
            Q(deliveries__state__in=[Delivery.State.SENDING, Delivery.State.UNKNOWN])
            | Q(deliveries__state__in=_WAITING, deliveries__losses__gt=0),
            _PUSHED,
            test_of__isnull=True,
            deliveries__kind=Delivery.Kind.INVITATION,
        )
        .exclude(pk__in=but)
        .values_list("contact", "client", "sent_at")
    )
    clients = {contact.client_id for contact in contacts}
    if len(clients) <= NARROW:
        # A person who has moved to another client was asked all the same.
        people = [contact.pk for contact in contacts]
        asked = asked.filter(Q(client__in=clients) | Q(contact__in=people))
        open_ = open_.filter(Q(client__in=clients) | Q(contact__in=people))
    past = History()
    # What is open first: a mail that another sender settles between the two reads is then seen
    # twice, in the other order it would not be seen at all.
    for contact, client, sent_at in open_:
        past.note(contact, client, at, spans=spans)
        past.years[contact] += sent_at is None
    rows = asked.values_list("contact", "client").annotate(
        last=Max("sent_at"), number=Count("pk", filter=Q(sent_at__gte=spans.year))
    )
    for contact, client, last, number in rows:
        past.note(contact, client, last, spans=spans)
        past.years[contact] += number
    return past


def waiting(contacts: Sequence[Contact], *, but: Collection[int] = ()) -> Iterator[Waiting]:
    """What is planned for these contacts and has not left; one query."""
    rows = Delivery.objects.filter(
        Q(invitation__occasion__isnull=False)
        | Q(invitation__campaign__status__in=["scheduled", "sending"]),
        invitation__state=Invitation.State.PLANNED,
        kind=Delivery.Kind.INVITATION,
    ).exclude(invitation__in=but)
    people = {contact.pk for contact in contacts}
    if len(people) <= NARROW:
        rows = rows.filter(invitation__contact__in=people)
    for contact, rank, due_at in rows.values_list(
        "invitation__contact", "invitation__occasion__trigger__priority", "next_try_at"
    ):
        yield Waiting(contact, rank or CAMPAIGN_PRIORITY, due_at)


def held(contacts: Sequence[Contact], *, but: Collection[int] = ()) -> dict[int, int]:
    """The best rank with which each contact waits for a mail already; one query."""
    best: dict[int, int] = {}
    for row in waiting(contacts, but=but):
        best[row.contact] = min(row.rank, best.get(row.contact, row.rank))
    return best
