"""The numbers the indices of engagement and health may be tuned by (metrics-spec 8, 9)."""

from dataclasses import dataclass

from metrics.formulas import checks

Pairs = tuple[tuple[str, float], ...]

ENGAGEMENT = ("login", "pv", "ctr", "usage", "offline")
CONTACTS = ("visit", "meeting", "call", "event", "email_reply")
HEALTH = ("trust", "satisfaction", "loyalty")
CLIENT_SCORE = ("relationship_health", "cei")


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
