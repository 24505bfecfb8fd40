"""A launched campaign: paused, resumed, tried again, stopped, closed."""

from datetime import datetime
from typing import Any

from django.db import transaction

from bank import audit
from bank.models import ApiKey, User
from surveys.campaigns.base import GOING, LAUNCHED, NotPossible, Status, held
from surveys.models import Campaign, Delivery, Invitation
from surveys.queries import CANCELLED


def pause(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """Hold what has not left yet; the mail on its way is finished."""
    with transaction.atomic():
        launched = held(campaign)
        if launched.status == Status.PAUSED:
            return launched
        if launched.status not in GOING:
            raise NotPossible("wrong_status")
        launched.status = Status.PAUSED
        launched.save(update_fields=["status"])
        audit.record("campaign.pause", launched, at=at, by=by)
    return launched


def hold(
    campaign: Campaign, *, reason: str, at: datetime, data: dict[str, Any] | None = None
) -> Campaign:
    """The program pauses a campaign and says why: a code of `surveys.words.pause`, its values.

    One that is not going any more stays as it is, with the reason it had.
    """
    with transaction.atomic():
        launched = held(campaign)
        if launched.status not in GOING:
            return launched
        launched.status, launched.pause_reason = Status.PAUSED, {"code": reason} | (data or {})
        launched.save(update_fields=["status", "pause_reason"])
        audit.record("campaign.hold", launched, at=at, data=launched.pause_reason)
    return launched


def resume(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """Let a paused campaign go on where it was."""
    with transaction.atomic():
        launched = held(campaign)
        if launched.status in GOING:
            return launched
        if launched.status != Status.PAUSED:
            raise NotPossible("wrong_status")
        due = launched.send_at is None or launched.send_at <= at
        launched.status = Status.SENDING if due else Status.SCHEDULED
        launched.pause_reason = {}
        launched.save(update_fields=["status", "pause_reason"])
        audit.record("campaign.resume", launched, at=at, by=by, data={"status": launched.status})
    return launched


def retry(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """Send once more what has failed; each mail is judged again before it leaves."""
    with transaction.atomic():
        launched = held(campaign)
        if launched.status not in {Status.FAILED, Status.SENDING, Status.COLLECTING}:
            raise NotPossible("wrong_status")
        failed = Delivery.objects.filter(
            invitation__campaign=launched,
            kind=Delivery.Kind.INVITATION,
            state=Delivery.State.FAILED,
        )
        count = failed.update(
            state=Delivery.State.QUEUED, attempt=0, taken=0, claimed_by="", next_try_at=at
        )
        if count:
            launched.status = Status.SENDING
            launched.save(update_fields=["status"])
            audit.record("campaign.retry", launched, at=at, by=by, data={"mails": count})
    return launched


def stop(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """Send nothing more and close every link; what was answered counts."""
    return _finish(campaign, Status.STOPPED, at=at, by=by)


def close(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """End the collection, at its time or before; what was answered counts."""
    return _finish(campaign, Status.CLOSED, at=at, by=by)


def _finish(
    campaign: Campaign,
    status: Campaign.Status,
    *,
    at: datetime,
    by: User | ApiKey | None,
) -> Campaign:
    with transaction.atomic():
        launched = held(campaign)
        if launched.status == status:
            return launched
        if launched.status not in LAUNCHED | {Status.FAILED}:
            raise NotPossible("wrong_status")
        cancelled = _end(launched, at=at)
        launched.status, launched.ended_at = status, at
        launched.save(update_fields=["status", "ended_at"])
        act = "campaign.stop" if status == Status.STOPPED else "campaign.close"
        audit.record(act, launched, at=at, by=by, data={"cancelled": cancelled})
    return launched


def _end(campaign: Campaign, *, at: datetime) -> int:
    """Cancel what waits and close the links; return how many mails will not go.

    Invitations come first: a sender locks an invitation before the next delivery, and two that
    lock in opposite order would wait for each other.
    """
    theirs = Invitation.objects.filter(campaign=campaign)
    theirs.filter(state=Invitation.State.PLANNED).update(
        state=Invitation.State.WITHDRAWN, reason=CANCELLED
    )
    theirs.filter(closes_at__gt=at).update(closes_at=at)
    # What is not written yet will be, as cancelled.
    unwritten = campaign.roster.filter(reason="").count()
    mails = Delivery.objects.filter(
        invitation__campaign=campaign, state__in=["queued", "claimed", "retry"]
    )
    return unwritten + mails.update(state=Delivery.State.SKIPPED, reason=CANCELLED)
