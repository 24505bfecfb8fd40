"""The rule common to every index: weights renormalised over what is there (metrics-spec 9.1)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from metrics.formulas import checks
from metrics.formulas.parameters import DEFAULT

VERSION = 1

Column = npt.NDArray[np.float64]

_MIN_COVERAGE = DEFAULT.engagement.min_coverage


@dataclass(frozen=True, slots=True)
class Index:
    """An index 0..100 with its coverage 0..1; the contributions add up to the score.

    Where the coverage is too small the score is null, and nothing contributes.
    """

    score: float | None
    coverage: float
    contributions: dict[str, float]
    effective_weights: dict[str, float]


@dataclass(frozen=True, slots=True)
class IndexColumns:
    """The same for a block of units, one row each; NaN where the single form has nothing."""

    score: Column
    coverage: Column
    contributions: Column
    effective_weights: Column


def weighted_index(
    scores: Mapping[str, float | None],
    weights: Mapping[str, float],
    *,
    min_coverage: float = _MIN_COVERAGE,
    min_parts: int = 1,
) -> Index:
    """Return sum w s / sum w over the parts that are there, each 0..100.

    A part is missing if it is null, NaN or infinite; 0 is a score. Contributions are
    w s / coverage. The score is null below `min_coverage` or with fewer than `min_parts`.
    ValueError for a score no weight knows, weights below 0 or another sum than 1. Source:
    metrics-spec 8.7, 9.1.
    """
    known = checks.weights(weights.items(), of="the index")
    there = {
        name: float(score)
        for name, score in scores.items()
        if score is not None and math.isfinite(score)
    }
    if strange := [name for name in scores if name not in known]:
        raise ValueError(f"the index has no component {strange[0]!r}")
    coverage = math.fsum(weight for name, weight in known.items() if name in there)
    if coverage < _floor(min_coverage) or len(there) < min_parts:
        return Index(None, coverage, {}, {})
    kept = [name for name in known if name in there]
    parts = {name: known[name] * there[name] / coverage for name in kept}
    total = 0.0
    for part in parts.values():
        total += part
    return Index(
        score=min(max(total, min(there.values())), max(there.values())),
        coverage=coverage,
        contributions=parts,
        effective_weights={name: known[name] / coverage for name in kept},
    )


def weighted_index_columns(
    scores: Column,
    weights: Mapping[str, float],
    *,
    min_coverage: float = _MIN_COVERAGE,
    min_parts: int = 1,
) -> IndexColumns:
    """Return the index of every row; the columns are the parts in the order of the weights.

    Missing is NaN or infinite. Bit for bit the same as `weighted_index` row by row. ValueError
    for weights below 0, another sum than 1, or another number of columns. Source: metrics-spec
    8.7, 9.1.
    """
    known = checks.weights(weights.items(), of="the index")
    if scores.ndim != 2 or scores.shape[1] != len(known):
        raise ValueError(f"the index needs {len(known)} columns of scores")
    w = np.array(list(known.values()))
    there = np.isfinite(scores)
    coverage = _coverage(there, w)
    enough = (coverage >= _floor(min_coverage)) & (there.sum(axis=1) >= min_parts)
    safe = np.where(enough, coverage, 1.0)[:, None]
    shown = there & enough[:, None]
    parts = np.where(shown, w * np.where(there, scores, 0.0) / safe, np.nan)
    total = np.zeros(len(scores))
    for column in range(len(known)):  # in order, as the last bit of a sum hangs on it
        total = total + np.where(shown[:, column], parts[:, column], 0.0)
    low = np.where(there, scores, np.inf).min(axis=1)
    high = np.where(there, scores, -np.inf).max(axis=1)
    return IndexColumns(
        score=np.where(enough, np.minimum(np.maximum(total, low), high), np.nan),
        coverage=coverage,
        contributions=parts,
        effective_weights=np.where(shown, w / safe, np.nan),
    )


def _coverage(there: npt.NDArray[np.bool_], w: Column) -> Column:
    """Return the exact sum of the weights of each row's parts, once per pattern of parts."""
    bits = 1 << np.arange(len(w))
    sums = [math.fsum(w[(pattern & bits) > 0]) for pattern in range(1 << len(w))]
    return np.array(sums)[there @ bits]


def _floor(min_coverage: float) -> float:
    """Return the coverage asked for; one met exactly is not missed by the last bit of a sum."""
    return max(min_coverage - 1e-9, 1e-12)
