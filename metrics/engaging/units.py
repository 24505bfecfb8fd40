"""The stored rows of bank, teams and segments: means over clients, one client one vote."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from metrics.engaging.healths import SILENT
from metrics.engaging.stamps import RELATIONAL, ROLLING, YEAR, Floats, Series, Today
from metrics.formulas import engagement, health, uncertainty
from metrics.models import Measurement, ReferenceDistribution, Scope
from metrics.storing import Row

MEAN = "t"
NO_REFERENCE = "NO_REFERENCE"
VERSION = max(engagement.VERSION, health.VERSION, uncertainty.VERSION)
METRICS = {ROLLING: ("cei",), YEAR: ("health", "client_score")}
POPULATION = {ROLLING: "", YEAR: RELATIONAL}

Ids = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """A unit or a part of it: scope, number and slice, with its eligible clients."""

    unit: tuple[str, int, str]
    clients: Ids
    exposure: Floats


def rows_of_units(period: str, parts: Iterator[Part], today: Today) -> Iterator[Row]:
    """The means of one rolling period, over the stored figures of single clients.

    Health of clients that have been silent for a year is not of the period and stays out.
    """
    series = Series(POPULATION[period], period, MEAN, VERSION, today.stamp)
    held = {metric: _values(metric, series) for metric in METRICS[period]}
    missing = ReferenceDistribution.objects.exists()
    for part in parts:
        for metric, (ids, values) in held.items():
            row = _row(part, metric, ids, values, series, today)
            if row is not None:
                yield row
            elif metric == "cei" and not missing and not part.unit[2]:
                yield _without_reference(part, series)


def _values(metric: str, series: Series) -> tuple[Ids, Floats]:
    """The figures of all clients that have one, by rising number."""
    found = Measurement.objects.filter(
        scope=Scope.CLIENT,
        slice="",
        population=series.population,
        period=series.period,
        metric=metric,
        value__isnull=False,
    ).exclude(flags__contains=SILENT)
    rows = list(found.order_by("scope_id").values_list("scope_id", "value"))
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    return ids, np.array([row[1] for row in rows], dtype=np.float64)


def _row(
    part: Part, metric: str, ids: Ids, values: Floats, series: Series, today: Today
) -> Row | None:
    told = np.isin(part.clients, ids, assume_unique=True)
    own = values[np.isin(ids, part.clients, assume_unique=True)].tolist()
    found = uncertainty.mean_interval(own)
    if found is None:
        return None
    base = uncertainty.Base(n_resp=found.n, n_clients=found.n)
    verdict = uncertainty.report_gate(base, rules=today.rules.gate)
    ends = found.ci.clipped(0, 100) if found.ci else None
    at_stake = float(part.exposure.sum())
    bands = Counter(health.band(value, rules=today.rules.bands) for value in own)
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
            float(part.exposure[told].sum()) / at_stake if at_stake else None,
        ),
        # A mean over clients: each of them is one answer.
        gate=" ".join(reason for reason in verdict.reasons if reason != "MIN_RESPONSES"),
        flags=" ".join(verdict.flags),
        detail={"sd": found.sd, "bands": {str(name): bands[name] for name in BANDS}},
    )


BANDS: tuple[health.Band, ...] = ("at risk", "fragile", "sound", "strong")


def _without_reference(part: Part, series: Series) -> Row:
    return series.row(
        part.unit,
        "cei",
        value=None,
        n=0,
        clients=0,
        eligible=len(part.clients),
        gate=NO_REFERENCE,
        detail={},
    )
