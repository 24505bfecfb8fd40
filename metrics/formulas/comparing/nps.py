"""Whether two NPS, or several, differ: independent, paired, overlapping (metrics-spec 3.7-3.9)."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy import special

from metrics.formulas import answers, columns, scores, uncertainty
from metrics.formulas.answers import Counts
from metrics.formulas.columns import Column
from metrics.formulas.parameters import DEFAULT
from metrics.formulas.uncertainty import Interval, MeanInterval, quantiles, weighted

VERSION = 1

Method = Literal["adj_wald", "wald"]

_CONF = DEFAULT.intervals.conf
_K = DEFAULT.intervals.k
_LIMIT = 200.0


@dataclass(frozen=True, slots=True)
class NpsDifference:
    """Second minus first, in points -200..200: the raw difference is shown.

    `diff_used`, `se` and `ci` are of the adjusted counts; z and p-value are null where the two
    differ and nothing varies.
    """

    diff_raw: float
    diff_used: float
    se: float
    z: float | None
    p_value: float | None
    ci: Interval
    significant: bool


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """After minus before over n pairs, in points; `t` and the p-value are null where everybody
    moved by the same step."""

    n: int
    diff: float
    se: float
    t: float | None
    p_value: float | None
    ci: Interval

    @property
    def shown_ci(self) -> Interval:
        """Return the interval within -200..200."""
        return self.ci.clipped(-_LIMIT, _LIMIT)


@dataclass(frozen=True, slots=True)
class OverlapDifference:
    """Second minus first in points where some units are in both, `both` of them."""

    diff: float
    se: float
    z: float | None
    p_value: float | None
    ci: Interval
    both: int

    @property
    def shown_ci(self) -> Interval:
        """Return the interval within -200..200."""
        return self.ci.clipped(-_LIMIT, _LIMIT)


@dataclass(frozen=True, slots=True)
class Homogeneity:
    """The test of all groups being one: q and df, p-value 0..1, the pooled NPS in points."""

    q: float
    df: int
    p_value: float
    pooled: float


def nps_diff(
    first: Counts,
    second: Counts,
    *,
    method: Method = "adj_wald",
    conf: float = _CONF,
    k: float = _K,
) -> NpsDifference | None:
    """Return second minus first of two independent groups, in points.

    Each group with k/4, k/2, k/4 pseudo-answers: SE = sqrt(v1/(n1 + k) + v2/(n2 + k)), interval
    diff -+ z SE clipped to -200..200. Method "wald" adds none. Null if a group is empty;
    ValueError for another method or a level outside (0, 1). Source: metrics-spec 3.7.
    """
    if method not in ("adj_wald", "wald"):
        raise ValueError(f"unknown method {method!r}")
    one, two = scores.point(first), scores.point(second)
    if one is None or two is None:
        return None
    pseudo = k if method == "adj_wald" else 0.0
    (e1, v1), (e2, v2) = _adjusted(first, pseudo), _adjusted(second, pseudo)
    diff, se = e2 - e1, math.sqrt(v1 + v2)
    statistic, p_value = _tested(diff, se)
    return NpsDifference(
        diff_raw=two - one,
        diff_used=diff,
        se=se,
        z=statistic,
        p_value=p_value,
        ci=quantiles.around(diff, quantiles.z(conf) * se).clipped(-_LIMIT, _LIMIT),
        significant=p_value is not None and p_value < 1 - conf,
    )


def _adjusted(counts: Counts, k: float) -> tuple[float, float]:
    """Return the estimate in points and its variance in points squared, of counts with n > 0."""
    n = counts.n + k
    mean = (counts.p - counts.d) / n
    v = (counts.p + counts.d + k / 2) / n - mean * mean
    return 100 * mean, 1e4 * max(0.0, v) / n


def _tested(diff: float, se: float) -> tuple[float | None, float | None]:
    """Return z and its two-sided p-value; 0 and 1 for no difference, null over no spread."""
    if se > 0:
        return diff / se, quantiles.normal_two_sided(diff / se)
    return (0.0, 1.0) if diff == 0 else (None, None)


def nps_diff_paired(
    before: Sequence[object], after: Sequence[object], *, conf: float = _CONF
) -> PairedDifference | None:
    """Return the t test on the code differences of the same people, n - 1 df, in points.

    Raw recommend answers; a pair with a side that is not valid is dropped. The interval is not
    clipped, see `shown_ci`. Null for fewer than 2 pairs; ValueError if the lengths differ or
    for a level outside (0, 1). Source: metrics-spec 3.8 (i).
    """
    pairs = zip(answers.codes(before), answers.codes(after), strict=True)
    steps = [100.0 * (b - a) for a, b in pairs if a is not None and b is not None]
    return _paired(uncertainty.mean_interval(steps, conf=conf))


def votes_paired(before: Column, after: Column) -> PairedDifference | None:
    """The same over the votes -1/0/+1 of the same clients in the same order, as columns."""
    return _paired(columns.mean_of(100 * (after - before)))


def _paired(found: MeanInterval | None) -> PairedDifference | None:
    """The test of the steps, from their mean and its interval."""
    if found is None or found.ci is None or found.sd is None:
        return None
    se = found.sd / math.sqrt(found.n)
    if se > 0:
        statistic: float | None = found.mean / se
        p_value: float | None = quantiles.t_two_sided(found.mean / se, found.n - 1)
    else:
        statistic, p_value = _tested(found.mean, 0.0)
    return PairedDifference(found.n, found.mean, se, statistic, p_value, found.ci)


def nps_diff_overlap(
    y1: Sequence[float | None],
    y2: Sequence[float | None],
    both: Sequence[tuple[float | None, float | None]],
    *,
    conf: float = _CONF,
) -> OverlapDifference | None:
    """Return mean(y2) - mean(y1) where the m units of `both` are in both samples, in points.

    y are codes -1/0/+1: Var = s1^2/n1 + s2^2/n2 - 2 m Cov/(n1 n2), moments with n - 1, Cov 0
    for m < 2. The interval is not clipped, see `shown_ci`. Null if a sample has fewer than 2
    values; ValueError for a level outside (0, 1). Source: metrics-spec 3.8 (ii).
    """
    pairs = [kept for pair in both if len(kept := answers.finite(pair)) == 2]
    means = [uncertainty.mean_interval(y) for y in (y1, y2)]
    return _overlapping(means, len(pairs), _covariance(pairs), conf)


def votes_overlap(y1: Column, y2: Column, one: Column, two: Column) -> OverlapDifference | None:
    """The same over votes -1/0/+1 as columns; `one` and `two` are those of who is in both."""
    m = len(one)
    # Whole numbers: the sums are exact.
    spread = float(m * (one * two).sum() - one.sum() * two.sum())
    covariance = spread / (m * (m - 1)) if m > 1 else 0.0
    return _overlapping([columns.mean_of(y) for y in (y1, y2)], m, covariance, _CONF)


def _overlapping(
    means: Sequence[MeanInterval | None], m: int, covariance: float, conf: float
) -> OverlapDifference | None:
    """The difference of two means that have m units in common."""
    one, two = means
    if one is None or two is None or one.sd is None or two.sd is None:
        return None
    variance = one.sd**2 / one.n + two.sd**2 / two.n
    variance -= 2 * m * covariance / (one.n * two.n)
    diff = 100 * (two.mean - one.mean)
    # Where everything cancels, as for the same sample twice, the last bit may be left.
    se = 100 * math.sqrt(variance) if variance > 1e-15 else 0.0
    statistic, p_value = _tested(diff, se)
    ci = quantiles.around(diff, quantiles.z(conf) * se)
    return OverlapDifference(diff, se, statistic, p_value, ci, m)


def _covariance(pairs: Sequence[Sequence[float]]) -> float:
    m = len(pairs)
    if m < 2:
        return 0.0
    one, two = (math.fsum(side) / m for side in zip(*pairs, strict=True))
    return math.fsum((a - one) * (b - two) for a, b in pairs) / (m - 1)


def nps_diff_labels(
    before: Mapping[Hashable, str | None],
    after: Mapping[Hashable, str | None],
    *,
    conf: float = _CONF,
) -> OverlapDifference | None:
    """Return after minus before over client labels, by the clients that are in both.

    For figures whose periods or filters share clients. A client without a label is left out.
    Null if a side has fewer than 2 clients. Source: metrics-spec 3.8 (ii).
    """
    y1, y2 = (
        {client: weighted.CODE_OF_LABEL[label] for client, label in side.items() if label}
        for side in (before, after)
    )
    shared = [(y1[client], y2[client]) for client in y1 if client in y2]
    return nps_diff_overlap(list(y1.values()), list(y2.values()), shared, conf=conf)


def nps_homogeneity(groups: Sequence[Counts], *, k: float = _K) -> Homogeneity | None:
    """Return Q = sum w (e - e_w)^2 with w = 1/v of the adjusted counts, chi2 with G - 1 df.

    Only where its p-value is below alpha are pairs compared. Empty groups are left out; null
    for fewer than 2. Source: metrics-spec 3.9.
    """
    parts = [_adjusted(counts, k) for counts in groups if counts.n]
    if len(parts) < 2 or any(v == 0 for _, v in parts):
        return None
    total = math.fsum(1 / v for _, v in parts)
    pooled = math.fsum(e / v for e, v in parts) / total
    q = math.fsum((e - pooled) ** 2 / v for e, v in parts)
    df = len(parts) - 1
    return Homogeneity(q=q, df=df, p_value=float(special.chdtrc(df, q)), pooled=pooled)
