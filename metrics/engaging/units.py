"""The stored rows of bank, teams and segments: means over clients, one client one vote."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from metrics.engaging import moving
from metrics.engaging.healths import SILENT
from metrics.engaging.scores import Day
from metrics.engaging.stamps import RELATIONAL, ROLLING, YEAR, Floats, Series, Today
from metrics.formulas import engagement, health, uncertainty
from metrics.formulas.parameters import ENGAGEMENT
from metrics.models import Measurement, ReferenceDistribution, Scope
from metrics.storing import Row

MEAN = "t"
NO_REFERENCE = "NO_REFERENCE"
VERSION = max(engagement.VERSION, health.VERSION, uncertainty.VERSION)
INDEX = ("cei", *(f"cei_{name}" for name in ENGAGEMENT))
_SCORES = ("health", "client_score")

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """A unit or a part of it: scope, number and slice, with its eligible clients."""

    unit: tuple[str, int, str]
    clients: Ids
    exposure: Floats


@dataclass(frozen=True)
class Told:
    """One metric of all clients that have it, by rising number; NaN where it had none before."""

    ids: Ids
    values: Floats
    before: Floats | None = None


def metrics_of(period: str) -> tuple[str, ...]:
    """The means that are made of a period: of its last day, or of the answers of a year."""
    if period == YEAR:
        return _SCORES
    return INDEX if period == ROLLING or "Q" in period else ()


def rows_of_units(period: str, before: str, parts: Iterator[Part], today: Today) -> Iterator[Row]:
    """The means of one period, over the stored figures of single clients.

    `before` is the period before, as it is named. Health of clients that have been silent for a
    year is not of the period and stays out.
    """
    population = RELATIONAL if period == YEAR else ""
    series = Series(population, period, MEAN, VERSION, today.stamp)
    held = _told(series, before)
    missing = period == ROLLING and not ReferenceDistribution.objects.exists()
    for part in parts:
        if missing and not part.unit[2]:
            yield from (without_reference(part, metric, series) for metric in INDEX)
        for metric, told in held.items():
            row = mean(part, metric, told, series, today, before=before)
            if row is not None:
                yield row


def _told(series: Series, before: str) -> dict[str, Told]:
    """The figures of all clients, by metric."""
    found = of_clients(series.period, series.population, metrics_of(series.period))
    if series.period == YEAR or "cei" not in found:
        return found
    earlier = _day_before(series.period, before)
    told = found["cei"]
    column = np.array([earlier.get(pk, np.nan) for pk in told.ids.tolist()], dtype=np.float64)
    return found | {"cei": Told(told.ids, told.values, column)}


def of_clients(period: str, population: str, metrics: tuple[str, ...]) -> dict[str, Told]:
    """The stored figures of all clients that have one, by metric; one query."""
    found = Measurement.objects.filter(
        scope=Scope.CLIENT,
        slice="",
        population=population,
        period=period,
        metric__in=metrics,
        value__isnull=False,
    ).exclude(flags__contains=SILENT)
    rows: dict[str, list[tuple[int, float | None]]] = {}
    for metric, pk, value in found.order_by("scope_id").values_list("metric", "scope_id", "value"):
        rows.setdefault(metric, []).append((pk, value))
    return {
        metric: Told(
            np.array([pk for pk, _value in held], dtype=np.int64),
            np.array([value for _pk, value in held], dtype=np.float64),
        )
        for metric, held in sorted(rows.items())
    }


def of_day(day: Day) -> dict[str, Told]:
    """The index and the components of all clients on any day."""
    columns = {"cei": day.now.index.score}
    columns |= {f"cei_{name}": day.now.scores[name] for name in ENGAGEMENT}
    ids = day.now.table.clients
    return {name: Told(ids[~np.isnan(one)], one[~np.isnan(one)]) for name, one in columns.items()}


def _day_before(period: str, before: str) -> Mapping[int, float]:
    """The index of each client on the day before; kept with that of the last 90 days."""
    rows = Measurement.objects.filter(scope=Scope.CLIENT, slice="", population="", metric="cei")
    if period == ROLLING:
        pairs = rows.filter(period=period).values_list("scope_id", "detail__change__before")
    else:
        pairs = rows.filter(period=before).values_list("scope_id", "value")
    return {pk: value for pk, value in pairs if value is not None}


def mean(
    part: Part, metric: str, told: Told, series: Series, today: Today, *, before: str = ""
) -> Row | None:
    """The mean of one metric over the clients of a part that have it; null without any."""
    own = np.isin(told.ids, part.clients, assume_unique=True)
    values = told.values[own]
    found = uncertainty.mean_interval(values.tolist())
    if found is None:
        return None
    reached = np.isin(part.clients, told.ids, assume_unique=True)
    ends = found.ci.clipped(0, 100) if found.ci else None
    at_stake = float(part.exposure.sum())
    verdict = uncertainty.report_gate(
        uncertainty.Base(n_resp=found.n, n_clients=found.n), rules=today.rules.gate
    )
    moved = told.before is not None and bool(before)
    return series.row(
        part.unit,
        metric,
        value=found.mean,
        ends=(ends.low, ends.high) if ends else (None, None),
        n=found.n,
        clients=found.n,
        eligible=len(part.clients),
        coverage=(
            found.n / len(part.clients),
            float(part.exposure[reached].sum()) / at_stake if at_stake else None,
        ),
        gate=moving.closed(found.n, today.rules),
        flags=" ".join(verdict.flags),
        detail={"sd": found.sd}
        | _bands(metric, values, today)
        | (
            moving.change(before, told.before[own], values, today.rules)
            if moved and told.before is not None
            else {}
        ),
    )


def _bands(metric: str, values: Floats, today: Today) -> dict[str, dict[str, int]]:
    """How many clients are in each band; components have none."""
    if metric in INDEX[1:]:
        return {}
    counts = Counter(health.band(value, rules=today.rules.bands) for value in values.tolist())
    return {"bands": {str(name): counts[name] for name in BANDS}}


BANDS: tuple[health.Band, ...] = ("at risk", "fragile", "sound", "strong")


def without_reference(part: Part, metric: str, series: Series) -> Row:
    """A figure that waits for its reference."""
    return series.row(
        part.unit,
        metric,
        value=None,
        n=0,
        clients=0,
        eligible=len(part.clients),
        gate=NO_REFERENCE,
        detail={},
    )
