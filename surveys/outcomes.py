"""What became of a marked mail, and of what silent senders held.

Each act is a compare-and-set on the row, in the caller's transaction or its own.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Max, Q, Value, When

from bank.replies import Outcome
from clients import consent
from surveys import retries
from surveys.models import Campaign, Delivery, Invitation

State = Delivery.State
MAX_BUILDS = 5
# So many refusals by a rule of the relay in a row concern the campaign and not the mails.
REFUSALS = 3
ERROR_LENGTH = 500
# So long the relay's log may take to come; then a lost mail goes without it.
LOG_PATIENCE = timedelta(minutes=15)
logger = logging.getLogger(__name__)
POLICY = "policy"

Fields = dict[str, Any]


@dataclass(frozen=True)
class Lost:
    """What the sweep found: claims given back, outcomes unknown, mails queued once more, mails
    that ended their senders, and lost ones that the relay's log knows as sent."""

    returned: int
    unknown: int
    requeued: int
    failed: int = 0
    found: int = 0


@dataclass(frozen=True)
class Span:
    """From when to when the relay's log is known without a gap."""

    since: datetime
    until: datetime


def settle(delivery: Delivery, outcome: Outcome, *, holder: str, at: datetime) -> str:
    """Write down what became of a marked mail, in the caller's transaction; return its state."""
    row = Delivery.objects.filter(pk=delivery.pk)
    # The sweep may have given up on us meanwhile; what we know is better than what it guessed.
    ours = row.filter(
        Q(state=State.SENDING, claimed_by=holder)
        | Q(state__in=[State.UNKNOWN, State.QUEUED], losses__gt=delivery.losses)
    )
    fields = _SETTLED[outcome.kind](delivery, outcome, at)
    fields |= {"lease_until": None, "relay_reply": outcome.reply[:ERROR_LENGTH], "taken": 0}
    if not ours.update(settled_at=at, **fields):
        return ""
    if delivery.invitation.is_test:
        return str(fields["state"])
    if fields["state"] == State.SENT:
        invited(delivery, at=at)
    if outcome.is_bad_address:
        consent.bounce(delivery.invitation.contact, at=at)
    return str(fields["state"])


def spoil(delivery: Delivery, error: Exception, *, holder: str, at: datetime) -> str:
    """A mail that cannot be made or judged: tried a few times, then failed with its cause."""
    state = State.FAILED if delivery.taken >= MAX_BUILDS else State.RETRY
    Delivery.objects.filter(pk=delivery.pk, state=State.CLAIMED, claimed_by=holder).update(
        state=state,
        lease_until=None,
        settled_at=at,
        next_try_at=retries.unmade(delivery.taken, at=at),
        last_error=f"{type(error).__name__}: {error}"[:ERROR_LENGTH],
    )
    return str(state)


def concerns_campaign(campaign: Campaign, outcome: Outcome) -> bool:
    """Whether a rule of the relay forbids the campaign, not just this mail; after the settling.

    Who may not sign in or be the sender need not try another mail. At a recipient, the relay
    has to refuse several in a row, unless it has never taken a mail of this campaign.
    """
    if outcome.kind != POLICY:
        return False
    if outcome.is_trouble:
        return True
    mails = Delivery.objects.filter(invitation__campaign=campaign)
    accepted = mails.aggregate(last=Max("sent_at"))["last"]
    if accepted is None:
        return True
    refused = mails.filter(last_error__startswith=POLICY, settled_at__gt=accepted)
    return refused.count() >= REFUSALS


def expire(*, at: datetime) -> Lost:
    """Take back what silent senders hold.

    A claim that ran out sent nothing; whoever has cost several senders their life has failed. A
    mark that ran out may have been sent: nobody knows.
    """
    with transaction.atomic():
        expired = Delivery.objects.expired(at)
        silent = expired.filter(state=State.CLAIMED)
        failed = silent.filter(taken__gte=MAX_BUILDS).update(
            state=State.FAILED,
            lease_until=None,
            settled_at=at,
            last_error=f"{MAX_BUILDS} senders ended while they made this mail",
        )
        returned = silent.update(state=State.QUEUED, lease_until=None, claimed_by="")
        unknown = expired.filter(state=State.SENDING).update(
            state=State.UNKNOWN,
            losses=F("losses") + 1,
            taken=0,
            settled_at=F("lease_until"),
            lease_until=None,
            last_error="the sender fell silent",
        )
    return Lost(returned, unknown, 0, failed)


def requeue(*, at: datetime, log: Span | None = None) -> int:
    """Send once more what was lost, with the same message id and link; return how many.

    Where the relay's log is known for the time of a mail and does not speak of it, the mail never
    arrived and is as good as new. Without such a log it goes once more after the first loss,
    which two equal copies make harmless; a second loss waits for a person.
    """
    again = {"state": State.QUEUED, "next_try_at": at, "claimed_by": ""}
    unknown = Delivery.objects.filter(state=State.UNKNOWN)
    once = unknown.filter(losses=1)
    if log is None:
        return once.update(**again)
    lease = timedelta(seconds=settings.SEND_LEASE_SECONDS)
    never = unknown.filter(settled_at__gte=log.since + lease, settled_at__lte=log.until)
    late = once.filter(settled_at__lte=at - LOG_PATIENCE)
    return never.update(losses=0, **again) + late.update(**again)


def invited(delivery: Delivery, *, at: datetime) -> None:
    """The invitation was sent; a reminder does not move its date, and a test invites nobody."""
    planned = When(state=Invitation.State.PLANNED, then=Value(Invitation.State.INVITED.value))
    unsent = Invitation.objects.filter(sent_at__isnull=True, test_of__isnull=True)
    unsent.filter(pk=delivery.invitation_id).update(
        sent_at=at, state=Case(planned, default=F("state"))
    )


def _accepted(delivery: Delivery, outcome: Outcome, at: datetime) -> Fields:
    return {"state": State.SENT, "sent_at": at, "attempt": delivery.attempt + 1, "last_error": ""}


def _retried(delivery: Delivery, outcome: Outcome, at: datetime) -> Fields:
    attempt = delivery.attempt + 1
    later = retries.again(attempt, outcome, row=delivery.pk, at=at)
    return {
        "state": State.FAILED if later is None else State.RETRY,
        "attempt": attempt,
        "next_try_at": later or at,
        "last_error": _error(outcome),
    }


def _refused(delivery: Delivery, outcome: Outcome, at: datetime) -> Fields:
    return {
        "state": State.FAILED,
        "attempt": delivery.attempt + 1,
        "last_error": _error(outcome),
    }


def _untried(delivery: Delivery, outcome: Outcome, at: datetime) -> Fields:
    """The relay's trouble is not this mail's: it waits without a try being counted."""
    return {
        "state": State.QUEUED,
        "claimed_by": "",
        "next_try_at": at + retries.PUT_OFF,
        "last_error": _error(outcome),
    }


def _forbidden(delivery: Delivery, outcome: Outcome, at: datetime) -> Fields:
    """A rule of the relay: before the recipient was named, nothing was tried."""
    act = _untried if outcome.is_trouble else _retried
    return act(delivery, outcome, at)


def _unknown(delivery: Delivery, outcome: Outcome, at: datetime) -> Fields:
    return {
        "state": State.UNKNOWN,
        "losses": delivery.losses + 1,
        "last_error": f"{outcome.phase}: no verdict",
    }


def _error(outcome: Outcome) -> str:
    """Whose trouble, in which phase, and the relay's words."""
    whose = {"relay": "relay, ", POLICY: f"{POLICY}, "}.get(outcome.kind, "")
    code = str(outcome.code or "")
    words = " ".join(filter(None, (f"{whose}{outcome.phase}:", code, outcome.reply)))
    return words[:ERROR_LENGTH]


_SETTLED: dict[str, Callable[[Delivery, Outcome, datetime], Fields]] = {
    "accepted": _accepted,
    "retry": _retried,
    "refused": _refused,
    POLICY: _forbidden,
    "relay": _untried,
    "unknown": _unknown,
}
