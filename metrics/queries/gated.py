"""Figures as they may be shown: the only way from stored measurements to a page or a file.

The gate was judged when the figure was computed; here it is applied. What is withheld leaves
without value, interval, label and numbers put in, so that no door can forget to hide it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from metrics.models import Measurement, Scope

NO_DATA = "NO_DATA"
RELATIONAL = "relational"

DIMENSIONS = ("csat_response_speed", "csat_processing_efficiency", "csat_service_attitude")
_SHARED = ("nps_respondent", "csat", *DIMENSIONS, "response_rate")
_OF_MANY = ("nps", *_SHARED, "client_response_rate")
METRICS: dict[str, tuple[str, ...]] = {
    Scope.BANK: _OF_MANY,
    Scope.TEAM: _OF_MANY,
    Scope.CAMPAIGN: _OF_MANY,
    Scope.CLIENT: ("recommend_mean", "client_label", *_SHARED),
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
    value: float | None = None
    low: float | None = None
    high: float | None = None
    label: str = ""
    n: int = 0
    clients: int = 0
    eligible: int | None = None
    coverage: float | None = None
    method: str = ""
    version: int | None = None
    parameter_set: str = ""
    zone: str = ""
    as_of: datetime | None = None
    gate: str = NO_DATA
    flags: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> bool:
        """Whether the figure may be seen."""
        return not self.gate

    @property
    def low_base(self) -> bool:
        """Whether it stands on fewer clients than a comparison needs."""
        return "LOW_BASE" in self.flags.split()


def figures(
    scope: str, scope_id: int, *, period: str, population: str = RELATIONAL
) -> dict[str, Figure]:
    """Every metric of one unit in one period; what was never computed says NO_DATA."""
    found = _units(scope, [scope_id], population).filter(period=period)
    shown = {row.metric: figure_of(row) for row in found}
    return {
        metric: shown.get(metric) or Figure(metric, population, scope, scope_id, period)
        for metric in METRICS[scope]
    }


def trend(
    scope: str,
    scope_id: int,
    metric: str,
    *,
    population: str = RELATIONAL,
    periods: Sequence[str],
) -> list[Figure]:
    """One metric over the periods given, in their order; an empty period is a gap."""
    found = _units(scope, [scope_id], population).filter(metric=metric, period__in=periods)
    shown = {row.period: figure_of(row) for row in found}
    return [
        shown.get(period) or Figure(metric, population, scope, scope_id, period)
        for period in periods
    ]


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
) -> dict[int, dict[str, Figure]]:
    """The same metrics of several units, for rows shown side by side; one query."""
    ids, names = list(scope_ids), list(metrics)
    found = _units(scope, ids, population).filter(period=period, metric__in=names)
    shown = {(row.scope_id, row.metric): figure_of(row) for row in found}
    return {
        unit: {
            metric: shown.get((unit, metric)) or Figure(metric, population, scope, unit, period)
            for metric in names
        }
        for unit in ids
    }


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


def _units(scope: str, ids: list[int], population: str) -> QuerySet[Measurement]:
    return Measurement.objects.filter(scope=scope, scope_id__in=ids, population=population)


def figure_of(row: Measurement) -> Figure:
    """The figure of a row; a reason to withhold takes away everything that tells a result."""
    open_ = not row.gate
    return Figure(
        metric=row.metric,
        population=row.population,
        scope=row.scope,
        scope_id=row.scope_id,
        period=row.period,
        value=row.value if open_ else None,
        low=row.low if open_ else None,
        high=row.high if open_ else None,
        label=row.label if open_ else "",
        n=row.n,
        clients=row.clients,
        eligible=row.eligible,
        coverage=row.coverage,
        method=row.method,
        version=row.version,
        parameter_set=row.parameter_set,
        zone=row.zone or settings.TIME_ZONE,
        as_of=row.as_of,
        gate=row.gate,
        flags=row.flags if open_ else "",
        detail=row.detail if open_ else {},
    )
