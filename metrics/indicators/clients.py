"""How each indicator is read of many clients at once, each by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from metrics.facts.columns import CES, COMPOSITE, DIMENSIONS, HISTOGRAM
from metrics.facts.tables import Column, Table
from metrics.formulas import columns, scores
from metrics.formulas.parameters import DEFAULT, Parameters
from metrics.formulas.scores import CES_HI, CES_LO
from metrics.indicators.base import (
    ADJUSTED_WALD,
    COMPLEMENTARY,
    MEAN,
    NPS_VERSION,
    RATE_VERSION,
    WILSON,
    T,
)

_LABELS = np.array(["detractor", "passive", "promoter"])


@dataclass(frozen=True)
class Batch:
    """One metric of many clients; every list has one entry for each of them, `ids` rise.

    `details` are written as JSON. One client is its own unit: there is no coverage of it.
    """

    metric: str
    method: str
    version: int
    ids: list[int]
    values: list[float | None]
    lows: list[float | None]
    highs: list[float | None]
    n: list[int]
    gates: list[str]
    details: list[str]
    labels: list[str] | None = None
    eligible: list[int] | None = None


def read(answers: Table, requests: Table, rules: Parameters = DEFAULT) -> Iterator[Batch]:
    """Every indicator of each client in these tables that it has data for."""
    yield from _attributable(answers.take(answers["open_weight"] > 0), rules)
    yield _nps(answers.take(answers["n"] > 0))
    yield _csat(answers.take(answers[f"{COMPOSITE}_n"] > 0))
    for name in DIMENSIONS:
        yield _dimension(name, answers.take(answers[f"{name}_n"] > 0))
    yield _ces(answers.take(answers[f"{CES}_n"] > 0))
    yield _response_rate(requests.take(requests["asked"] > 0))


def _attributable(held: Table, rules: Parameters) -> Iterator[Batch]:
    """Mean and label from the person's own, attributable word: shown from the first one on."""
    if not len(held):
        return
    mean = columns.ratio(held["open_total"], held["open_weight"])
    votes = columns.labels(held["open_total"], held["open_weight"], rules=rules.clients)
    nothing: list[Any] = [None] * len(held)
    common: dict[str, Any] = {
        "method": MEAN,
        "version": scores.VERSION,
        "ids": held.ids.tolist(),
        "lows": nothing,
        "highs": nothing,
        "n": whole(held["open_n"]),
        "gates": [""] * len(held),
        "details": ["{}"] * len(held),
    }
    yield Batch("recommend_mean", values=mean.tolist(), **common)
    labels = _LABELS[votes.astype(np.int64) + 1].tolist()
    yield Batch("client_label", values=nothing, labels=labels, **common)


def _nps(held: Table) -> Batch:
    ends = columns.adjusted_wald(held["d"], held["s"], held["p"])
    counted = zip(*(whole(held[name]) for name in (*HISTOGRAM, "d", "s", "p")), strict=True)
    details = [
        f'{{"counts": {list(row[:11])}, "detractors": {row[11]}, '
        f'"passives": {row[12]}, "promoters": {row[13]}}}'
        for row in counted
    ]
    value = 100 * (held["p"] - held["d"]) / held["n"]
    return _judged(("nps_respondent", ADJUSTED_WALD), held, value, ends, ("n", "open_n"), details)


def _csat(held: Table) -> Batch:
    """Over the responses of the client (metrics-spec 5.4)."""
    n, total = held["csat_n"], held["csat_total"]
    ends = columns.mean_ends(n, total, held["csat_squares"], lo=0, hi=100)
    mean = columns.ratio(total, n)
    details = [
        f'{{"mean": {value!r}, "n": {count}}}'
        for value, count in zip(mean.tolist(), whole(n), strict=True)
    ]
    return _judged((COMPOSITE, T), held, mean, ends, ("csat_n", "csat_open"), details)


def _dimension(name: str, held: Table) -> Batch:
    n, top = held[f"{name}_n"], held[f"{name}_top"]
    ends, rules = columns.wilson(top, n), DEFAULT.csat
    mean = _mean(held, name, (rules.lo, rules.hi))
    shares = zip(whole(top), ends.low.tolist(), ends.high.tolist(), whole(n), strict=True)
    details = [
        f'{{"mean": {mean_}, "mean_low": {low_}, "mean_high": {high_}, "top2": {top_}, '
        f'"share_low": {low!r}, "share_high": {high!r}, "n": {n_}}}'
        for (mean_, low_, high_), (top_, low, high, n_) in zip(mean, shares, strict=True)
    ]
    marks = (f"{name}_n", f"{name}_open")
    return _judged((f"csat_{name}", WILSON), held, columns.ratio(top, n), ends, marks, details)


def _ces(held: Table) -> Batch:
    n, easy = held["ces_n"], held["ces_easy"]
    ends = columns.mean_ends(n, held["ces_total"], held["ces_squares"], lo=CES_LO, hi=CES_HI)
    shares = columns.wilson(easy, n)
    mean = columns.ratio(held["ces_total"], n)
    rows = zip(
        whole(easy),
        whole(n),
        shares.low.tolist(),
        shares.high.tolist(),
        mean.tolist(),
        strict=True,
    )
    details = [
        f'{{"easy": {one}, "easy_share": {one / count!r}, "n": {count}, "share_low": {low!r}, '
        f'"share_high": {high!r}, "mean": {own!r}}}'
        for one, count, low, high, own in rows
    ]
    return _judged((CES, T), held, mean, ends, ("ces_n", "ces_open"), details)


def _response_rate(held: Table) -> Batch:
    done, asked = held["i"] + held["p"], held["asked"]
    ends = columns.wilson(done, asked)
    rows = zip(*(whole(held[name]) for name in ("i", "p", "r", "nc")), strict=True)
    return Batch(
        "response_rate",
        WILSON,
        RATE_VERSION,
        held.ids.tolist(),
        columns.ratio(done, asked).tolist(),
        ends.low.tolist(),
        ends.high.tolist(),
        n=whole(done),
        gates=[""] * len(held),
        details=[
            f'{{"complete": {i}, "partial": {p}, "refused": {r}, "silent": {nc}}}'
            for i, p, r, nc in rows
        ],
        eligible=whole(asked),
    )


def _judged(
    named: tuple[str, str],
    held: Table,
    value: Column,
    ends: columns.Ends,
    marks: tuple[str, str],
    details: list[str],
) -> Batch:
    """A figure of answers, after the gate for one client (metrics-spec 3.12).

    The team sees the open answers one by one: the figure less these would tell the few others.
    """
    n, open_ = (held[name] for name in marks)
    few = n < DEFAULT.gate.min_resp
    told = (n - open_ > 0) & (n - open_ < DEFAULT.gate.min_resp)
    words: npt.NDArray[Any] = np.array(
        ["", "MIN_RESPONSES", COMPLEMENTARY, f"{COMPLEMENTARY} MIN_RESPONSES"]
    )
    return Batch(
        *named,
        NPS_VERSION,
        held.ids.tolist(),
        value.tolist(),
        nullable(ends.low),
        nullable(ends.high),
        n=whole(n),
        gates=words[few.astype(int) + 2 * told.astype(int)].tolist(),
        details=details,
    )


def _mean(held: Table, name: str, scale: tuple[int, int]) -> list[tuple[str, str, str]]:
    """The mean with its interval, written as JSON."""
    n, total = held[f"{name}_n"], held[f"{name}_total"]
    ends = columns.mean_ends(n, total, held[f"{name}_squares"], lo=scale[0], hi=scale[1])
    parts = (columns.ratio(total, n), ends.low, ends.high)
    texts = ([_text(number) for number in nullable(part)] for part in parts)
    return list(zip(*texts, strict=True))


def _text(number: float | None) -> str:
    return "null" if number is None else repr(number)


def whole(column: Column) -> list[int]:
    """A column of counts."""
    found: list[int] = column.astype(np.int64).tolist()
    return found


def nullable(column: Column) -> list[float | None]:
    """A column in which NaN means that there is none."""
    found: list[float | None] = column.tolist()
    if np.isnan(column).any():
        return [None if number != number else number for number in found]
    return found
