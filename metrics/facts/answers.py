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

from clients.models import Product, Stage
from metrics.facts import mergers, tables
from metrics.facts.columns import COLUMNS, HISTOGRAM
from metrics.facts.mergers import Mergers
from metrics.facts.statements import POPULATIONS, Asked, answers
from metrics.facts.tables import Rows, Slot, Table
from metrics.facts.where import ALL, EVERYTHING, ROLES, By, Cut, Where
from metrics.formulas.parameters import DEFAULT, Parameters
from metrics.formulas.periods import Bounds
from surveys.models import Questionnaire


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
) -> dict[Slot, Table]:
    """The same for many windows and all populations at once, split by what answers have."""
    known = mergers.known() if known is None else known
    names = _names(cut.by)
    found: dict[Slot, Table] = {}
    for successors, places in known.alike(windows):
        asked = Asked([(place, windows[place]) for place in places], cut, successors, rules)
        statement = answers(asked)
        width, long_ = 4 + len(asked.columns), tables.is_many(cut.clients)
        rows = tables.read(statement.text, statement.params, width=width, many=long_)
        found |= _split(rows, asked, names)
    return found


def empty() -> Table:
    """The sums of nobody."""
    return _table(np.zeros((0, 4 + len(COLUMNS))), list(COLUMNS))


def _names(by: By) -> Mapping[int, str]:
    """What the numbers of the parts stand for; a campaign is called by its number."""
    if by == "buying_role":
        return dict(enumerate(ROLES))
    rows = {
        "stage": Stage.objects.values_list("pk", "code"),
        "questionnaire": Questionnaire.objects.values_list("pk", "key"),
        "product_family": Product.objects.values_list("pk", "family"),
    }
    return dict(rows[by]) if by in rows else {}


def _split(rows: Rows, asked: Asked, names: Mapping[int, str]) -> dict[Slot, Table]:
    """The tables of a statement whose rows come by window, population, part and client."""
    if not len(rows):
        return {}
    starts = np.flatnonzero(np.any(np.diff(rows[:, :3], axis=0) != 0, axis=1)) + 1
    found = {}
    for held in np.split(rows, starts):
        window, kind, part = (int(cell) for cell in held[0, :3])
        slot = Slot(window, POPULATIONS[kind], names.get(part, part) if asked.cut.by else "")
        found[slot] = _table(held, list(asked.columns))
    return found


def _table(rows: Rows, names: Sequence[str]) -> Table:
    held = {name: rows[:, 4 + place] for place, name in enumerate(names)}
    scores = [held[name] for name in HISTOGRAM]
    nobody = np.zeros(len(rows))
    held["d"], held["s"], held["p"] = (
        sum(some, nobody) for some in (scores[:7], scores[7:9], scores[9:])
    )
    held["n"] = held["d"] + held["s"] + held["p"]
    held["total"] = sum((value * column for value, column in enumerate(scores)), nobody)
    for name, derived in (
        ("weight", held["n"]),
        ("weighted", held["total"]),
        ("coded", held["p"] - held["d"]),
        ("open_weight", held["open_n"]),
    ):
        held.setdefault(name, derived)
    return Table(rows[:, 3].astype(np.int64), held)
