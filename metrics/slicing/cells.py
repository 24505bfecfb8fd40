"""One read of facts, cut into cells: which answers stand behind each row of a cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metrics.facts import answers, requests
from metrics.facts.frames import Frame, Mask
from metrics.facts.tables import Slot, Table
from metrics.facts.where import Cut as Asked
from metrics.facts.where import Where
from metrics.formulas.periods import Bounds
from metrics.slicing.asking import OF_ANSWERS, Ask, Filters
from surveys.models import Questionnaire

# The one row of a figure that is not cut.
WHOLE = ""
Key = str | int
Tables = dict[Slot, Table]


@dataclass(frozen=True)
class Cell:
    """The answers of one row, and which clients could have given some."""

    table: Table
    # Null where the cell is one client.
    members: Mask | None
    population: str


@dataclass(frozen=True)
class Cut:
    """The cells of one question by their key, all together under `WHOLE`."""

    frame: Frame
    cells: dict[Key, Cell]


def where_of(filters: Filters) -> Where:
    """The cut through facts that these filters make."""
    line = filters.questionnaire
    return Where(
        questionnaire=Questionnaire.objects.get(key=line).pk if line else None,
        campaign=filters.campaign.pk if filters.campaign else None,
        stage=filters.stage or None,
        product_family=filters.product_family or None,
        buying_role=filters.buying_role or None,
        team=filters.team.pk if filters.team else None,
        segment=filters.segment or None,
        size=filters.size or None,
        industry=filters.industry or None,
        clients=(filters.client.pk,) if filters.client else None,
    )


def cuts(
    ask: Ask,
    windows: Sequence[Bounds],
    *,
    where: Where,
    frame: Frame,
    clients: Sequence[int] | None = None,
) -> list[Cut]:
    """The cells of the question in each window; one or two reads of answers.

    A cut by something that answers have needs a read of its own: the last answer of a person
    is the last one there.
    """
    whole = answers.many(windows, Asked(where, clients, ask.population or None))
    by: Any = ask.group_by if ask.group_by in OF_ANSWERS else ""
    parts = answers.many(windows, Asked(where, clients, ask.population or None, by)) if by else {}
    members = frame.within(where)
    return [
        Cut(frame, _cells(ask, place, (whole, parts), frame, members))
        for place in range(len(windows))
    ]


def of_requests(ask: Ask, window: Bounds, *, where: Where, frame: Frame) -> Cut:
    """The same cells over who was asked; one or two reads of invitations."""
    whole = requests.many([window], Asked(where, None, ask.population or None))
    by: Any = ask.group_by if ask.group_by in OF_ANSWERS else ""
    parts = requests.many([window], Asked(where, None, ask.population or None, by)) if by else {}
    nobody = requests.empty()
    return Cut(frame, _cells(ask, 0, (whole, parts), frame, frame.within(where), nobody))


def slot(place: int, population: str) -> Slot:
    """Where a read of everything keeps the answers of a window."""
    return Slot(place, population, "")


def _cells(
    ask: Ask,
    place: int,
    held: tuple[Tables, Tables],
    frame: Frame,
    members: Mask,
    nobody: Table | None = None,
) -> dict[Key, Cell]:
    """The cells of one window, from what was read of the whole and of its parts."""
    whole, parts = held
    nobody = answers.empty() if nobody is None else nobody
    table = whole.get(slot(place, ask.population)) or nobody
    found: dict[Key, Cell] = {WHOLE: Cell(table, members, ask.population)}
    for where, part in sorted(parts.items(), key=lambda pair: str(pair[0].part)):
        if where.window == place:
            found[where.part] = Cell(part, members, where.population)
    if ask.group_by == "client":
        found |= _each(ask, frame, table, members, nobody)
    elif ask.group_by and ask.group_by not in OF_ANSWERS:
        found |= _of_clients(ask, frame, table, members)
    return found


def _of_clients(ask: Ask, frame: Frame, table: Table, members: Mask) -> dict[Key, Cell]:
    """The cells of a cut by what clients are; those of whom it is unknown lie in none."""
    group = ask.group_by
    chosen: dict[Key, Mask]
    if group == "team":
        chosen = {team: np.isin(frame.team, frame.teams_below(team)) for team in frame.chains}
    else:
        held = frame.values[group]
        chosen = {str(value): held == value for value in np.unique(held) if value}
    return {
        key: Cell(table.of(frame.ids[mask & members]), mask & members, ask.population)
        for key, mask in chosen.items()
    }


def _each(ask: Ask, frame: Frame, table: Table, members: Mask, nobody: Table) -> dict[Key, Cell]:
    """One cell a client, also where it gave no answer."""
    at = {int(pk): row for row, pk in enumerate(table.ids)}
    return {
        int(pk): Cell(
            table.take(np.array([at[pk]])) if int(pk) in at else nobody, None, ask.population
        )
        for pk in frame.ids[members]
    }
