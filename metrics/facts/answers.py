"""What was answered, as sums by client: the last answer of each person to each item.

One statement for both databases. `given` holds a row for each response with the valid values of
its items: neither retracted nor a test, on the item's own scale, reversed items turned round. An
item of another scale is another series and stays out. `marked` says of each value when the same
person gave the next one. A value counts in a window that holds it, but not the next one: that
makes it the last there, for every window in one pass. On one instant the larger response number
is the later one, whatever the database's collation.

Sums are exact in any order: they are whole numbers, or multiples of a fixed power of two.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from django.db import connection

from metrics.facts import mergers, tables
from metrics.facts.columns import COLUMNS, HISTOGRAM
from metrics.facts.mergers import Mergers
from metrics.facts.statements import Asked, answers, marked
from metrics.facts.tables import Slot, Table
from metrics.facts.where import ALL, EVERYTHING, By, Cut, Where
from metrics.formulas.parameters import DEFAULT, Parameters
from metrics.formulas.periods import Bounds


class Kept:
    """Responses with the next values of their items, kept in temporary tables for many windows.

    For a run over all windows: the expensive part is made once for each split, and again where
    other successors count. The tables end with the connection, or by `drop`.
    """

    def __init__(self, whole: Bounds, rules: Parameters = DEFAULT) -> None:
        self._whole, self._rules = whole, rules
        self._tables: dict[tuple[str, tuple[tuple[int, int], ...]], str] = {}

    def table(self, cut: Cut, successors: dict[int, int]) -> str:
        """The table for this split; empty if the cut leaves anything out."""
        if cut.where != EVERYTHING or cut.clients is not None:
            return ""
        key = cut.by, tuple(sorted(successors.items()))
        if key not in self._tables:
            self._tables[key] = self._made(f"kept_answers_{len(self._tables)}", cut.by, successors)
        return self._tables[key]

    def drop(self) -> None:
        """Let go of all tables."""
        with connection.cursor() as cursor:
            for name in self._tables.values():
                cursor.execute(f"DROP TABLE {name}")
        self._tables = {}

    def _made(self, name: str, by: By, successors: dict[int, int]) -> str:
        asked = Asked([(0, self._whole)], Cut(by=by), successors, self._rules)
        found = marked(asked)
        with connection.cursor() as cursor:
            tables.without_compiling(cursor)
            cursor.execute(f"CREATE TEMPORARY TABLE {name} AS {found.text}", found.params)
            cursor.execute(f"CREATE INDEX {name}_at ON {name} (at)")
            cursor.execute(f"ANALYZE {name}")
        return name


def sums(
    window: Bounds,
    population: str,
    *,
    where: Where = EVERYTHING,
    clients: Sequence[int] | None = None,
    rules: Parameters = DEFAULT,
) -> Table:
    """The sums of each client that answered in a window; one query, and one for the mergers.

    A merged client counts under its successor if the window ends after the day of merging.
    """
    found = many([window], Cut(where, clients, population), rules=rules)
    return found.get(Slot(0, population)) or empty()


def many(
    windows: Sequence[Bounds],
    cut: Cut = ALL,
    *,
    known: Mergers | None = None,
    rules: Parameters = DEFAULT,
    kept: Kept | None = None,
    wanted: Mapping[str, str] = COLUMNS,
) -> dict[Slot, Table]:
    """The same for many windows and all populations at once, split by what facts have."""
    known = mergers.known() if known is None else known
    called = tables.names(cut.by)
    found: dict[Slot, Table] = {}
    for successors, places in known.alike(windows):
        spans = [(place, windows[place]) for place in places]
        table = kept.table(cut, successors) if kept else ""
        asked = Asked(spans, cut, successors, rules, table, wanted)
        statement = answers(asked)
        width, long_ = 4 + len(asked.columns), tables.is_many(cut.clients)
        rows = tables.read(statement.text, statement.params, width=width, many=long_)
        for slot, held in tables.split(rows, by=cut.by, called=called):
            found[slot] = _derived(tables.table(held, list(asked.columns)))
    return found


def empty() -> Table:
    """The sums of nobody."""
    return _derived(tables.nobody(list(COLUMNS)))


def _derived(table: Table) -> Table:
    """With the columns that follow from the histogram."""
    held = table.columns
    nobody = np.zeros(len(table))
    scores = [held[name] for name in HISTOGRAM]
    held["d"], held["s"], held["p"] = (
        sum(some, nobody) for some in (scores[:7], scores[7:9], scores[9:])
    )
    held["n"] = held["d"] + held["s"] + held["p"]
    held["total"] = sum((value * column for value, column in enumerate(scores)), nobody)
    for name, column in (
        ("weight", held["n"]),
        ("weighted", held["total"]),
        ("coded", held["p"] - held["d"]),
        ("open_weight", held["open_n"]),
    ):
        held.setdefault(name, column)
    return table
