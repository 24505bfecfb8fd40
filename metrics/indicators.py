"""The list of indicators: which sums a figure is made of, by which formula and version."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from metrics.facts.pools import Pool, Tally
from metrics.facts.replies import COMPOSITE, DIMENSIONS, NPS
from metrics.formulas import responding, scores, uncertainty
from metrics.formulas.answers import Counts
from metrics.formulas.parameters import DEFAULT

ADJUSTED_WALD = "adj_wald"
WILSON = "wilson"
T = "t"
MEAN = "mean"
NO_DATA = "NO_DATA"
COMPLEMENTARY = "COMPLEMENTARY"
MANY = ("bank", "team", "campaign")
ONE = ("client",)
RATES = ("response_rate", "client_response_rate")
_NPS_VERSION = max(scores.VERSION, uncertainty.VERSION)
_RATE_VERSION = max(responding.VERSION, uncertainty.VERSION)


@dataclass(frozen=True)
class Reading:
    """What a formula made of a pool, before the gate.

    `base` is what the gate judges; `n` and `clients` say who answered, which for a rate is
    less than its base. `eligible` is null where coverage is measured against all clients.
    `closed` are the answers in it that its team must not see one by one.
    """

    value: float | None
    base: uncertainty.Base
    n: int
    clients: int
    low: float | None = None
    high: float | None = None
    label: str = ""
    outside: int = 0
    closed: int = 0
    eligible: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Indicator:
    """One metric: where it exists, how it is read, and how the gate treats it.

    With `from_first` a figure of one client is shown from the first answer: it is the person's
    own, attributable word, or a rate that tells nothing of any answer.
    """

    metric: str
    scopes: tuple[str, ...]
    read: Callable[[Pool], Reading | None]
    method: str
    version: int
    from_first: bool = False

    def decide(self, reading: Reading, scope: str) -> uncertainty.Decision:
        """The verdict of the display gate for a unit of this scope (metrics-spec 3.12)."""
        if scope not in ONE:
            return uncertainty.report_gate(reading.base)
        verdict = uncertainty.report_gate(replace(reading.base, one_client=True))
        kept = [r for r in verdict.reasons if r == NO_DATA or not self.from_first]
        # The team sees the open answers one by one: the figure less these tells the few others.
        if 0 < reading.closed < DEFAULT.gate.min_resp:
            kept = sorted([*kept, COMPLEMENTARY])
        # One client is its own unit: a base of few clients says nothing about it.
        return uncertainty.Decision(show=not kept, reasons=tuple(kept), flags=())


def _nps(pool: Pool) -> Reading | None:
    """One client, one vote: labels of the client means (metrics-spec 4.1-4.2)."""
    votes = Counts(pool.votes["detractor"], pool.votes["passive"], pool.votes["promoter"])
    detail = {"promoter": votes.p, "passive": votes.s, "detractor": votes.d}
    return _score(pool.tallies[NPS], votes, detail)


def _nps_respondent(pool: Pool) -> Reading | None:
    counts = pool.histogram
    groups = Counts(sum(counts[:7]), sum(counts[7:9]), sum(counts[9:]))
    detail = {
        "counts": list(counts),
        "detractors": groups.d,
        "passives": groups.s,
        "promoters": groups.p,
    }
    return _score(pool.tallies[NPS], groups, detail)


def _score(tally: Tally, counts: Counts, detail: dict[str, Any]) -> Reading | None:
    value, interval = scores.point(counts), uncertainty.adjusted_wald(counts)
    if value is None or interval is None:
        return None
    return Reading(
        value,
        _base(tally),
        tally.n,
        tally.clients,
        interval.low,
        interval.high,
        outside=tally.outside,
        closed=tally.closed,
        detail=detail,
    )


def _recommend_mean(pool: Pool) -> Reading | None:
    """The client's mean of attributable answers; all roles weigh the same (metrics-spec 4.1)."""
    mean = scores.client_mean((value, None) for value in pool.attributable)
    if mean is None:
        return None
    n = len(pool.attributable)
    return Reading(mean, _one(n), n, 1)


def _client_label(pool: Pool) -> Reading | None:
    mean = scores.client_mean((value, None) for value in pool.attributable)
    label = scores.client_label(mean)
    if label is None:
        return None
    n = len(pool.attributable)
    return Reading(None, _one(n), n, 1, label=label)


def _csat(pool: Pool) -> Reading | None:
    """The composite: mean within each client, then over clients (metrics-spec 5.4).

    A pool of one client is read over its responses. The mean over all responses, by which a
    talkative client counts more, is in the numbers put in.
    """
    values = [value for _client, value in pool.composites]
    tally = pool.tallies[COMPOSITE]
    if tally.clients == 1:
        found = uncertainty.mean_interval(values)
    else:
        clients = [client for client, _value in pool.composites]
        found = scores.by_client(values, clients)
    if found is None:
        return None
    ends = found.ci.clipped(0, 100) if found.ci else None
    return Reading(
        found.mean,
        _base(tally),
        tally.n,
        tally.clients,
        ends.low if ends else None,
        ends.high if ends else None,
        outside=tally.outside,
        closed=tally.closed,
        detail={"mean": math.fsum(values) / len(values), "n": tally.n},
    )


def _dimension(name: str) -> Callable[[Pool], Reading | None]:
    def read(pool: Pool) -> Reading | None:
        """The share of 4 and 5 among the answers; the mean is beside it (metrics-spec 5.1-5.3)."""
        tally, top = pool.tallies[name], pool.top[name]
        interval = uncertainty.wilson(top, tally.n)
        if interval is None:
            return None
        return Reading(
            top / tally.n,
            _base(tally),
            tally.n,
            tally.clients,
            interval.low,
            interval.high,
            outside=tally.outside,
            closed=tally.closed,
            detail={
                "mean": pool.total[name] / tally.n,
                "top2": top,
                "share_low": interval.low,
                "share_high": interval.high,
                "n": tally.n,
            },
        )

    return read


def _response_rate(pool: Pool) -> Reading | None:
    """RR2 over the contacts whose invitation was sent (metrics-spec 6.1)."""
    found = responding.Dispositions(**{key: pool.outcomes[key] for key in ("i", "p", "r", "nc")})
    asked = pool.outcomes.total()
    detail = {"complete": found.i, "partial": found.p, "refused": found.r, "silent": found.nc}
    return _rate(pool, found.i + found.p, asked, responding.aapor(found).rr2, detail)


def _client_response_rate(pool: Pool) -> Reading | None:
    """Clients with a usable answer among the clients invited (metrics-spec 6.1)."""
    rate = responding.share(pool.usable, pool.invited)
    return _rate(pool, pool.usable, pool.invited, rate, {})


def _rate(
    pool: Pool, done: int, asked: int, rate: float | None, detail: dict[str, Any]
) -> Reading | None:
    interval = uncertainty.wilson(done, asked)
    if rate is None or interval is None:
        return None
    return Reading(
        rate,
        uncertainty.Base(n_resp=pool.outcomes.total(), n_clients=pool.invited),
        pool.outcomes["i"] + pool.outcomes["p"],
        pool.usable,
        interval.low,
        interval.high,
        eligible=asked,
        detail=detail,
    )


def _base(tally: Tally) -> uncertainty.Base:
    return uncertainty.Base(
        n_resp=tally.n,
        n_clients=tally.clients,
        max_client_share=tally.most / tally.n if tally.n else None,
    )


def _one(n: int) -> uncertainty.Base:
    return uncertainty.Base(n_resp=n, n_clients=1, one_client=True)


INDICATORS = (
    Indicator("nps", MANY, _nps, ADJUSTED_WALD, _NPS_VERSION),
    Indicator("nps_respondent", MANY + ONE, _nps_respondent, ADJUSTED_WALD, _NPS_VERSION),
    Indicator("recommend_mean", ONE, _recommend_mean, MEAN, scores.VERSION, from_first=True),
    Indicator("client_label", ONE, _client_label, MEAN, scores.VERSION, from_first=True),
    Indicator("csat", MANY + ONE, _csat, T, _NPS_VERSION),
    *(
        Indicator(f"csat_{name}", MANY + ONE, _dimension(name), WILSON, _NPS_VERSION)
        for name in DIMENSIONS
    ),
    Indicator("response_rate", MANY + ONE, _response_rate, WILSON, _RATE_VERSION, from_first=True),
    Indicator("client_response_rate", MANY, _client_response_rate, WILSON, _RATE_VERSION),
)
