"""Intervals of shares and means, and of their differences (metrics-spec 5.2, 5.3, 5.5)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from metrics.formulas import answers
from metrics.formulas.parameters import DEFAULT
from metrics.formulas.uncertainty import quantiles
from metrics.formulas.uncertainty.quantiles import Interval, around

VERSION = 1

_CONF = DEFAULT.intervals.conf


@dataclass(frozen=True, slots=True)
class MeanInterval:
    """A mean with its n-1 standard deviation and t interval, in the unit of the values.

    `sd` and `ci` are null for a single value.
    """

    n: int
    mean: float
    sd: float | None
    ci: Interval | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference of two shares, first minus second, in -1..1."""

    diff: float
    ci: Interval


@dataclass(frozen=True, slots=True)
class Test:
    """A z statistic and its two-sided p-value, 0..1."""

    __test__ = False  # not a test case

    z: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Welch:
    """First minus second mean; `df`, `t` and `p_value` are null where nothing varies."""

    diff: float
    se: float
    df: float | None
    t: float | None
    p_value: float | None
    ci: Interval


def wilson(x: float, n: float, *, conf: float = _CONF) -> Interval | None:
    """Return the Wilson interval of x of n, in 0..1; exactly 0 at x = 0 and 1 at x = n.

    Null for n = 0; ValueError unless 0 <= x <= n, or for a level outside (0, 1). Source:
    metrics-spec 5.2.
    """
    if n == 0:
        return None
    if not 0 <= x <= n:
        raise ValueError("x of n needs 0 <= x <= n")
    z, share = quantiles.z(conf), x / n
    wide = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / wide
    half = z / wide * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    found = around(centre, half).clipped(0, 1)
    return Interval(0.0 if x == 0 else found.low, 1.0 if x == n else found.high)


def wilson_effective(
    share: float | None, n_eff: float | None, *, conf: float = _CONF
) -> Interval | None:
    """Return the Wilson interval of a weighted share (0..1) over n_eff answers, in 0..1.

    Null if the share is missing or n_eff is not above 0; ValueError for a share outside 0..1
    or a level outside (0, 1). Source: metrics-spec 5.2.
    """
    if share is None or n_eff is None or not n_eff > 0:
        return None
    if not 0 <= share <= 1:
        raise ValueError("a share must lie in 0..1")
    found = wilson(share * n_eff, n_eff, conf=conf)
    return Interval(found.low, 1.0) if found is not None and share == 1 else found


def mean_interval(values: Iterable[float | None], *, conf: float = _CONF) -> MeanInterval | None:
    """Return the mean, n-1 standard deviation and mean -+ t_{n-1} s/sqrt(n), not clipped.

    Missing values are left out; null if none is left. ValueError for a level outside (0, 1).
    Source: metrics-spec 5.3.
    """
    kept = answers.finite(values)
    n = len(kept)
    if n == 0:
        return None
    mean, variance = _moments(kept)
    if variance is None:
        return MeanInterval(n=n, mean=mean, sd=None, ci=None)
    half = quantiles.t(conf, n - 1) * math.sqrt(variance / n)
    return MeanInterval(n=n, mean=mean, sd=math.sqrt(variance), ci=around(mean, half))


def _moments(values: list[float]) -> tuple[float, float | None]:
    """Return the mean and the n-1 variance, exactly 0 where all values are one."""
    n, first = len(values), values[0]
    mean = first + math.fsum(value - first for value in values) / n
    if n < 2:
        return mean, None
    return mean, math.fsum((value - mean) ** 2 for value in values) / (n - 1)


def newcombe(
    x1: float, n1: float, x2: float, n2: float, *, conf: float = _CONF
) -> Difference | None:
    """Return x1/n1 - x2/n2 with the hybrid-score interval, in -1..1.

    Null if a group is empty; ValueError unless 0 <= x <= n. Source: metrics-spec 5.5
    (Newcombe 1998).
    """
    one, two = wilson(x1, n1, conf=conf), wilson(x2, n2, conf=conf)
    if one is None or two is None:
        return None
    p1, p2 = x1 / n1, x2 / n2
    low = p1 - p2 - math.hypot(p1 - one.low, two.high - p2)
    high = p1 - p2 + math.hypot(one.high - p1, p2 - two.low)
    return Difference(diff=p1 - p2, ci=Interval(low, high).clipped(-1, 1))


def pooled_z(x1: float, n1: float, x2: float, n2: float) -> Test | None:
    """Return the pooled z test of x1/n1 - x2/n2; z 0 and p 1 where nothing varies.

    Null if a group is empty. Source: metrics-spec 5.5.
    """
    if n1 == 0 or n2 == 0:
        return None
    pooled = (x1 + x2) / (n1 + n2)
    se = math.sqrt(max(0.0, pooled * (1 - pooled)) * (1 / n1 + 1 / n2))
    if se == 0:
        return Test(z=0.0, p_value=1.0)
    statistic = (x1 / n1 - x2 / n2) / se
    return Test(z=statistic, p_value=quantiles.normal_two_sided(statistic))


def welch(
    x: Iterable[float | None], y: Iterable[float | None], *, conf: float = _CONF
) -> Welch | None:
    """Return mean(x) - mean(y) by Welch's t, in the unit of the values.

    Missing values are left out. Null if a group has fewer than 2 values; where neither varies
    the interval is the point and nothing is tested. Source: metrics-spec 5.5.
    """
    one, two = answers.finite(x), answers.finite(y)
    if len(one) < 2 or len(two) < 2:
        return None
    (mean1, var1), (mean2, var2) = _moments(one), _moments(two)
    return welch_of(
        (mean1, (var1 or 0.0) / len(one), len(one) - 1),
        (mean2, (var2 or 0.0) / len(two), len(two) - 1),
        conf=conf,
    )


def welch_of(
    one: tuple[float, float, int], two: tuple[float, float, int], *, conf: float = _CONF
) -> Welch:
    """Return Welch's t of two means, each with the square of its error and degrees of freedom.

    So also of means whose error is by client (4.5, 5.5). Degrees of freedom are above 0.
    """
    (mean1, v1, df1), (mean2, v2, df2) = one, two
    diff = mean1 - mean2
    if v1 + v2 == 0:
        return Welch(diff=diff, se=0.0, df=None, t=None, p_value=None, ci=Interval(diff, diff))
    share = v1 / (v1 + v2)
    df = 1 / (share**2 / df1 + (1 - share) ** 2 / df2)
    se = math.sqrt(v1 + v2)
    return Welch(
        diff=diff,
        se=se,
        df=df,
        t=diff / se,
        p_value=quantiles.t_two_sided(diff / se, df),
        ci=around(diff, quantiles.t(conf, df) * se),
    )
