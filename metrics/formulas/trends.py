"""What a series of periods tells: smoothing, control chart, trend (metrics-spec 13.3-13.5)."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from statistics import median
from typing import Literal

from metrics.formulas import answers
from metrics.formulas.parameters import DEFAULT, Trends
from metrics.formulas.periods import Bounds
from metrics.formulas.uncertainty import quantiles

VERSION = 1

Word = Literal["rising", "falling"]

# The mean and the upper limit of the range of two normal values, in standard deviations.
_D2, _D4 = 1.128, 3.267

_RULES = DEFAULT.trends


@dataclass(frozen=True, slots=True)
class Chart:
    """Individuals chart in the unit of the series; `signals` are positions in it, from 0."""

    mean: float
    mr_bar: float
    ucl: float
    lcl: float
    mr_ucl: float
    signals: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MannKendall:
    """S with its variance corrected for ties, z with continuity, two-sided p-value 0..1."""

    s: int
    var: float
    z: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Trend:
    """Over `n` periods with a value: test, slope per period, and the word if it may be said."""

    n: int
    test: MannKendall | None
    slope: float | None
    word: Word | None


def ewma(
    x: Sequence[float | None], *, lam: float = _RULES.lam, start: float | None = None
) -> list[float | None]:
    """Return the start and after each value lam x + (1 - lam) before; a visual aid only.

    In the unit of the series. Without a start it is the first value. A gap stays a gap, and
    what follows goes on from before it. Empty for a series without start or values; ValueError
    for lam outside (0, 1]. Source: metrics-spec 13.3.
    """
    if not 0 < lam <= 1:
        raise ValueError("the weight of the newest value must lie in (0, 1]")
    first = answers.finite((start, *x))
    if not first:
        return []
    level = first[0]
    found: list[float | None] = [level]
    for value in x:
        there = value is not None and math.isfinite(value)
        if there and value is not None:
            level = lam * value + (1 - lam) * level
        found.append(level if there else None)
    return found


def xmr(x: Sequence[float | None], *, rules: Trends = _RULES) -> Chart | None:
    """Return mean -+ 3 MRbar/1.128 of the values, MR their steps; a signal lies outside.

    No step is taken over a gap. Null for fewer than 8 values, or if no two follow each other.
    Source: metrics-spec 13.4.
    """
    kept = answers.finite(x)
    moves = [
        abs(pair[1] - pair[0])
        for one, two in pairwise(x)
        if len(pair := answers.finite((one, two))) == 2
    ]
    if len(kept) < rules.min_periods or not moves:
        return None
    mean, mr_bar = math.fsum(kept) / len(kept), math.fsum(moves) / len(moves)
    half = rules.sigmas * mr_bar / _D2
    low, high = mean - half, mean + half
    return Chart(
        mean=mean,
        mr_bar=mr_bar,
        ucl=high,
        lcl=low,
        mr_ucl=_D4 * mr_bar,
        signals=tuple(i for i, value in enumerate(x) if _outside(value, low, high)),
    )


def _outside(value: float | None, low: float, high: float) -> bool:
    # What lies on a limit must not become a signal by the last bit of a mean.
    slack = 1e-12 * max(abs(low), abs(high))
    return any(not low - slack <= kept <= high + slack for kept in answers.finite((value,)))


def mann_kendall(x: Sequence[float | None]) -> MannKendall | None:
    """Return S = sum sign(x_j - x_i), its variance less the ties, z = (S -+ 1)/sqrt(var).

    Gaps are left out. A constant series has z 0 and p 1. Null for fewer than 2 values. Source:
    metrics-spec 13.5.
    """
    kept = answers.finite(x)
    n = len(kept)
    if n < 2:
        return None
    s = sum((two > one) - (two < one) for one, two in combinations(kept, 2))
    ties = sum(_spread(count) for count in Counter(kept).values())
    var = (_spread(n) - ties) / 18
    z = (s - math.copysign(1, s)) / math.sqrt(var) if s else 0.0
    return MannKendall(s=s, var=var, z=z, p_value=quantiles.normal_two_sided(z))


def _spread(n: int) -> int:
    return n * (n - 1) * (2 * n + 5)


def theil_sen(x: Sequence[float | None], y: Sequence[float | None]) -> float | None:
    """Return the median of the slopes of all pairs of points with different x, in y per x.

    Points with a missing side are left out. Null if no pair is left; ValueError if the lengths
    differ. Source: metrics-spec 13.5.
    """
    points = [kept for pair in zip(x, y, strict=True) if len(kept := answers.finite(pair)) == 2]
    slopes = [(d - b) / (c - a) for (a, b), (c, d) in combinations(points, 2) if a != c]
    return median(slopes) if slopes else None


def trend(
    series: Sequence[tuple[Bounds, float | None]],
    *,
    alpha: float = DEFAULT.comparing.alpha,
    rules: Trends = _RULES,
) -> Trend:
    """Return the test and slope of a series of disjoint periods, oldest first.

    The word is "rising" or "falling", but only over at least 8 periods with a value and a
    p-value below alpha; else null. ValueError if periods overlap or fall: rolling figures that
    share answers are not to be tested. Source: metrics-spec 13.2, 13.5.
    """
    if any(one.end > two.start for (one, _), (two, _) in pairwise(series)):
        raise ValueError("the periods of a trend must follow each other without overlap")
    values = [value for _, value in series]
    test, n = mann_kendall(values), len(answers.finite(values))
    word: Word | None = None
    if test is not None and n >= rules.min_periods and test.p_value < alpha:
        word = "rising" if test.s > 0 else "falling"
    return Trend(n=n, test=test, slope=theil_sen(range(len(values)), values), word=word)
