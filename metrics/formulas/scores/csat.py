"""CSAT and CES: top-2-box, means, the composite and its reliability (metrics-spec 5)."""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from metrics.formulas import answers, uncertainty
from metrics.formulas.parameters import DEFAULT, Csat
from metrics.formulas.uncertainty import Interval, MeanInterval

VERSION = 1

CES_LO, CES_HI, CES_EASY_FROM = 1, 7, 5

_RULES = DEFAULT.csat
_CONF = DEFAULT.intervals.conf


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension: mean on its own scale and on 0..100, top-2-box 0..1 with Wilson ends.

    All but `n` are null where nobody answered.
    """

    n: int
    mean: float | None
    score_0_100: float | None
    t2b: float | None
    t2b_ci: Interval | None


@dataclass(frozen=True, slots=True)
class CsatSummary:
    """The dimensions, and the composite 0..100 over the responses that have one."""

    dimensions: dict[str, Dimension]
    composite_n: int
    composite: float | None


@dataclass(frozen=True, slots=True)
class Ces:
    """Effort: mean on 1..7 and the share 0..1 that found it easy; null without answers."""

    n: int
    mean: float | None
    easy_share: float | None


def top_box(
    values: Iterable[object], *, lo: int = _RULES.lo, hi: int = _RULES.hi, boxes: int = 2
) -> float | None:
    """Return the share of valid answers in the two highest categories, 0..1.

    1..5: 4-5; 1..7: 6-7; 0..10: 9-10. Null without valid answers. Source: metrics-spec 5.1.
    """
    kept = answers.valid(values, lo=lo, hi=hi)
    return sum(x > hi - boxes for x in kept) / len(kept) if kept else None


def composite(
    given: Mapping[str, object], weights: Mapping[str, float], *, rules: Csat = _RULES
) -> float | None:
    """Return the weighted mean of a response's rescaled dimensions, 0..100.

    Weights are renormalised over the answered dimensions; weights of 0 and below are dropped.
    Null if fewer than `min_dims` are answered. Source: metrics-spec 5.4.
    """
    pairs = []
    for name, weight in weights.items():
        raw = answers.parse(given.get(name), lo=rules.lo, hi=rules.hi).value
        score = answers.rescale(raw, lo=rules.lo, hi=rules.hi)
        if score is not None and math.isfinite(weight) and weight > 0:
            pairs.append((score, weight))
    if len(pairs) < rules.min_dims:
        return None
    return math.fsum(s * w for s, w in pairs) / math.fsum(w for _, w in pairs)


def summary(
    responses: Sequence[Mapping[str, object]],
    weights: Mapping[str, float],
    *,
    rules: Csat = _RULES,
    conf: float = _CONF,
) -> CsatSummary:
    """Return each dimension over all who answered it, and the mean of the composites.

    With missing items the composite need not equal the mean of the dimensions. Source:
    metrics-spec 5.1-5.4.
    """
    scores = answers.finite(composite(one, weights, rules=rules) for one in responses)
    return CsatSummary(
        dimensions={
            name: dimension([one.get(name) for one in responses], rules=rules, conf=conf)
            for name in weights
        },
        composite_n=len(scores),
        composite=math.fsum(scores) / len(scores) if scores else None,
    )


def dimension(values: Iterable[object], *, rules: Csat = _RULES, conf: float = _CONF) -> Dimension:
    """Return mean, 0..100 score and top-2-box of one dimension (metrics-spec 5.1-5.3)."""
    kept = answers.valid(values, lo=rules.lo, hi=rules.hi)
    n = len(kept)
    if n == 0:
        return Dimension(n=0, mean=None, score_0_100=None, t2b=None, t2b_ci=None)
    mean = sum(kept) / n
    top = sum(x > rules.hi - 2 for x in kept)
    return Dimension(
        n=n,
        mean=mean,
        score_0_100=answers.rescale(mean, lo=rules.lo, hi=rules.hi),
        t2b=top / n,
        t2b_ci=uncertainty.wilson(top, n, conf=conf),
    )


def by_client(
    scores: Sequence[float | None], clients: Sequence[Hashable], *, conf: float = _CONF
) -> MeanInterval | None:
    """Return the mean within each client, then over clients, with its t interval.

    `scores` are composites 0..100, one per response; ends are clipped to 0..100. One value per
    client makes the SE of 4.5 equal to s/sqrt(G). Null if nobody has a composite; ValueError
    if the lengths differ. Source: metrics-spec 5.3-5.4.
    """
    held: dict[Hashable, list[float]] = {}
    for score, client in zip(scores, clients, strict=True):
        if score is not None and math.isfinite(score):
            held.setdefault(client, []).append(score)
    means = [math.fsum(own) / len(own) for own in held.values()]
    found = uncertainty.mean_interval(means, conf=conf)
    if found is None or found.ci is None:
        return found
    return MeanInterval(found.n, found.mean, found.sd, found.ci.clipped(0, 100))


def cronbach_alpha(items: Sequence[Sequence[float | None]]) -> float | None:
    """Return k/(k-1) (1 - sum of item variances / variance of the sum), at most 1.

    Rows are responses, columns items; only complete rows count, variances have n - 1. Null for
    fewer than 2 items or complete rows, or if the sum does not vary. Source: metrics-spec 5.6.
    """
    rows = [kept for row in items if len(kept := answers.finite(row)) == len(row)]
    k = len(rows[0]) if rows else 0
    if k < 2:
        return None
    total = uncertainty.mean_interval([math.fsum(row) for row in rows])
    if total is None or not total.sd:
        return None
    columns = [uncertainty.mean_interval(column) for column in zip(*rows, strict=True)]
    within = math.fsum((c.sd or 0.0) ** 2 for c in columns if c is not None)
    return k / (k - 1) * (1 - within / total.sd**2)


def ces(values: Iterable[object]) -> Ces:
    """Return the mean of valid 1..7 answers and the share of 5 and above, 0..1 (5.7)."""
    kept = answers.valid(values, lo=CES_LO, hi=CES_HI)
    if not kept:
        return Ces(n=0, mean=None, easy_share=None)
    easy = sum(x >= CES_EASY_FROM for x in kept)
    return Ces(n=len(kept), mean=sum(kept) / len(kept), easy_share=easy / len(kept))
