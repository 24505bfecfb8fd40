"""From what a launch decided to invitations: at once for few, block by block for many.

The launch decides on everybody at one instant and writes down each decision. So whoever is asked
is whom the preview named, however long the writing takes and wherever it is interrupted.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from bank import audit
from clients.models import Contact
from surveys import invitations, letters, preflights
from surveys.models import Campaign, Delivery, Invitation, RosterEntry
from surveys.queries import CANCELLED

BLOCK = 1000
ENDED = (Campaign.Status.STOPPED, Campaign.Status.CLOSED)


def write(plan: preflights.Plan) -> int:
    """Write the first block of invitations, and for all others what was decided.

    Returns how many are left for `fill`. The caller holds the campaign, already launched.
    """
    entries = [_entry(plan, contact) for contact in plan.contacts]
    _invite(plan.campaign, entries[:BLOCK])
    RosterEntry.objects.bulk_create(entries[BLOCK:], batch_size=BLOCK)
    return len(entries[BLOCK:])


def fill(at: datetime, *, stop: Callable[[], bool] = lambda: False) -> int:
    """Write the invitations that launches have left, a block a transaction; return how many.

    Killed between two blocks it goes on where it was; two at a time take turns at a campaign.
    """
    written = 0
    while not stop():
        done = _block(at)
        if not done:
            break
        written += done
    return written


@transaction.atomic
def _block(at: datetime) -> int:
    """Turn the next entries of the oldest campaign that has any into invitations."""
    left = RosterEntry.objects.filter(campaign=OuterRef("pk"))
    campaign = (
        Campaign.objects.select_for_update(of=("self",), no_key=True)
        .select_related("version")
        .filter(Exists(left))
        .order_by("launched_at", "pk")
        .first()
    )
    if campaign is None:
        return 0
    entries = list(campaign.roster.order_by("pk")[:BLOCK])
    _invite(campaign, entries)
    RosterEntry.objects.filter(pk__in=[entry.pk for entry in entries]).delete()
    if entries:
        audit.record("campaign.write", campaign, at=at, data={"invitations": len(entries)})
    return len(entries)


def _entry(plan: preflights.Plan, contact: Contact) -> RosterEntry:
    """What the launch decides for one contact."""
    entry = RosterEntry(campaign=plan.campaign, contact_id=contact.pk, client_id=contact.client_id)
    refusal = plan.refusals.get(contact.pk)
    if refusal is None:
        entry.first_at = plan.first(contact)
    else:
        entry.reason, entry.free_on = refusal.code, refusal.free_on
    return entry


def _invite(campaign: Campaign, entries: Sequence[RosterEntry]) -> None:
    """Write the invitations of these entries, and a delivery for each who is asked, in bulk."""
    if campaign.version is None or campaign.launched_at is None:
        return
    at = campaign.launched_at
    start = max(at, campaign.send_at or at)
    shared = letters.common(campaign.version, closes_at=campaign.closes_at, at=start)
    people = _people(entry.contact_id for entry in entries)
    marketing = invitations.marketing(people)
    closes_at = campaign.closes_at if campaign.ended_at is None else campaign.ended_at
    asked, firsts = [], []
    for entry in entries:
        contact = people[entry.contact_id]
        variables = shared | letters.personal(contact)
        variables["marketing_consent"] = marketing.get(contact.pk, "")
        row = invitations.make(
            contact,
            version=campaign.version,
            variables=variables,
            closes_at=closes_at,
            at=at,
            campaign=campaign,
            **_outcome(campaign, entry),
        )
        row.client_id = entry.client_id
        asked.append(row)
        firsts.append(entry.first_at)
    Invitation.objects.bulk_create(asked, batch_size=BLOCK)
    Delivery.objects.bulk_create(
        (
            invitations.delivery(row, first=first)
            for row, first in zip(asked, firsts, strict=True)
            if first is not None and row.state == Invitation.State.PLANNED
        ),
        batch_size=BLOCK,
    )


def _people(keys: Iterable[int]) -> dict[int, Contact]:
    """The contacts with all their letters need."""
    found = Contact.objects.select_related("client__team", "client__manager")
    return {contact.pk: contact for contact in found.filter(pk__in=list(keys))}


def _outcome(campaign: Campaign, entry: RosterEntry) -> dict[str, Any]:
    """The state of an invitation as it is written; what is stopped meanwhile asks nobody."""
    if entry.reason:
        return invitations.refused(entry.reason, entry.free_on)
    if campaign.status not in ENDED:
        return {}
    return {"state": Invitation.State.WITHDRAWN, "reason": CANCELLED}
