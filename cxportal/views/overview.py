"""The overview: one unit, one period, every figure with its base and interval."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from bank.http import StaffRequest, only_reads, role_required
from bank.models import Team, User
from clients.models import Client
from cxportal import charts, listing, trends
from cxportal.cards import card
from cxportal.queries import funnel, heatmap, highlights, pins, responses
from cxportal.queries import overview as queries
from metrics import comparing, wording
from metrics.comparing import Change
from metrics.formulas.periods import Bounds
from metrics.queries import ENGAGEMENT, Figure, figures

_STALE = timedelta(hours=26)
_COMPARED = ("nps", "nps_exposure", "csat", *(f"csat_{name}" for name in queries.DIMENSIONS))
_SEEN = (*_COMPARED, "client_response_rate", "response_rate")


@only_reads
@role_required()
def overview(request: StaffRequest) -> HttpResponse:
    """Show the figures of the bank or of one team, as far as the viewer may see them."""
    at = timezone.now()
    try:
        period = queries.period_of(request.GET.get("period", ""))
        bounds = queries.bounds(period, at)
        teams = queries.teams(request.user)
        units = queries.units(request.user, teams)
        unit = queries.unit_of(request.user, request.GET.get("team"), units)
        line = queries.line_of(request.GET.get("line", ""))
    except queries.Unknown as error:
        raise Http404 from error
    view = _View(request.user, unit, line, period, bounds, at)
    return render(
        request,
        "cxportal/overview.html",
        {
            "section": "overview",
            "period": period,
            "first": bounds.start,
            "last": min(bounds.end, at),
            "unit": unit,
            "units": units,
            "line": line,
            "lines": Client.Segment.choices,
            "periods": queries.stored_periods(unit),
            "low": card("low", lambda: responses.low_scores(request.user, team=unit.team)),
            "funnel": card("funnel", lambda: funnel.newest(request.user)),
            **_cards(view, teams, _colour(request)),
        },
    )


def _colour(request: StaffRequest) -> str:
    asked = listing.one_of(request.GET, "heat", lambda value: value in heatmap.metrics())
    return asked or heatmap.METRIC


@dataclass(frozen=True)
class _View:
    """What is looked at, by whom; each part is read once."""

    viewer: User
    unit: queries.Unit
    line: str
    period: str
    bounds: Bounds
    at: datetime

    @property
    def part(self) -> str:
        """The name of the slice that the line of business is."""
        return f"segment={self.line}" if self.line else ""

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Every figure of the period; engagement is always that of the last 90 days."""
        key = (self.unit.scope, self.unit.scope_id)
        found = figures(*key, period=self.period, part=self.part)
        if self.period == "rolling90":
            return found
        recent = figures(*key, period="rolling90", part=self.part)
        return found | {name: recent[name] for name in ENGAGEMENT}

    @cached_property
    def changes(self) -> dict[str, Change]:
        """What became of the figures since the period before; a line has no stored one."""
        if self.line:
            return {}
        seen = {name: self.figures[name] for name in _SEEN}
        return comparing.changes(
            (self.unit.scope, self.unit.scope_id),
            period=self.period,
            figures=seen,
            viewer=self.viewer,
            at=self.at,
        )

    @cached_property
    def course(self) -> queries.Course:
        """Thirteen months."""
        return queries.course(self.unit, self.at, part=self.part)

    @property
    def before(self) -> float | None:
        """The NPS of the period before, where it may be shown."""
        change = self.changes.get("nps")
        return change.before.value if change and change.before else None


def _cards(view: _View, teams: list[Team], colour: str) -> dict[str, Any]:
    """The figures of the page and their charts, on one axis."""
    found, nps = view.figures, view.figures["nps"]
    changes = card("changes", lambda: view.changes).data or {}
    others = queries.beside(view.unit, teams, view.period, part=view.part)
    on = queries.shared_domain([nps, *view.course.rolling["nps"], *others.values()])
    heat = card("heat", lambda: heatmap.of(view.unit, view.period, view.bounds, colour))
    rows = queries.team_rows(teams, others, on, nps.value)
    before = changes.get("nps") and view.before
    return {
        "figures": found,
        "changes": changes,
        "nps": nps,
        "axis": _axis(nps, on, before or None),
        "parts": _parts(nps),
        "histogram": _histogram(found["nps_respondent"]),
        "trend": card("trend", lambda: _trend(view, on, before or None)),
        "months": _months(view.course),
        "sparks": _sparks(view.course),
        "dimensions": [(label, found[name]) for name, label in queries.dimensions()],
        "coverage": [
            (_("Coverage of exposure"), found["coverage_exposure"]),
            (_("Silent exposure, 12 months"), found["silent_exposure"]),
        ],
        "heat": heat,
        "colours": heatmap.metrics().items(),
        "highlights": card("highlights", lambda: highlights.of(found, changes, heat.data)),
        "team_ticks": charts.whisker_ticks(on),
        "teams": rows,
        "ranking": card("ranking", lambda: _ranking(rows)),
        "as_of": _as_of(found),
        "stale": _stale(view, _as_of(found)),
    }


def _axis(fig: Figure, on: charts.Domain, before: float | None) -> charts.Axis | None:
    if fig.value is None or fig.low is None or fig.high is None:
        return None
    inside = before if before is not None and on.low <= before <= on.high else None
    return charts.axis(fig.value, fig.low, fig.high, on, before=inside)


def _parts(fig: Figure) -> list[charts.Part]:
    return charts.stacked(
        [int(fig.detail.get(name, 0)) for name in ("detractor", "passive", "promoter")]
    )


def _histogram(fig: Figure) -> charts.Histogram | None:
    counts = fig.detail.get("counts")
    return charts.histogram(counts) if counts else None


def _trend(view: _View, on: charts.Domain, before: float | None) -> trends.Trend:
    course = view.course
    points = [
        trends.TrendPoint(month, fig.value, fig.low, fig.high, single.n)
        for month, fig, single in zip(
            course.months, course.rolling["nps"], course.monthly["nps_respondent"], strict=True
        )
    ]
    placed = [
        (pins.place(event, course.months), event.words) for event in pins.events(course.months)
    ]
    known = [(part, words) for part, words in placed if part is not None]
    return trends.trend(points, on, before=before, pins=known)


def _months(course: queries.Course) -> list[tuple[str, Figure, Figure]]:
    return list(
        zip(course.months, course.rolling["nps"], course.monthly["nps_respondent"], strict=True)
    )


def _sparks(course: queries.Course) -> dict[str, trends.Spark | None]:
    """Of satisfaction and of the response rate; engagement has no stored months."""
    csat = [fig.value for fig in course.rolling["csat"]]
    rate = [fig.value for fig in course.monthly["response_rate"]]
    return {
        "csat": trends.spark(course.months, csat),
        "rate": trends.spark(course.months, rate),
    }


def _ranking(rows: list[queries.TeamRow]) -> str:
    """The sentence under teams of which no pair can be told apart."""
    shown = [row.figure for row in rows if row.whisker]
    if len(shown) < 2:
        return ""
    found = comparing.apart(shown)
    return wording.ranking(None if found is None else found.differs)


def _as_of(found: dict[str, Figure]) -> datetime | None:
    return max((fig.as_of for fig in found.values() if fig.as_of), default=None)


def _stale(view: _View, as_of: datetime | None) -> bool:
    """Whether rolling figures, which every night renews, are older than a night."""
    return as_of is not None and view.period.startswith("rolling") and view.at - as_of > _STALE
