"""What every act of a campaign needs: its lock, its refusal, and what the audit trail keeps."""

from datetime import datetime
from typing import Any

from bank.models import ApiKey, User
from surveys import preflights, waves
from surveys.models import Campaign

Status = Campaign.Status
LAUNCHED = {Status.SCHEDULED, Status.SENDING, Status.PAUSED, Status.COLLECTING}
GOING = {Status.SCHEDULED, Status.SENDING, Status.COLLECTING}


class NotPossible(Exception):
    """The act does not fit: `wrong_status`, `same_person`, `not_needed`, `has_left`, or `blocked`
    with the blockers of the pre-flight."""

    def __init__(self, code: str, blockers: list[preflights.Note] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.blockers = blockers or []


def preflight(
    campaign: Campaign, *, at: datetime, viewer: User | ApiKey | None = None
) -> preflights.Preflight:
    """Say what a launch at this instant would meet; with a viewer, in what they may see of it."""
    return preflights.judge(preflights.plan(campaign, at=at, viewer=viewer), at=at)


def held(campaign: Campaign) -> Campaign:
    """The campaign as it is now, nobody else's until the end of the caller's transaction."""
    return Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)


def person(by: User | ApiKey | None) -> User | None:
    """Whoever acts, if it is a person."""
    return by if isinstance(by, User) else None


def facts(campaign: Campaign) -> dict[str, Any]:
    """What the audit trail keeps of a campaign, the choice of hours included."""
    share = campaign.sample_share
    wave = {name: getattr(campaign, name) for name in waves.FIELDS}
    return {
        "name": campaign.name,
        "questionnaire": campaign.questionnaire.key,
        "audience": campaign.audience,
        "send_at": campaign.send_at.isoformat() if campaign.send_at else None,
        "closes_at": campaign.closes_at.isoformat(),
        "send_window": campaign.send_window,
        "remind_after": campaign.remind_after,
        **wave,
        "sample_share": None if share is None else str(share.normalize()),
    }
