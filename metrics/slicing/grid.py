"""Rows of figures: units times metrics, counted and cut like any other list."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from django.db.models import QuerySet

from metrics import queries
from metrics.queries import Figure


@dataclass(frozen=True)
class Row:
    """One figure, and the slice it speaks of, as an address writes it."""

    slice: Mapping[str, str | int]
    figure: Figure


@dataclass(frozen=True)
class Unit:
    """What rows of the store speak of: the bank, a team, a campaign or a client."""

    scope: str
    pk: int
    slice: Mapping[str, str | int]
    population: str


# Figures by the unit's population and number, then by metric.
Found = dict[tuple[str, int], dict[str, Figure]]
Read = Callable[[list[Unit]], Found]


class Grid(Sequence[Row]):
    """Stored units times metrics as one list that can be counted and cut; two queries a page."""

    def __init__(
        self,
        units: QuerySet[Any] | list[Unit],
        metrics: Sequence[str],
        period: str,
        unit_of: Callable[[Any], Unit] = lambda unit: unit,
        guard: Callable[[list[Figure]], list[Figure]] = lambda figures: figures,
        read: Read | None = None,
    ) -> None:
        self._units, self._unit_of = units, unit_of
        self._metrics, self._period, self._guard = metrics, period, guard
        self._read = read or self._stored
        self._count: int | None = None

    def __len__(self) -> int:
        if self._count is None:
            units = self._units
            self._count = len(units) if isinstance(units, list) else units.count()
        return self._count * len(self._metrics)

    def __iter__(self) -> Iterator[Row]:
        return iter(self[:])

    @overload
    def __getitem__(self, key: int) -> Row: ...
    @overload
    def __getitem__(self, key: slice) -> list[Row]: ...
    def __getitem__(self, key: int | slice) -> Row | list[Row]:
        if isinstance(key, int):
            return self[key : key + 1][0]
        wide = len(self._metrics)
        first, last, _step = key.indices(len(self))
        units = [self._unit_of(row) for row in self._units[first // wide : -(-last // wide)]]
        return self._cells(units)[first % wide :][: last - first]

    def _cells(self, units: list[Unit]) -> list[Row]:
        found = self._read(units)
        held = [found[unit.population, unit.pk][name] for unit in units for name in self._metrics]
        slices = [unit.slice for unit in units for _name in self._metrics]
        return [Row(part, fig) for part, fig in zip(slices, self._guard(held), strict=True)]

    def _stored(self, units: list[Unit]) -> Found:
        return stored_of(units, self._metrics, self._period)


def stored_of(units: Sequence[Unit], metrics: Sequence[str], period: str) -> Found:
    """The stored figures of these units; one query for each population."""
    found: Found = {}
    for population in sorted({unit.population for unit in units}):
        some = [unit for unit in units if unit.population == population]
        figures = queries.beside(
            some[0].scope,
            [unit.pk for unit in some],
            period=period,
            metrics=metrics,
            population=population,
        )
        found |= {(population, pk): held for pk, held in figures.items()}
    return found
