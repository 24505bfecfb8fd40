"""The formulas of figures over columns: many clients at once, from their sums.

Each function is the twin of one for a single unit and equal to it within rounding (metrics-spec
14: 1e-9 relative). Columns are float64; what is not defined is NaN, never 0.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from metrics.formulas.parameters import DEFAULT, Clients
from metrics.formulas.uncertainty import (
    ClusterMean,
    Interval,
    MeanInterval,
    NpsEstimate,
    quantiles,
)
from metrics.formulas.uncertainty import effective as effective_interval
from metrics.formulas.uncertainty.quantiles import around

VERSION = 1

Column = npt.NDArray[np.float64]
_CONF = DEFAULT.intervals.conf
_K = DEFAULT.intervals.k


@dataclass(frozen=True, slots=True)
class Ends:
    """Lower and upper ends of many intervals; NaN where there is none."""

    low: Column
    high: Column


@dataclass(frozen=True, slots=True)
class MeanChange:
    """Now minus before in the unit of the values, over clients of whom `both` are on both sides.

    The p-value is null where everybody moved by the same step.
    """

    diff: float
    se: float
    p_value: float | None
    ci: Interval
    both: int
    paired: bool


def ratio(part: Column, whole: Column) -> Column:
    """Return part/whole, NaN where the whole is 0."""
    empty: Column = np.full(len(part), np.nan)
    return np.divide(part, whole, out=empty, where=whole > 0)


def labels(weighted: Column, weight: Column, *, rules: Clients = DEFAULT.clients) -> Column:
    """Return the vote of each client: +1 promoter, 0 passive, -1 detractor, by its mean.

    NaN where no answer has a weight above 0. Source: metrics-spec 4.1 (`scores.client_label`).
    """
    mean = ratio(weighted, weight)
    votes = np.where(mean >= rules.promoter_from, 1.0, np.where(mean >= rules.passive_from, 0, -1))
    return np.where(np.isnan(mean), np.nan, votes)


def adjusted_wald(d: Column, s: Column, p: Column, *, k: float = _K, conf: float = _CONF) -> Ends:
    """Return the adjusted Wald ends in points, -100..100 (3.3b, `uncertainty.adjusted_wald`)."""
    n = d + s + p
    centre = (p - d) / (n + k)
    v = np.maximum(0.0, (p + d + k / 2) / (n + k) - centre * centre)
    half = quantiles.z(conf) * np.sqrt(v / (n + k))
    ends = [np.where(n > 0, 100 * one, np.nan) for one in (centre - half, centre + half)]
    return Ends(*(np.clip(one, -100, 100) for one in ends))


def wilson(x: Column, n: Column, *, conf: float = _CONF) -> Ends:
    """Return the Wilson ends of x of n in 0..1 (5.2, `uncertainty.wilson`)."""
    z, share = quantiles.z(conf), ratio(x, n)
    base = np.where(n > 0, n, np.nan)
    wide = 1 + z * z / base
    centre = (share + z * z / (2 * base)) / wide
    half = z / wide * np.sqrt(share * (1 - share) / base + z * z / (4 * base * base))
    low = np.where(x == 0, 0.0 * base, np.clip(centre - half, 0, 1))
    return Ends(low, np.where(x == n, base / base, np.clip(centre + half, 0, 1)))


def mean_ends(
    n: Column, total: Column, squares: Column, *, lo: float, hi: float, conf: float = _CONF
) -> Ends:
    """Return mean -+ t_{n-1} s/sqrt(n), clipped to the scale (5.3, `mean_interval`).

    NaN for fewer than two values. A spread below what rounded squares can tell is none.
    """
    mean = ratio(total, n)
    spread = np.maximum(0.0, squares - total * mean)
    spread = np.where(spread <= n * 1e-5, 0.0, spread)
    some = np.where(n > 1, n, np.nan)
    half = _t(some, conf) * np.sqrt(spread / (some - 1) / some)
    return Ends(np.clip(mean - half, lo, hi), np.clip(mean + half, lo, hi))


def _t(n: Column, conf: float) -> Column:
    """The quantile of t with n - 1 degrees of freedom, once for each n."""
    known, places = np.unique(n, return_inverse=True)
    found: Column = special.stdtrit(known - 1, 1 - (1 - conf) / 2)
    return found[places]


def mean_of(values: Column, *, conf: float = _CONF) -> MeanInterval | None:
    """Return the mean of one value per client with its t interval (5.4, `mean_interval`).

    One value per client makes the SE of 4.5 equal to s/sqrt(G). Null without values.
    """
    n = len(values)
    if n == 0:
        return None
    mean = float(values[0] + np.sum(values - values[0]) / n)
    if n < 2:
        return MeanInterval(n=n, mean=mean, sd=None, ci=None)
    variance = float(np.sum((values - mean) ** 2)) / (n - 1)
    half = quantiles.t(conf, n - 1) * math.sqrt(variance / n)
    return MeanInterval(n=n, mean=mean, sd=math.sqrt(variance), ci=around(mean, half))


def cluster_mean(n: Column, total: Column) -> ClusterMean | None:
    """Return the mean over responses with its error by client, from the sums of each client.

    Clients without responses are dropped; null if none is left (4.5, `uncertainty.cluster_mean`).
    """
    kept = n > 0
    n, total = n[kept], total[kept]
    groups, whole = len(n), float(n.sum())
    if not groups:
        return None
    mean = float(total.sum()) / whole
    if groups < 2:
        return ClusterMean(mean=mean, se=None, clusters=groups, df=0)
    errors = (total - mean * n) / whole
    se = math.sqrt(groups / (groups - 1) * float((errors * errors).sum()))
    # What is left where all are alike is the last bit of the sums.
    return ClusterMean(mean, se if se > 1e-9 * max(1.0, abs(mean)) else 0.0, groups, groups - 1)


def cluster_ends(
    found: ClusterMean, *, lo: float, hi: float, conf: float = _CONF
) -> tuple[float | None, float | None]:
    """Return mean -+ t_{G-1} SE, clipped to the scale; nulls for a single client (5.3, 4.5)."""
    if found.se is None:
        return None, None
    ends = around(found.mean, quantiles.t(conf, found.df) * found.se).clipped(lo, hi)
    return ends.low, ends.high


def mean_change(before: Column, now: Column, *, conf: float = _CONF) -> MeanChange | None:
    """Return mean(now) - mean(before) of clients seen on both sides, or on one (3.8).

    One row a client, NaN where it has no value. All on both sides: the paired t test; else the
    overlap of m clients with Var = s1^2/n1 + s2^2/n2 - 2 m Cov/(n1 n2) and the normal law. Null
    if a side has fewer than 2 values.
    """
    sides = [~np.isnan(side) for side in (before, now)]
    n1, n2 = (int(side.sum()) for side in sides)
    if min(n1, n2) < 2:
        return None
    both = sides[0] & sides[1]
    m = int(both.sum())
    if n1 == n2 == m:
        steps = now[both] - before[both]
        diff, df = float(steps.mean()), m - 1
        variance = float(np.var(steps, ddof=1)) / m
        wide = quantiles.t(conf, df)
    else:
        one, two = before[sides[0]], now[sides[1]]
        diff, df = float(two.mean() - one.mean()), 0
        variance = float(np.var(one, ddof=1)) / n1 + float(np.var(two, ddof=1)) / n2
        variance -= 2 * m * _covariance(before[both], now[both]) / (n1 * n2)
        wide = quantiles.z(conf)
    # Where everybody moved alike, the last bit of the sums may be left.
    se = math.sqrt(variance) if variance > 1e-18 else 0.0
    if not se:
        return MeanChange(diff, se, None if diff else 1.0, around(diff, 0.0), m, paired=df > 0)
    p = quantiles.t_two_sided(diff / se, df) if df else quantiles.normal_two_sided(diff / se)
    return MeanChange(diff, se, p, around(diff, wide * se), m, paired=df > 0)


def _covariance(one: Column, two: Column) -> float:
    """The n - 1 covariance of pairs; 0 for fewer than two."""
    m = len(one)
    if m < 2:
        return 0.0
    return float(((one - one.mean()) * (two - two.mean())).sum()) / (m - 1)


def label_nps(votes: Column, weights: Column, *, conf: float = _CONF) -> NpsEstimate | None:
    """Return the NPS over client votes weighted by exposure (4.7, `uncertainty.label_nps`).

    Clients without a vote or a weight above 0 are dropped; null if none is left.
    """
    kept = ~np.isnan(votes) & np.isfinite(weights) & (weights > 0)
    votes, weights = votes[kept], weights[kept]
    if not len(votes):
        return None
    weights = weights / weights.max()
    total = float(weights.sum())
    mean = float((weights * votes).sum()) / total
    errors = weights * (votes - mean) / total
    v = float((weights * (votes - mean) ** 2).sum()) / total
    n_kish = total * total / float((weights * weights).sum())
    return _estimate(mean, v, errors, (len(votes), n_kish), conf=conf)


def cluster_nps(d: Column, s: Column, p: Column, *, conf: float = _CONF) -> NpsEstimate | None:
    """Return the NPS over answers that hang together by client, from counts of each client.

    Clients without answers are dropped; null if none is left (4.6, `uncertainty.cluster_nps`).
    """
    n = d + s + p
    kept = n > 0
    d, p, n = d[kept], p[kept], n[kept]
    if not len(n):
        return None
    total = float(n.sum())
    mean = float((p - d).sum()) / total
    errors = ((p - d) - mean * n) / total
    v = max(0.0, float((p + d).sum()) / total - mean * mean)
    return _estimate(mean, v, errors, (int(total), total), conf=conf)


def _estimate(
    mean: float,
    v: float,
    errors: Column,
    size: tuple[int, float],
    *,
    conf: float,
) -> NpsEstimate:
    """The estimate of 4.6 from the error of each cluster; `size` is n and Kish's n."""
    (n, n_kish), groups = size, len(errors)
    found = NpsEstimate(100 * mean, n, groups, v, se=None, deff=None, n_eff=None, ci=None)
    if groups < 2:
        return found
    se = math.sqrt(groups / (groups - 1) * float((errors * errors).sum()))
    deff = se * se / (v / (n - 1)) if v > 1e-15 else None
    n_eff = n / max(deff, 1.0) if deff is not None else min(max(1.0, n_kish), groups)
    ci = effective_interval(found.nps, v, n_eff, df=(groups - 1, n), conf=conf)
    return NpsEstimate(found.nps, n, groups, v, 100 * se, deff, n_eff, ci)


def alpha(n: float, squares: float, items: list[tuple[float, float]]) -> float | None:
    """Return Cronbach's alpha from sums over complete responses (5.6, `cronbach_alpha`).

    `squares` is the sum of squares of the sums, `items` the sum and sum of squares of each
    item. Null for fewer than 2 items or responses, or if the sum does not vary.
    """
    k = len(items)
    if n < 2 or k < 2:
        return None
    whole = sum(total for total, _squares in items)
    spread = squares - whole * whole / n
    if spread <= 1e-9 * max(1.0, squares):
        return None
    within = sum(own - total * total / n for total, own in items)
    return k / (k - 1) * (1 - within / spread)
