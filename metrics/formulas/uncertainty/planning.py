"""How much answers of one client are alike, for planning the next wave (metrics-spec 4.8)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from metrics.formulas import answers

VERSION = 1


@dataclass(frozen=True, slots=True)
class Icc:
    """Intra-class correlation, at most 1, with the mean squares between and within groups and
    the mean size m0; null where all values are one."""

    icc: float | None
    msb: float
    msw: float
    m0: float


def icc_anova(groups: Sequence[Sequence[float | None]]) -> Icc | None:
    """Return (MSB - MSW)/(MSB + (m0 - 1) MSW), m0 = (n - sum m^2/n)/(k - 1).

    A group is one client's codes or scores; missing values and empty groups are left out. Null
    for fewer than 2 groups, or if no group has 2 values. Source: metrics-spec 4.8.
    """
    kept = [values for group in groups if (values := answers.finite(group))]
    k, n = len(kept), sum(len(values) for values in kept)
    if k < 2 or n == k:
        return None
    overall = math.fsum(x for values in kept for x in values) / n
    means = [math.fsum(values) / len(values) for values in kept]
    between = math.fsum(len(v) * (m - overall) ** 2 for v, m in zip(kept, means, strict=True))
    within = math.fsum((x - m) ** 2 for v, m in zip(kept, means, strict=True) for x in v)
    msb, msw = between / (k - 1), within / (n - k)
    m0 = (n - sum(len(values) ** 2 for values in kept) / n) / (k - 1)
    spread = msb + (m0 - 1) * msw
    return Icc(icc=(msb - msw) / spread if spread > 0 else None, msb=msb, msw=msw, m0=m0)


def deff_icc(sizes: Sequence[float], icc: float | None) -> float | None:
    """Return 1 + (m' - 1) ICC, m' = sum m^2/sum m: how many answers count as one.

    Null without an ICC or without answers; ValueError for a size below 0. Source: metrics-spec
    4.8.
    """
    if any(not size >= 0 for size in sizes):
        raise ValueError("the size of a group must be 0 or more")
    total = math.fsum(sizes)
    if icc is None or math.isnan(icc) or total == 0:
        return None
    return 1 + (math.fsum(size * size for size in sizes) / total - 1) * icc
