"""Too many bounces: the campaign is paused by the program before they cost the sender its name.

Judged after each mail that bounced, and only then: a campaign without bounces pays nothing for it.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from surveys import campaigns
from surveys.models import Campaign, Delivery

# More than 5 % of the first 100.
FIRST, MOST = 100, 5
ROW = 3
_State = Delivery.State
# The recipient's side refused it at once, or the relay's log tells that it came back. A letter
# that could not be made has failed without any reply.
BOUNCED = Q(state=_State.BOUNCED) | (Q(state=_State.FAILED) & ~Q(relay_reply=""))
_ARRIVED = Q(state__in=[_State.SENT, _State.DELIVERED])


def watch(delivery: Delivery, *, at: datetime) -> bool:
    """Judge a mail's campaign when the mail has bounced; True when that has paused it.

    What was there when a campaign was paused is never counted again: whoever resumes it has seen
    it. To be called after the bounce is committed, outside any transaction.
    """
    campaign = delivery.invitation.campaign
    if campaign is None:
        return False
    since = Campaign.objects.values_list("watched_from", flat=True).get(pk=campaign.pk)
    outcomes = Delivery.objects.filter(
        BOUNCED | _ARRIVED, invitation__campaign=campaign, settled_at__isnull=False
    )
    if since is not None:
        outcomes = outcomes.filter(settled_at__gt=since)
    domain = delivery.invitation.contact.email.rpartition("@")[2].lower()
    if _is_row(outcomes, domain):
        return _hold(campaign, "domain_bounces", {"domain": domain, "count": ROW}, at=at)
    count = _of_first(outcomes)
    if count > MOST:
        return _hold(campaign, "bounces", {"count": count, "first": FIRST}, at=at)
    return False


def _is_row(outcomes: QuerySet[Delivery], domain: str) -> bool:
    """Whether the last mails to this domain all bounced."""
    to_domain = outcomes.filter(invitation__contact__email__iendswith=f"@{domain}")
    last = to_domain.order_by("-settled_at", "-pk").values_list("state", flat=True)[:ROW]
    states = list(last)
    return len(states) == ROW and not {_State.SENT, _State.DELIVERED} & {*states}


def _of_first(outcomes: QuerySet[Delivery]) -> int:
    """How many of the first mails bounced."""
    states = outcomes.order_by("settled_at", "pk").values_list("state", flat=True)[:FIRST]
    return sum(state in {_State.BOUNCED, _State.FAILED} for state in states)


def _hold(campaign: Campaign, reason: str, data: dict[str, object], *, at: datetime) -> bool:
    with transaction.atomic():
        before = Campaign.objects.select_for_update().get(pk=campaign.pk).status
        held = campaigns.hold(campaign, reason=reason, at=at, data=data)
        if held.status == before:
            return False
        Campaign.objects.filter(pk=campaign.pk).update(watched_from=at)
    return True
