"""What a formula made of a unit's sums, and the verdict of the gate on it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from metrics.formulas import responding, scores, uncertainty
from metrics.formulas.parameters import DEFAULT

G = TypeVar("G")
ADJUSTED_WALD = "adj_wald"
EFFECTIVE = "adj_wald_eff"
WILSON = "wilson"
T = "t"
CLUSTERED = "t_cluster"
MEAN = "mean"
SHARE = "share"
NO_DATA = "NO_DATA"
ZERO_EXPOSURE = "ZERO_EXPOSURE"
ALPHA_LOW = "ALPHA_LOW"
COMPLEMENTARY = "COMPLEMENTARY"
# Reasons that keep no secret: nothing of what they hide has to be guarded from subtraction.
OPEN_REASONS = frozenset({ALPHA_LOW})
MANY = ("bank", "team", "campaign")
ONE = ("client",)
# Figures whose base are those asked or eligible, and that tell nothing of any answer.
RATES = ("response_rate", "client_response_rate", "coverage_exposure", "silent_exposure")
NPS_VERSION = max(scores.VERSION, uncertainty.VERSION)
# 2: the mean over responses, and none where the dimensions do not hang together.
CSAT_VERSION = 2
RATE_VERSION = max(responding.VERSION, uncertainty.VERSION)


@dataclass(frozen=True)
class Reading:
    """One figure before the gate.

    `base` is what the gate judges; `n` and `clients` say who answered, which for a rate is
    less than its base. `reasons` are those for which there is no value at all, `marks` the
    flags of the figure itself.
    """

    value: float | None
    base: uncertainty.Base
    n: int
    clients: int
    low: float | None = None
    high: float | None = None
    label: str = ""
    eligible: int | None = None
    coverage: float | None = None
    coverage_exposure: float | None = None
    reasons: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    detail: dict[str, Any] = field(default_factory=dict)

    def decide(self) -> uncertainty.Decision:
        """The verdict of the display gate on a unit of many clients (metrics-spec 3.12)."""
        if self.reasons:
            return uncertainty.Decision(show=False, reasons=self.reasons, flags=())
        verdict = uncertainty.report_gate(self.base, rules=DEFAULT.gate)
        flags = (*verdict.flags, *self.marks) if verdict.show else ()
        return uncertainty.Decision(verdict.show, verdict.reasons, flags)


@dataclass(frozen=True)
class Indicator(Generic[G]):
    """One metric: how it is read from what is given, by which method and version."""

    metric: str
    read: Callable[[G], Reading | None]
    method: str
    version: int


def by_name(indicators: tuple[Indicator[G], ...]) -> dict[str, Indicator[G]]:
    """The indicators by the name of their metric."""
    return {one.metric: one for one in indicators}
