"""Withholds a second cell where one alone could be found by subtraction (metrics-spec 3.12).

A total is published over the teams below a unit, over its segments, over its stages. What belongs
to none of the cells is one cell more: clients that sit in the parent team itself, answers of no
stage. Withholding in one of these tables may open another one, so it goes on until all are shut.
"""

from collections.abc import Iterator, Mapping, Sequence

from metrics import indicators
from metrics.formulas import uncertainty
from metrics.formulas.parameters import DEFAULT
from metrics.models import Scope
from metrics.storing.rows import Row

Key = tuple[str, int, str]
Table = tuple[Key, list[Key]]


def withhold(rows: Sequence[Row], parents: Mapping[int, int | None]) -> list[Row]:
    """The rows of one run, with the gate of those that had to go too."""
    groups: dict[tuple[str, str, str], dict[Key, Row]] = {}
    for row in rows:
        cells = groups.setdefault((row.population, row.period, row.metric), {})
        cells[row.scope, row.scope_id, row.slice] = row
    for cells in groups.values():
        tables = list(_tables(cells, parents))
        open_ = True
        while open_:
            open_ = sum(_shut(cells, table) for table in tables) > 0
    return [row for cells in groups.values() for row in cells.values()]


def _tables(cells: dict[Key, Row], parents: Mapping[int, int | None]) -> Iterator[Table]:
    """Each published total with its cells, from the root of the tree down."""
    below: dict[Key, list[Key]] = {}
    for scope, number, part in cells:
        if scope == Scope.TEAM:
            above = parents.get(number) or 0
            total = (Scope.TEAM if above else Scope.BANK).value, above, part
            below.setdefault(total, []).append((scope, number, part))
        for whole in _wholes(part):
            below.setdefault((scope, number, whole), []).append((scope, number, part))
    for total in sorted(below, key=lambda key: (_depth(key[1], parents), key)):
        if total in cells:
            yield from ((total, some) for some in _families(total, below[total]))


def _wholes(part: str) -> list[str]:
    """The parts of which a part is one cell: each without one of its pairs."""
    pairs = part.split("&") if part else []
    return ["&".join(p for p in pairs if p != pair) for pair in pairs]


def _families(total: Key, below: list[Key]) -> list[list[Key]]:
    """The cells of a total by what they split it: teams, segments, stages."""
    found: dict[str, list[Key]] = {}
    for key in below:
        more = set(key[2].split("&")) - set(total[2].split("&"))
        name = next(iter(more)).split("=")[0] if key[2] != total[2] else "team"
        found.setdefault(name, []).append(key)
    return list(found.values())


def _shut(cells: dict[Key, Row], table: Table) -> bool:
    """Withhold what is needed in one table; whether anything was."""
    total, keys = cells[table[0]], sorted(table[1])
    rows = [cells[key] for key in keys]
    rest = total.size - sum(row.size for row in rows)
    threshold = DEFAULT.gate.min_resp
    if total.gate or rest >= threshold:
        return False
    # A cell that any rule withholds counts as small, whichever rule it was.
    counts = [min(row.size, threshold - 1) if _secret(row) else row.size for row in rows]
    done = False
    for position in uncertainty.complementary_suppression([*counts, max(rest, 0)]):
        if position < len(rows) and not rows[position].gate:
            cells[keys[position]] = rows[position]._replace(
                gate=indicators.COMPLEMENTARY, flags=""
            )
            done = True
    return done


def _secret(row: Row) -> bool:
    return bool(row.gate) and row.gate not in indicators.OPEN_REASONS


def _depth(team: int, parents: Mapping[int, int | None]) -> int:
    depth, seen = 0, {team}
    step = parents.get(team)
    while step is not None and step not in seen:
        seen.add(step)
        depth, step = depth + 1, parents.get(step)
    return depth + 1 if team else 0
