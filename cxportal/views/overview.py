"""The overview: one unit, one period, every figure with its base and interval."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from bank.http import StaffRequest, only_reads, role_required
from cxportal import charts, trends
from cxportal.queries import overview as queries
from cxportal.queries import responses
from metrics.queries import Figure, figures


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
    except queries.Unknown as error:
        raise Http404 from error
    context = {
        "section": "overview",
        "period": period,
        "first": bounds.start,
        "last": min(bounds.end, at),
        "unit": unit,
        "units": units,
        "periods": queries.stored_periods(unit),
        "low": responses.low_scores(request.user, team=unit.team),
        **_figures(unit, period, teams, at=at),
    }
    return render(request, "cxportal/overview.html", context)


def _figures(unit: queries.Unit, period: str, teams: list[Any], *, at: datetime) -> dict[str, Any]:
    """The figures of the page and their charts, on one axis."""
    found = figures(unit.scope, unit.scope_id, period=period)
    rolling, monthly, months = queries.trend(unit, at)
    others = queries.beside(unit, teams, period)
    nps = found["nps"]
    on = queries.shared_domain([nps, *rolling, *others.values()])
    return {
        "figures": found,
        "nps": nps,
        "axis": _axis(nps, on),
        "parts": _parts(nps),
        "histogram": _histogram(found["nps_respondent"]),
        "trend": trends.trend(_points(rolling, monthly, months), on),
        "months": list(zip(months, rolling, monthly, strict=True)),
        "dimensions": _dimensions(found),
        "team_ticks": charts.whisker_ticks(on),
        "teams": queries.team_rows(teams, others, on, nps.value),
        "as_of": nps.as_of or found["nps_respondent"].as_of,
    }


def _axis(fig: Figure, on: charts.Domain) -> charts.Axis | None:
    if fig.value is None or fig.low is None or fig.high is None:
        return None
    return charts.axis(fig.value, fig.low, fig.high, on)


def _parts(fig: Figure) -> list[charts.Part]:
    return charts.stacked(
        [int(fig.detail.get(name, 0)) for name in ("detractor", "passive", "promoter")]
    )


def _histogram(fig: Figure) -> charts.Histogram | None:
    counts = fig.detail.get("counts")
    return charts.histogram(counts) if counts else None


def _points(
    rolling: list[Figure], monthly: list[Figure], months: list[str]
) -> list[trends.TrendPoint]:
    return [
        trends.TrendPoint(month, fig.value, fig.low, fig.high, month_fig.n)
        for month, fig, month_fig in zip(months, rolling, monthly, strict=True)
    ]


def _dimensions(found: dict[str, Figure]) -> list[tuple[str, Figure]]:
    return [
        (_("Response speed"), found["csat_response_speed"]),
        (_("Processing efficiency"), found["csat_processing_efficiency"]),
        (_("Service attitude"), found["csat_service_attitude"]),
    ]
