"""Weights, clusters and the effective number of answers (metrics-spec 3.3g, 4.3-4.7)."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from metrics.formulas import answers
from metrics.formulas.parameters import DEFAULT
from metrics.formulas.uncertainty import nps, quantiles
from metrics.formulas.uncertainty.quantiles import Interval

VERSION = 1

_CONF = DEFAULT.intervals.conf
_K = DEFAULT.intervals.k
CODE_OF_LABEL: Mapping[str | None, int] = {"promoter": 1, "passive": 0, "detractor": -1}


@dataclass(frozen=True, slots=True)
class Kish:
    """Weights in brief: n of them, n_eff in 1..n, deff = n/n_eff, largest share 0..1."""

    n: int
    n_eff: float
    deff: float
    max_share: float


@dataclass(frozen=True, slots=True)
class ClusterMean:
    """A weighted mean and its cluster-robust SE, in the unit of y; SE null for one cluster."""

    mean: float
    se: float | None
    clusters: int
    df: int


@dataclass(frozen=True, slots=True)
class NpsEstimate:
    """An NPS over weights or clusters: nps, se and ci in points, v on the -1..1 scale.

    `se`, `n_eff` and `ci` are null for a single client, `deff` also when all agree, `n_eff`
    also for a census of clients.
    """

    nps: float
    n: int
    clients: int
    v: float
    se: float | None
    deff: float | None
    n_eff: float | None
    ci: Interval | None


def usable(weight: float | None) -> bool:
    """Return whether a weight counts: zero, negative, null and NaN are dropped (15)."""
    return weight is not None and math.isfinite(weight) and weight > 0


def kish(weights: Sequence[float | None]) -> Kish | None:
    """Return n_eff = (sum w)^2/sum w^2 and its kin over the usable weights.

    Null if no weight is above 0. Source: metrics-spec 4.3.
    """
    kept = [float(w) for w in weights if w is not None and usable(w)]
    if not kept:
        return None
    largest = max(kept)
    scaled = [w / largest for w in kept]  # squares of huge or tiny weights stay finite
    total, squares = math.fsum(scaled), math.fsum(w * w for w in scaled)
    n_eff = min(float(len(kept)), max(1.0, total * total / squares))
    return Kish(n=len(kept), n_eff=n_eff, deff=len(kept) / n_eff, max_share=1 / total)


def cap(weights: Sequence[float | None], *, share: float) -> list[float]:
    """Return the weights, none above `share` (0..1) of the new total; the others unchanged.

    Where share times the number of usable weights is at most 1 no such cap exists and all
    are 1. Unusable weights come back as 0. Source: metrics-spec 4.4.
    """
    kept = sorted((float(w) for w in weights if w is not None and usable(w)), reverse=True)
    equal = share * len(kept) <= 1 + 1e-12
    ceiling = 1.0 if equal else _ceiling(kept, share)
    return [
        0.0 if w is None or not usable(w) else 1.0 if equal else min(float(w), ceiling)
        for w in weights
    ]


def _ceiling(falling: Sequence[float], share: float) -> float:
    """Pour the largest weights down to a common height until the next one fits under it.

    With share times their number above 1 the last one always fits.
    """
    capped, height = 0, share * math.fsum(falling)
    while falling[capped] > height * (1 + 1e-12):
        capped += 1
        height = share * math.fsum(falling[capped:]) / (1 - share * capped)
    return height if capped else math.inf


def cluster_mean(
    y: Sequence[float | None],
    w: Sequence[float | None],
    cluster: Sequence[Hashable],
    *,
    big_g: int | None = None,
) -> ClusterMean | None:
    """Return m = sum w y/W and sqrt(G/(G-1) sum e_g^2), e_g = sum w (y - m)/W, df = G - 1.

    With a finite client population the variance is times 1 - G/N_G. Rows without a value or
    a usable weight are dropped; null if none is left. ValueError if the lengths differ.
    Source: metrics-spec 4.5.
    """
    rows = [
        (float(value), float(weight), unit)
        for value, weight, unit in zip(y, w, cluster, strict=True)
        if value is not None and not math.isnan(value) and weight is not None and usable(weight)
    ]
    if not rows:
        return None
    total = math.fsum(weight for _, weight, _ in rows)
    mean = math.fsum(weight * value for value, weight, _ in rows) / total
    errors: dict[Hashable, float] = {}
    for value, weight, unit in rows:
        errors[unit] = errors.get(unit, 0.0) + weight * (value - mean) / total
    groups = len(errors)
    se = None
    if groups > 1:
        v = groups / (groups - 1) * math.fsum(error * error for error in errors.values())
        se = math.sqrt(v * _unseen(groups, big_g))
    return ClusterMean(mean=mean, se=se, clusters=groups, df=groups - 1)


def _unseen(groups: int, big_g: int | None) -> float:
    """Return 1 - G/N_G, the share of clients not answered; 1 for an unlimited population."""
    return 1.0 if big_g is None else max(0.0, 1 - groups / big_g) if big_g > 0 else 0.0


def effective(
    nps_points: float | None,
    v: float | None,
    n_eff: float | None,
    *,
    df: tuple[int, int | None] | None = None,
    conf: float = _CONF,
    k: float = _K,
) -> Interval | None:
    """Return the adjusted Wald over n_eff answers with p + d = V + m^2, in -100..100 points.

    `df` is (G - 1, n): n_eff is times (t_{n-1}/t_{G-1})^2, with the normal quantile for an
    unknown n. Null if a value is missing or n_eff or a degree of freedom is not above 0;
    ValueError for a level outside (0, 1). Source: metrics-spec 3.3g, 4.6.
    """
    if nps_points is None or v is None or n_eff is None or not n_eff > 0:
        return None
    if df is not None:
        between, n = df
        if between < 1 or (n is not None and n < 2):
            return None
        whole = quantiles.z(conf) if n is None else quantiles.t(conf, n - 1)
        n_eff *= (whole / quantiles.t(conf, between)) ** 2
    mean = nps_points / 100
    return nps.adjusted(mean, v + mean * mean, n_eff, conf=conf, k=k).clipped(-100, 100)


def cluster_nps(
    scores: Sequence[object],
    clients: Sequence[Hashable],
    *,
    weights: Sequence[float | None] | None = None,
    big_g: int | None = None,
    conf: float = _CONF,
    k: float = _K,
) -> NpsEstimate | None:
    """Return the NPS over answers that hang together by client, with its interval.

    Invalid answers and unusable weights are dropped; null if none is left. Of a census of
    clients (G = N_G) the interval is the point. Source: metrics-spec 4.6.
    """
    given = [1.0] * len(scores) if weights is None else weights
    return _estimate(answers.codes(scores), given, clients, big_g=big_g, conf=conf, k=k)


def label_nps(
    labels: Sequence[str | None],
    weights: Sequence[float | None],
    *,
    big_g: int | None = None,
    conf: float = _CONF,
    k: float = _K,
) -> NpsEstimate | None:
    """Return the NPS over client labels weighted by exposure, one unit per client.

    Equal weights reproduce the adjusted Wald 3.3b. Clients without a label or a usable weight
    are dropped; null if none is left. Source: metrics-spec 4.7.
    """
    found = [CODE_OF_LABEL.get(label) for label in labels]
    return _estimate(found, weights, range(len(labels)), big_g=big_g, conf=conf, k=k)


def _estimate(
    codes: Sequence[int | None],
    weights: Sequence[float | None],
    clients: Sequence[Hashable],
    *,
    big_g: int | None,
    conf: float,
    k: float,
) -> NpsEstimate | None:
    overall = cluster_mean(codes, weights, clients)
    if overall is None:
        return None
    pairs = zip(codes, weights, strict=True)
    rows = [(c, float(w)) for c, w in pairs if c is not None and w is not None and usable(w)]
    v = _weighted_variance(rows, overall.mean)
    bare = NpsEstimate(
        nps=100 * overall.mean,
        n=len(rows),
        clients=overall.clusters,
        v=v,
        se=None,
        deff=None,
        n_eff=None,
        ci=None,
    )
    if overall.se is None:
        return bare
    deff, n_eff = _effective_n(overall.se, v, [w for _, w in rows], overall.clusters)
    se = 100 * overall.se * math.sqrt(_unseen(overall.clusters, big_g))
    factor = nps.fpc(overall.clusters, big_g)
    if not factor:
        return replace(bare, se=se, deff=deff, ci=Interval(bare.nps, bare.nps))
    n_eff /= factor
    ci = effective(bare.nps, v, n_eff, df=(overall.df, len(rows)), conf=conf, k=k)
    return replace(bare, se=se, deff=deff, n_eff=n_eff, ci=ci)


def _weighted_variance(rows: Sequence[tuple[int, float]], mean: float) -> float:
    spread = math.fsum(w * (c - mean) ** 2 for c, w in rows)
    return spread / math.fsum(w for _, w in rows)


def _effective_n(
    se: float, v: float, weights: Sequence[float], groups: int
) -> tuple[float | None, float]:
    """Return (deff, n_eff): where all agree there is no deff, and Kish and G bound n_eff."""
    n, kept = len(weights), kish(weights)
    if v == 0 or kept is None:
        return None, float(groups) if kept is None else min(kept.n_eff, float(groups))
    deff = se**2 / (v / (n - 1))
    return deff, n / max(deff, 1.0)
