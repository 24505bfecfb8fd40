"""From draft to the first mail, and back while none has left."""

from datetime import datetime

from django.db import transaction

from bank import audit
from bank.models import ApiKey, User
from surveys import preflights, rosters
from surveys.campaigns import drafts
from surveys.campaigns.base import LAUNCHED, NotPossible, Status, facts, held
from surveys.models import Campaign, Delivery, Invitation


def launch(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """Freeze the version and decide on everybody; a second launch is none.

    The invitations of the first are written here, those of many others by `rosters.fill`.
    """
    with transaction.atomic():
        draft = held(campaign)
        if draft.status in LAUNCHED:
            return draft
        if draft.status != Status.DRAFT:
            raise NotPossible("wrong_status")
        plan = preflights.plan(draft, at=at)
        blockers = preflights.judge(plan, at=at).blockers
        if blockers or plan.version is None:
            raise NotPossible("blocked", blockers)
        draft.version = plan.version
        draft.launched_at = at
        draft.status = Status.SENDING if plan.start <= at else Status.SCHEDULED
        draft.save(update_fields=["version", "launched_at", "status"])
        left = rosters.write(plan)
        numbers = {"asked": len(plan.eligible), "excluded": len(plan.refusals), "left": left}
        audit.record("campaign.launch", draft, at=at, by=by, data=facts(draft) | numbers)
    return draft


def withdraw(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """Make a scheduled campaign a draft again, as long as no mail is on its way."""
    with transaction.atomic():
        scheduled = held(campaign)
        if scheduled.status == Status.DRAFT:
            return scheduled
        if scheduled.status != Status.SCHEDULED:
            raise NotPossible("wrong_status")
        # Held until the end, so that no sender takes one of them meanwhile.
        mails = Delivery.objects.filter(invitation__campaign=scheduled)
        states = set(mails.select_for_update(of=("self",)).values_list("state", flat=True))
        if states - {Delivery.State.QUEUED}:
            raise NotPossible("has_left")
        scheduled.roster.all().delete()
        mails.delete()
        Invitation.objects.filter(campaign=scheduled).delete()
        scheduled.status, scheduled.version, scheduled.launched_at = Status.DRAFT, None, None
        scheduled.save(update_fields=["status", "version", "launched_at"])
        audit.record("campaign.withdraw", scheduled, at=at, by=by)
    return scheduled


def reschedule(
    campaign: Campaign,
    *,
    send_at: datetime,
    closes_at: datetime,
    at: datetime,
    by: User | ApiKey | None,
) -> Campaign:
    """Move a scheduled campaign: everybody is judged anew for the new day, or nothing changes."""
    with transaction.atomic():
        draft = withdraw(campaign, at=at, by=by)
        times = {"send_at": send_at, "closes_at": closes_at}
        return launch(drafts.revise(draft, fields=times, at=at, by=by), at=at, by=by)
