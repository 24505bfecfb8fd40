"""The frozen reference, and a quantity put on 0..100 by it (metrics-spec 8.3-8.4)."""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import special

from metrics.formulas import answers, checks
from metrics.formulas.indices import Column
from metrics.formulas.parameters import DEFAULT, Engagement
from metrics.formulas.uncertainty import Interval

VERSION = 1

_RULES = DEFAULT.engagement


def quantile7(values: Iterable[float | None], q: float) -> float | None:
    """Return the type-7 quantile of the values that are there, in their unit.

    Null without values; ValueError for q outside 0..1. Source: metrics-spec 8.3.
    """
    checks.share(q, "a quantile")
    kept = answers.finite(values)
    return float(np.quantile(kept, q)) if kept else None


def transformed(x: Column, *, log: bool) -> Column:
    """Return log1p of counts, or the values as they are; a count below 0 lies below all.

    Not numpy's own log1p, whose last bit may hang on the position in a block.
    """
    if not log:
        return x
    return np.where(x > -1, special.log1p(np.maximum(x, -0.5)), np.where(x <= -1, -np.inf, x))


def reference_bounds(
    values: Iterable[float | None], *, log: bool = True, rules: Engagement = _RULES
) -> Interval | None:
    """Return the winsor bounds: 1 % and 99 % quantiles of log1p of counts.

    With log false of the values themselves (CTR, breadth). The bounds are on that scale, which
    is the one `norm_minmax` compares on. Null without values. Source: metrics-spec 8.3.
    """
    kept = transformed(np.array(answers.finite(values)), log=log)
    low, high = (quantile7(kept, q) for q in (rules.winsor_low, rules.winsor_high))
    return None if low is None or high is None else Interval(low, high)


def frozen_bounds(
    quantity: str, values: Iterable[float | None], *, log: bool, rules: Engagement = _RULES
) -> Interval:
    """Return the bounds of one quantity for a frozen reference.

    ValueError where fewer than `min_clients` clients have a value: then the parent's is used.
    Source: metrics-spec 8.3.
    """
    kept = answers.finite(values)
    found = reference_bounds(kept, log=log, rules=rules)
    if found is None or len(kept) < rules.min_clients:
        raise ValueError(
            f"a reference of {quantity!r} needs at least {rules.min_clients} clients,"
            f" not {len(kept)}"
        )
    return found


def norm_minmax(x: float | None, bounds: Interval | None, *, log: bool = True) -> float | None:
    """Return x between the frozen bounds as 0..100, clipped (the default, 8.4a).

    Bounds without width give 100 above, 0 below and 50 at the value. Null for a missing x or
    missing bounds; ValueError for bounds that fall. Source: metrics-spec 8.4.
    """
    if x is None or bounds is None or np.isnan(x):
        return None
    low, high = np.array([bounds.low]), np.array([bounds.high])
    return float(norm_minmax_columns(np.array([float(x)]), low, high, log=log)[0])


def norm_minmax_columns(x: Column, low: Column, high: Column, *, log: bool = True) -> Column:
    """Return the scores of a block, each row between its own bounds (8.4a).

    NaN where x or a bound is NaN; ValueError if a row's bounds fall. Source: metrics-spec 8.4.
    """
    if np.any(high < low):
        raise ValueError("the bounds of a reference must not fall")
    value = transformed(x, log=log)
    width = high - low
    safe = np.where(width > 0, width, 1.0)
    inside = np.minimum(100.0 * (np.clip(value, low, high) - low) / safe, 100.0)
    beside = 50.0 + 50.0 * np.sign(value - low)
    return np.where(width > 0, inside, np.where(np.isnan(width), np.nan, beside))


def norm_percentile(x: float | None, reference: Sequence[float | None]) -> float | None:
    """Return the mid-rank percentile of x in a frozen reference, 0..100 (8.4b).

    100 (below + half of the equal) / all. Null for a missing x or an empty reference.
    """
    kept = answers.finite(reference)
    if x is None or np.isnan(x) or not kept:
        return None
    below, equal = sum(y < x for y in kept), sum(y == x for y in kept)
    return 100 * (below + equal / 2) / len(kept)


def norm_z(x: float | None, mean: float | None, sd: float | None) -> float | None:
    """Return the T score 50 + 10 (x - mean)/sd, clipped to 0..100; 50 where sd is 0 (8.4c).

    Null if a value is missing; ValueError for sd below 0.
    """
    there = answers.finite((x, mean, sd))
    if len(there) < 3:
        return None
    value, centre, spread = there
    checks.at_least(spread, 0, "a standard deviation")
    return min(max(50 + 10 * (value - centre) / spread, 0.0), 100.0) if spread else 50.0
