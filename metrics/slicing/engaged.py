"""Engagement and silence of any part of the bank, in any period.

Both are states of a day, as exposure is: of a period they are told as of its last day, or as of
today while it runs. The index looks back 90 days from there (metrics-spec 8.1), silence twelve
months. What the store keeps of that day is read there; another day is read from the facts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property

import numpy as np
from django.conf import settings

from metrics import engaging, queries, storing
from metrics.engaging import Told
from metrics.facts import exposure, frames, mergers, population
from metrics.facts.exposure import Exposure
from metrics.facts.frames import Frame, Mask
from metrics.facts.mergers import Mergers
from metrics.facts.tables import Column, Ids
from metrics.facts.where import Where
from metrics.formulas import periods
from metrics.indicators import rates
from metrics.indicators.base import RATE_VERSION, SHARE, Indicator
from metrics.models import Scope
from metrics.queries import ENGAGEMENT, NO_DATA, Figure, concealed, figure_of
from metrics.slicing import grid
from metrics.slicing.asking import OF_ANSWERS, Ask, Span
from metrics.storing import Row, Stamp, Unit
from metrics.windows import Windows

SILENCE = "silent_exposure"
METRICS = frozenset({*ENGAGEMENT, SILENCE})
# What clients do and what is lent to them does not belong to a stage, a survey or a role.
NOT_OF_ANSWERS = "NOT_OF_ANSWERS"
_SECOND = timedelta(seconds=1)
_QUARTERS = 8
_SILENT: Indicator[None] = Indicator(SILENCE, lambda _given: None, SHARE, RATE_VERSION)


def day_of(span: Span, at: datetime) -> date:
    """The day that a period is told as of: its last one, or today while it runs."""
    last = periods.local_date(span.bounds.end - _SECOND, settings.TIME_ZONE)
    return min(last, periods.local_date(at, settings.TIME_ZONE))


def kept(metric: str, span: Span, at: datetime) -> str:
    """The period under which the store keeps the figures of that day; empty where it does not."""
    day, windows = day_of(span, at), Windows(at)
    if day == windows.today:
        return engaging.YEAR if metric == SILENCE else engaging.ROLLING
    if metric == SILENCE or not _ends_quarter(day):
        return ""
    key = f"{day.year:04d}Q{(day.month + 2) // 3}"
    return key if key in engaging.quarters(windows) else ""


def _ends_quarter(day: date) -> bool:
    after = day + timedelta(days=1)
    return after.day == 1 and after.month % 3 == 1


def course(scope: str, number: int, *, at: datetime, part: str = "") -> list[Figure]:
    """The index at the end of each of the last quarters, oldest first; one query."""
    today = periods.local_date(at, settings.TIME_ZONE)
    keys = Windows(at).closed_quarters(date(today.year - 2, 1, 1))[-_QUARTERS:]
    return queries.trend(scope, number, "cei", periods=keys, part=part)


def by_answers(ask: Ask) -> bool:
    """Whether the question is cut by what only answers have."""
    return bool({ask.group_by, *ask.filters.names()} & {*OF_ANSWERS})


def sources(ask: Ask, at: datetime) -> dict[str, list[str]]:
    """The metrics asked for by the period the store keeps them under; empty where it does not."""
    found: dict[str, list[str]] = {}
    for metric in ask.metrics:
        key = kept(metric, ask.span, at) if metric in METRICS else ask.span.key
        found.setdefault(key, []).append(metric)
    return found


def renamed(figures: Mapping[str, Figure], period: str) -> dict[str, Figure]:
    """The same figures as those of the period they were asked for."""
    return {
        name: fig if fig.period == period else replace(fig, period=period)
        for name, fig in figures.items()
    }


def not_of_answers(ask: Ask, at: datetime) -> list[grid.Row]:
    """One row a metric that says why there is none for each group."""
    state, unit = State(ask.span, at), Unit(str(Scope.BANK), 0, "", ask.span.key)
    fixed = ask.filters.given()
    return [grid.Row(fixed, state.nothing(metric, unit, NOT_OF_ANSWERS)) for metric in ask.metrics]


def of_units(state: "State", units: Sequence[grid.Unit], metrics: Sequence[str]) -> grid.Found:
    """The figures of bank, teams or clients from the facts of the day."""
    if units and units[0].scope == Scope.CLIENT:
        made = state.of_clients([unit.pk for unit in units], metrics)
        return {
            (unit.population, unit.pk): {m: made[unit.pk, m] for m in metrics} for unit in units
        }
    frame = frames.frame()
    eligible = state.eligible(frame)
    found: grid.Found = {}
    for unit in units:
        where = Where(team=unit.pk if unit.scope == Scope.TEAM else None)
        ids = frame.ids[eligible & frame.within(where)]
        named = Unit(str(unit.scope), unit.pk, "", state.span.key)
        found[unit.population, unit.pk] = {m: state.of_unit(m, named, ids) for m in metrics}
    return found


@dataclass
class State:
    """What is known of one day, read once when it is needed."""

    span: Span
    at: datetime
    stamp: Stamp = field(init=False)

    def __post_init__(self) -> None:
        rules = storing.current()
        self.stamp = Stamp(rules.id, settings.TIME_ZONE, self.at, rules)

    @cached_property
    def day(self) -> date:
        """The day it is told as of."""
        return day_of(self.span, self.at)

    @cached_property
    def known(self) -> Mergers:
        """The mergers."""
        return mergers.known()

    @cached_property
    def exposure(self) -> Exposure:
        """What is at stake with everybody on that day."""
        return exposure.at([self.day], known=self.known)[self.day]

    @cached_property
    def spoken(self) -> Ids:
        """Who has said anything in the twelve months up to that day."""
        noon = periods.period_bounds(self.day.isoformat(), settings.TIME_ZONE).start
        year = periods.parse(engaging.YEAR, as_of=noon, zone=settings.TIME_ZONE)
        return population.spoken(year, self.known.at_end_of(year))

    @cached_property
    def today(self) -> engaging.Today:
        """The day with the parameters in force."""
        return engaging.Today(self.day, self.stamp, self.known)

    @cached_property
    def told(self) -> dict[str, Told] | None:
        """The index and its components of all clients; null where no reference measures them."""
        key = kept("cei", self.span, self.at)
        if key:
            return engaging.of_clients(key, "", engaging.INDEX) or None
        found = engaging.on(self.day, None, self.today)
        return engaging.of_day(found) if found else None

    def eligible(self, frame: Frame) -> Mask:
        """Active clients, but for those that count under a successor on that day."""
        merged = np.array(sorted(self.known.on(self.day)), dtype=np.int64)
        found: Mask = frame.active & ~np.isin(frame.ids, merged)
        return found

    def values(self, metric: str, ids: Ids) -> Column:
        """One metric of these clients in their order; NaN for who has none."""
        found = np.full(len(ids), np.nan)
        held = (self.told or {}).get(metric)
        if held is not None and len(held.ids):
            places = np.minimum(np.searchsorted(held.ids, ids), len(held.ids) - 1)
            there = held.ids[places] == ids
            found[there] = held.values[places[there]]
        return found

    def of_unit(self, metric: str, unit: Unit, eligible: Ids) -> Figure:
        """The figure of the clients that are eligible."""
        row = (
            self._silence(unit, eligible)
            if metric == SILENCE
            else self._mean(metric, unit, eligible)
        )
        return figure_of(storing.measurement(row)) if row else self.nothing(metric, unit)

    def _mean(self, metric: str, unit: Unit, eligible: Ids) -> Row | None:
        series = engaging.Series("", unit.period, engaging.MEAN, engaging.VERSION, self.stamp)
        named = (unit.scope, unit.scope_id, unit.slice)
        part = engaging.Part(named, eligible, self.exposure.of(eligible))
        if self.told is None:
            return engaging.without_reference(part, metric, series) if len(eligible) else None
        if metric not in self.told or not len(eligible):
            return None
        return engaging.mean(part, metric, self.told[metric], series, self.today)

    def _silence(self, unit: Unit, eligible: Ids) -> Row | None:
        reading = rates.silent(eligible, self.exposure, self.spoken)
        if reading is None:
            return None
        return storing.row(replace(unit, population=""), _SILENT, reading, self.stamp)

    def of_clients(
        self, ids: Sequence[int], metrics: Sequence[str]
    ) -> dict[tuple[int, str], Figure]:
        """The figures of single clients, each by itself; silence is none of one client."""
        wanted = [metric for metric in metrics if metric in ENGAGEMENT]
        found = engaging.on(self.day, sorted(ids), self.today) if wanted else None
        rows = engaging.rows_of(found, self.span.key, self.today) if found else ()
        made = {
            (row.scope_id, row.metric): figure_of(storing.measurement(row))
            for row in rows
            if row.metric in wanted
        }
        for pk in ids:
            unit = Unit(str(Scope.CLIENT), pk, "", self.span.key)
            for metric in metrics:
                if (pk, metric) not in made:
                    empty = self.nothing(metric, unit)
                    waits = metric in wanted and found is None
                    made[pk, metric] = concealed(empty, "NO_REFERENCE") if waits else empty
        return made

    def nothing(self, metric: str, unit: Unit, gate: str = NO_DATA) -> Figure:
        """A figure without data."""
        return Figure(
            metric,
            "",
            unit.scope,
            unit.scope_id,
            unit.period,
            slice=unit.slice,
            parameter_set=self.stamp.parameter_set,
            zone=self.stamp.zone,
            as_of=self.at,
            gate=gate,
        )
