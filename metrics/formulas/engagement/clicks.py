"""Click-through of few messages, drawn towards what is usual (metrics-spec 8.5)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metrics.formulas import answers
from metrics.formulas.indices import Column
from metrics.formulas.parameters import DEFAULT, Engagement

VERSION = 1

_RULES = DEFAULT.engagement


@dataclass(frozen=True, slots=True)
class Prior:
    """The usual rate mu 0..1, the over-dispersion rho, the strength in impressions."""

    mu: float
    rho: float
    strength: float


def ctr_shrunk(
    clicks: float | None,
    impressions: float | None,
    prior_mean: float | None,
    prior_strength: float | None,
) -> float | None:
    """Return (x + p0 M)/(n + M), in 0..1, between the raw rate and the prior p0.

    Null without impressions (the component is missing, not 0) or without a prior. ValueError
    for more clicks than impressions, counts below 0, a prior outside 0..1 or a strength below
    0. Source: metrics-spec 8.5.
    """
    there = answers.finite((clicks, impressions, prior_mean, prior_strength))
    if len(there) < 4:
        return None
    found = float(ctr_shrunk_columns(*(np.array([value]) for value in there))[0])
    return None if math.isnan(found) else found


def ctr_shrunk_columns(
    clicks: Column, impressions: Column, prior_mean: Column, prior_strength: Column
) -> Column:
    """Return the shrunken rates of a block; NaN where there are no impressions or no prior.

    Errors as in the single form. Source: metrics-spec 8.5.
    """
    if np.any(clicks > impressions) or np.any(clicks < 0):
        raise ValueError("clicks must be 0 or more and at most the impressions")
    if np.any(prior_mean < 0) or np.any(prior_mean > 1) or np.any(prior_strength < 0):
        raise ValueError("a prior needs a rate in 0..1 and a strength of 0 or more")
    weight = impressions + prior_strength
    rate = (clicks + prior_mean * prior_strength) / np.where(impressions > 0, weight, 1.0)
    return np.where(impressions > 0, rate, np.nan)


def ctr_prior_moments(
    clicks: Sequence[float], impressions: Sequence[float], *, rules: Engagement = _RULES
) -> Prior | None:
    """Return the prior of a reference by moments: mu = sum x/N, M = (1 - rho)/rho.

    S = sum n (p - mu)^2, rho = (S/(mu(1 - mu)) - (k - 1))/(N - sum n^2/N - (k - 1)) over the k
    clients with impressions; M is kept in 10..5000, and is 5000 where no over-dispersion can
    be seen. Null without impressions; ValueError for more clicks than impressions, counts
    below 0 or different lengths. Source: metrics-spec 8.5.
    """
    rows = list(zip(clicks, impressions, strict=True))
    if any(not 0 <= x <= n for x, n in rows):
        raise ValueError("clicks must be 0 or more and at most the impressions")
    shown = [(x, n) for x, n in rows if n > 0]
    if not shown:
        return None
    total = math.fsum(n for _, n in shown)
    mu = math.fsum(x for x, _ in shown) / total
    rho = _over_dispersion(shown, mu, total)
    raw = (1 - rho) / rho if rho > 0 else math.inf
    strength = min(max(raw, rules.ctr_strength_low), rules.ctr_strength_high)
    return Prior(mu=mu, rho=rho, strength=float(strength))


def _over_dispersion(rows: Sequence[tuple[float, float]], mu: float, total: float) -> float:
    free = len(rows) - 1
    room = total - math.fsum(n * n for _, n in rows) / total - free
    if not 0 < mu < 1 or room <= 0:
        return 0.0
    spread = math.fsum(n * (x / n - mu) ** 2 for x, n in rows)
    return (spread / (mu * (1 - mu)) - free) / room


def frozen_prior(
    clicks: Sequence[float], impressions: Sequence[float], *, rules: Engagement = _RULES
) -> Prior:
    """Return the prior for a frozen reference.

    ValueError where fewer than `min_clients` clients were sent anything: then the parent's is
    used. Source: metrics-spec 8.3, 8.5.
    """
    found = ctr_prior_moments(clicks, impressions, rules=rules)
    clients = sum(n > 0 for n in impressions)
    if found is None or clients < rules.min_clients:
        raise ValueError(
            f"a reference of 'ctr' needs at least {rules.min_clients} clients, not {clients}"
        )
    return found
