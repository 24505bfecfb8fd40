"""Quantiles and tails of the normal and t laws, and the interval that comes of them."""

import math
from dataclasses import dataclass
from statistics import NormalDist

from scipy import special

_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Interval:
    """Two ends, low <= high, in the unit of the figure they belong to."""

    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Return half the width, the margin of error that is reported (metrics-spec 3.5)."""
        return (self.high - self.low) / 2

    def clipped(self, low: float, high: float) -> "Interval":
        """Return the interval with both ends brought into low..high."""
        ends = (float(min(max(end, low), high)) for end in (self.low, self.high))
        return Interval(*ends)


def around(centre: float, half: float) -> Interval:
    """Return centre -+ half."""
    return Interval(centre - half, centre + half)


def z(conf: float) -> float:
    """Return the two-sided normal quantile, 1.959964 at .95; ValueError outside (0, 1)."""
    return _NORMAL.inv_cdf(1 - _alpha(conf) / 2)


def t(conf: float, df: float) -> float:
    """Return the two-sided t quantile for df > 0; ValueError for a level outside (0, 1)."""
    return float(special.stdtrit(df, 1 - _alpha(conf) / 2))


def goodman(conf: float) -> float:
    """Return sqrt(chi2_{2, conf}), 2.447747 at .95; with two df the quantile is -2 ln alpha."""
    return math.sqrt(-2 * math.log(_alpha(conf)))


def normal_two_sided(statistic: float) -> float:
    """Return 2 (1 - Phi(|statistic|)), in 0..1."""
    return math.erfc(abs(statistic) / math.sqrt(2))


def t_two_sided(statistic: float, df: float) -> float:
    """Return the two-sided tail of t with df > 0, in 0..1."""
    return float(2 * special.stdtr(df, -abs(statistic)))


def one_sided_z(share: float) -> float:
    """Return the normal quantile of a share in (0, 1); ValueError outside."""
    if not 0 < share < 1:
        raise ValueError("a share must lie strictly between 0 and 1")
    return _NORMAL.inv_cdf(share)


def _alpha(conf: float) -> float:
    if not 0 < conf < 1:
        raise ValueError("a confidence level must lie strictly between 0 and 1")
    return 1 - conf
