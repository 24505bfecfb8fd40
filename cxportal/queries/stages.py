"""How far a case has come, against the days the bank promised for each stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from bank import workdays
from clients.models import Case, Milestone, Stage
from clients.models.cases import CaseQuerySet

# Six steps a reader can take in; the stages of both graphs fall into them.
STEPS = (
    ("intake", {"enquiry", "screening", "mandate", "application", "materials_pending"}),
    ("due_diligence", {"due_diligence"}),
    ("approval", {"risk_review", "approval", "approved"}),
    ("signing", {"syndication", "contracting"}),
    ("drawdown", {"conditions_precedent", "disbursed", "construction", "completion"}),
    (
        "post_loan",
        {
            "extension_review",
            "ramp_up",
            "operation",
            "restructuring",
            "overdue",
            "recovery",
            "settled",
            "written_off",
        },
    ),
)
_STEP_OF = {code: number for number, (_name, codes) in enumerate(STEPS) for code in codes}


def step_names() -> list[str]:
    """The six steps in the active language."""
    return [
        _("Intake"),
        _("Due diligence"),
        _("Approval"),
        _("Signing"),
        _("Drawdown"),
        _("Post-loan"),
    ]


@dataclass(frozen=True)
class Step:
    """One of the six steps of a case."""

    name: str
    state: str
    since: date | None
    days: int | None
    promised: int | None


@dataclass(frozen=True)
class Visit:
    """One stay of a case in one stage."""

    stage: Stage | None
    code: str
    entered: date
    left: date | None
    days: int
    promised: int | None
    over: int
    irregular: bool

    @property
    def waits_for_client(self) -> bool:
        """Whether the clock stood still for the bank."""
        return self.stage is not None and self.stage.clock == "client"


@dataclass(frozen=True)
class Progress:
    """A case with its steps and stays."""

    case: Case
    stage_name: str
    steps: list[Step]
    visits: list[Visit]
    late: int
    milestones: list[Milestone]

    @property
    def since(self) -> date | None:
        """When the present stage was entered, as far as reported."""
        return self.visits[-1].entered if self.visits else None


@dataclass(frozen=True)
class Clockwork:
    """The stages by kind and code, the calendar, and today: read once for any number of cases."""

    stages: dict[tuple[str, str], Stage]
    calendar: workdays.Calendar
    today: date


def clockwork(at: datetime, calendar: workdays.Calendar | None = None) -> Clockwork:
    """Read the stages, and the calendar where the caller has not read it yet."""
    stages = {(stage.case_kind, stage.code): stage for stage in Stage.objects.all()}
    return Clockwork(stages, calendar or workdays.calendar(), timezone.localdate(at))


def progress_of(cases: Sequence[Case], works: Clockwork) -> list[Progress]:
    """The progress of each case, with one query for the milestones of all."""
    rows = Milestone.objects.filter(case__in=cases).order_by(
        F("occurred_at").asc(nulls_last=True), "planned_on", "pk"
    )
    by_case: dict[int, list[Milestone]] = {case.pk: [] for case in cases}
    for row in rows:
        by_case[row.case_id].append(row)
    return [_progress(case, by_case[case.pk], works) for case in cases]


def late_cases(cases: CaseQuerySet, works: Clockwork) -> CaseQuerySet:
    """Only open cases that have stayed in their stage longer than promised."""
    entered = (
        Milestone.objects.filter(
            case=OuterRef("pk"), code=OuterRef("stage"), occurred_at__isnull=False
        )
        .order_by("-occurred_at", "-pk")
        .values("occurred_at")[:1]
    )
    late = Q(pk__in=[])
    for (kind, code), stage in works.stages.items():
        if stage.clock == "bank" and stage.sla_working_days is not None and not stage.terminal:
            # Entered on this day, the promise ends today; a day earlier it is broken.
            last = works.calendar.add(works.today, -stage.sla_working_days)
            late |= Q(kind=kind, stage=code, entered_at__lt=_start(_earliest(last, works)))
    return cases.open().annotate(entered_at=Subquery(entered)).filter(late)


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), settings.ZONE)


def _earliest(last: date, works: Clockwork) -> date:
    """The first day from which the same number of working days passes as from `last`."""
    while not works.calendar.is_workday(last):
        last -= timedelta(days=1)
    return last


def _progress(case: Case, milestones: list[Milestone], works: Clockwork) -> Progress:
    stage = works.stages.get((case.kind, case.stage))
    visits = _visits(case, milestones, works)
    open_visit = visits[-1] if visits and case.closed_on is None else None
    return Progress(
        case,
        stage.name if stage else case.stage,
        _steps(case, visits, works),
        visits,
        open_visit.over if open_visit else 0,
        milestones,
    )


def _visits(case: Case, milestones: list[Milestone], works: Clockwork) -> list[Visit]:
    """The stays in order; a later stage ends the one before."""
    entries = [
        row for row in milestones if row.occurred_at and (case.kind, row.code) in works.stages
    ]
    visits = []
    for number, row in enumerate(entries):
        entered = timezone.localdate(row.occurred_at)
        later = entries[number + 1].occurred_at if number + 1 < len(entries) else None
        left = timezone.localdate(later) if later else None
        stage = works.stages[case.kind, row.code]
        end = left or case.closed_on or works.today
        days = max(works.calendar.between(entered, end), 0)
        promised = stage.sla_working_days if stage.clock == "bank" else None
        stays = not (stage.terminal or promised is None)
        over = max(days - (promised or 0), 0) if stays else 0
        visits.append(Visit(stage, row.code, entered, left, days, promised, over, row.irregular))
    return visits


def _steps(case: Case, visits: list[Visit], works: Clockwork) -> list[Step]:
    """The six steps; one that was passed without a record is done, with no date."""
    reached = [_STEP_OF[visit.code] for visit in visits if visit.code in _STEP_OF]
    current = _STEP_OF.get(case.stage, reached[-1] if reached else 0)
    late = bool(visits and visits[-1].over and case.closed_on is None)
    steps = []
    for number, name in enumerate(step_names()):
        stays = [visit for visit in visits if _STEP_OF.get(visit.code) == number]
        state = _state(number, current, late=late, ended=case.closed_on is not None)
        # Waiting for the client and running for years have no promise to be held against.
        held = [visit for visit in stays if visit.promised is not None]
        days = sum(visit.days for visit in held or stays)
        steps.append(
            Step(
                name,
                state,
                stays[0].entered if stays else None,
                days if stays else None,
                sum(visit.promised or 0 for visit in held) if held else None,
            )
        )
    return steps


def _state(number: int, current: int, *, late: bool, ended: bool) -> str:
    if number > current:
        return "todo"
    if number < current or ended:
        return "done"
    return "late" if late else "now"


@dataclass(frozen=True)
class Reached:
    """A milestone with its plan, its day, and the days between them."""

    name: str
    planned: date | None
    occurred: datetime | None
    behind: int | None
    overdue: bool
    irregular: bool
    note: str


def reached(progress: Progress, works: Clockwork, names: dict[str, str]) -> list[Reached]:
    """Every milestone of the case: planned against actual, in working days."""
    return [_reached(progress.case, row, works, names) for row in progress.milestones]


def _reached(case: Case, row: Milestone, works: Clockwork, names: dict[str, str]) -> Reached:
    stage = works.stages.get((case.kind, row.code))
    day = timezone.localdate(row.occurred_at) if row.occurred_at else None
    behind = works.calendar.between(row.planned_on, day) if row.planned_on and day else None
    missed = day is None and row.planned_on is not None and row.planned_on < works.today
    return Reached(
        stage.name if stage else names.get(row.code, row.code),
        row.planned_on,
        row.occurred_at,
        behind,
        missed and case.closed_on is None,
        row.irregular,
        row.note,
    )


def named(words: str) -> Q:
    """Cases whose number or name, or whose client's name or code, holds the words."""
    return (
        Q(number__icontains=words)
        | Q(name__icontains=words)
        | Q(client__name_zh__icontains=words)
        | Q(client__name_en__icontains=words)
        | Q(client__code__icontains=words)
    )
