"""Campaigns and invitations as a viewer may see them, and the funnel whose numbers add up."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from bank import scope
from bank.models import ApiKey, Role, User
from surveys.models import Campaign, Delivery, Hit, Invitation, RosterEntry

CANCELLED = "cancelled"


@dataclass(frozen=True)
class Funnel:
    """planned = waiting + sent + failed + unknown + skipped; the rest are steps of those sent."""

    planned: int
    waiting: int
    sent: int
    failed: int
    unknown: int
    skipped: dict[str, int]
    delivered: int
    opened: int
    started: int
    completed: int


def campaigns(viewer: User | ApiKey) -> QuerySet[Campaign]:
    """The campaigns that concern a client the viewer may see, newest first.

    A campaign that was limited to a team is also seen, before its launch, by those who see
    that team; any other draft by those who see everything.
    """
    found = Campaign.objects.select_related("questionnaire").order_by("-created_at", "-pk")
    if scope.sees_all(viewer):
        return found
    theirs = Invitation.objects.visible_to(viewer).filter(campaign=OuterRef("pk"))
    condition = Q(Exists(theirs))
    if isinstance(viewer, ApiKey) or viewer.role == Role.SUPERVISOR:
        codes = list(scope.teams_of(viewer).values_list("code", flat=True))
        condition |= Q(audience__within__in=codes)
    return found.filter(condition)


def is_whole_to(viewer: User | ApiKey, campaign: Campaign) -> bool:
    """Whether everybody the campaign asks lies in the viewer's scope, so that they may run it."""
    if scope.sees_all(viewer):
        return True
    within = campaign.audience.get("within")
    return within is not None and scope.teams_of(viewer).filter(code=within).exists()


def invitations(
    viewer: User | ApiKey, *, campaign: Campaign | None = None
) -> QuerySet[Invitation]:
    """The invitations to the viewer's clients, with contact, client and campaign at hand."""
    found = Invitation.objects.visible_to(viewer)
    if campaign is not None:
        found = found.filter(campaign=campaign)
    return found.select_related("contact", "client", "campaign").order_by("pk")


def funnel(campaign: Campaign, *, viewer: User | ApiKey | None = None) -> Funnel:
    """Count a campaign in two queries; with a viewer only what that viewer may see.

    Opened leaves out what a machine fetched. What the relay took counts as sent, and as delivered
    unless it is known to have bounced.
    """
    found = Invitation.objects.filter(campaign=campaign)
    if viewer is not None:
        found = found.visible_to(viewer)
    first = Delivery.objects.filter(
        invitation=OuterRef("pk"), kind=Delivery.Kind.INVITATION
    ).order_by("pk")
    posted = Hit.objects.filter(invitation=OuterRef("pk"), page=Hit.Page.SURVEY, method="POST")
    completed = Q(answered_at__isnull=False)
    started = completed | Q(has_posted=True)
    rows = (
        found.annotate(
            mail=Subquery(first.values("state")[:1]),
            why=Subquery(first.values("reason")[:1]),
            has_posted=Exists(posted),
        )
        .values("state", "reason", "mail", "why")
        .annotate(
            rows=Count("pk"),
            opened=Count("pk", filter=started | Q(opened_at__isnull=False)),
            started=Count("pk", filter=started),
            completed=Count("pk", filter=completed),
        )
        .order_by("state", "reason", "mail", "why")
    )
    places, skipped = _unwritten(campaign, viewer)
    steps: Counter[str] = Counter()
    bounced = 0
    for row in rows:
        place = _place(row["state"], row["mail"])
        bounced += row["rows"] if row["mail"] == Delivery.State.BOUNCED else 0
        places[place] += row["rows"]
        if place == "skipped":
            skipped[row["why"] or row["reason"]] += row["rows"]
        steps.update({name: row[name] for name in ("opened", "started", "completed")})
    return Funnel(
        planned=sum(places.values()),
        waiting=places["waiting"],
        sent=places["sent"],
        failed=places["failed"],
        unknown=places["unknown"],
        skipped=dict(sorted(skipped.items())),
        delivered=places["sent"] - bounced,
        opened=steps["opened"],
        started=steps["started"],
        completed=steps["completed"],
    )


def _unwritten(
    campaign: Campaign, viewer: User | ApiKey | None
) -> tuple[Counter[str], Counter[str]]:
    """The places of those whose invitation is still to be written, and why some are not asked."""
    entries = RosterEntry.objects.filter(campaign=campaign)
    if viewer is not None:
        entries = entries.visible_to(viewer)
    reasons = dict(entries.order_by().values_list("reason").annotate(Count("pk")))
    asked = reasons.pop("", 0)
    if asked and campaign.status in {Campaign.Status.STOPPED, Campaign.Status.CLOSED}:
        reasons[CANCELLED] = asked
        asked = 0
    return Counter(waiting=asked, skipped=sum(reasons.values())), Counter(reasons)


def _place(state: str, mail: str | None) -> str:
    """Where an invitation stands; one without a mail is judged by its own state."""
    if mail is None:
        states = Invitation.State
        if state in {states.SKIPPED, states.WITHDRAWN}:
            return "skipped"
        return "waiting" if state == states.PLANNED else "sent"
    if mail in {"sent", "delivered", "bounced"}:
        return "sent"
    if mail in {"failed", "unknown", "skipped"}:
        return mail
    return "waiting"
