"""The change of each figure of bank and teams since the period before, made with the figure."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from metrics import sources, storing
from metrics.comparing import keeping
from metrics.facts import answers, series
from metrics.facts.tables import Table
from metrics.models import Scope
from metrics.queries import Figure, figure_of
from metrics.sources import RELATIONAL, Work
from metrics.storing import Row
from metrics.windows import months_of

Key = tuple[str, int, str, str]
# What the tests read of the answers of a client.
_COLUMNS = ("weighted", "weight", "csat_total", "csat_n", "ces_total", "ces_n")


@dataclass(frozen=True)
class Side:
    """What one period told: the compared figures, after the gate, and the answers behind them."""

    figures: dict[Key, Figure]
    table: Table


class Since:
    """Tells the changes of one run; a period that was just made is not made again for the next."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[str, Side]] = {}

    def told(self, work: Work, made: list[Row]) -> list[Row]:
        """The rows of a window, those of bank and teams with what became of them."""
        name = work.windows.before(work.key)
        if not name:
            return made
        now = _side(work, made)
        if not now.figures:
            return made
        before = self._of(name, work)
        self._last[months_of(work.key)] = work.key, now
        broken = _broken(work, name, before)
        tables = {cell.key: held for cell, held in work.split(before.table, now.table)}
        return [
            _with(row, (before, now), tables[_key(row)[:3]], broken)
            if _key(row) in now.figures and _key(row) in before.figures
            else row
            for row in made
        ]

    def _of(self, name: str, work: Work) -> Side:
        last = self._last.get(months_of(name))
        if last and last[0] == name:
            return last[1]
        earlier = replace(work, key=name)
        rows = [row for row in sources.surveys_of_units(earlier) if row.population == RELATIONAL]
        return _side(earlier, storing.withhold(rows, work.members.parents))


def _side(work: Work, made: list[Row]) -> Side:
    held, _asked = work.surveys.get((RELATIONAL, ""), (answers.empty(), None))
    kept = Table(held.ids, {name: held[name] for name in _COLUMNS})
    figures = {_key(row): figure_of(storing.measurement(row)) for row in made if _is_compared(row)}
    return Side(figures, kept)


def _is_compared(row: Row) -> bool:
    known = row.scope in (Scope.BANK, Scope.TEAM) and row.population == RELATIONAL
    return known and row.metric in keeping.METRICS


def _key(row: Row) -> Key:
    return row.scope, row.scope_id, row.slice, row.metric


def _broken(work: Work, name: str, before: Side) -> set[str]:
    """The metrics whose question was changed between the two periods."""
    if not before.figures:
        return set()
    spans = work.windows.bounds(name), work.bounds
    return series.broken(keeping.METRICS, RELATIONAL, spans)


def _with(row: Row, sides: tuple[Side, Side], tables: Sequence[Table], broken: set[str]) -> Row:
    before, now = (side.figures[_key(row)] for side in sides)
    found = keeping.kept(now, before, tables, broken=row.metric in broken)
    if found is None:
        return row
    return row._replace(detail=json.dumps(json.loads(row.detail) | {keeping.CHANGE: found}))
