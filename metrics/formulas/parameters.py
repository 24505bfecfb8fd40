"""Every number a formula may be tuned by, with its default, and the id of a set of them.

Source: metrics-spec 16. A change of any value is a new parameter set, hence a new id.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Intervals:
    """Confidence level (0..1, exclusive) and pseudo-answers of the adjusted Wald (3.3b)."""

    conf: float = 0.95
    k: float = 3.0
    sample_v: float = 2 / 3
    power: float = 0.80


@dataclass(frozen=True, slots=True)
class Gate:
    """Thresholds of the display gate (3.12): counts, shares 0..1, effective answers."""

    min_resp: int = 5
    min_clients: int = 5
    low_base: int = 30
    dom_share: float = 0.5
    min_n_eff: float = 5.0


@dataclass(frozen=True, slots=True)
class Clients:
    """Cut points of client labels on 0..10 (4.1), role weights, cap of exposure (4.4).

    `role_weights` are pairs of buying role and weight; every other role has `role_weight`.
    """

    promoter_from: float = 9.0
    passive_from: float = 7.0
    role_weight: float = 1.0
    role_weights: tuple[tuple[str, float], ...] = ()
    cap_share: float = 0.10
    cap_above: float = 0.20


@dataclass(frozen=True, slots=True)
class Csat:
    """Scale, weights of the dimensions, least answered dimensions, floor of alpha (5.4, 5.6)."""

    lo: int = 1
    hi: int = 5
    weights: tuple[tuple[str, float], ...] = (
        ("response_speed", 0.40),
        ("processing_efficiency", 0.35),
        ("service_attitude", 0.25),
    )
    min_dims: int = 2
    alpha_floor: float = 0.70


@dataclass(frozen=True, slots=True)
class Responding:
    """Share of unknowns that are eligible (6.1); shares of completion (6.2)."""

    e: float = 1.0
    complete_from: float = 0.8
    partial_from: float = 0.5


@dataclass(frozen=True, slots=True)
class Periods:
    """Reporting zone (IANA name) and length of the rolling window in local days (13.1-13.2)."""

    zone: str = "Asia/Shanghai"
    rolling_days: int = 90


@dataclass(frozen=True, slots=True)
class Parameters:
    """One complete parameter set."""

    intervals: Intervals = field(default_factory=Intervals)
    gate: Gate = field(default_factory=Gate)
    clients: Clients = field(default_factory=Clients)
    csat: Csat = field(default_factory=Csat)
    responding: Responding = field(default_factory=Responding)
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
