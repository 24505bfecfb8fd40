"""Variance, standard error and every interval of one NPS from counts (metrics-spec 3.2-3.6)."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from metrics.formulas.answers import Counts
from metrics.formulas.parameters import DEFAULT
from metrics.formulas.uncertainty import quantiles
from metrics.formulas.uncertainty.quantiles import Interval, around

VERSION = 1

_CONF = DEFAULT.intervals.conf
_K = DEFAULT.intervals.k
_V = DEFAULT.intervals.sample_v


def variance(counts: Counts) -> float | None:
    """Return V = p + d - (p - d)^2 of the codes -1/0/+1, in 0..1; null without answers (3.2)."""
    mean = counts.mean
    if mean is None:
        return None
    return max(0.0, (counts.p + counts.d) / counts.n - mean * mean)


def standard_error(counts: Counts, *, ddof: int = 0) -> float | None:
    """Return 100 sqrt(V/(n - ddof)) in points, 0 and up; ddof 1 is the unbiased form.

    Null unless n > ddof. Source: metrics-spec 3.2.
    """
    v = variance(counts)
    return None if v is None or counts.n <= ddof else 100 * math.sqrt(v / (counts.n - ddof))


def fpc(n: int, big_n: int | None = None) -> float | None:
    """Return f = (N - n)/(N - 1), the finite-population factor; 1 without N, 0 for a census.

    In 0..1 from one answer on. Null if nothing is eligible. Source: metrics-spec 3.4.
    """
    if big_n is None:
        return 1.0
    if n >= big_n:
        return 0.0 if big_n > 0 else None
    return (big_n - n) / (big_n - 1) if big_n > 1 else None


def standard_error_finite(counts: Counts, *, big_n: int | None = None) -> float | None:
    """Return SE sqrt(f) in points, 0 for a census; null without answers (3.4)."""
    se, factor = standard_error(counts), fpc(counts.n, big_n)
    return None if se is None or factor is None else se * math.sqrt(factor)


def wald(counts: Counts, *, conf: float = _CONF) -> Interval | None:
    """Return NPS -+ z SE in -100..100; not for reporting, it collapses when all agree.

    Null without answers; ValueError for a level outside (0, 1). Source: metrics-spec 3.3a.
    """
    return _plain(counts, quantiles.z(conf), ddof=0)


def goodman(counts: Counts, *, conf: float = _CONF) -> Interval | None:
    """Return NPS -+ sqrt(chi2_2) SE in -100..100, simultaneous for all contrasts.

    Null without answers; ValueError for a level outside (0, 1). Source: metrics-spec 3.3c.
    """
    return _plain(counts, quantiles.goodman(conf), ddof=0)


def _plain(counts: Counts, factor: float, *, ddof: int) -> Interval | None:
    mean, se = counts.mean, standard_error(counts, ddof=ddof)
    if mean is None or se is None:
        return None
    return around(100 * mean, factor * se).clipped(-100, 100)


def adjusted_wald(
    counts: Counts, *, conf: float = _CONF, k: float = _K, clip: bool = True
) -> Interval | None:
    """Return the default interval: Wald on D + k/4, S + k/2, P + k/4, in -100..100.

    Its centre is the adjusted estimate, not the displayed point. Null without answers;
    ValueError for a level outside (0, 1). Source: metrics-spec 3.3b.
    """
    if counts.mean is None:
        return None
    second = (counts.p + counts.d) / counts.n
    found = adjusted(counts.mean, second, counts.n, conf=conf, k=k)
    return found.clipped(-100, 100) if clip else found


def adjusted(mean: float, second: float, n: float, *, conf: float, k: float) -> Interval:
    """Return the unclipped adjusted Wald of a mean code, its p + d and n > 0 (effective) answers.

    k/4 + k/4 pseudo-answers add k/2 to p + d and nothing to p - d. In points.
    """
    centre = n * mean / (n + k)
    v = (n * second + k / 2) / (n + k) - centre * centre
    half = quantiles.z(conf) * math.sqrt(max(0.0, v) / (n + k))
    return around(100 * centre, 100 * half)


def adjusted_wald_finite(
    counts: Counts, *, big_n: int | None = None, conf: float = _CONF, k: float = _K
) -> Interval | None:
    """Return the adjusted Wald with n_eff = n/f, in -100..100; a census gives the point twice.

    For "how do our present clients stand", not for trends and tests. Null without answers;
    ValueError for a level outside (0, 1). Source: metrics-spec 3.4.
    """
    mean, factor = counts.mean, fpc(counts.n, big_n)
    if mean is None or factor is None:
        return None
    if factor == 0:
        return Interval(100 * mean, 100 * mean)
    second = (counts.p + counts.d) / counts.n
    return adjusted(mean, second, counts.n / factor, conf=conf, k=k).clipped(-100, 100)


def score(counts: Counts, *, conf: float = _CONF) -> Interval | None:
    """Return all differences with |score| <= z, in -100..100; a cross-check only.

    Null without answers; ValueError for a level outside (0, 1). Source: metrics-spec 3.3d
    (Tango 1998).
    """
    mean, limit = counts.mean, quantiles.z(conf)
    if mean is None:
        return None
    low, high = -1.0, 1.0
    if counts.d < counts.n:
        low = _root(lambda delta: _score(counts, delta) - limit, -1.0, mean)
    if counts.p < counts.n:
        high = _root(lambda delta: _score(counts, delta) + limit, mean, 1.0)
    return Interval(100 * low, 100 * high)


def _score(counts: Counts, delta: float) -> float:
    n, d, p = counts.n, counts.d, counts.p
    distance = p - d - n * delta
    a, b, c = 2 * n, (2 * n - p + d) * delta - p - d, -d * delta * (1 - delta)
    q = (math.sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
    spread = n * (2 * q + delta * (1 - delta))
    return distance / math.sqrt(max(spread, 1e-300))  # never 0, but for the last bit


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    """Halve until the two ends are neighbours; the ends themselves are never evaluated."""
    while low < (middle := (low + high) / 2) < high and high - low > 1e-15:
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def trinomial_t(counts: Counts, *, conf: float = _CONF) -> Interval | None:
    """Return the mean of the codes -+ t_{n-1} s/sqrt(n), in -100..100 points; for comparison.

    Null for n < 2; ValueError for a level outside (0, 1). Source: metrics-spec 3.3e.
    """
    return _plain(counts, quantiles.t(conf, max(1, counts.n - 1)), ddof=1)


def bootstrap_exact(counts: Counts, *, conf: float = _CONF) -> Interval | None:
    """Return the percentile bootstrap interval without random numbers, in -100..100.

    An end is the smallest sum of n resampled codes whose CDF reaches alpha/2 or 1 - alpha/2.
    Null without answers; ValueError for a level outside (0, 1). Source: metrics-spec 3.3f.
    """
    if not 0 < conf < 1:
        raise ValueError("a confidence level must lie strictly between 0 and 1")
    n = counts.n
    if n == 0:
        return None
    law = np.array([counts.d / n, counts.s / n, counts.p / n])
    cdf = np.cumsum(_convolved(law, n))
    tail = (1 - conf) / 2
    # A level met exactly must not be missed by the last bit of a sum.
    low, high = (int(np.argmax(cdf >= level - 1e-12)) for level in (tail, 1 - tail))
    return Interval(100 * (low - n) / n, 100 * (high - n) / n)


def _convolved(law: npt.NDArray[np.float64], times: int) -> npt.NDArray[np.float64]:
    total = np.ones(1)
    while times:
        if times & 1:
            total = np.convolve(total, law)
        times >>= 1
        law = np.convolve(law, law) if times else law
    return total


def worst_case(counts: Counts, *, eligible: int) -> Interval | None:
    """Return 100 (P - D -+ (E - n))/E: the NPS whatever the silent ones think, in -100..100.

    Null if nobody is eligible. Source: metrics-spec 3.11.
    """
    silent = max(0, eligible - counts.n)
    asked = counts.n + silent
    if asked == 0:
        return None
    net = counts.p - counts.d
    return Interval(100 * (net - silent) / asked, 100 * (net + silent) / asked)


def sample_size(
    moe_points: float, *, v: float = _V, big_n: int | None = None, conf: float = _CONF
) -> int | None:
    """Return the smallest n whose adjusted Wald is at most -+ moe_points wide, at least 1.

    ceil(z^2 1e4 V/m^2 - 3); with N eligible n0/(1 + (n0 - 1)/N). Null for a margin of 0 or
    less; ValueError for a level outside (0, 1). Source: metrics-spec 3.6.
    """
    if moe_points <= 0:
        return None
    n0 = quantiles.z(conf) ** 2 * 1e4 * v / moe_points**2
    if big_n is None:
        return max(1, _ceil(n0 - 3))
    return min(big_n, max(1, _ceil(n0 / (1 + (n0 - 1) / big_n)))) if big_n > 0 else None


def sample_size_difference(
    delta_points: float,
    *,
    v: float = _V,
    conf: float = _CONF,
    power: float = DEFAULT.intervals.power,
) -> int | None:
    """Return the answers needed in each of two groups to see a difference, at least 1.

    ceil(2 V (z_{1-alpha/2} + z_power)^2 1e4/delta^2). Null for a difference of 0; ValueError
    for a level or power outside (0, 1). Source: metrics-spec 3.6.
    """
    if delta_points == 0:
        return None
    quantile = quantiles.z(conf) + quantiles.one_sided_z(power)
    return max(1, _ceil(2 * v * quantile**2 * 1e4 / delta_points**2))


def _ceil(x: float) -> int:
    return math.ceil(x - 1e-9)
