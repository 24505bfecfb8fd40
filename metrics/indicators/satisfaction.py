"""Satisfaction and effort of a unit of many clients (metrics-spec 5)."""

import math
from typing import Any

import numpy as np

from metrics.facts.columns import CES, COMPOSITE, DIMENSIONS
from metrics.facts.tables import Table
from metrics.formulas import columns, uncertainty
from metrics.formulas.parameters import Parameters
from metrics.formulas.scores import CES_HI, CES_LO
from metrics.formulas.uncertainty import Interval
from metrics.indicators.base import ALPHA_LOW, Reading
from metrics.indicators.given import Given, Mask


def csat(given: Given) -> Reading | None:
    """The composite: the mean over responses, its error by client (metrics-spec 4.5, 5.4).

    The mean over clients, in which each has one voice, is in the numbers put in. Where the
    dimensions do not hang together there is no composite (5.6), only its reliability.
    """
    held = given.answers
    counts, answered = held[f"{COMPOSITE}_n"], held[f"{COMPOSITE}_n"] > 0
    found = columns.cluster_mean(counts, held[f"{COMPOSITE}_total"])
    if found is None:
        return None
    base, alpha = given.base(counts), _alpha(given)
    detail: dict[str, Any] = {"n": held.count(f"{COMPOSITE}_n"), "alpha": alpha}
    low, high = columns.cluster_ends(found, lo=0, hi=100)
    return Reading(
        found.mean,
        base,
        detail["n"],
        found.clusters,
        low,
        high,
        reasons=(ALPHA_LOW,) if _hidden(alpha, base, given.rules) else (),
        detail=detail | _by_client(held, answered),
        **given.covered(answered),
    )


def _hidden(alpha: float | None, base: uncertainty.Base, rules: Parameters) -> bool:
    """Whether the composite may not be shown for its reliability; a small base goes first."""
    shown = uncertainty.report_gate(base, rules=rules.gate).show
    return shown and alpha is not None and alpha < rules.csat.alpha_floor


def _by_client(held: Table, answered: Mask) -> dict[str, float | None]:
    """The mean within each client, then over clients."""
    means = columns.ratio(held[f"{COMPOSITE}_total"], held[f"{COMPOSITE}_n"])[answered]
    found = columns.mean_of(means)
    ends = found.ci.clipped(0, 100) if found and found.ci else None
    return {
        "client_mean": found.mean if found else None,
        "client_low": ends.low if ends else None,
        "client_high": ends.high if ends else None,
    }


def _alpha(given: Given) -> float | None:
    held = given.answers
    items = [
        (held.total(f"full_{name}_total"), held.total(f"full_{name}_squares"))
        for name in DIMENSIONS
    ]
    return columns.alpha(held.total("full_n"), held.total("full_squares"), items)


def dimension(name: str, given: Given) -> Reading | None:
    """The share of 4 and 5 among the answers; the mean is beside it (metrics-spec 5.1-5.3)."""
    rules = given.rules.csat
    found = _share(given, name, "top", (rules.lo, rules.hi))
    if found is None:
        return None
    top, n, ends, mean = found
    return _of_share(given, name, top / n, ends, {"top2": top, "n": n} | mean)


def ces(given: Given) -> Reading | None:
    """The mean of 1 to 7; the share that found it easy is beside it (metrics-spec 5.7)."""
    found = _share(given, CES, "easy", (CES_LO, CES_HI))
    if found is None:
        return None
    easy, n, ends, mean = found
    own = None if mean["mean_low"] is None else Interval(mean["mean_low"], mean["mean_high"])
    detail = {"easy": easy, "easy_share": easy / n, "n": n}
    detail |= {"share_low": ends.low, "share_high": ends.high}
    return _of_share(given, CES, mean["mean"], own, detail | {"mean": mean["mean"]})


def _share(
    given: Given, name: str, what: str, scale: tuple[int, int]
) -> tuple[int, int, Interval, dict[str, Any]] | None:
    """How many of how many, the Wilson interval of the share, and the mean with its own."""
    held = given.answers
    n, top = held.count(f"{name}_n"), held.count(f"{name}_{what}")
    ends = uncertainty.wilson(top, n)
    if ends is None:
        return None
    total, squares = (np.array([held.total(f"{name}_{one}")]) for one in ("total", "squares"))
    lo, hi = scale
    mean = columns.mean_ends(np.array([float(n)]), total, squares, lo=lo, hi=hi)
    low, high = (None if math.isnan(end[0]) else float(end[0]) for end in (mean.low, mean.high))
    return top, n, ends, {"mean": float(total[0]) / n, "mean_low": low, "mean_high": high}


def _of_share(
    given: Given, name: str, value: float, ends: Interval | None, detail: dict[str, Any]
) -> Reading:
    counts = given.answers[f"{name}_n"]
    if name != CES and ends is not None:
        detail |= {"share_low": ends.low, "share_high": ends.high}
    return Reading(
        value,
        given.base(counts),
        int(counts.sum()),
        int((counts > 0).sum()),
        ends.low if ends else None,
        ends.high if ends else None,
        detail=detail,
        **given.covered(counts > 0),
    )
