"""What the rows made here have in common."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from metrics.facts.mergers import Mergers
from metrics.formulas.parameters import Parameters
from metrics.storing import Row, Stamp

ROLLING, YEAR = "rolling90", "rolling12m"
RELATIONAL = "relational"

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Series:
    """Population, period, method and version of some figures, made on one day."""

    population: str
    period: str
    method: str
    version: int
    stamp: Stamp

    def row(  # noqa: PLR0913 - the columns of a figure
        self,
        unit: tuple[str, int, str],
        metric: str,
        *,
        value: float | None,
        ends: tuple[float | None, float | None] = (None, None),
        label: str = "",
        n: int,
        clients: int = 1,
        eligible: int | None = None,
        coverage: tuple[float | None, float | None] = (None, None),
        gate: str,
        flags: str = "",
        detail: dict[str, Any],
    ) -> Row:
        """A figure of a unit: scope, number, part; where its value is null, `gate` says why."""
        return Row(
            *unit,
            self.population,
            self.period,
            metric,
            value,
            *ends,
            label,
            n,
            clients,
            eligible,
            *coverage,
            self.method,
            self.version,
            self.stamp.parameter_set,
            self.stamp.zone,
            self.stamp.at,
            gate,
            flags,
            json.dumps(detail),
        )


@dataclass(frozen=True)
class Today:
    """The day figures are made for, and with which mergers."""

    day: date
    stamp: Stamp
    known: Mergers

    @property
    def rules(self) -> Parameters:
        """The parameters in force."""
        return self.stamp.rules


def plain(values: Floats) -> list[Any]:
    """A column as a list, or a table as lists of rows; null for what is not a number."""
    told = values.astype(object)
    told[np.isnan(values)] = None
    found: list[Any] = told.tolist()
    return found
