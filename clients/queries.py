"""What pages show of clients: the list, the facts of one, its people, cases and timeline."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from bank.models import ApiKey, User
from clients.models import (
    Case,
    CaseEvent,
    Client,
    Consent,
    Freeze,
    Milestone,
    MilestoneType,
    Stage,
)

PAGE = 50


@dataclass(frozen=True)
class Facts:
    """The facts strip of one client."""

    client: Client
    contacts: int
    open_cases: int
    closed_cases: int
    # Amount of the open cases by currency; never added up over currencies.
    amounts: dict[str, Decimal]
    subsidiaries: tuple[Client, ...]
    freezes: tuple[Freeze, ...]


@dataclass(frozen=True)
class Step:
    """A stage entered or a milestone, planned or reached, with its name."""

    milestone: Milestone
    name: str
    event_name: str
    is_stage: bool


@dataclass(frozen=True)
class Track:
    """A case with the name of its stage and its steps, oldest first."""

    case: Case
    stage: Stage | None
    since: datetime | None
    steps: tuple[Step, ...]

    @property
    def stage_name(self) -> str:
        """The name of the present stage; its code where the reference data lack it."""
        return self.stage.name if self.stage else self.case.stage


@dataclass(frozen=True)
class Entry:
    """One line of a timeline; layers to the right add their own lines."""

    at: datetime
    kind: str  # stage, milestone, consent, freeze, thaw
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


def client_list(
    viewer: User | ApiKey,
    *,
    q: str = "",
    rm: str = "",
    status: str = "",
    segment: str = "",
    page: int | str = 1,
) -> Page[Any]:
    """One page of clients with `open_cases` and `people` counted; two queries for any number."""
    found = clients(viewer, q=q, rm=rm, status=status, segment=segment)
    rows = found.annotate(
        open_cases=Count("cases", filter=Q(cases__closed_on__isnull=True), distinct=True),
        people=Count("contacts", filter=Q(contacts__left_on__isnull=True), distinct=True),
    )
    return Paginator(rows, PAGE).get_page(page)


def managers(viewer: User | ApiKey) -> QuerySet[User]:
    """The managers of clients in scope, for the filter of the list."""
    return User.objects.filter(
        pk__in=Client.objects.visible_to(viewer).values("manager")
    ).order_by("username")


def facts(client: Client, viewer: User | ApiKey) -> Facts:
    """The facts of one client; companies of the group only as far as the viewer sees them."""
    cases = list(
        client.cases.values("currency", "closed_on").annotate(sum=Sum("amount"), n=Count("pk"))
    )
    amounts: dict[str, Decimal] = {}
    for row in cases:
        if row["closed_on"] is None and row["sum"] is not None:
            amounts[row["currency"]] = amounts.get(row["currency"], Decimal(0)) + row["sum"]
    group = Client.objects.visible_to(viewer).filter(parent=client)
    return Facts(
        client=client,
        contacts=client.contacts.filter(left_on__isnull=True).count(),
        open_cases=sum(row["n"] for row in cases if row["closed_on"] is None),
        closed_cases=sum(row["n"] for row in cases if row["closed_on"] is not None),
        amounts=amounts,
        subsidiaries=tuple(group.order_by("code")),
        freezes=tuple(client.freezes.active().order_by("started_at", "pk")),
    )


def tracks(client: Client) -> list[Track]:
    """The cases of a client, newest first, with stage names and steps; constant queries."""
    rows = client.cases.select_related("client", "product", "manager")
    return _tracks(list(rows.order_by("-opened_on", "-pk")))


def track(case: Case) -> Track:
    """One case with stage names and steps."""
    return _tracks([case])[0]


def path(case: Case) -> list[tuple[Stage, date | None]]:
    """The stages of the case's kind in order, each with the day it was first entered."""
    entered: dict[str, date] = {}
    moments = case.milestones.filter(occurred_at__isnull=False).order_by("occurred_at", "pk")
    for code, moment in moments.values_list("code", "occurred_at"):
        if moment is not None:
            entered.setdefault(code, timezone.localdate(moment))
    stages = Stage.objects.filter(case_kind=case.kind, is_active=True).order_by("position", "pk")
    return [(stage, entered.get(stage.code)) for stage in stages]


def timeline(client: Client, *, limit: int = 100) -> list[Entry]:
    """What happened at a client as far as records know, newest first; constant queries."""
    entries = [
        Entry(
            at=step.milestone.occurred_at,
            kind="stage" if step.is_stage else "milestone",
            title=step.name,
            detail=step.event_name or step.milestone.note,
            case=item.case,
        )
        for item in tracks(client)
        for step in item.steps
        if step.milestone.occurred_at is not None
    ]
    given = Consent.objects.filter(contact__client=client).select_related("contact")
    entries += [
        Entry(
            row.at,
            "consent",
            row.contact.name,
            f"{row.get_purpose_display()}: {row.get_state_display()}",
        )
        for row in given
    ]
    for freeze in client.freezes.all():
        entries.append(
            Entry(freeze.started_at, "freeze", _("No surveys"), freeze.get_reason_display())
        )
        if freeze.ended_at:
            entries.append(
                Entry(freeze.ended_at, "thaw", _("Surveys again"), freeze.get_reason_display())
            )
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return entries[:limit]


def _tracks(cases: list[Case]) -> list[Track]:
    stages = {(stage.case_kind, stage.code): stage for stage in Stage.objects.all()}
    names = {item.code: item.name for item in MilestoneType.objects.all()}
    events = {item.code: item.name for item in CaseEvent.objects.all()}
    steps: dict[int, list[Step]] = {case.pk: [] for case in cases}
    kinds = {case.pk: case.kind for case in cases}
    for row in Milestone.objects.filter(case__in=cases).order_by(
        "occurred_at", "planned_on", "pk"
    ):
        stage = stages.get((kinds[row.case_id], row.code))
        name = stage.name if stage else names.get(row.code, row.code)
        steps[row.case_id].append(
            Step(row, name, events.get(row.event, row.event), stage is not None)
        )
    return [
        Track(
            case=case,
            stage=stages.get((case.kind, case.stage)),
            since=_since(case, steps[case.pk]),
            steps=tuple(sorted(steps[case.pk], key=_when)),
        )
        for case in cases
    ]


def _since(case: Case, steps: list[Step]) -> datetime | None:
    """When the present stage was entered; None when that was not reported."""
    moments = [
        step.milestone.occurred_at
        for step in steps
        if step.is_stage and step.milestone.code == case.stage and step.milestone.occurred_at
    ]
    return max(moments, default=None)


def _when(step: Step) -> tuple[date, int]:
    """Order by the day it happened, else the day it is planned for."""
    row = step.milestone
    day = timezone.localdate(row.occurred_at) if row.occurred_at else row.planned_on
    return (day or date.max, row.pk)
