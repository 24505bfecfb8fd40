"""How much the index hangs on choices that could have been made otherwise (metrics-spec 8.9)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from metrics.formulas import health
from metrics.formulas.indices import Column
from metrics.formulas.parameters import DEFAULT, ENGAGEMENT, Bands, Engagement

VERSION = 1

PERCENTILE, EQUAL_WEIGHTS = "percentile", "equal_weights"
HALF_LIVES = (30.0, 90.0)
# Five points of a weight, up and down.
POINTS = 0.05
# Two clients always agree or disagree wholly: that is no correlation.
LEAST = 3


@dataclass(frozen=True, slots=True)
class Agreement:
    """The index as it is beside the index as it would be, over clients that have both.

    `rank_correlation` is Spearman's, -1..1; null below three clients or where all are equal.
    `moved` counts clients whose band differs.
    """

    clients: int
    rank_correlation: float | None
    moved: int

    @property
    def share_moved(self) -> float | None:
        """The share of clients whose band differs, 0..1; null without clients."""
        return self.moved / self.clients if self.clients else None


def alternatives(rules: Engagement = DEFAULT.engagement) -> dict[str, Engagement]:
    """Return the other rules by name: equal weights, half-lives, each weight 5 points off.

    A weight that cannot be moved so far without leaving 0..1 is left out.
    """
    equal = tuple((name, 1 / len(ENGAGEMENT)) for name in ENGAGEMENT)
    found = {EQUAL_WEIGHTS: replace(rules, weights=equal)}
    for days in HALF_LIVES:
        found[f"half_life_{days:.0f}"] = replace(rules, half_life=days)
    for name in ENGAGEMENT:
        for word, by in (("plus", POINTS), ("minus", -POINTS)):
            weights = shifted(dict(rules.weights), name, by)
            if weights is not None:
                found[f"{name}_{word}_5"] = replace(rules, weights=tuple(weights.items()))
    return found


def shifted(weights: dict[str, float], name: str, by: float) -> dict[str, float] | None:
    """Return the weights with one of them moved; the others keep their proportions.

    Null where the moved one would leave 0..1, or nothing else has a weight.
    """
    moved, rest = weights[name] + by, 1 - weights[name]
    if not 0 <= moved <= 1 or rest <= 0:
        return None
    scale = (1 - moved) / rest
    return {key: moved if key == name else value * scale for key, value in weights.items()}


def percentile_columns(values: Column, shape: Sequence[float]) -> Column:
    """Return the mid-rank percentiles 0..100 of a block in a frozen reference (8.4b).

    `shape` are its quantiles in even steps, on the scale of the values. NaN stays NaN.
    """
    grid = np.sort(np.asarray(shape, dtype=float))
    below = np.searchsorted(grid, values, side="left")
    upto = np.searchsorted(grid, values, side="right")
    return np.where(np.isnan(values), np.nan, 50.0 * (below + upto) / len(grid))


def agreement(index: Column, other: Column, *, bands: Bands = DEFAULT.bands) -> Agreement:
    """Return how far two indices of the same clients agree; NaN is a client without one."""
    both = ~(np.isnan(index) | np.isnan(other))
    one, two = index[both], other[both]
    moved = sum(
        health.band(a, rules=bands) != health.band(b, rules=bands)
        for a, b in zip(one.tolist(), two.tolist(), strict=True)
    )
    return Agreement(len(one), _spearman(one, two), moved)


def _spearman(one: Column, two: Column) -> float | None:
    if len(one) < LEAST or np.all(one == one[0]) or np.all(two == two[0]):
        return None
    return float(np.corrcoef(_ranks(one), _ranks(two))[0, 1])


def _ranks(values: Column) -> Column:
    """Mid-ranks from 1. Not those of scipy.stats: it takes every process a second to import."""
    _values, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]
