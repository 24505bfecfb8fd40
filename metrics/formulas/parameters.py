"""Every number a formula may be tuned by, with its default, and the id of a set of them.

Source: metrics-spec 16. A change of any value is a new parameter set, hence a new id. A value
that cannot be a rule raises ValueError with a sentence when the set is made.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from metrics.formulas import checks
from metrics.formulas.scales import (
    CLIENT_SCORE,
    CONTACTS,
    ENGAGEMENT,
    HEALTH,
    Bands,
    ClientScore,
    Engagement,
    Health,
    Pairs,
)

__all__ = [
    "CLIENT_SCORE",
    "CONTACTS",
    "CORRECTIONS",
    "DEFAULT",
    "ENGAGEMENT",
    "HEALTH",
    "Bands",
    "ClientScore",
    "Clients",
    "Comparing",
    "Csat",
    "Engagement",
    "Gate",
    "Health",
    "Intervals",
    "Parameters",
    "Periods",
    "Responding",
    "Suspicion",
    "Trends",
]

CORRECTIONS = ("holm", "bonferroni", "bh", "none")


@dataclass(frozen=True, slots=True)
class Intervals:
    """Confidence level (0..1, exclusive) and pseudo-answers of the adjusted Wald (3.3b)."""

    conf: float = 0.95
    k: float = 3.0
    sample_v: float = 2 / 3
    power: float = 0.80

    def __post_init__(self) -> None:
        checks.inner_share(self.conf, "the confidence level")
        checks.at_least(self.k, 0, "the number of pseudo-answers")
        checks.share(self.sample_v, "the variance of one answer")
        checks.inner_share(self.power, "the power of a test")


@dataclass(frozen=True, slots=True)
class Gate:
    """Thresholds of the display gate (3.12): counts, shares 0..1, effective answers."""

    min_resp: int = 5
    min_clients: int = 5
    low_base: int = 30
    dom_share: float = 0.5
    min_n_eff: float = 5.0

    def __post_init__(self) -> None:
        checks.at_least(self.min_resp, 1, "the least number of answers")
        checks.at_least(self.min_clients, 1, "the least number of clients")
        checks.at_least(self.low_base, 0, "the number of clients of a low base")
        checks.share(self.dom_share, "the share that dominates")
        checks.at_least(self.min_n_eff, 0, "the least effective number of answers")


@dataclass(frozen=True, slots=True)
class Clients:
    """Cut points of client labels on 0..10 (4.1), role weights, cap of exposure (4.4).

    `role_weights` are pairs of buying role and weight; every other role has `role_weight`.
    """

    promoter_from: float = 9.0
    passive_from: float = 7.0
    role_weight: float = 1.0
    role_weights: Pairs = ()
    cap_share: float = 0.10
    cap_above: float = 0.20

    def __post_init__(self) -> None:
        checks.rising((0, self.passive_from, self.promoter_from), "the cut points of labels")
        for role, weight in (("any other role", self.role_weight), *self.role_weights):
            checks.at_least(weight, 0, f"the weight of {role!r}")
        checks.share(self.cap_share, "the cap of one weight")
        checks.share(self.cap_above, "the share from which weights are capped")


@dataclass(frozen=True, slots=True)
class Csat:
    """Scale, weights of the dimensions, least answered dimensions, floor of alpha (5.4, 5.6)."""

    lo: int = 1
    hi: int = 5
    weights: Pairs = (
        ("response_speed", 0.40),
        ("processing_efficiency", 0.35),
        ("service_attitude", 0.25),
    )
    min_dims: int = 2
    alpha_floor: float = 0.70

    def __post_init__(self) -> None:
        checks.rising((self.lo, self.hi), "the ends of the satisfaction scale")
        checks.weights(self.weights, of="satisfaction")
        checks.at_least(self.min_dims, 1, "the least number of answered dimensions")
        checks.share(self.alpha_floor, "the least reliability")


@dataclass(frozen=True, slots=True)
class Responding:
    """Share of unknowns that are eligible (6.1); shares of completion (6.2); weighting (6.4).

    A weighting class needs `min_cell` answers, its factor is cut at `trim` times the median;
    the R-indicator is for waves of at least `r_indicator_from` eligible contacts (6.5).
    """

    e: float = 1.0
    complete_from: float = 0.8
    partial_from: float = 0.5
    min_cell: int = 5
    trim: float = 3.0
    r_indicator_from: int = 100

    def __post_init__(self) -> None:
        checks.share(self.e, "the share of eligible unknowns")
        checks.share(self.partial_from, "the share answered of a partial response")
        checks.share(self.complete_from, "the share answered of a complete response")
        checks.at_least(self.min_cell, 1, "the least number of answers of a weighting class")
        checks.at_least(self.trim, 1, "the cut of weights in medians")
        checks.at_least(self.r_indicator_from, 2, "the contacts of an R-indicator")


@dataclass(frozen=True, slots=True)
class Comparing:
    """Level of a test in 0..1, and how the tests on one screen are corrected (3.7-3.10)."""

    alpha: float = 0.05
    correction: str = "holm"

    def __post_init__(self) -> None:
        checks.inner_share(self.alpha, "the level of a test")
        if self.correction not in CORRECTIONS:
            raise ValueError(f"unknown correction {self.correction!r}")


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Answers from one address for clients of one manager: at least so many within so long."""

    least: int = 5
    minutes: int = 20

    def __post_init__(self) -> None:
        checks.at_least(self.least, 2, "the least number of suspicious answers")
        checks.at_least(self.minutes, 1, "the minutes of suspicious answers")


@dataclass(frozen=True, slots=True)
class Trends:
    """Weight of the newest value in the EWMA, least disjoint periods of a chart (13.3-13.5)."""

    lam: float = 0.3
    min_periods: int = 8
    sigmas: float = 3.0

    def __post_init__(self) -> None:
        checks.positive(self.lam, "the weight of the newest value")
        checks.share(self.lam, "the weight of the newest value")
        checks.at_least(self.min_periods, 2, "the least number of periods of a chart")
        checks.positive(self.sigmas, "the width of a control chart")


@dataclass(frozen=True, slots=True)
class Periods:
    """Reporting zone (IANA name) and length of the rolling window in local days (13.1-13.2)."""

    zone: str = "Asia/Shanghai"
    rolling_days: int = 90

    def __post_init__(self) -> None:
        checks.at_least(self.rolling_days, 1, "the days of the rolling window")


@dataclass(frozen=True, slots=True)
class Parameters:
    """One complete parameter set."""

    intervals: Intervals = field(default_factory=Intervals)
    gate: Gate = field(default_factory=Gate)
    clients: Clients = field(default_factory=Clients)
    csat: Csat = field(default_factory=Csat)
    responding: Responding = field(default_factory=Responding)
    comparing: Comparing = field(default_factory=Comparing)
    engagement: Engagement = field(default_factory=Engagement)
    health: Health = field(default_factory=Health)
    client_score: ClientScore = field(default_factory=ClientScore)
    bands: Bands = field(default_factory=Bands)
    trends: Trends = field(default_factory=Trends)
    suspicion: Suspicion = field(default_factory=Suspicion)
    periods: Periods = field(default_factory=Periods)

    @property
    def id(self) -> str:
        """Return "ps-" and 8 hex digits: equal values give the same id in every process."""
        text = json.dumps(_plain(asdict(self)), sort_keys=True, ensure_ascii=True)
        return f"ps-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _plain(value: object) -> object:
    """Write numbers as floats and pairs in order, so that 3 and 3.0 are one parameter."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return sorted(([str(key), _plain(item)] for key, item in value), key=str)
    return repr(float(value)) if isinstance(value, (int, float)) else value


DEFAULT = Parameters()
