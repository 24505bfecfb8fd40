"""Figures as they may be shown: the only way from stored measurements to a page or a file.

The gate was judged when the figure was computed; here it is applied. What is withheld leaves
without value, interval, label and numbers put in, so that no door can forget to hide it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from metrics.models import Measurement, Scope

NO_DATA = "NO_DATA"
ALPHA_LOW = "ALPHA_LOW"
RELATIONAL = "relational"

DIMENSIONS = ("csat_response_speed", "csat_processing_efficiency", "csat_service_attitude")
ENGAGEMENT = ("cei", "cei_login", "cei_pv", "cei_ctr", "cei_usage", "cei_offline")
# What no survey tells is stored without a population.
UNASKED = frozenset({*ENGAGEMENT, "silent_exposure"})
_SHARED = ("nps_respondent", "csat", *DIMENSIONS, "ces", "response_rate")
_ASKED = ("nps", "nps_exposure", *_SHARED, "client_response_rate", "coverage_exposure")
_OF_MANY = (*_ASKED, *ENGAGEMENT, "silent_exposure")
METRICS: dict[str, tuple[str, ...]] = {
    Scope.BANK: _OF_MANY,
    Scope.TEAM: _OF_MANY,
    Scope.CAMPAIGN: _ASKED,
    Scope.CLIENT: (
        "recommend_mean",
        "client_label",
        *_SHARED,
        *ENGAGEMENT,
        "health",
        "client_score",
        "credit_score",
        "silent_exposure",
    ),
}


@dataclass(frozen=True)
class Figure:
    """One figure after the gate: with a reason in `gate` it has no value and no numbers.

    NPS in points, `recommend_mean` 0 to 10, `csat` 0 to 100, shares and rates 0 to 1.
    """

    metric: str
    population: str
    scope: str
    scope_id: int
    period: str
    slice: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    label: str = ""
    n: int = 0
    clients: int = 0
    eligible: int | None = None
    coverage: float | None = None
    coverage_exposure: float | None = None
    method: str = ""
    version: int | None = None
    parameter_set: str = ""
    zone: str = ""
    as_of: datetime | None = None
    gate: str = NO_DATA
    flags: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    restated_at: datetime | None = None

    @property
    def shown(self) -> bool:
        """Whether the figure may be seen."""
        return not self.gate

    @property
    def low_base(self) -> bool:
        """Whether it stands on fewer clients than a comparison needs."""
        return "LOW_BASE" in self.flags.split()


def figures(
    scope: str, scope_id: int, *, period: str, population: str = RELATIONAL, part: str = ""
) -> dict[str, Figure]:
    """Every metric of one unit in one period; what was never computed says NO_DATA.

    `part` names a stored slice of the unit, such as `segment=corporate`.
    """
    found = _units(scope, [scope_id], population, part).filter(period=period)
    shown = {row.metric: figure_of(row) for row in found}
    empty = Figure("", population, scope, scope_id, period, slice=part)
    return {
        metric: shown.get(metric) or replace(empty, metric=metric) for metric in METRICS[scope]
    }


def several(
    scope: str, scope_id: int, *, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], dict[str, Figure]]:
    """What `figures` gives for each pair of population and period; one query for all."""
    populations, spans = {key[0] for key in keys}, {key[1] for key in keys}
    rows = Measurement.objects.filter(
        scope=scope,
        scope_id=scope_id,
        slice="",
        population__in=[*populations, ""],
        period__in=spans,
    )
    shown = {(row.population, row.period, row.metric): figure_of(row) for row in rows}
    return {
        (population, period): {
            metric: shown.get((population, period, metric))
            or shown.get(("", period, metric))
            or Figure(metric, population, scope, scope_id, period)
            for metric in METRICS[scope]
        }
        for population, period in keys
    }


def trend(
    scope: str,
    scope_id: int,
    metric: str,
    *,
    population: str = RELATIONAL,
    periods: Sequence[str],
    part: str = "",
) -> list[Figure]:
    """One metric over the periods given, in their order; an empty period is a gap."""
    return courses(scope, scope_id, [metric], population=population, periods=periods, part=part)[
        metric
    ]


def courses(
    scope: str,
    scope_id: int,
    metrics: Sequence[str],
    *,
    population: str = RELATIONAL,
    periods: Sequence[str],
    part: str = "",
) -> dict[str, list[Figure]]:
    """Several metrics over the same periods, in their order; one query."""
    rows = _units(scope, [scope_id], population, part)
    found = rows.filter(metric__in=metrics, period__in=periods)
    shown = {(row.metric, row.period): figure_of(row) for row in found}
    return {
        metric: [
            shown.get((metric, period))
            or Figure(metric, population, scope, scope_id, period, slice=part)
            for period in periods
        ]
        for metric in metrics
    }


def periods(scope: str, scope_id: int, metric: str, *, population: str = RELATIONAL) -> list[str]:
    """The keys of all periods for which this unit has a figure, shown or withheld, sorted."""
    found = _units(scope, [scope_id], population).filter(metric=metric)
    return sorted(found.values_list("period", flat=True))


def beside(
    scope: str,
    scope_ids: Iterable[int],
    *,
    period: str,
    metrics: Iterable[str],
    population: str = RELATIONAL,
    part: str = "",
) -> dict[int, dict[str, Figure]]:
    """The same metrics of several units, for rows shown side by side; one query."""
    ids, names = list(scope_ids), list(metrics)
    found = _units(scope, ids, population, part).filter(period=period, metric__in=names)
    shown = {(row.scope_id, row.metric): figure_of(row) for row in found}
    return {
        unit: {
            metric: shown.get((unit, metric))
            or Figure(metric, population, scope, unit, period, slice=part)
            for metric in names
        }
        for unit in ids
    }


def parts(
    scope: str, scope_id: int, *, period: str, metric: str, population: str = RELATIONAL
) -> dict[str, Figure]:
    """One metric of every stored slice of a unit, by the slice's name; one query."""
    found = _units(scope, [scope_id], population, None).filter(period=period, metric=metric)
    return {row.slice: figure_of(row) for row in found.exclude(slice="").order_by("slice")}


def client_means(
    client_ids: Iterable[int], period: str, *, population: str = RELATIONAL
) -> dict[int, Figure]:
    """`recommend_mean` of each client by its key: attributable answers only."""
    found = beside(
        Scope.CLIENT,
        client_ids,
        period=period,
        metrics=["recommend_mean"],
        population=population,
    )
    return {unit: held["recommend_mean"] for unit, held in found.items()}


def _units(
    scope: str, ids: list[int], population: str, part: str | None = ""
) -> QuerySet[Measurement]:
    """The rows of these units; engagement and silence belong to every population."""
    found = Measurement.objects.filter(
        scope=scope, scope_id__in=ids, population__in=[population, ""]
    )
    return found if part is None else found.filter(slice=part)


def concealed(fig: Figure, gate: str) -> Figure:
    """The figure without anything that tells a result, for this reason."""
    return replace(fig, value=None, low=None, high=None, label="", detail={}, flags="", gate=gate)


def figure_of(row: Measurement) -> Figure:
    """The figure of a row; a reason to withhold takes away everything that tells a result."""
    open_ = not row.gate
    return Figure(
        metric=row.metric,
        population=row.population,
        scope=row.scope,
        scope_id=row.scope_id,
        period=row.period,
        slice=row.slice,
        value=row.value if open_ else None,
        low=row.low if open_ else None,
        high=row.high if open_ else None,
        label=row.label if open_ else "",
        n=row.n,
        clients=row.clients,
        eligible=row.eligible,
        coverage=row.coverage,
        coverage_exposure=row.coverage_exposure,
        method=row.method,
        version=row.version,
        parameter_set=row.parameter_set,
        zone=row.zone or settings.TIME_ZONE,
        as_of=row.as_of,
        gate=row.gate,
        flags=row.flags if open_ else "",
        detail=row.detail if open_ else _told(row),
        restated_at=row.restated_at,
    )


def _told(row: Measurement) -> dict[str, Any]:
    """Of what is withheld, the numbers that are the reason themselves."""
    alpha = row.detail.get("alpha") if row.gate == ALPHA_LOW else None
    return {} if alpha is None else {"alpha": alpha}
