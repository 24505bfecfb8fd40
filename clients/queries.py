"""What pages show of clients: the list, its managers, and what happened at one of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from bank.models import ApiKey, User
from clients.models import (
    Case,
    CaseEvent,
    Client,
    Consent,
    Milestone,
    MilestoneType,
    Stage,
    Touchpoint,
)


@dataclass(frozen=True)
class Entry:
    """One line of a timeline; layers to the right add their own lines."""

    at: datetime
    kind: str  # stage, milestone, contact, event, consent, freeze, thaw
    title: str
    detail: str
    case: Case | None = None


def clients(
    viewer: User | ApiKey, *, q: str = "", rm: str = "", status: str = "", segment: str = ""
) -> QuerySet[Client]:
    """The clients in scope that fit search and filters, in order of code, ready for a list."""
    found = Client.objects.visible_to(viewer)
    for word in q.split()[:5]:
        found = found.filter(
            Q(code__icontains=word)
            | Q(name_zh__icontains=word)
            | Q(name_en__icontains=word)
            | Q(short_name__icontains=word)
            | Q(uscc__iexact=word)
        )
    if rm:
        found = found.filter(manager__username=rm)
    if status in Client.Status.values:
        found = found.filter(status=status)
    if segment in Client.Segment.values:
        found = found.filter(segment=segment)
    return found.select_related("manager", "team", "industry", "province").order_by("code")


def managers(viewer: User | ApiKey) -> QuerySet[User]:
    """The managers of clients in scope, for the filter of the list."""
    return User.objects.filter(
        pk__in=Client.objects.visible_to(viewer).values("manager")
    ).order_by("username")


def timeline(client: Client, *, limit: int = 100) -> list[Entry]:
    """What happened at a client as far as records know, newest first; nine queries."""
    entries = [*_reached(client), *_met(client, limit), *_befell(client), *_permissions(client)]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return entries[:limit]


def _reached(client: Client) -> Iterator[Entry]:
    """Stages entered and milestones reached, by their names; codes where these are missing."""
    stages = {(stage.case_kind, stage.code): stage.name for stage in Stage.objects.all()}
    names = {item.code: item.name for item in MilestoneType.objects.all()}
    events = {item.code: item.name for item in CaseEvent.objects.all()}
    rows = Milestone.objects.filter(case__client=client, occurred_at__isnull=False)
    for row in rows.select_related("case").order_by("-occurred_at", "-pk"):
        stage = stages.get((row.case.kind, row.code))
        if row.occurred_at is not None:
            yield Entry(
                at=row.occurred_at,
                kind="milestone" if stage is None else "stage",
                title=stage or names.get(row.code, row.code),
                detail=events.get(row.event, row.event) or row.note,
                case=row.case,
            )


def _met(client: Client, limit: int) -> Iterator[Entry]:
    """What two people did together, and with whom."""
    rows = client.touchpoints.filter(kind__in=Touchpoint.TOGETHER).select_related("contact")
    for row in rows.order_by("-at", "-pk")[:limit]:
        person = row.contact.name if row.contact else ""
        yield Entry(row.at, "contact", row.get_kind_display(), person)


def _befell(client: Client) -> Iterator[Entry]:
    """What was reported of the client itself."""
    names = {item.code: item.name for item in CaseEvent.objects.filter(subject="client")}
    for row in client.events.order_by("-occurred_at", "-pk"):
        yield Entry(row.occurred_at, "event", names.get(row.event, row.event), "")


def _permissions(client: Client) -> Iterator[Entry]:
    """What people allowed, and when the client was to be left alone."""
    for row in Consent.objects.filter(contact__client=client).select_related("contact"):
        said = f"{row.get_purpose_display()}: {row.get_state_display()}"
        yield Entry(row.at, "consent", row.contact.name, said)
    for freeze in client.freezes.all():
        reason = freeze.get_reason_display()
        yield Entry(freeze.started_at, "freeze", _("No surveys"), reason)
        if freeze.ended_at:
            yield Entry(freeze.ended_at, "thaw", _("Surveys again"), reason)
