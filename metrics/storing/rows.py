"""The rows of figures as they are stored."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import cache, partial
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction

from bank import settings as own
from metrics import indicators
from metrics.formulas.parameters import DEFAULT, Parameters, Periods
from metrics.indicators import Batch, Given, Indicator, Reading
from metrics.models import Measurement, ParameterSet, Scope

_committed: set[str] = set()


@dataclass(frozen=True, slots=True)
class Unit:
    """What a figure is of: scope and number, the part of it, population and period."""

    scope: str
    scope_id: int
    population: str
    period: str
    slice: str = ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """By which parameters, in which zone and when figures are made."""

    parameter_set: str
    zone: str
    at: datetime
    rules: Parameters = DEFAULT


class Row(NamedTuple):
    """One stored figure; `detail` is JSON. The names are those of `Measurement`."""

    scope: str
    scope_id: int
    slice: str
    population: str
    period: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    label: str
    n: int
    clients: int
    eligible: int | None
    coverage: float | None
    coverage_exposure: float | None
    method: str
    version: int
    parameter_set: str
    zone: str
    as_of: datetime
    gate: str
    flags: str
    detail: str

    @property
    def size(self) -> int:
        """What the gate judges: the answers, or for a rate everybody who was asked."""
        return (self.eligible or 0) if self.metric in indicators.RATES else self.n


def current() -> Parameters:
    """The parameters in force: those shipped, the bank's own weights, the reporting zone."""
    weights = tuple(own.get("cei_weights").items())
    return Parameters(
        engagement=replace(DEFAULT.engagement, weights=weights),
        periods=Periods(zone=settings.TIME_ZONE),
    )


def parameters(*, at: datetime) -> str:
    """The id of the parameters in force, whose values are kept with their first use.

    A process remembers what it has seen committed; the night's pass forgets, and so heals.
    """
    return _kept(current())


def _kept(used: Parameters) -> str:
    key = _digest(used)
    if key not in _committed:
        ParameterSet.objects.get_or_create(key=key, defaults={"values": asdict(used)})
        transaction.on_commit(partial(_committed.add, key))
    return key


def forget() -> None:
    """Look again whether the parameters are kept."""
    _committed.clear()


@cache
def _digest(used: Parameters) -> str:
    return used.id


def stamp(*, at: datetime) -> Stamp:
    """The stamp of figures that are made at an instant."""
    used = current()
    return Stamp(_kept(used), settings.TIME_ZONE, at, used)


def build(unit: Unit, given: Given, mark: Stamp) -> list[Row]:
    """The figures of one unit of many clients; a metric without any data makes none."""
    return [row(unit, one, reading, mark) for one, reading in indicators.read(given)]


def row(unit: Unit, indicator: Indicator[Any], reading: Reading, mark: Stamp) -> Row:
    """One figure of a unit of many clients, after the verdict of the gate."""
    verdict = reading.decide()
    return Row(
        unit.scope,
        unit.scope_id,
        unit.slice,
        unit.population,
        unit.period,
        indicator.metric,
        reading.value,
        reading.low,
        reading.high,
        reading.label,
        reading.n,
        reading.clients,
        reading.eligible,
        reading.coverage,
        reading.coverage_exposure,
        indicator.method,
        indicator.version,
        mark.parameter_set,
        mark.zone,
        mark.at,
        " ".join(verdict.reasons),
        " ".join(verdict.flags),
        json.dumps(reading.detail),
    )


def of_batch(batch: Batch, population: str, period: str, mark: Stamp) -> Iterator[Row]:
    """The figures of one metric of many clients."""
    nothing: list[Any] = [None] * len(batch.ids)
    before: tuple[Any, ...] = ("", population, period, batch.metric)
    after: tuple[Any, ...] = (batch.method, batch.version, mark.parameter_set, mark.zone, mark.at)
    for client, value, low, high, label, n, eligible, gate, detail in zip(
        batch.ids,
        batch.values,
        batch.lows,
        batch.highs,
        batch.labels or [""] * len(batch.ids),
        batch.n,
        batch.eligible or nothing,
        batch.gates,
        batch.details,
        strict=True,
    ):
        counts: tuple[Any, ...] = (value, low, high, label, n, 1, eligible, None, None)
        yield Row._make((Scope.CLIENT, client, *before, *counts, *after, gate, "", detail))


def measurement(one: Row) -> Measurement:
    """The row as a measurement that is not stored, for figures on request."""
    return Measurement(**one._asdict() | {"detail": json.loads(one.detail)})
