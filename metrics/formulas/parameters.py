"""Every number a formula may be tuned by, with its default, and the id of a set of them.

Source: metrics-spec 16. A change of any value is a new parameter set, hence a new id. A value
that cannot be a rule raises ValueError with a sentence when the set is made.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from metrics.formulas import checks

Pairs = tuple[tuple[str, float], ...]

ENGAGEMENT = ("login", "pv", "ctr", "usage", "offline")
CONTACTS = ("visit", "meeting", "call", "event", "email_reply")
HEALTH = ("trust", "satisfaction", "loyalty")
CLIENT_SCORE = ("relationship_health", "cei")
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
class Engagement:
    """The engagement index (8): weights, window and half-life in local days, reference.

    Winsor quantiles and least coverage in 0..1; strength of the CTR prior in impressions; least
    clients of a reference and the calendar quarters it is made of; share of the window without
    a log from which a component is missing; points of personal contacts and their cap per day;
    least minutes of a call; seconds within which a page view is a repeat.
    """

    weights: Pairs = (
        ("login", 0.20),
        ("pv", 0.15),
        ("ctr", 0.15),
        ("usage", 0.30),
        ("offline", 0.20),
    )
    window_days: int = 90
    half_life: float = 45.0
    winsor_low: float = 0.01
    winsor_high: float = 0.99
    min_coverage: float = 0.5
    ctr_strength_low: float = 10.0
    ctr_strength_high: float = 5000.0
    min_clients: int = 30
    reference_quarters: int = 4
    breadth_share: float = 0.5
    outage_share: float = 0.20
    points: Pairs = (
        ("visit", 3.0),
        ("meeting", 3.0),
        ("call", 1.0),
        ("event", 2.0),
        ("email_reply", 0.5),
    )
    points_per_day: float = 5.0
    call_minutes: float = 2.0
    repeat_seconds: float = 10.0

    def __post_init__(self) -> None:
        checks.weights(self.weights, of="the engagement index", known=ENGAGEMENT)
        checks.at_least(self.window_days, 1, "the window of engagement in days")
        checks.positive(self.half_life, "the half-life of an event in days")
        checks.share(self.winsor_low, "the lower quantile of the reference")
        checks.share(self.winsor_high, "the upper quantile of the reference")
        checks.rising((self.winsor_low, self.winsor_high), "the quantiles of the reference")
        checks.share(self.min_coverage, "the least coverage of the engagement index")
        self._check_reference()

    def _check_reference(self) -> None:
        strengths = (0, self.ctr_strength_low, self.ctr_strength_high)
        checks.rising(strengths, "the strengths of the click rate")
        checks.at_least(self.min_clients, 2, "the least number of clients of a reference")
        checks.at_least(self.reference_quarters, 1, "the quarters of a reference")
        checks.share(self.breadth_share, "the share of breadth in usage")
        checks.share(self.outage_share, "the share of the window without a log")
        for kind, points in self.points:
            if kind not in CONTACTS:
                raise ValueError(f"unknown kind of contact {kind!r}")
            checks.at_least(points, 0, f"the points of {kind!r}")
        checks.positive(self.points_per_day, "the points of contacts per day")
        checks.at_least(self.call_minutes, 0, "the least minutes of a call")
        checks.at_least(self.repeat_seconds, 0, "the seconds of a repeated page view")


@dataclass(frozen=True, slots=True)
class Health:
    """Relationship health (9.2): weights, least parts, ceilings by code, months of silence."""

    weights: Pairs = (("trust", 0.30), ("satisfaction", 0.40), ("loyalty", 0.30))
    min_parts: int = 2
    ceilings: Pairs = (
        ("OPEN_SEVERE_COMPLAINT", 50.0),
        ("UNRESOLVED_DETRACTOR", 60.0),
        ("SILENT_12M", 70.0),
    )
    silent_months: int = 12

    def __post_init__(self) -> None:
        checks.weights(self.weights, of="relationship health", known=HEALTH)
        checks.at_least(self.min_parts, 1, "the least number of parts of relationship health")
        for code, ceiling in self.ceilings:
            checks.share(ceiling / 100, f"the ceiling {code} in hundredths")
        checks.at_least(self.silent_months, 1, "the months of silence")


@dataclass(frozen=True, slots=True)
class ClientScore:
    """Composite client score (9.4): weights, least coverage 0..1, age of a survey in months."""

    weights: Pairs = (("relationship_health", 0.60), ("cei", 0.40))
    min_coverage: float = 0.60
    survey_months: int = 12

    def __post_init__(self) -> None:
        checks.weights(self.weights, of="the client score", known=CLIENT_SCORE)
        checks.share(self.min_coverage, "the least coverage of the client score")
        checks.at_least(self.survey_months, 1, "the months a survey counts")


@dataclass(frozen=True, slots=True)
class Bands:
    """Lower ends of the bands on 0..100; below the first is at risk (9.3)."""

    fragile_from: float = 40.0
    sound_from: float = 60.0
    strong_from: float = 80.0

    def __post_init__(self) -> None:
        steps = (0, self.fragile_from, self.sound_from, self.strong_from, 100)
        checks.rising(steps, "the limits of the bands")


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
