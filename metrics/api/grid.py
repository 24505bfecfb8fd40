"""Rows of figures: units times metrics, counted and cut like any other list."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from metrics import queries
from metrics.queries import Figure


@dataclass(frozen=True)
class Unit:
    """What a row speaks of: the bank, a team, a campaign or a client."""

    scope: str
    pk: int
    slice: Mapping[str, str | int]
    population: str


class Grid(Sequence[tuple[Unit, Figure]]):
    """Units times metrics as one list that can be counted and cut; constant queries a page."""

    def __init__(
        self,
        units: QuerySet[Any] | list[Unit],
        metrics: Sequence[str],
        period: str,
        unit_of: Callable[[Any], Unit] = lambda unit: unit,
    ) -> None:
        self._units, self._unit_of = units, unit_of
        self._metrics, self._period = metrics, period
        self._count: int | None = None

    def __len__(self) -> int:
        if self._count is None:
            units = self._units
            self._count = len(units) if isinstance(units, list) else units.count()
        return self._count * len(self._metrics)

    @overload
    def __getitem__(self, key: int) -> tuple[Unit, Figure]: ...
    @overload
    def __getitem__(self, key: slice) -> list[tuple[Unit, Figure]]: ...
    def __getitem__(self, key: int | slice) -> tuple[Unit, Figure] | list[tuple[Unit, Figure]]:
        if isinstance(key, int):
            return self[key : key + 1][0]
        wide = len(self._metrics)
        first, last, _step = key.indices(len(self))
        units = [self._unit_of(row) for row in self._units[first // wide : -(-last // wide)]]
        cells = self._cells(units)
        return cells[first % wide :][: last - first]

    def _cells(self, units: list[Unit]) -> list[tuple[Unit, Figure]]:
        found: dict[tuple[str, int], dict[str, Figure]] = {}
        for population in sorted({unit.population for unit in units}):
            some = [unit for unit in units if unit.population == population]
            figures = queries.beside(
                some[0].scope,
                [unit.pk for unit in some],
                period=self._period,
                metrics=self._metrics,
                population=population,
            )
            found |= {(population, pk): held for pk, held in figures.items()}
        return [
            (unit, found[unit.population, unit.pk][metric])
            for unit in units
            for metric in self._metrics
        ]


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string"}], "nullable": True})
class Value(serializers.FloatField):
    """A number; for `client_label` its word."""


class IndicatorRow(serializers.Serializer[Any]):
    """One figure of one unit; a withheld one has no value, and `gate` says why."""

    metric = serializers.CharField()
    slice = serializers.DictField(child=serializers.CharField())
    period = serializers.CharField()
    value = Value(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField()
    clients = serializers.IntegerField()
    eligible = serializers.IntegerField(allow_null=True)
    coverage = serializers.FloatField(allow_null=True)
    coverage_exposure = serializers.FloatField(allow_null=True)
    method = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    parameter_set = serializers.CharField()
    as_of = serializers.DateTimeField(allow_null=True)
    gate = serializers.CharField()

    def to_representation(self, instance: tuple[Unit, Figure]) -> dict[str, Any]:
        """Take each field from the figure; coverage by exposure is not measured yet."""
        unit, figure = instance
        row: dict[str, Any] = {str(name): getattr(figure, str(name), None) for name in self.fields}
        row["slice"] = dict(unit.slice)
        row["value"] = figure.label or figure.value
        row["as_of"] = (
            self.fields["as_of"].to_representation(figure.as_of) if figure.as_of else None
        )
        return row
