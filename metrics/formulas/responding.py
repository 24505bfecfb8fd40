"""Who answered: AAPOR rates, eligibility, completion (metrics-spec 6.1-6.2)."""

from dataclasses import asdict, dataclass
from typing import Literal

from metrics.formulas.parameters import DEFAULT, Responding

VERSION = 1

Completion = Literal["complete", "partial", "breakoff"]


@dataclass(frozen=True, slots=True)
class Dispositions:
    """Final outcomes of the sample, in contacts: interviews, partials, refusals and break-offs,
    no contact, other, and the two kinds of unknown eligibility."""

    i: int = 0
    p: int = 0
    r: int = 0
    nc: int = 0
    o: int = 0
    uh: int = 0
    uo: int = 0

    def __post_init__(self) -> None:
        if min(asdict(self).values()) < 0:
            raise ValueError("counts of outcomes cannot be negative")


@dataclass(frozen=True, slots=True)
class Rates:
    """AAPOR response, cooperation, refusal and contact rates, 0..1; null over nobody."""

    rr1: float | None
    rr2: float | None
    rr3: float | None
    rr4: float | None
    rr5: float | None
    rr6: float | None
    coop1: float | None
    coop2: float | None
    coop3: float | None
    coop4: float | None
    ref1: float | None
    ref2: float | None
    ref3: float | None
    con1: float | None
    con2: float | None
    con3: float | None


def share(part: float, whole: float) -> float | None:
    """Return part/whole, 0..1 for a part of the whole; null for a whole of 0.

    For the client response rate (clients with a usable answer / eligible clients) and the
    exposure coverage. Source: metrics-spec 6.1.
    """
    return part / whole if whole > 0 else None


def aapor(found: Dispositions, *, e: float = DEFAULT.responding.e) -> Rates:
    """Return every AAPOR rate; `e` is the share of unknowns that are eligible, 0..1.

    RR1 = I/(I+P+R+NC+O+U), RR3 with eU, RR5 without U; the even ones count I+P. Null over a
    denominator of 0; ValueError for e outside 0..1. Source: metrics-spec 6.1.
    """
    if not 0 <= e <= 1:
        raise ValueError("the share of eligible unknowns must lie in 0..1")
    interviews = found.i + found.p
    reached = interviews + found.r + found.o
    known, unknown = reached + found.nc, found.uh + found.uo
    most, some = known + unknown, known + e * unknown
    return Rates(
        rr1=share(found.i, most),
        rr2=share(interviews, most),
        rr3=share(found.i, some),
        rr4=share(interviews, some),
        rr5=share(found.i, known),
        rr6=share(interviews, known),
        coop1=share(found.i, reached),
        coop2=share(interviews, reached),
        coop3=share(found.i, interviews + found.r),
        coop4=share(interviews, interviews + found.r),
        ref1=share(found.r, most),
        ref2=share(found.r, some),
        ref3=share(found.r, known),
        con1=share(reached, most),
        con2=share(reached, some),
        con3=share(reached, known),
    )


def eligibility(*, eligible_known: int, ineligible_known: int) -> float | None:
    """Return e = E/(E + IE) from resolved cases, 0..1; null if none is resolved (6.1)."""
    return share(eligible_known, eligible_known + ineligible_known)


def completion(
    *,
    answered: int,
    asked: int,
    core_answered: int,
    core_asked: int = 1,
    rules: Responding = DEFAULT.responding,
) -> Completion:
    """Return complete, partial or breakoff, by the applicable questions.

    Complete: at least 80 % and every recommend item asked; partial: at least 50 %, or the
    recommend item. Where no recommend item applies, the share alone decides. Never raises.
    Source: metrics-spec 6.2.
    """
    done = share(answered, asked) or 0.0
    core = core_answered >= core_asked
    if done >= rules.complete_from and core:
        return "complete"
    if done >= rules.partial_from or (core and core_asked > 0):
        return "partial"
    return "breakoff"
