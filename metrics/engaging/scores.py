"""The engagement index of a block of clients, as columns (metrics-spec 8.3-8.8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from metrics.facts import engagement as facts
from metrics.facts.engagement import Table
from metrics.formulas import engagement
from metrics.formulas.engagement.changes import ChangeColumns, cei_change_columns
from metrics.formulas.indices import IndexColumns
from metrics.formulas.parameters import ENGAGEMENT, Engagement
from metrics.references import Reference, Usual

Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.object_]

NO_REFERENCE = "NO_REFERENCE"


@dataclass(frozen=True)
class Scores:
    """Components by name, and the index of them; a row a client."""

    table: Table
    raw: dict[str, Floats]
    usual: dict[str, Usual]
    depth: Floats
    scores: dict[str, Floats]
    reasons: dict[str, Words]
    index: IndexColumns

    @property
    def block(self) -> Floats:
        """The scores, one column a component."""
        return np.column_stack([self.scores[name] for name in ENGAGEMENT])

    def take(self, rows: npt.NDArray[np.intp]) -> tuple[IndexColumns, Floats]:
        """Index and scores of some rows; a position below 0 is a client without any."""
        there = rows >= 0
        held = self.index

        def chosen(values: Floats) -> Floats:
            found = np.full((len(rows), *values.shape[1:]), np.nan)
            found[there] = values[rows[there]]
            return found

        columns = (held.score, held.coverage, held.contributions, held.effective_weights)
        return IndexColumns(*map(chosen, columns)), chosen(self.block)


def of(table: Table, reference: Reference | None, rules: Engagement) -> Scores:
    """Score the quantities by a frozen reference; without one every component is missing."""
    usual = {name: _usual(reference, name, table) for name in (*_COUNTS, "ctr")}
    raw = {name: table.per_user(name) for name in ("login", "pv")}
    raw |= {"offline": table.offline, "depth": table.depth}
    found = {
        name: engagement.norm_minmax_columns(raw[name], usual[name].low, usual[name].high)
        for name in _COUNTS
    }
    depth = found.pop("depth")
    raw["ctr"], found["ctr"] = _clicks(table, usual["ctr"])
    found["usage"] = engagement.usage_score_columns(
        table.used.astype(float), table.held.astype(float), depth, rules=rules
    )
    raw["usage"] = raw.pop("depth")
    reasons = {name: _reasons(table.reasons[name], found[name], reference) for name in ENGAGEMENT}
    scores = {name: np.where(reasons[name] == "", found[name], np.nan) for name in ENGAGEMENT}
    index = engagement.cei_columns(scores, rules=rules)
    return Scores(table, raw, usual, depth, scores, reasons, index)


_COUNTS = ("login", "pv", "depth", "offline")


def _usual(reference: Reference | None, quantity: str, table: Table) -> Usual:
    if reference is not None:
        return reference.usual(quantity, table)
    nothing = np.full(len(table), np.nan)
    return Usual(nothing, nothing, nothing, nothing, [""] * len(table))


def _clicks(table: Table, usual: Usual) -> tuple[Floats, Floats]:
    """The click rate drawn towards the usual one, and its score; NaN without messages."""
    rates = engagement.ctr_shrunk_columns(
        table.clicks.astype(float), table.messages.astype(float), usual.prior, usual.strength
    )
    return rates, engagement.norm_minmax_columns(rates, usual.low, usual.high, log=False)


def _reasons(told: Words, score: Floats, reference: Reference | None) -> Words:
    """Why a component is missing; where its channel is open, the reference is."""
    if reference is None:
        return np.where(told == "", NO_REFERENCE, told)
    return np.where((told == "") & np.isnan(score), NO_REFERENCE, told)


@dataclass(frozen=True)
class Day:
    """The scores of one day, what they changed by since, and by the reference before."""

    day: date
    since: date
    now: Scores
    before: Floats
    change: ChangeColumns
    bridge: Floats | None


def on(
    day: date,
    clients: Sequence[int] | None,
    *,
    reference: Reference | None,
    replaced: Reference | None,
    rules: Engagement,
) -> Day:
    """Score a day and the day a whole window before, both by the reference in force."""
    since = day - timedelta(days=rules.window_days)
    table = facts.quantities(day, clients, rules=rules)
    now = of(table, reference, rules)
    earlier = of(facts.quantities(since, clients, rules=rules), reference, rules)
    index, scores = earlier.take(_places(earlier.table.clients, table.clients))
    return Day(
        day=day,
        since=since,
        now=now,
        before=index.score,
        change=cei_change_columns(index, now.index, scores, now.block),
        bridge=of(table, replaced, rules).index.score if replaced else None,
    )


def alone(
    day: date,
    clients: Sequence[int] | None,
    *,
    reference: Reference | None,
    rules: Engagement,
) -> Day:
    """Score a day by itself; nothing is told of the window before."""
    now = of(facts.quantities(day, clients, rules=rules), reference, rules)
    rows = len(now.table)
    nothing, parts = np.full(rows, np.nan), np.full((rows, len(ENGAGEMENT)), np.nan)
    since = day - timedelta(days=rules.window_days)
    return Day(day, since, now, nothing, ChangeColumns(nothing, parts, parts), None)


def _places(known: facts.Integers, wanted: facts.Integers) -> npt.NDArray[np.intp]:
    """Where each wanted client stands among the known ones, which rise; -1 where it does not."""
    if not len(known):
        return np.full(len(wanted), -1, dtype=np.intp)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[place] == wanted, place, -1)
