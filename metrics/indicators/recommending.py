"""NPS of a unit of many clients: by client, by exposure, by answer (metrics-spec 3, 4)."""

from typing import Any

import numpy as np

from metrics.facts.columns import HISTOGRAM
from metrics.formulas import columns, scores, uncertainty
from metrics.formulas.answers import Counts
from metrics.formulas.uncertainty import NpsEstimate
from metrics.indicators.base import ZERO_EXPOSURE, Reading
from metrics.indicators.given import Given

# The difference and the margin of which a screen says how many answers they would need (3.6).
_DIFFERENCE, _MARGIN = 10, 5
_HALF = 0.5


def _votes(given: Given) -> tuple[columns.Column, Counts]:
    held = given.answers
    votes = columns.labels(held["weighted"], held["weight"], rules=given.rules.clients)
    return votes, Counts(*(int((votes == code).sum()) for code in (-1, 0, 1)))


def nps(given: Given) -> Reading | None:
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


def nps_exposure(given: Given) -> Reading | None:
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


def nps_respondent(given: Given) -> Reading | None:
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
