"""The send ledger: who takes a delivery, who may send it now, and what became of it.

A delivery is claimed, then marked just before its mail leaves, then settled. Each step is a
compare-and-set on the row, so whoever lost the row finds out by the count of changed rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When

from bank import audit, mail
from bank.models import User
from clients import consent
from clients.models import Client
from surveys import clearance, governance
from surveys.models import Campaign, Delivery, Invitation

State = Delivery.State
GOING = (Campaign.Status.SCHEDULED, Campaign.Status.SENDING, Campaign.Status.COLLECTING)
# Replies that pass soon; everything else of the 4xx kind is tried more slowly.
QUICK = {421, 431, 432, 442, 447, 452}
QUICK_SECONDS, SLOW_SECONDS, LONGEST_SECONDS = 10, 60, 4 * 3600
MAX_TRIES = 16
MAX_BUILDS = 5
ERROR_LENGTH = 500


@dataclass(frozen=True)
class Verdict:
    """What the check before the socket says: go, skip for a reason, wait until, or leave it."""

    kind: Literal["go", "skip", "wait", "leave", "arrived"]
    reason: str = ""
    refusal: governance.Refusal | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Lost:
    """What the sweep found: claims given back, outcomes unknown, mails queued once more."""

    returned: int
    unknown: int
    requeued: int


class NotUnknown(Exception):
    """Only a delivery whose outcome is unknown is decided by a person."""


def claim(*, holder: str, limit: int, at: datetime) -> list[Delivery]:
    """Take due deliveries of campaigns that may send, with all a letter needs."""
    may_send = Q(invitation__campaign__isnull=True) | Q(invitation__campaign__status__in=GOING)
    keys = Delivery.objects.filter(may_send).claim(
        at, holder=holder, until=_lease(at), limit=limit
    )
    return list(
        Delivery.objects.filter(pk__in=keys)
        .select_related(
            "invitation__contact",
            "invitation__client__manager",
            "invitation__campaign",
            "invitation__test_for",
        )
        # An audience may name thousands of clients; no letter needs it.
        .defer("invitation__campaign__audience")
        .order_by("pk")
    )


def release(deliveries: list[Delivery], *, holder: str) -> None:
    """Give back claims that will not be used now; nothing was sent, so nothing is counted."""
    keys = [delivery.pk for delivery in deliveries]
    Delivery.objects.filter(pk__in=keys, state=State.CLAIMED, claimed_by=holder).update(
        state=State.QUEUED, lease_until=None, claimed_by=""
    )


def mark(delivery: Delivery, *, holder: str, rules: governance.Book, at: datetime) -> bool:
    """Judge once more and mark, in the caller's transaction; True means send it at once.

    The client's row is locked meanwhile: two campaigns that come to the same person at the same
    moment are judged one after the other, and the second sees the first one's mark.
    """
    ours = Delivery.objects.filter(pk=delivery.pk, state=State.CLAIMED, claimed_by=holder)
    client = delivery.invitation.client_id
    Client.objects.select_for_update(no_key=True).values_list("pk").get(pk=client)
    # A test goes to a colleague, at any hour: the rules protect clients.
    is_test = delivery.invitation.is_test
    verdict = Verdict("go") if is_test else judge(delivery, rules=rules, at=at)
    if verdict.kind == "go":
        return bool(
            ours.filter(lease_until__gt=at).update(state=State.SENDING, lease_until=_lease(at))
        )
    if verdict.kind == "skip":
        _skip(delivery, ours, verdict)
    elif verdict.kind == "arrived":
        ours.update(state=State.SENT, sent_at=at, lease_until=None)
    else:
        later = verdict.until or F("next_try_at")
        ours.update(state=State.QUEUED, lease_until=None, claimed_by="", next_try_at=later)
    return False


def judge(delivery: Delivery, *, rules: governance.Book, at: datetime) -> Verdict:
    """Say whether this mail may leave at this instant, from what the database holds now."""
    fresh = Invitation.objects.select_related("contact", "campaign", "occasion__trigger").defer(
        "campaign__audience"
    )
    now = fresh.get(pk=delivery.invitation_id)
    reminder = delivery.kind == Delivery.Kind.REMINDER
    campaign = now.campaign
    if now.state == Invitation.State.ANSWERED:
        return Verdict("skip", "answered") if reminder else Verdict("arrived")
    if now.state in {Invitation.State.WITHDRAWN, Invitation.State.SKIPPED} or now.closes_at <= at:
        return Verdict("skip", now.reason or "cancelled")
    if campaign is not None and campaign.status not in GOING:
        return Verdict("leave")
    refusal = clearance.refusal(now, at=at, rules=rules)
    if refusal is not None:
        return Verdict("skip", refusal.code, refusal)
    if campaign is None or campaign.send_window:
        until = clearance.next_send(now, at=at, rules=rules)
        if until > at:
            return Verdict("wait", until=until)
    return Verdict("go")


def settle(delivery: Delivery, outcome: mail.Outcome, *, holder: str, at: datetime) -> str:
    """Write down what became of a marked mail, in the caller's transaction; return its state."""
    row = Delivery.objects.filter(pk=delivery.pk)
    # The sweep may have given up on us meanwhile; what we know is better than what it guessed.
    ours = row.filter(
        Q(state=State.SENDING, claimed_by=holder)
        | Q(state__in=[State.UNKNOWN, State.QUEUED], losses__gt=delivery.losses)
    )
    fields = _SETTLED[outcome.kind](delivery, outcome, at)
    fields |= {"lease_until": None, "relay_reply": outcome.reply[:ERROR_LENGTH]}
    if not ours.update(settled_at=at, **fields):
        return ""
    if delivery.invitation.is_test:
        return str(fields["state"])
    if fields["state"] == State.SENT:
        _invited(delivery, at=at)
    if outcome.is_bad_address:
        consent.bounce(delivery.invitation.contact, at=at)
    return str(fields["state"])


def spoil(delivery: Delivery, error: Exception, *, holder: str, at: datetime) -> str:
    """A letter that cannot be made: tried a few times, then failed with its cause."""
    attempt = delivery.attempt + 1
    state = State.FAILED if attempt >= MAX_BUILDS else State.RETRY
    Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, claimed_by=holder).update(
        state=state,
        attempt=attempt,
        lease_until=None,
        next_try_at=at + timedelta(seconds=SLOW_SECONDS * 2**attempt),
        last_error=f"{type(error).__name__}: {error}"[:ERROR_LENGTH],
    )
    return str(state)


def settle_lost(*, at: datetime) -> Lost:
    """Give back silent claims, and send once more what was lost for the first time.

    A claim that ran out sent nothing. A mark that ran out may have sent: the mail goes once
    more, with the same message id and the same link; a second loss waits for a person.
    """
    with transaction.atomic():
        expired = Delivery.objects.expired(at)
        returned = expired.filter(state=State.CLAIMED).update(
            state=State.QUEUED, lease_until=None, claimed_by=""
        )
        unknown = expired.filter(state=State.SENDING).update(
            state=State.UNKNOWN,
            losses=F("losses") + 1,
            lease_until=None,
            last_error="the sender fell silent",
        )
        requeued = Delivery.objects.filter(state=State.UNKNOWN, losses=1).update(
            state=State.QUEUED, next_try_at=at, claimed_by=""
        )
    return Lost(returned, unknown, requeued)


def send_again(delivery: Delivery, *, at: datetime, by: User) -> Delivery:
    """A person decides that an unknown mail goes once more, with the same id and link."""
    return _decide(delivery, "delivery.send_again", state=State.QUEUED, at=at, by=by)


def consider_sent(delivery: Delivery, *, at: datetime, by: User) -> Delivery:
    """A person decides that an unknown mail has arrived."""
    return _decide(delivery, "delivery.consider_sent", state=State.SENT, at=at, by=by)


def _decide(
    delivery: Delivery, act: str, *, state: Delivery.State, at: datetime, by: User
) -> Delivery:
    with transaction.atomic():
        held = Delivery.objects.select_for_update().get(pk=delivery.pk)
        if held.state == state:
            return held
        if held.state != State.UNKNOWN:
            raise NotUnknown(held.state)
        held.state = state
        if state == State.SENT:
            held.sent_at = at
            _invited(held, at=at)
        else:
            held.next_try_at, held.claimed_by = at, ""
        held.save(update_fields=["state", "sent_at", "next_try_at", "claimed_by"])
        audit.record(act, held, at=at, by=by, data={"message_id": held.message_id})
    return held


def _skip(delivery: Delivery, ours: QuerySet[Delivery], verdict: Verdict) -> None:
    changed = ours.update(state=State.SKIPPED, reason=verdict.reason, lease_until=None)
    if not changed or delivery.kind == Delivery.Kind.REMINDER:
        return
    refusal = verdict.refusal
    Invitation.objects.filter(pk=delivery.invitation_id, state=Invitation.State.PLANNED).update(
        state=Invitation.State.SKIPPED,
        reason=verdict.reason,
        free_on=refusal.free_on if refusal else None,
    )


def _invited(delivery: Delivery, *, at: datetime) -> None:
    """The invitation was sent; a reminder does not move its date, and a test invites nobody."""
    planned = When(state=Invitation.State.PLANNED, then=Value(Invitation.State.INVITED.value))
    unsent = Invitation.objects.filter(sent_at__isnull=True, test_of__isnull=True)
    unsent.filter(pk=delivery.invitation_id).update(
        sent_at=at, state=Case(planned, default=F("state"))
    )


Fields = dict[str, Any]


def _accepted(delivery: Delivery, outcome: mail.Outcome, at: datetime) -> Fields:
    return {"state": State.SENT, "sent_at": at, "attempt": delivery.attempt + 1, "last_error": ""}


def _retried(delivery: Delivery, outcome: mail.Outcome, at: datetime) -> Fields:
    """Back off by doubling, a little spread by the row's own number; give up in the end."""
    attempt = delivery.attempt + 1
    base = QUICK_SECONDS if outcome.code in QUICK else SLOW_SECONDS
    spread = 0.8 + delivery.pk * 7919 % 401 / 1000
    seconds = min(base * 2 ** (attempt - 1), LONGEST_SECONDS) * spread
    return {
        "state": State.FAILED if attempt >= MAX_TRIES else State.RETRY,
        "attempt": attempt,
        "next_try_at": at + timedelta(seconds=seconds),
        "last_error": f"{outcome.phase}: {outcome.code}",
    }


def _refused(delivery: Delivery, outcome: mail.Outcome, at: datetime) -> Fields:
    return {
        "state": State.FAILED,
        "attempt": delivery.attempt + 1,
        "last_error": f"{outcome.phase}: {outcome.code} {outcome.reply}"[:ERROR_LENGTH],
    }


def _untried(delivery: Delivery, outcome: mail.Outcome, at: datetime) -> Fields:
    """The relay's trouble is not this mail's: it waits without a try being counted."""
    return {
        "state": State.QUEUED,
        "claimed_by": "",
        "last_error": f"relay, {outcome.phase}: {outcome.code}",
    }


def _unknown(delivery: Delivery, outcome: mail.Outcome, at: datetime) -> Fields:
    return {
        "state": State.UNKNOWN,
        "losses": delivery.losses + 1,
        "last_error": f"{outcome.phase}: no verdict",
    }


_SETTLED: dict[str, Callable[[Delivery, mail.Outcome, datetime], Fields]] = {
    "accepted": _accepted,
    "retry": _retried,
    "refused": _refused,
    "relay": _untried,
    "unknown": _unknown,
}


def _lease(at: datetime) -> datetime:
    return at + timedelta(seconds=settings.SEND_LEASE_SECONDS)
