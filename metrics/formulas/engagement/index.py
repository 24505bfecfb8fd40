"""Usage, the engagement index itself, and why it changed (metrics-spec 8.6-8.8)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from metrics.formulas import answers, indices
from metrics.formulas.indices import Column, IndexColumns
from metrics.formulas.parameters import DEFAULT, ENGAGEMENT, Engagement

VERSION = 1

NO_DATA = "NO_DATA"
LOW_COVERAGE = "LOW_COVERAGE"

_RULES = DEFAULT.engagement


@dataclass(frozen=True, slots=True)
class Cei:
    """The index 0..100 of one client; contributions and effective weights of what is there.

    `reasons` has a code for each missing component. `reason` is null, or LOW_COVERAGE where
    the index is null.
    """

    cei: float | None
    coverage: float
    contributions: dict[str, float]
    effective_weights: dict[str, float]
    reasons: dict[str, str] = field(default_factory=dict)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What one component did to a change, in points of the index: `behaviour` is its own
    doing, `weight` the coming and going of components."""

    behaviour: float
    weight: float


@dataclass(frozen=True, slots=True)
class Change:
    """After minus before; the parts add up to it."""

    change: float
    parts: dict[str, Part]


def usage_score(
    breadth_used: float | None,
    breadth_held: float | None,
    depth_score: float | None,
    *,
    rules: Engagement = _RULES,
) -> float | None:
    """Return half breadth 100 used/held and half depth, 0..100.

    Products that can be used online; without depth the breadth alone. Null if nothing is held.
    ValueError for more used than held or counts below 0. Source: metrics-spec 8.6.
    """
    counts = answers.finite((breadth_used, breadth_held))
    if len(counts) < 2:
        return None
    depth = answers.finite((depth_score,)) or [np.nan]
    columns = [np.array([value]) for value in (*counts, *depth)]
    return _or_null(usage_score_columns(*columns, rules=rules)[0])


def usage_score_columns(
    breadth_used: Column, breadth_held: Column, depth_score: Column, *, rules: Engagement = _RULES
) -> Column:
    """Return the usage of a block; NaN where nothing is held. Errors as in the single form."""
    if np.any(breadth_used > breadth_held) or np.any(breadth_used < 0):
        raise ValueError("products used must be 0 or more and at most those held")
    held = breadth_held > 0
    breadth = 100.0 * breadth_used / np.where(held, breadth_held, 1.0)
    share = rules.breadth_share
    both = share * breadth + (1 - share) * np.where(np.isnan(depth_score), 0.0, depth_score)
    return np.where(held, np.where(np.isnan(depth_score), breadth, both), np.nan)


def cei(
    scores: Mapping[str, float | None],
    *,
    reasons: Mapping[str, str] | None = None,
    rules: Engagement = _RULES,
) -> Cei:
    """Return sum w s / sum w over the components that are there, 0..100, with its parts.

    A component is missing (null) where its channel is not open to the client or not recorded;
    no activity in an open channel is 0. `reasons` says why each is missing, else NO_DATA. The
    index is null below coverage .5. ValueError for an unknown component. Source: metrics-spec
    8.7.
    """
    found = indices.weighted_index(scores, _weights(rules), min_coverage=rules.min_coverage)
    told = reasons or {}
    there = {name for name, score in scores.items() if answers.finite((score,))}
    return Cei(
        cei=found.score,
        coverage=found.coverage,
        contributions=found.contributions,
        effective_weights=found.effective_weights,
        reasons={name: told.get(name, NO_DATA) for name in ENGAGEMENT if name not in there},
        reason=LOW_COVERAGE if found.score is None else None,
    )


def cei_columns(scores: Mapping[str, Column], *, rules: Engagement = _RULES) -> IndexColumns:
    """Return the index of a block; `scores` has a column per component, NaN for missing.

    Bit for bit the same as `cei` row by row; the columns of contributions are in the order of
    `ENGAGEMENT`. ValueError for an unknown or absent component. Source: metrics-spec 8.7.
    """
    if scores.keys() != set(ENGAGEMENT):
        raise ValueError(f"the index needs one column for each of {', '.join(ENGAGEMENT)}")
    block = np.column_stack([scores[name] for name in ENGAGEMENT])
    weights = _weights(rules)
    return indices.weighted_index_columns(block, weights, min_coverage=rules.min_coverage)


def cei_change(
    before: Mapping[str, float | None],
    after: Mapping[str, float | None],
    *,
    rules: Engagement = _RULES,
) -> Change | None:
    """Return the change of the index and, for each component, w-bar ds and s-bar dw.

    w are effective weights; a component missing on one side takes that side's index as its
    score. In points. Null if either index is. Source: metrics-spec 8.8.
    """
    one, two = cei(before, rules=rules), cei(after, rules=rules)
    if one.cei is None or two.cei is None:
        return None
    parts = {}
    for name in ENGAGEMENT:
        w1, w2 = (side.effective_weights.get(name, 0.0) for side in (one, two))
        s1, s2 = _score(before, name, one.cei), _score(after, name, two.cei)
        parts[name] = Part(behaviour=(w1 + w2) / 2 * (s2 - s1), weight=(s1 + s2) / 2 * (w2 - w1))
    return Change(change=two.cei - one.cei, parts=parts)


def _weights(rules: Engagement) -> dict[str, float]:
    """Return the weights in one order, however the rules list them."""
    given = dict(rules.weights)
    return {name: given.get(name, 0.0) for name in ENGAGEMENT}


def _score(scores: Mapping[str, float | None], name: str, index: float) -> float:
    return (answers.finite((scores.get(name),)) or [index])[0]


def _or_null(x: float) -> float | None:
    return None if np.isnan(x) else float(x)
