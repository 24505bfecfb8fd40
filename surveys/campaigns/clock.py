"""What the clock does to campaigns: begin, end the sending, close."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from bank import audit
from surveys.campaigns.base import LAUNCHED, Status
from surveys.campaigns.running import close
from surveys.models import Campaign, Delivery, RosterEntry

# Mails of which something is still to come, and those that have left for good.
_WAITING = ("queued", "claimed", "sending", "retry")
_GONE = ("sent", "delivered", "bounced", "unknown")


def advance(at: datetime) -> int:
    """Move each campaign on that time or its last mail has moved on; return how many."""
    over = Q(closes_at__lte=at) & Q(status__in=LAUNCHED | {Status.FAILED})
    begun = Q(status=Status.SCHEDULED) & (Q(send_at__isnull=True) | Q(send_at__lte=at))
    unwritten = RosterEntry.objects.filter(campaign=OuterRef("pk"))
    done = Q(status=Status.SENDING) & ~Exists(_mails(_WAITING)) & ~Exists(unwritten)
    moving = (
        Campaign.objects.annotate(
            has_failed=Exists(_mails(["failed"])) & ~Exists(_mails(_GONE)),
        )
        .filter(over | begun | done)
        .order_by("pk")
    )
    return sum(_advance(campaign, at=at) for campaign in moving)


def _mails(states: Collection[str]) -> QuerySet[Delivery]:
    """The invitations of a campaign in these states; reminders leave while it collects."""
    return Delivery.objects.filter(
        invitation__campaign=OuterRef("pk"), kind=Delivery.Kind.INVITATION, state__in=states
    )


def _advance(campaign: Campaign, *, at: datetime) -> bool:
    if campaign.closes_at <= at:
        close(campaign, at=at, by=None)
        return True
    status = Status.SENDING
    if campaign.status == Status.SENDING:
        # Nothing went and something failed: a person must look before anybody waits for answers.
        status = Status.FAILED if campaign.has_failed else Status.COLLECTING  # type: ignore[attr-defined]
    with transaction.atomic():
        moved = Campaign.objects.filter(pk=campaign.pk, status=campaign.status).update(
            status=status
        )
        if moved:
            audit.record("campaign.advance", campaign, at=at, data={"status": status})
    return bool(moved)
