"""One test of two figures, by what each metric is made of (metrics-spec 3.7, 3.8, 5.5)."""

import math
from dataclasses import dataclass

import numpy as np

from metrics.facts.tables import Column, Ids, Table
from metrics.formulas import columns, uncertainty
from metrics.formulas import comparing as formulas
from metrics.formulas.answers import Counts
from metrics.formulas.comparing import OverlapDifference, PairedDifference
from metrics.formulas.parameters import DEFAULT
from metrics.formulas.uncertainty import quantiles
from metrics.queries import DIMENSIONS, Figure

_Z = quantiles.z(DEFAULT.intervals.conf)
_SHARES = frozenset({*DIMENSIONS, "response_rate", "client_response_rate"})
PAIRED, OVERLAPPING, _INDEPENDENT = "paired", "overlap", "independent"
_NEWCOMBE, _WELCH, _ENDS = "newcombe", "welch", "intervals"


@dataclass(frozen=True)
class Test:
    """Second minus first in the unit of the metric; without p-value nothing could be tested."""

    diff: float
    low: float | None
    high: float | None
    p_value: float | None
    method: str


def over_time(before: Figure, now: Figure, one: Table, two: Table) -> Test | None:
    """The change of a figure over disjoint periods; the tables hold their answers by client."""
    if now.metric == "nps":
        return _votes(one, two)
    if now.metric == "csat":
        return _composites(one, two)
    if now.metric == "ces":
        return _means(now.metric, one, two)
    return apart(before, now)


def apart(one: Figure, two: Figure) -> Test | None:
    """Two figures whose answers have nothing in common."""
    if one.metric in {"nps", "nps_respondent"}:
        return _independent(one, two)
    return _shares(one, two) if one.metric in _SHARES else _by_ends(one, two)


def counts(fig: Figure) -> Counts | None:
    """The votes or answers of a recommendation figure by class."""
    for names in (("detractor", "passive", "promoter"), ("detractors", "passives", "promoters")):
        held = [fig.detail.get(name) for name in names]
        if all(isinstance(count, int) for count in held):
            return Counts(*(int(count or 0) for count in held))
    return None


def _votes(one: Table, two: Table) -> Test | None:
    """The same clients twice, as far as they are the same (3.8)."""
    (ids1, y1), (ids2, y2) = _voted(one), _voted(two)
    found: PairedDifference | OverlapDifference | None
    if np.array_equal(ids1, ids2):
        found, method = formulas.votes_paired(y1, y2), PAIRED
    else:
        both = (np.isin(ids1, ids2, assume_unique=True), np.isin(ids2, ids1, assume_unique=True))
        found = formulas.votes_overlap(y1, y2, y1[both[0]], y2[both[1]])
        method = OVERLAPPING
    if found is None:
        return None
    ends = found.shown_ci
    return Test(found.diff, ends.low, ends.high, found.p_value, method)


def _voted(table: Table) -> tuple[Ids, Column]:
    """The clients that have a vote, by rising number, and their votes."""
    votes = columns.labels(table["weighted"], table["weight"])
    kept = ~np.isnan(votes)
    return table.ids[kept], votes[kept]


def _composites(one: Table, two: Table) -> Test | None:
    """Means over responses, by Welch with the errors by client (4.5, 5.5)."""
    before, now = (columns.cluster_mean(t["csat_n"], t["csat_total"]) for t in (one, two))
    if before is None or now is None or before.se is None or now.se is None:
        return None
    sides = [(side.mean, side.se**2, side.df) for side in (now, before) if side.se is not None]
    found = uncertainty.welch_of(*sides)
    return Test(found.diff, found.ci.low, found.ci.high, found.p_value, _WELCH)


def _means(metric: str, one: Table, two: Table) -> Test | None:
    """Means of the clients, by Welch (5.5); those of one period stand for themselves."""
    means = [columns.ratio(t[f"{metric}_total"], t[f"{metric}_n"]) for t in (one, two)]
    x, y = (side[~np.isnan(side)].tolist() for side in means)
    found = uncertainty.welch(y, x)
    if found is None:
        return None
    return Test(found.diff, found.ci.low, found.ci.high, found.p_value, _WELCH)


def _independent(one: Figure, two: Figure) -> Test | None:
    first, second = counts(one), counts(two)
    found = formulas.nps_diff(first, second) if first and second else None
    if found is None:
        return None
    return Test(found.diff_raw, found.ci.low, found.ci.high, found.p_value, _INDEPENDENT)


def _shares(one: Figure, two: Figure) -> Test | None:
    """Newcombe's interval and the pooled z test (5.5)."""
    (x1, n1), (x2, n2) = _of(one), _of(two)
    found, tested = uncertainty.newcombe(x2, n2, x1, n1), uncertainty.pooled_z(x2, n2, x1, n1)
    if found is None or tested is None:
        return None
    return Test(found.diff, found.ci.low, found.ci.high, tested.p_value, _NEWCOMBE)


def _of(fig: Figure) -> tuple[int, int]:
    """x of n: answers of 4 and 5, or who answered of those asked."""
    if fig.metric in DIMENSIONS:
        return int(fig.detail.get("top2", 0)), int(fig.detail.get("n", 0))
    asked = fig.eligible or 0
    return round((fig.value or 0) * asked), asked


def _by_ends(one: Figure, two: Figure) -> Test | None:
    """From the intervals that stand beside the figures: half their width is z times the SE."""
    if one.value is None or two.value is None:
        return None
    diff = two.value - one.value
    halves = [half(fig) for fig in (one, two)]
    if halves[0] is None or halves[1] is None:
        return Test(diff, None, None, None, "")
    wide = math.hypot(halves[0], halves[1])
    p = quantiles.normal_two_sided(_Z * diff / wide) if wide else None
    return Test(diff, diff - wide, diff + wide, p, _ENDS)


def half(fig: Figure) -> float | None:
    """Half the width of a figure's interval."""
    if fig.low is None or fig.high is None:
        return None
    return (fig.high - fig.low) / 2
