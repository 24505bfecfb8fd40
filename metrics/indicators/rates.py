"""Who answered, and how much of the exposure, of a unit of many clients (metrics-spec 6)."""

from typing import Any

import numpy as np

from metrics.facts.exposure import Exposure
from metrics.facts.tables import Ids
from metrics.formulas import responding, uncertainty
from metrics.indicators.base import ZERO_EXPOSURE, Reading
from metrics.indicators.given import Given


def response_rate(given: Given) -> Reading | None:
    """RR2 over the contacts whose invitation was sent (metrics-spec 6.1)."""
    held = given.requests
    found = responding.Dispositions(**{name: held.count(name) for name in ("i", "p", "r", "nc")})
    detail = {"complete": found.i, "partial": found.p, "refused": found.r, "silent": found.nc}
    rate = responding.aapor(found).rr2
    return _rate(given, found.i + found.p, held.count("asked"), rate, detail)


def client_response_rate(given: Given) -> Reading | None:
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


def coverage_exposure(given: Given) -> Reading | None:
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
