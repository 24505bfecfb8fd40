"""The life of a campaign: planned, judged, launched, paused, stopped, closed.

Everything a launch decides is written down at once: the version, one invitation for each
contact of the audience (the refused ones with their reason) and one queued delivery for each
who is asked. So every number of the funnel adds up, and sending needs nothing but the ledger.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from bank import audit
from bank.models import ApiKey, User
from clients.models import Contact
from surveys import audiences, invitations, letters, preflights
from surveys.models import Campaign, Delivery, Invitation, Questionnaire

Status = Campaign.Status
LAUNCHED = {Status.SCHEDULED, Status.SENDING, Status.PAUSED, Status.COLLECTING}
GOING = {Status.SCHEDULED, Status.SENDING, Status.COLLECTING}
CANCELLED = "cancelled"
BATCH = 1000


class NotPossible(Exception):
    """The act does not fit: `wrong_status`, or `blocked` with the blockers of the pre-flight."""

    def __init__(self, code: str, blockers: list[preflights.Note] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.blockers = blockers or []


def plan(  # noqa: PLR0913 - the fields of a campaign, each named by its caller
    name: str,
    *,
    questionnaire: Questionnaire,
    audience: dict[str, Any],
    send_at: datetime | None,
    closes_at: datetime,
    send_window: bool,
    remind_after: int | None = None,
    at: datetime,
    by: User | ApiKey | None,
) -> Campaign:
    """Make a draft. An audience that makes no sense is refused at once, in words."""
    chosen = audiences.check(audience, by=by)
    with transaction.atomic():
        campaign = Campaign.objects.create(
            name=name,
            questionnaire=questionnaire,
            audience=audiences.limit(chosen, by=by),
            send_at=send_at,
            closes_at=closes_at,
            send_window=send_window,
            remind_after=remind_after,
            created_by=by if isinstance(by, User) else None,
            created_at=at,
        )
        audit.record("campaign.plan", campaign, at=at, by=by, data=_facts(campaign))
    return campaign


def revise(
    campaign: Campaign, *, fields: dict[str, Any], at: datetime, by: User | ApiKey | None
) -> Campaign:
    """Change a draft; what was launched stays as it was launched."""
    changed = dict(fields)
    if "audience" in changed:
        changed["audience"] = audiences.check(changed["audience"], by=by)
    with transaction.atomic():
        held = _held(campaign)
        if held.status != Status.DRAFT:
            raise NotPossible("wrong_status")
        if "audience" in changed and "within" in held.audience:
            changed["audience"] |= {"within": held.audience["within"]}
        before = _facts(held)
        for name, value in changed.items():
            setattr(held, name, value)
        held.save(update_fields=[*changed])
        if _facts(held) != before:
            audit.record("campaign.revise", held, at=at, by=by, data=_facts(held))
    return held


def preflight(
    campaign: Campaign, *, at: datetime, viewer: User | ApiKey | None = None
) -> preflights.Preflight:
    """Say what a launch at this instant would meet; with a viewer, in what they may see of it."""
    return preflights.judge(preflights.plan(campaign, at=at, viewer=viewer), at=at)


def launch(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """Freeze the version and write every invitation and delivery; a second launch is none."""
    with transaction.atomic():
        held = _held(campaign)
        if held.status in LAUNCHED:
            return held
        if held.status != Status.DRAFT:
            raise NotPossible("wrong_status")
        plan_ = preflights.plan(held, at=at)
        blockers = preflights.judge(plan_, at=at).blockers
        if blockers or plan_.version is None:
            raise NotPossible("blocked", blockers)
        held.version = plan_.version
        held.launched_at = at
        held.status = Status.SENDING if plan_.start <= at else Status.SCHEDULED
        held.save(update_fields=["version", "launched_at", "status"])
        _invite(plan_, at=at)
        facts = _facts(held) | {"asked": len(plan_.eligible), "excluded": len(plan_.refusals)}
        audit.record("campaign.launch", held, at=at, by=by, data=facts)
    return held


def pause(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """Hold what has not left yet; the mail on its way is finished."""
    with transaction.atomic():
        held = _held(campaign)
        if held.status == Status.PAUSED:
            return held
        if held.status not in GOING:
            raise NotPossible("wrong_status")
        held.status = Status.PAUSED
        held.save(update_fields=["status"])
        audit.record("campaign.pause", held, at=at, by=by)
    return held


def hold(
    campaign: Campaign, *, reason: str, at: datetime, data: dict[str, Any] | None = None
) -> Campaign:
    """The program pauses a campaign and says why: a code of `surveys.words.pause`, its values.

    One that is not going any more stays as it is, with the reason it had.
    """
    with transaction.atomic():
        held = _held(campaign)
        if held.status not in GOING:
            return held
        held.status, held.pause_reason = Status.PAUSED, {"code": reason} | (data or {})
        held.save(update_fields=["status", "pause_reason"])
        audit.record("campaign.hold", held, at=at, data=held.pause_reason)
    return held


def resume(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """Let a paused campaign go on where it was."""
    with transaction.atomic():
        held = _held(campaign)
        if held.status in GOING:
            return held
        if held.status != Status.PAUSED:
            raise NotPossible("wrong_status")
        due = held.send_at is None or held.send_at <= at
        held.status = Status.SENDING if due else Status.SCHEDULED
        held.pause_reason = {}
        held.save(update_fields=["status", "pause_reason"])
        audit.record("campaign.resume", held, at=at, by=by, data={"status": held.status})
    return held


def stop(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """Send nothing more and close every link; what was answered counts."""
    return _finish(campaign, Status.STOPPED, at=at, by=by)


def close(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
    """End the collection, at its time or before; what was answered counts."""
    return _finish(campaign, Status.CLOSED, at=at, by=by)


def advance(at: datetime) -> int:
    """Move each campaign on that time or its last mail has moved on; return how many."""
    waiting = Delivery.objects.filter(
        invitation__campaign=OuterRef("pk"),
        # Reminders leave while answers are being collected.
        kind=Delivery.Kind.INVITATION,
        state__in=["queued", "claimed", "sending", "retry"],
    )
    over = Q(closes_at__lte=at) & Q(status__in=LAUNCHED)
    begun = Q(status=Status.SCHEDULED) & (Q(send_at__isnull=True) | Q(send_at__lte=at))
    moving = (
        Campaign.objects.annotate(has_mail=Exists(waiting))
        .filter(over | begun | Q(status=Status.SENDING, has_mail=False))
        .order_by("pk")
    )
    return sum(_advance(campaign, at=at) for campaign in moving)


def _advance(campaign: Campaign, *, at: datetime) -> bool:
    if campaign.closes_at <= at:
        close(campaign, at=at, by=None)
        return True
    status = Status.SENDING if campaign.status == Status.SCHEDULED else Status.COLLECTING
    with transaction.atomic():
        moved = Campaign.objects.filter(pk=campaign.pk, status=campaign.status).update(
            status=status
        )
        if moved:
            audit.record("campaign.advance", campaign, at=at, data={"status": status})
    return bool(moved)


def _held(campaign: Campaign) -> Campaign:
    return Campaign.objects.select_for_update().get(pk=campaign.pk)


def _finish(
    campaign: Campaign,
    status: Campaign.Status,
    *,
    at: datetime,
    by: User | ApiKey | None,
) -> Campaign:
    with transaction.atomic():
        held = _held(campaign)
        if held.status == status:
            return held
        if held.status not in LAUNCHED:
            raise NotPossible("wrong_status")
        cancelled = _end(held, at=at)
        held.status, held.ended_at = status, at
        held.save(update_fields=["status", "ended_at"])
        act = "campaign.stop" if status == Status.STOPPED else "campaign.close"
        audit.record(act, held, at=at, by=by, data={"cancelled": cancelled})
    return held


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
    return Delivery.objects.filter(
        invitation__campaign=campaign, state__in=["queued", "claimed", "retry"]
    ).update(state=Delivery.State.SKIPPED, reason=CANCELLED)


def _invite(plan_: preflights.Plan, *, at: datetime) -> None:
    """Write the invitations and deliveries of a launch in bulk."""
    campaign = plan_.campaign
    people = audiences.contacts(campaign).order_by().values("pk")
    marketing = invitations.marketing(people)
    shared: dict[str, Any] = {}
    if campaign.version is not None:
        shared = letters.common(campaign.version, closes_at=campaign.closes_at, at=plan_.start)
    rows = []
    for contact in plan_.contacts:
        variables = shared | letters.personal(contact)
        variables["marketing_consent"] = marketing.get(contact.pk, "")
        rows.append(_invitation(plan_, contact, variables, at=at))
    Invitation.objects.bulk_create(rows, batch_size=BATCH)
    Delivery.objects.bulk_create(
        (_delivery(plan_, row) for row in rows if row.state == Invitation.State.PLANNED),
        batch_size=BATCH,
    )


def _invitation(
    plan_: preflights.Plan, contact: Contact, variables: dict[str, Any], *, at: datetime
) -> Invitation:
    refusal = plan_.refusals.get(contact.pk)
    return invitations.make(
        contact,
        version=plan_.campaign.version,
        variables=variables,
        closes_at=plan_.campaign.closes_at,
        at=at,
        campaign=plan_.campaign,
        **(invitations.refused(refusal.code, refusal.free_on) if refusal else {}),
    )


def _delivery(plan_: preflights.Plan, invitation: Invitation) -> Delivery:
    first = plan_.start
    if plan_.campaign.send_window:
        first = plan_.rules.next_send(invitation.contact, at=first)
    return invitations.delivery(invitation, first=first)


def _facts(campaign: Campaign) -> dict[str, Any]:
    """What the audit trail keeps of a campaign, the choice of hours included."""
    return {
        "name": campaign.name,
        "questionnaire": campaign.questionnaire.key,
        "audience": campaign.audience,
        "send_at": campaign.send_at.isoformat() if campaign.send_at else None,
        "closes_at": campaign.closes_at.isoformat(),
        "send_window": campaign.send_window,
        "remind_after": campaign.remind_after,
    }
