"""The indicators: which sums a figure is made of, by which formula and version.

`units.read(given)` reads a unit of many clients: the bank, a team, a campaign, or any part of
them, stored or on request. `clients.read(answers, requests)` reads each client of a table by
itself. Both give `Reading`s, which `storing` turns into measurements; so stored figures and those
on request share every line.
"""

from metrics.indicators.base import (
    COMPLEMENTARY,
    MANY,
    NO_DATA,
    ONE,
    OPEN_REASONS,
    RATES,
    Indicator,
    Reading,
    by_name,
)
from metrics.indicators.clients import Batch
from metrics.indicators.given import Given
from metrics.indicators.units import UNITS, read

__all__ = [
    "COMPLEMENTARY",
    "MANY",
    "NO_DATA",
    "ONE",
    "OPEN_REASONS",
    "RATES",
    "UNITS",
    "Batch",
    "Given",
    "Indicator",
    "Reading",
    "by_name",
    "read",
]
