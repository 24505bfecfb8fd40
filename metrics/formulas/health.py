"""Relationship health, its bands, and the composite client score (metrics-spec 9)."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from metrics.formulas import answers, indices
from metrics.formulas.indices import Column, Index, IndexColumns
from metrics.formulas.parameters import CLIENT_SCORE, DEFAULT, HEALTH, Bands, ClientScore
from metrics.formulas.parameters import Health as Rules

VERSION = 1

Band = Literal["at risk", "fragile", "sound", "strong"]


@dataclass(frozen=True, slots=True)
class Health:
    """Health 0..100 after its ceiling, and as it would be without one.

    `cap_applied` is the code of the ceiling that lowered it, else null; the contributions add
    up to `uncapped`. Both scores are null over fewer than two parts.
    """

    score: float | None
    uncapped: float | None
    coverage: float
    contributions: dict[str, float]
    cap_applied: str | None


def loyalty(recommend: float | None, renewal: float | None) -> float | None:
    """Return the mean of what is there of recommending and renewing, both put on 0..100 (9.2)."""
    kept = answers.finite((recommend, renewal))
    return math.fsum(kept) / len(kept) if kept else None


def relationship_health(
    trust: float | None = None,
    satisfaction: float | None = None,
    loyalty: float | None = None,
    *,
    caps: Iterable[tuple[str, float]] | None = None,
    rules: Rules = DEFAULT.health,
) -> Health:
    """Return .30 trust + .40 satisfaction + .30 loyalty of one client, then its ceiling.

    Parts 0..100, null for missing: weights are renormalised, with fewer than two parts all is
    null. `caps` are the active ceilings as (code, 0..100), see `ceilings`; the lowest one
    below the score applies. Never raises. Source: metrics-spec 9.2.
    """
    parts = {"trust": trust, "satisfaction": satisfaction, "loyalty": loyalty}
    found = indices.weighted_index(
        parts, _weights(rules), min_coverage=0, min_parts=rules.min_parts
    )
    score, applied = found.score, None
    for code, ceiling in caps or ():
        if score is not None and ceiling < score:
            score, applied = float(ceiling), code
    return Health(
        score=score,
        uncapped=found.score,
        coverage=found.coverage,
        contributions=found.contributions,
        cap_applied=applied,
    )


def relationship_health_columns(
    trust: Column, satisfaction: Column, loyalty: Column, *, rules: Rules = DEFAULT.health
) -> IndexColumns:
    """Return health before any ceiling, one row per client; NaN for missing (9.2)."""
    parts = {"trust": trust, "satisfaction": satisfaction, "loyalty": loyalty}
    return indices.weighted_index_columns(
        np.column_stack([parts[name] for name in HEALTH]),
        _weights(rules),
        min_coverage=0,
        min_parts=rules.min_parts,
    )


def ceilings(codes: Iterable[str], *, rules: Rules = DEFAULT.health) -> list[tuple[str, float]]:
    """Return the ceilings of the codes that hold, lowest first; others have none (9.2)."""
    held = set(codes)
    return sorted((pair for pair in rules.ceilings if pair[0] in held), key=lambda pair: pair[1])


def band(score: float | None, *, rules: Bands = DEFAULT.bands) -> Band | None:
    """Return the band of an unrounded score on 0..100, each closed below; null for null (9.3).

    [0, 40) at risk, [40, 60) fragile, [60, 80) sound, [80, 100] strong.
    """
    if score is None or math.isnan(score):
        return None
    if score >= rules.strong_from:
        return "strong"
    if score >= rules.sound_from:
        return "sound"
    return "fragile" if score >= rules.fragile_from else "at risk"


def client_score(
    health: float | None, cei: float | None, *, rules: ClientScore = DEFAULT.client_score
) -> Index:
    """Return .60 health + .40 engagement of one client, 0..100; never of behaviour alone.

    Null where the coverage is below .60, so without health. A survey older than
    `survey_months` gives no health: the caller passes null. Credit quality is not mixed in.
    Source: metrics-spec 9.4.
    """
    given = dict(rules.weights)
    return indices.weighted_index(
        {"relationship_health": health, "cei": cei},
        {name: given.get(name, 0.0) for name in CLIENT_SCORE},
        min_coverage=rules.min_coverage,
    )


def _weights(rules: Rules) -> dict[str, float]:
    """Return the weights in one order, however the rules list them."""
    given = dict(rules.weights)
    return {name: given.get(name, 0.0) for name in HEALTH}
