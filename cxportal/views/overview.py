"""The overview: one unit, one period, every figure with its base and interval."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bank import audit
from bank.http import StaffRequest, only_reads, role_required
from bank.models import Team, User
from clients.models import Client
from cxportal import charts, listing, trends
from cxportal.cards import Card, card
from cxportal.queries import funnel, heatmap, highlights, pins, responses
from cxportal.queries import overview as queries
from metrics import comparing, sheets, slicing, wording
from metrics.comparing import Change
from metrics.formulas.periods import Bounds
from metrics.queries import Figure
from metrics.slicing import engaged
from metrics.slicing.asking import Span

_STALE = timedelta(hours=26)
_COMPARED = (
    *("nps", "nps_exposure", "csat", *(f"csat_{name}" for name in queries.DIMENSIONS)),
    *("cei", "response_rate"),
)


@only_reads
@role_required()
def overview(request: StaffRequest) -> HttpResponse:
    """Show the figures of the bank or of one team, as far as the viewer may see them."""
    view, units = _asked(request)
    month = timezone.localdate(view.at) - timedelta(days=29)
    return render(
        request,
        "cxportal/overview.html",
        {
            "section": "overview",
            "period": view.period,
            "month": month.isoformat(),
            "first": view.bounds.start,
            "last": min(view.bounds.end, view.at),
            "unit": view.unit,
            "units": units,
            "line": view.line,
            "lines": Client.Segment.choices,
            "periods": queries.stored_periods(view.unit),
            "low": card("low", lambda: responses.low_scores(request.user, team=view.unit.team)),
            "funnel": card("funnel", lambda: funnel.newest(request.user)),
            **_cards(view),
        },
    )


@require_POST
@role_required()
def export(request: StaffRequest) -> HttpResponse:
    """The figures of the page as a file; who took it is written down."""
    view, _units = _asked(request)
    rows = view.rows()
    with transaction.atomic():
        data = {"period": view.period, "line": view.line, "rows": len(rows)}
        name = f"overview:{view.unit.code or 'bank'}"
        audit.record("figures.export", name, at=view.at, by=request.user, data=data)
    told = f'attachment; filename="overview-{view.period}.csv"'
    return HttpResponse(
        sheets.written("part", rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": told},
    )


def _asked(request: StaffRequest) -> tuple["_View", list[queries.Unit]]:
    """What the address asks for, and the units there are to choose from."""
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
    view = _View(request.user, unit, line, period, bounds, at, teams, _colour(request))
    return view, units


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
    teams: list[Team]
    colour: str

    @property
    def part(self) -> str:
        """The name of the slice that the line of business is."""
        return f"segment={self.line}" if self.line else ""

    @cached_property
    def _stored(self) -> dict[str, Figure]:
        """Every figure of the period; engagement and silence are those of its last day."""
        span = Span(self.period, self.bounds)
        return queries.figures(self.unit, self.line, span, viewer=self.viewer, at=self.at)

    @cached_property
    def _course(self) -> queries.Course:
        return queries.course(self.unit, self.at, part=self.part)

    @cached_property
    def _others(self) -> dict[int, Figure]:
        return queries.beside(self.unit, self.teams, self.period, part=self.part)

    @cached_property
    def _heat(self) -> Card[heatmap.Read]:
        return card("heat", lambda: heatmap.read(self.unit, self.period, self.colour))

    @cached_property
    def _befores(self) -> dict[str, Figure]:
        """The compared figures of the period before."""
        found = {name: comparing.before_of(self._stored[name]) for name in _COMPARED}
        return {name: fig for name, fig in found.items() if fig}

    @cached_property
    def _earlier(self) -> dict[str, Figure]:
        return {name: self.see(fig) for name, fig in self._befores.items()}

    @cached_property
    def _seen(self) -> dict[int, Figure]:
        """Every figure of the page as this viewer may see it, found by the stored one."""
        stored = [*self._stored.values(), *self._course.figures(), *self._others.values()]
        stored += self._befores.values()
        if self._heat.data:
            stored += self._heat.data.figures()
        shown = slicing.for_viewer(stored, viewer=self.viewer, at=self.at)
        return {id(one): other for one, other in zip(stored, shown, strict=True)}

    def see(self, fig: Figure) -> Figure:
        """The figure, withheld where it tells this viewer a few single answers."""
        return self._seen[id(fig)]

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """The figures of the unit."""
        return {name: self.see(fig) for name, fig in self._stored.items()}

    @cached_property
    def course(self) -> queries.Course:
        """Thirteen months."""
        return self._course.seen(self.see)

    @cached_property
    def others(self) -> dict[int, Figure]:
        """The score of each team below."""
        return {pk: self.see(fig) for pk, fig in self._others.items()}

    @cached_property
    def heat(self) -> Card[heatmap.Map]:
        """The heat map."""
        found = self._heat.data
        if found is None:
            return Card(None, failed=self._heat.failed)
        return card("heat", lambda: heatmap.of(found, self.unit, self.bounds, self.see))

    def rows(self) -> list[tuple[str, Figure]]:
        """Every figure of the page with what it is of, as this viewer may see it."""
        names = {team.pk: team.name for team in self.teams}
        found = [(self.unit.name, fig) for fig in self.figures.values()]
        found += [(names[pk], fig) for pk, fig in self.others.items()]
        return found + [(self.unit.name, fig) for fig in self.course.figures()]

    @cached_property
    def changes(self) -> dict[str, Change]:
        """What became of the figures since the period before, as it is kept with them."""
        compared = {name: self.figures[name] for name in _COMPARED}
        return comparing.kept_changes(compared, see=self._see_before, at=self.at)

    def _see_before(self, fig: Figure) -> Figure:
        return self._earlier[fig.metric]


def _cards(view: _View) -> dict[str, Any]:
    """The figures of the page and their charts, on one axis."""
    found, nps = view.figures, view.figures["nps"]
    changes = card("changes", lambda: view.changes).data or {}
    on = queries.shared_domain([nps, *view.course.rolling["nps"], *view.others.values()])
    rows = queries.team_rows(view.teams, view.others, on, nps.value)
    earlier = changes["nps"].before if "nps" in changes else None
    before = earlier.value if earlier else None
    return {
        "figures": found,
        "changes": changes,
        "nps": nps,
        "axis": _axis(nps, on, before),
        "parts": _parts(nps),
        "histogram": _histogram(found["nps_respondent"]),
        "trend": card("trend", lambda: _trend(view, on, before)),
        "months": _months(view.course),
        "sparks": _sparks(view.course) | {"cei": _quarters(view)},
        "dimensions": [(label, found[name]) for name, label in queries.dimensions()],
        "coverage": [
            (_("Coverage of exposure"), found["coverage_exposure"]),
            (_("Silent exposure, 12 months"), found["silent_exposure"]),
        ],
        "heat": view.heat,
        "colours": heatmap.metrics().items(),
        "highlights": card("highlights", lambda: highlights.of(found, changes, view.heat.data)),
        "team_ticks": charts.whisker_ticks(on),
        "has_teams": bool(view.others),
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
    """Of satisfaction and of the response rate, by month."""
    csat = [fig.value for fig in course.rolling["csat"]]
    rate = [fig.value for fig in course.monthly["response_rate"]]
    return {
        "csat": trends.spark(course.months, csat),
        "rate": trends.spark(course.months, rate),
    }


def _quarters(view: _View) -> trends.Spark | None:
    """Engagement at the end of each quarter, and of the period."""
    unit, now = view.unit, view.figures["cei"]
    course = engaged.course(unit.scope, unit.scope_id, at=view.at, part=view.part)
    values = [fig.value for fig in course]
    labels = [fig.period for fig in course]
    if view.period.startswith("rolling"):
        labels, values = [*labels, _("today")], [*values, now.value]
    return trends.spark(labels, values)


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
