"""Campaigns and invitations as a viewer may see them, and the funnel whose numbers add up."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from bank import scope
from bank.models import ApiKey, Role, User
from surveys.models import Campaign, Delivery, Hit, Invitation, RosterEntry
from surveys.models.campaign import InvitationQuerySet

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
    """Count a campaign in two queries; with a viewer only what that viewer may see."""
    return funnels([campaign], viewer=viewer)[campaign.pk]


def funnels(
    campaigns: Iterable[Campaign], *, viewer: User | ApiKey | None = None
) -> dict[int, Funnel]:
    """Count campaigns in two queries, by their number; with a viewer what that viewer may see.

    Opened leaves out what a machine fetched. What the relay took counts as sent, and as delivered
    unless it is known to have bounced.
    """
    waves = {campaign.pk: campaign for campaign in campaigns}
    tallies = _unwritten(waves, viewer)
    for row in _rows(Invitation.objects.filter(campaign__in=waves), viewer):
        _add(tallies[row["campaign"]], row)
    return {pk: tally.funnel() for pk, tally in tallies.items()}


@dataclass
class _Tally:
    """The counters of one campaign while its rows are read."""

    places: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    bounced: int = 0

    def funnel(self) -> Funnel:
        """The counters as they are told."""
        return Funnel(
            planned=sum(self.places.values()),
            waiting=self.places["waiting"],
            sent=self.places["sent"],
            failed=self.places["failed"],
            unknown=self.places["unknown"],
            skipped=dict(sorted(self.skipped.items())),
            delivered=self.places["sent"] - self.bounced,
            opened=self.steps["opened"],
            started=self.steps["started"],
            completed=self.steps["completed"],
        )


def _rows(found: InvitationQuerySet, viewer: User | ApiKey | None) -> Iterable[Any]:
    """Invitations by campaign, state and mail, with how many opened, started, completed."""
    if viewer is not None:
        found = found.visible_to(viewer)
    first = Delivery.objects.filter(
        invitation=OuterRef("pk"), kind=Delivery.Kind.INVITATION
    ).order_by("pk")
    posted = Hit.objects.filter(
        invitation=OuterRef("pk"), page=Hit.Page.SURVEY, method="POST"
    ).exclude(person=False)
    completed = Q(answered_at__isnull=False)
    started = completed | Q(has_posted=True)
    return (
        found.annotate(
            mail=Subquery(first.values("state")[:1]),
            why=Subquery(first.values("reason")[:1]),
            has_posted=Exists(posted),
        )
        .values("campaign", "state", "reason", "mail", "why")
        .annotate(
            rows=Count("pk"),
            opened=Count("pk", filter=started | Q(opened_at__isnull=False)),
            started=Count("pk", filter=started),
            completed=Count("pk", filter=completed),
        )
        .order_by("campaign", "state", "reason", "mail", "why")
    )


def _add(tally: _Tally, row: dict[str, Any]) -> None:
    place = _place(row["state"], row["mail"])
    tally.bounced += row["rows"] if row["mail"] == Delivery.State.BOUNCED else 0
    tally.places[place] += row["rows"]
    if place == "skipped":
        tally.skipped[row["why"] or row["reason"]] += row["rows"]
    tally.steps.update({name: row[name] for name in ("opened", "started", "completed")})


def _unwritten(waves: dict[int, Campaign], viewer: User | ApiKey | None) -> dict[int, _Tally]:
    """The places of those whose invitation is still to be written, and why some are not asked."""
    entries = RosterEntry.objects.filter(campaign__in=waves)
    if viewer is not None:
        entries = entries.visible_to(viewer)
    tallies = {pk: _Tally() for pk in waves}
    counted = entries.order_by().values_list("campaign", "reason").annotate(Count("pk"))
    for pk, reason, count in counted:
        ended = waves[pk].status in {Campaign.Status.STOPPED, Campaign.Status.CLOSED}
        why = reason or (CANCELLED if ended else "")
        tallies[pk].places["skipped" if why else "waiting"] += count
        if why:
            tallies[pk].skipped[why] += count
    return tallies


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
