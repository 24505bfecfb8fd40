"""Who answered and who did not: rates, completion, bias and weights (metrics-spec 6)."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Literal

from metrics.formulas import answers, checks, uncertainty
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


@dataclass(frozen=True, slots=True)
class Cell:
    """A weighting class: how many were eligible and how many of them answered."""

    eligible: float
    responded: float

    def __post_init__(self) -> None:
        if not 0 <= self.responded <= self.eligible:
            raise ValueError("a weighting class needs 0 <= responded <= eligible")


def nonresponse_bias(
    rr: float | None, mean_resp: float | None, mean_nonresp: float | None
) -> float | None:
    """Return (1 - RR)(mean of those who answered - mean of the others), in their unit.

    Null if a value is missing; ValueError for a rate outside 0..1. Source: metrics-spec 6.3.
    """
    there = answers.finite((rr, mean_resp, mean_nonresp))
    if len(there) < 3:
        return None
    checks.share(there[0], "a response rate")
    return (1 - there[0]) * (there[1] - there[2])


def nonresponse_weights(cells: Sequence[Cell]) -> list[float | None]:
    """Return the factor N_c/n_c of each class, 1 and up; null where nobody answered.

    As they are: neither merged nor cut, see `weighting_factors`. Source: metrics-spec 6.4.
    """
    return [cell.eligible / cell.responded if cell.responded > 0 else None for cell in cells]


def weighting_factors(
    cells: Sequence[Cell], *, rules: Responding = DEFAULT.responding
) -> list[float | None]:
    """Return the factor each class's answers get, after merging and cutting.

    While the class with the fewest answers has fewer than 5, it is merged with the next
    smallest (on a tie the earlier); then no factor is above 3 times the median over the
    answers. Null for all if nobody answered. Source: metrics-spec 6.3-6.5 (d).
    """
    groups = _merged(cells, rules.min_cell)
    totals = [Cell(_sum(cells, group)[0], _sum(cells, group)[1]) for group in groups]
    factors = nonresponse_weights(totals)
    of_answers = [
        factor
        for total, factor in zip(totals, factors, strict=True)
        if factor is not None
        for _ in range(round(total.responded))
    ]
    ceiling = rules.trim * median(of_answers) if of_answers else math.inf
    found: list[float | None] = [None] * len(cells)
    for group, factor in zip(groups, factors, strict=True):
        for i in group:
            found[i] = None if factor is None else min(factor, ceiling)
    return found


def _merged(cells: Sequence[Cell], least: float) -> list[list[int]]:
    """Return the positions of the cells that stand together, none with too few answers."""
    groups = [[i] for i in range(len(cells))]
    while len(groups) > 1:
        groups.sort(key=lambda group: (_sum(cells, group)[1], min(group)))
        if _sum(cells, groups[0])[1] >= least:
            break
        groups[:2] = [groups[0] + groups[1]]
    return groups


def _sum(cells: Sequence[Cell], group: Sequence[int]) -> tuple[float, float]:
    return sum(cells[i].eligible for i in group), sum(cells[i].responded for i in group)


def r_indicator(propensities: Sequence[float | None]) -> float | None:
    """Return 1 - 2 S(rho), S with n - 1: 1 where all were equally likely to answer.

    `propensities` are the response rates of the groups the eligible belong to, one for each
    contact, 0..1; for waves of 100 and more. Null for fewer than 2; ValueError for one outside
    0..1. Source: metrics-spec 6.5.
    """
    kept = answers.finite(propensities)
    for rho in kept:
        checks.share(rho, "a response propensity")
    found = uncertainty.mean_interval(kept)
    return None if found is None or found.sd is None else 1 - 2 * found.sd
