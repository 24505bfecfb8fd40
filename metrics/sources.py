"""Where stored figures come from: for clients by the block, for what is above them by the window.

A source of clients takes a `Block` and yields the rows of its clients; a source of units takes a
`Work`, which is one window of the bank, its teams and its campaigns, and yields theirs. All rows
of a block or a window are stored together: what no source yields any more is deleted. **To add
figures, such as those of engagement, write one function of each kind and name it in
`CLIENT_SOURCES` or `UNIT_SOURCES`**; recomputing, storing, withholding and restating follow.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from clients.models import Client
from metrics import engaging, storing
from metrics.engaging import Part, Past, Today
from metrics.facts import answers, columns, exposure, population, requests
from metrics.facts.answers import Kept
from metrics.facts.exposure import Exposure
from metrics.facts.mergers import Mergers
from metrics.facts.population import Mask, Members
from metrics.facts.tables import Ids, Slot, Table
from metrics.facts.where import By, Cut
from metrics.formulas.periods import Bounds
from metrics.indicators import Given, Indicator, clients, rates
from metrics.indicators.base import RATE_VERSION, SHARE
from metrics.models import Scope
from metrics.storing import Row, Stamp, Unit
from metrics.windows import WHOLE, Windows

TRANSACTIONAL, RELATIONAL = "transactional", "relational"
_YEAR = "rolling12m"
_SILENT: Indicator[Given] = Indicator("silent_exposure", lambda _given: None, SHARE, RATE_VERSION)


@dataclass(frozen=True)
class Block:
    """Some clients, by rising number, and the periods of their figures."""

    ids: list[int]
    keys: list[str]
    windows: Windows
    known: Mergers
    stamp: Stamp
    # Those of whom nothing but answers can have changed since their figures of today.
    answering: frozenset[int] = frozenset()
    past: Past | None = None

    @cached_property
    def bounds(self) -> list[Bounds]:
        """The windows of `keys`, in their order: `Slot.window` is a position in both."""
        return [self.windows.bounds(key) for key in self.keys]

    @cached_property
    def answers(self) -> dict[Slot, Table]:
        """The sums of their answers; one query."""
        return answers.many(self.bounds, Cut(clients=self.ids), known=self.known)

    @cached_property
    def requests(self) -> dict[Slot, Table]:
        """What became of asking them; one query."""
        return requests.many(self.bounds, Cut(clients=self.ids), known=self.known)


@dataclass(frozen=True)
class Work:
    """One window of everything above the clients."""

    key: str
    windows: Windows
    known: Mergers
    members: Members
    cells: list["Cell"]
    stamp: Stamp
    kept: Kept | None = None

    @property
    def bounds(self) -> Bounds:
        """First and last instant."""
        return self.windows.bounds(self.key)

    @cached_property
    def successors(self) -> dict[int, int]:
        """The mergers that count at its end."""
        return self.known.at_end_of(self.bounds)

    @cached_property
    def eligible(self) -> Mask:
        """Which members belong to the base of coverage."""
        return self.members.eligible(self.successors)

    @cached_property
    def exposure(self) -> Exposure:
        """The exposure of every client at its end; one query."""
        day = self.windows.last_day(self.key)
        return exposure.at([day], known=self.known)[day]

    @cached_property
    def surveys(self) -> dict[tuple[str, int | str], tuple[Table, Table]]:
        """Answers and requests by population, uncut; two queries."""
        return self.tables(Cut())

    def tables(self, cut: Cut) -> dict[tuple[str, int | str], tuple[Table, Table]]:
        """Answers and requests by population and part; two queries."""
        given = answers.many(
            [self.bounds], cut, known=self.known, kept=self.kept, wanted=columns.OF_UNITS
        )
        asked = requests.many([self.bounds], cut, known=self.known)
        return {
            (slot.population, slot.part): (
                given.get(slot) or answers.empty(),
                asked.get(slot) or requests.empty(),
            )
            for slot in sorted(given.keys() | asked.keys(), key=str)
        }

    def split(self, *held: Table) -> Iterator[tuple["Cell", list[Table]]]:
        """Each cell with its rows of these tables, all of whose clients are members."""
        places = [np.searchsorted(self.members.ids, table.ids) for table in held]
        for cell in self.cells:
            if cell.mask.all():
                yield cell, list(held)
                continue
            chosen = (np.flatnonzero(cell.mask[place]) for place in places)
            yield cell, [table.take(rows) for table, rows in zip(held, chosen, strict=True)]

    def base(self, cell: "Cell") -> Ids:
        """The clients of a cell that belong to the base of coverage."""
        return self.members.ids[cell.places[self.eligible[cell.places]]]

    def given(self, held: Sequence[Table], *, eligible: Ids) -> Given:
        """What these tables and this base are to the indicators."""
        return Given(held[0], held[1], eligible, self.exposure)


@dataclass(frozen=True)
class Cell:
    """The bank or a team, or a segment of it, and which members it has."""

    scope: str
    number: int
    part: str
    mask: Mask

    @property
    def key(self) -> tuple[str, int, str]:
        """What names it."""
        return self.scope, self.number, self.part

    @cached_property
    def places(self) -> Ids:
        """The positions of its members."""
        return np.flatnonzero(self.mask)


def cells(members: Members) -> list[Cell]:
    """The bank and each team, whole and by segment."""
    whole = np.ones(len(members.ids), dtype=np.bool_)
    wholes = [(Scope.BANK.value, 0, whole)]
    wholes += [(Scope.TEAM.value, team, members.within(team)) for team in members.teams()]
    segments = [("", whole)]
    segments += [
        (f"segment={segment}", members.segment == segment)
        for segment in sorted(Client.Segment.values)
    ]
    return [
        Cell(scope, number, part, mask & chosen)
        for part, mask in segments
        for scope, number, chosen in wholes
    ]


ClientSource = Callable[[Block], Iterable[Row]]
UnitSource = Callable[[Work], Iterable[Row]]


def surveys_of_clients(block: Block) -> Iterator[Row]:
    """What the surveys tell of each client."""
    given, asked = block.answers, block.requests
    for slot in sorted(given.keys() | asked.keys(), key=str):
        held = given.get(slot) or answers.empty(), asked.get(slot) or requests.empty()
        for batch in clients.read(*held):
            key = block.keys[slot.window]
            yield from storing.of_batch(batch, slot.population, key, block.stamp)


def surveys_of_units(work: Work) -> Iterator[Row]:
    """What the surveys tell of bank and teams, and of their segments."""
    if work.key == WHOLE:
        return
    for (kind, _part), held in work.surveys.items():
        for cell, some in work.split(*held):
            if len(some[0]) or len(some[1]):
                unit = Unit(cell.scope, cell.number, kind, work.key, cell.part)
                given = work.given(some, eligible=work.base(cell))
                yield from storing.build(unit, given, work.stamp)


def stages_of_units(work: Work) -> Iterator[Row]:
    """The same by stage of the case, over those asked there: the heat map."""
    if work.key != _YEAR and "Q" not in work.key:
        return
    by_stage = work.tables(Cut(population=TRANSACTIONAL, by="stage"))
    for (kind, stage), held in by_stage.items():
        for cell, some in work.split(*held):
            if len(some[0]) or len(some[1]):
                part = "&".join([*([cell.part] if cell.part else []), f"stage={stage}"])
                unit = Unit(cell.scope, cell.number, kind, work.key, part)
                yield from storing.build(unit, work.given(some, eligible=some[1].ids), work.stamp)


def surveys_of_campaigns(work: Work) -> Iterator[Row]:
    """The same of each campaign, over those asked in it."""
    if work.key in work.windows.trend:
        return
    by: By = "campaign"
    for (kind, number), held in work.tables(Cut(by=by)).items():
        unit = Unit(Scope.CAMPAIGN, int(number), kind, work.key)
        yield from storing.build(unit, work.given(held, eligible=held[1].ids), work.stamp)


def silence_of_units(work: Work) -> Iterator[Row]:
    """The exposure whose clients have said nothing for twelve months, in any survey."""
    if work.key != _YEAR:
        return
    spoken = population.spoken(work.bounds, work.successors)
    for cell in work.cells:
        ids = work.base(cell)
        reading = rates.silent(ids, work.exposure, spoken)
        if reading is not None:
            unit = Unit(cell.scope, cell.number, "", work.key, cell.part)
            yield storing.row(unit, _SILENT, reading, work.stamp)


def engagement_of_clients(block: Block) -> Iterator[Row]:
    """Engagement, health and the score of each client."""
    slot = Slot(block.keys.index(_YEAR), RELATIONAL, "")
    answered = block.answers.get(slot) or answers.empty()
    today = Today(block.windows.today, block.stamp, block.known)
    yield from engaging.rows_of_clients(block.ids, answered, today, kept=block.answering)
    if block.past is not None:
        yield from block.past.rows(today)


def engagement_of_units(work: Work) -> Iterator[Row]:
    """The means of these over the clients of each unit."""
    if not engaging.metrics_of(work.key) or work.windows.runs(work.key):
        return
    today = Today(work.windows.today, work.stamp, work.known)
    before = work.windows.before(work.key)
    yield from engaging.rows_of_units(work.key, before, _parts(work), today)


def _parts(work: Work) -> Iterator[Part]:
    for cell in work.cells:
        ids = work.base(cell)
        if len(ids):
            yield Part(cell.key, ids, work.exposure.of(ids))


CLIENT_SOURCES: tuple[ClientSource, ...] = (surveys_of_clients, engagement_of_clients)
UNIT_SOURCES: tuple[UnitSource, ...] = (
    surveys_of_units,
    stages_of_units,
    surveys_of_campaigns,
    silence_of_units,
    engagement_of_units,
)
