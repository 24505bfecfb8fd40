"""How each indicator is read of a unit of many clients."""

import math
from functools import partial
from typing import Any

import numpy as np

from metrics.facts.columns import CES, COMPOSITE, DIMENSIONS, HISTOGRAM
from metrics.facts.exposure import Exposure
from metrics.facts.tables import Ids
from metrics.formulas import columns, responding, scores, uncertainty
from metrics.formulas.answers import Counts
from metrics.formulas.scores import CES_HI, CES_LO
from metrics.formulas.uncertainty import Interval, NpsEstimate
from metrics.indicators.base import (
    ADJUSTED_WALD,
    ALPHA_LOW,
    EFFECTIVE,
    NPS_VERSION,
    RATE_VERSION,
    SHARE,
    WILSON,
    ZERO_EXPOSURE,
    Indicator,
    Reading,
    T,
)
from metrics.indicators.given import Given

# The difference and the margin of which a screen says how many answers they would need (3.6).
_DIFFERENCE, _MARGIN = 10, 5
_HALF = 0.5


def read(given: Given) -> list[tuple[Indicator[Given], Reading]]:
    """Every indicator that this unit has data for."""
    found = ((one, one.read(given)) for one in UNITS)
    return [(one, reading) for one, reading in found if reading is not None]


def _votes(given: Given) -> tuple[columns.Column, Counts]:
    held = given.answers
    votes = columns.labels(held["weighted"], held["weight"], rules=given.rules.clients)
    return votes, Counts(*(int((votes == code).sum()) for code in (-1, 0, 1)))


def _nps(given: Given) -> Reading | None:
    """One client, one vote: labels of the client means (metrics-spec 4.1-4.2)."""
    votes, counts = _votes(given)
    value, ends = scores.point(counts), uncertainty.adjusted_wald(counts)
    if value is None or ends is None:
        return None
    held, voted = given.answers, ~np.isnan(votes)
    told = given.covered(voted)
    return Reading(
        value,
        given.base(held["n"]),
        held.count("n"),
        counts.n,
        ends.low,
        ends.high,
        detail=_classes(counts)
        | {"split": int(((held["p"] > 0) & (held["d"] > 0)).sum())}
        | {"fractional": _fractional(given, np.ones(len(held)))}
        | _finite(counts, int(told["eligible"] or 0))
        | _silent(counts, told),
        **told,
    )


def _classes(counts: Counts) -> dict[str, Any]:
    return {"promoter": counts.p, "passive": counts.s, "detractor": counts.d}


def _fractional(given: Given, weights: columns.Column) -> float | None:
    """The mean of the codes inside each client, then over clients; it does not drift."""
    inside = columns.ratio(given.answers["coded"], given.answers["weight"])
    kept = ~np.isnan(inside) & (weights > 0)
    total = float(weights[kept].sum())
    return 100 * float((weights[kept] * inside[kept]).sum()) / total if total else None


def _finite(counts: Counts, eligible: int) -> dict[str, Any]:
    """The interval for "how do our present clients stand", and how many answers it takes."""
    found = uncertainty.adjusted_wald_finite(counts, big_n=eligible)
    census = eligible > 0 and counts.n >= eligible
    return {
        "low_finite": None if found is None or census else found.low,
        "high_finite": None if found is None or census else found.high,
        "census": census,
        "needed": uncertainty.sample_size(_MARGIN, big_n=eligible),
        "needed_difference": uncertainty.sample_size_difference(_DIFFERENCE),
    }


def _silent(counts: Counts, told: dict[str, Any]) -> dict[str, Any]:
    """Whatever the silent ones think, where fewer than half have answered (3.11)."""
    eligible, coverage = int(told["eligible"] or 0), told["coverage"]
    found = uncertainty.worst_case(counts, eligible=eligible)
    if coverage is None or coverage >= _HALF or found is None:
        return {}
    return {"low_silent": found.low, "high_silent": found.high}


def _nps_exposure(given: Given) -> Reading | None:
    """The same votes, weighted by what is at stake (metrics-spec 4.2, 4.7)."""
    if given.exposure is None:
        return None
    votes, counts = _votes(given)
    if not counts.n:
        return None
    held, weights = given.answers, given.weights
    told = given.covered(~np.isnan(votes))
    found = columns.label_nps(votes, weights)
    n, base = held.count("n"), given.base(held["n"])
    if found is None:
        detail = {"exposure": 0.0, "unrated": given.exposure.unrated_of(held.ids)}
        return Reading(None, base, n, counts.n, reasons=(ZERO_EXPOSURE,), detail=detail, **told)
    return _weighted(given, found, votes, (base, n, counts.n, told))


def _weighted(
    given: Given, found: NpsEstimate, votes: columns.Column, told: tuple[Any, int, int, Any]
) -> Reading:
    base, n, clients, covered = told
    weights = np.where(np.isnan(votes), 0.0, given.weights)
    total, squares = float(weights.sum()), float((weights * weights).sum())
    kish, largest = total * total / squares, float(weights.max()) / total
    return Reading(
        found.nps,
        uncertainty.Base(
            base.n_resp, base.n_clients, base.max_client_share, kish, max_weight_share=largest
        ),
        n,
        clients,
        found.ci.low if found.ci else None,
        found.ci.high if found.ci else None,
        detail={
            "exposure": total,
            **{
                name: float(weights[votes == code].sum()) / total
                for name, code in (("promoter", 1), ("passive", 0), ("detractor", -1))
            },
            "n_eff": kish,
            "deff": found.clients / kish,
            "max_share": largest,
            "fractional": _fractional(given, weights),
            "unrated": given.exposure.unrated_of(given.answers.ids) if given.exposure else 0,
        }
        | _capped(votes, weights, largest, given.rules.clients),
        **covered,
    )


def _capped(
    votes: columns.Column, weights: columns.Column, largest: float, rules: Any
) -> dict[str, float]:
    """The figure with no client above 10 %, if one holds more than 20 % (4.4)."""
    if largest <= rules.cap_above:
        return {}
    capped = np.array(uncertainty.cap(weights.tolist(), share=rules.cap_share))
    found = columns.label_nps(votes, capped)
    return {} if found is None else {"capped": found.nps}


def _nps_respondent(given: Given) -> Reading | None:
    """Over all answers, for comparison with outside benchmarks (metrics-spec 3.1, 4.6)."""
    held = given.answers
    counts = Counts(*(held.count(name) for name in "dsp"))
    value, ends = scores.point(counts), uncertainty.adjusted_wald(counts)
    if value is None or ends is None:
        return None
    cluster = columns.cluster_nps(held["d"], held["s"], held["p"])
    robust = cluster.ci if cluster else None
    answered = held["n"] > 0
    return Reading(
        value,
        given.base(held["n"]),
        counts.n,
        int(answered.sum()),
        ends.low,
        ends.high,
        detail={
            "counts": [held.count(name) for name in HISTOGRAM],
            "detractors": counts.d,
            "passives": counts.s,
            "promoters": counts.p,
            "low_cluster": robust.low if robust else None,
            "high_cluster": robust.high if robust else None,
            "deff": cluster.deff if cluster else None,
        },
        **given.covered(answered),
    )


def _csat(given: Given) -> Reading | None:
    """The composite: mean within each client, then over clients (metrics-spec 5.4).

    The mean over all responses, by which a talkative client counts more, is in the numbers put
    in, and so is the reliability; where that is low, the dimensions tell more.
    """
    held = given.answers
    counts, answered = held[f"{COMPOSITE}_n"], held[f"{COMPOSITE}_n"] > 0
    means = columns.ratio(held[f"{COMPOSITE}_total"], counts)[answered]
    found = columns.mean_of(means)
    if found is None:
        return None
    ends = found.ci.clipped(0, 100) if found.ci else None
    n = held.count(f"{COMPOSITE}_n")
    alpha = _alpha(given)
    low = alpha is not None and alpha < given.rules.csat.alpha_floor
    return Reading(
        found.mean,
        given.base(counts),
        n,
        found.n,
        ends.low if ends else None,
        ends.high if ends else None,
        marks=(ALPHA_LOW,) if low else (),
        detail={"mean": held.total(f"{COMPOSITE}_total") / n, "n": n, "alpha": alpha},
        **given.covered(answered),
    )


def _alpha(given: Given) -> float | None:
    held = given.answers
    items = [
        (held.total(f"full_{name}_total"), held.total(f"full_{name}_squares"))
        for name in DIMENSIONS
    ]
    return columns.alpha(held.total("full_n"), held.total("full_squares"), items)


def _dimension(name: str, given: Given) -> Reading | None:
    """The share of 4 and 5 among the answers; the mean is beside it (metrics-spec 5.1-5.3)."""
    rules = given.rules.csat
    found = _share(given, name, "top", (rules.lo, rules.hi))
    if found is None:
        return None
    top, n, ends, mean = found
    return _of_share(given, name, top / n, ends, {"top2": top, "n": n} | mean)


def _ces(given: Given) -> Reading | None:
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


def _response_rate(given: Given) -> Reading | None:
    """RR2 over the contacts whose invitation was sent (metrics-spec 6.1)."""
    held = given.requests
    found = responding.Dispositions(**{name: held.count(name) for name in ("i", "p", "r", "nc")})
    detail = {"complete": found.i, "partial": found.p, "refused": found.r, "silent": found.nc}
    rate = responding.aapor(found).rr2
    return _rate(given, found.i + found.p, held.count("asked"), rate, detail)


def _client_response_rate(given: Given) -> Reading | None:
    """Clients with a usable answer among the clients invited (metrics-spec 6.1)."""
    usable, invited = _usable(given), int((given.requests["asked"] > 0).sum())
    return _rate(given, usable, invited, responding.share(usable, invited), {})


def _usable(given: Given) -> int:
    return int((given.requests["i"] + given.requests["p"] > 0).sum())


def _rate(
    given: Given, done: int, asked: int, rate: float | None, detail: dict[str, Any]
) -> Reading | None:
    ends = uncertainty.wilson(done, asked)
    if rate is None or ends is None:
        return None
    held = given.requests
    base = uncertainty.Base(held.count("asked"), int((held["asked"] > 0).sum()))
    n = held.count("i") + held.count("p")
    return Reading(
        rate, base, n, _usable(given), ends.low, ends.high, eligible=asked, detail=detail
    )


def _coverage_exposure(given: Given) -> Reading | None:
    """The exposure of clients with any answer among that of all eligible (metrics-spec 4.2)."""
    if given.exposure is None or not len(given.answers):
        return None
    everybody = np.ones(len(given.answers), dtype=np.bool_)
    told = given.covered(everybody)
    eligible, share = int(told["eligible"] or 0), told["coverage_exposure"]
    return Reading(
        share,
        uncertainty.Base(eligible, eligible),
        given.answers.count("n"),
        len(given.answers),
        eligible=eligible,
        coverage=told["coverage"],
        coverage_exposure=share,
        reasons=(ZERO_EXPOSURE,) if share is None else (),
        detail={
            "exposure": float(given.weights.sum()),
            "unrated": given.exposure.unrated_of(given.eligible),
        },
    )


def silent(eligible: Ids, exposure: Exposure, spoken: Ids) -> Reading | None:
    """The share of exposure whose clients have said nothing for twelve months (6.3-6.5).

    The amount is in the numbers put in. Null where nobody is eligible or nothing is at stake.
    """
    if not len(eligible):
        return None
    quiet = eligible[~np.isin(eligible, spoken, assume_unique=True)]
    whole, amount = (float(exposure.of(ids).sum()) for ids in (eligible, quiet))
    return Reading(
        amount / whole if whole else None,
        uncertainty.Base(len(eligible), len(eligible)),
        0,
        len(quiet),
        eligible=len(eligible),
        reasons=() if whole else (ZERO_EXPOSURE,),
        detail={
            "amount": amount,
            "exposure": whole,
            "currency": exposure.currency,
            "unrated": exposure.unrated_of(eligible),
        },
    )


UNITS: tuple[Indicator[Given], ...] = (
    Indicator("nps", _nps, ADJUSTED_WALD, NPS_VERSION),
    Indicator("nps_exposure", _nps_exposure, EFFECTIVE, NPS_VERSION),
    Indicator("nps_respondent", _nps_respondent, ADJUSTED_WALD, NPS_VERSION),
    Indicator("csat", _csat, T, NPS_VERSION),
    *(
        Indicator(f"csat_{name}", partial(_dimension, name), WILSON, NPS_VERSION)
        for name in DIMENSIONS
    ),
    Indicator("ces", _ces, T, NPS_VERSION),
    Indicator("response_rate", _response_rate, WILSON, RATE_VERSION),
    Indicator("client_response_rate", _client_response_rate, WILSON, RATE_VERSION),
    Indicator("coverage_exposure", _coverage_exposure, SHARE, RATE_VERSION),
)
