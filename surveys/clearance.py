"""May this mail go at this instant? The rules, the history, and what goes first for the person.

Judged when a campaign is planned, and once more for each mail just before it leaves.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from clients.models import Contact
from surveys import governance, history, occasions, picking
from surveys.models import Invitation, Occasion

CAMPAIGN_PRIORITY = history.CAMPAIGN_PRIORITY


def refusals(
    contacts: Sequence[Contact], *, at: datetime, rules: governance.Book
) -> dict[int, governance.Refusal]:
    """Whom a campaign must not ask, and why; constant in queries for any audience."""
    first = outranked(contacts, rank=CAMPAIGN_PRIORITY, at=at, rules=rules)
    return governance.refusals(contacts, at=at, rules=rules, outranked=first)


def refusal(
    invitation: Invitation, *, at: datetime, rules: governance.Book | None = None
) -> governance.Refusal | None:
    """Why this invitation, or its reminder, must not go at this instant."""
    rules, rank = rules or governance.book(), CAMPAIGN_PRIORITY
    contact, but = invitation.contact, [invitation.pk]
    if invitation.occasion is not None:
        rules, rank = rules.of(invitation.occasion.trigger), invitation.occasion.trigger.priority
    first = outranked([contact], rank=rank, at=at, rules=rules, but=but)
    found = governance.refusals([contact], at=at, rules=rules, but=but, outranked=first)
    return found.get(contact.pk)


def next_send(invitation: Invitation, *, at: datetime, rules: governance.Book) -> datetime:
    """The instant itself if this mail may leave then, else the start of its next window."""
    occasion = invitation.occasion
    own = rules if occasion is None else rules.of(occasion.trigger)
    return own.next_send(invitation.contact, at=at)


def outranked(
    contacts: Sequence[Contact],
    *,
    rank: int,
    at: datetime,
    rules: governance.Book,
    but: Collection[int] = (),
) -> dict[int, datetime]:
    """For whom something of a higher rank is due within the days of the rule, and when.

    That is a mail which waits already, or an event which is going to ask the person. Two of the
    same rank go in their order; the cool-down then holds the second.
    """
    if not rules.acts(picking.OUTRANKED):
        return {}
    until = at + timedelta(days=rules.parameters[picking.OUTRANKED])
    found: dict[int, datetime] = {}
    for row in history.waiting(contacts, but=but):
        if row.rank < rank and row.due_at <= until:
            found[row.contact] = max(row.due_at, found.get(row.contact, row.due_at))
    for contact, due_at in _expected(contacts, rank=rank, at=at, until=until, rules=rules):
        found[contact] = max(due_at, found.get(contact, due_at))
    return found


def _expected(
    contacts: Sequence[Contact],
    *,
    rank: int,
    at: datetime,
    until: datetime,
    rules: governance.Book,
) -> list[tuple[int, datetime]]:
    """Whom the events that have been seen, and go first, are going to ask, and when."""
    rows = Occasion.objects.waiting().filter(trigger__priority__lt=rank, due_at__lte=until)
    clients = {contact.client_id for contact in contacts}
    if len(clients) <= history.NARROW:
        rows = rows.filter(client__in=clients)
    soon = list(occasions.in_order(rows))
    if not soon:
        return []
    desk = picking.load(soon, at=at, rules=rules)
    return [
        (contact.pk, max(row.due_at, at))
        for row in soon
        if picking.is_sampled(row)
        for contact in desk.pick(row, rivals=False).contacts
    ]
