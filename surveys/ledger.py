"""The send ledger: who takes a delivery, who may send it now, and what a person decides.

A delivery is claimed, then marked just before its mail leaves, then settled (`outcomes`). Each
step is a compare-and-set on the row: whoever lost it finds out by the count of changed rows.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from bank import audit
from bank.models import User
from clients.models import Client
from surveys import clearance, governance, outcomes
from surveys.models import Campaign, Delivery, Invitation

State = Delivery.State
GOING = (Campaign.Status.SCHEDULED, Campaign.Status.SENDING, Campaign.Status.COLLECTING)


@dataclass(frozen=True)
class Verdict:
    """What the check before the socket says: go, skip for a reason, wait until, or leave it."""

    kind: Literal["go", "skip", "wait", "leave", "arrived"]
    reason: str = ""
    refusal: governance.Refusal | None = None
    until: datetime | None = None


class NotUnknown(Exception):
    """Only a delivery whose outcome is unknown is decided by a person."""


def claim(*, holder: str, limit: int, at: datetime) -> list[Delivery]:
    """Take due deliveries of campaigns that may send, with all a letter needs."""
    may_send = Q(invitation__campaign__isnull=True) | Q(invitation__campaign__status__in=GOING)
    keys = Delivery.objects.filter(may_send).claim(at, holder=holder, until=lease(at), limit=limit)
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
        state=State.QUEUED, lease_until=None, claimed_by="", taken=F("taken") - 1
    )


def mark(delivery: Delivery, *, holder: str, rules: governance.Book, at: datetime) -> bool:
    """Judge once more and mark, in the caller's transaction; True means send it at once.

    The caller has locked the client: two campaigns that come to the same person at the same
    moment are judged one after the other, and the second sees the first one's mark.
    """
    ours = Delivery.objects.filter(pk=delivery.pk, state=State.CLAIMED, claimed_by=holder)
    # A test goes to a colleague, at any hour: the rules protect clients.
    is_test = delivery.invitation.is_test
    verdict = Verdict("go") if is_test else judge(delivery, rules=rules, at=at)
    if verdict.kind == "go":
        return bool(
            ours.filter(lease_until__gt=at).update(state=State.SENDING, lease_until=lease(at))
        )
    if verdict.kind == "skip":
        _skip(delivery, ours, verdict)
    elif verdict.kind == "arrived":
        ours.update(state=State.SENT, sent_at=at, settled_at=at, lease_until=None, taken=0)
    else:
        ours.update(
            state=State.QUEUED,
            lease_until=None,
            claimed_by="",
            taken=0,
            next_try_at=verdict.until or F("next_try_at"),
        )
    return False


def lock(deliveries: Iterable[Delivery]) -> None:
    """Lock the clients of these mails in the order of their keys, in a transaction."""
    clients = {delivery.invitation.client_id for delivery in deliveries}
    rows = Client.objects.select_for_update(no_key=True).filter(pk__in=clients)
    list(rows.order_by("pk").values_list("pk"))


def judge(delivery: Delivery, *, rules: governance.Book, at: datetime) -> Verdict:
    """Say whether this mail may leave at this instant, from what the database holds now."""
    fresh = (
        Invitation.objects.select_related("contact", "campaign", "occasion__trigger")
        .defer("campaign__audience")
        # Whoever ends a campaign locks its invitations before its deliveries, and so do we.
        .select_for_update(of=("self",), no_key=True)
    )
    now = fresh.get(pk=delivery.invitation_id)
    reminder = delivery.kind == Delivery.Kind.REMINDER
    campaign = now.campaign
    if now.state == Invitation.State.ANSWERED:
        return Verdict("skip", "answered") if reminder else Verdict("arrived")
    if now.state in {Invitation.State.WITHDRAWN, Invitation.State.SKIPPED} or now.closes_at <= at:
        return Verdict("skip", now.reason or "cancelled")
    # A letter that was made for another address is made anew.
    moved = now.contact.email != delivery.invitation.contact.email
    if moved or (campaign is not None and campaign.status not in GOING):
        return Verdict("leave")
    refusal = clearance.refusal(now, at=at, rules=rules)
    if refusal is not None:
        return Verdict("skip", refusal.code, refusal)
    if campaign is None or campaign.send_window:
        until = clearance.next_send(now, at=at, rules=rules)
        if until > at:
            return Verdict("wait", until=until)
    return Verdict("go")


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
        held.state, held.settled_at = state, at
        if state == State.SENT:
            held.sent_at = at
            outcomes.invited(held, at=at)
        else:
            held.next_try_at, held.claimed_by = at, ""
        held.save(update_fields=["state", "sent_at", "settled_at", "next_try_at", "claimed_by"])
        audit.record(act, held, at=at, by=by, data={"message_id": held.message_id})
    return held


def _skip(delivery: Delivery, ours: QuerySet[Delivery], verdict: Verdict) -> None:
    changed = ours.update(state=State.SKIPPED, reason=verdict.reason, lease_until=None, taken=0)
    if not changed or delivery.kind == Delivery.Kind.REMINDER:
        return
    refusal = verdict.refusal
    Invitation.objects.filter(pk=delivery.invitation_id, state=Invitation.State.PLANNED).update(
        state=Invitation.State.SKIPPED,
        reason=verdict.reason,
        free_on=refusal.free_on if refusal else None,
    )


def lease(at: datetime) -> datetime:
    """Until when a step that begins now must have ended."""
    return at + timedelta(seconds=settings.SEND_LEASE_SECONDS)
