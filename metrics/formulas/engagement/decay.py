"""How much an event of some days ago still counts (metrics-spec 8.2)."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from metrics.formulas.parameters import DEFAULT, Engagement

VERSION = 1

# On this grid sums are exact in any order, so a block of clients and a single one, or two
# databases, give the same last bit; what is cut off is less than 1e-11 of an event.
GRID = 2.0**36

_RULES = DEFAULT.engagement


def weight(age: float, *, rules: Engagement = _RULES) -> float:
    """Return 0.5^(age/H) of an event `age` local days old, in 0..1.

    0 for an event to come (age below 0) and from the length of the window on. The value is a
    multiple of 2^-36. Source: metrics-spec 8.2.
    """
    if not 0 <= age < rules.window_days:
        return 0.0
    return math.floor(math.pow(0.5, age / rules.half_life) * GRID + 0.5) / GRID


def decayed_sum(
    ages_days: Sequence[float | None],
    values: Sequence[float | None] | None = None,
    *,
    rules: Engagement = _RULES,
) -> float:
    """Return sum v 0.5^(age/H) over the events of the window, in the unit of the values.

    Values are 1 where none are given; an event without age or value does not count. 0 without
    events. ValueError if the lengths differ. Source: metrics-spec 8.2.
    """
    given = [1.0] * len(ages_days) if values is None else values
    return math.fsum(
        value * weight(age, rules=rules)
        for age, value in zip(ages_days, given, strict=True)
        if age is not None and value is not None and math.isfinite(value)
    )


def decayed_sum_columns(
    unit: npt.NDArray[np.int64],
    ages_days: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64] | None = None,
    *,
    units: int,
    rules: Engagement = _RULES,
) -> npt.NDArray[np.float64]:
    """Return the decayed sum of each of `units` clients; `unit` says whose each event is.

    Ages in whole local days. Bit for bit the same as `decayed_sum` as long as values are whole
    or half numbers and their sum stays below 2^16. Source: metrics-spec 8.2.
    """
    table = np.array([weight(age, rules=rules) for age in range(rules.window_days)])
    inside = (ages_days >= 0) & (ages_days < rules.window_days)
    worth = np.where(inside, table[np.where(inside, ages_days, 0)], 0.0)
    counted = worth if values is None else worth * np.where(np.isfinite(values), values, 0.0)
    return np.bincount(unit, weights=counted, minlength=units).astype(np.float64)
