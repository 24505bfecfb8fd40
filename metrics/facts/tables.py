"""Sums by client as columns, and how a statement that yields them is read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection

from clients.models import Product, Stage
from metrics.facts.where import POPULATIONS, ROLES, By
from surveys.models import Questionnaire

Column = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]
Rows = npt.NDArray[np.float64]
_MANY = 200  # from so many clients on, COPY is faster than a row at a time


@dataclass(frozen=True, slots=True)
class Slot:
    """One window of one population, and one part of it where facts are split by something."""

    window: int
    population: str
    part: int | str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Sums by client: `ids` rise, every column has one number for each of them.

    Numbers are whole, or lie on a binary grid, so that adding them is exact in any order.
    """

    ids: Ids
    columns: dict[str, Column]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def total(self, name: str) -> float:
        """The sum of a column."""
        return float(self.columns[name].sum())

    def count(self, name: str) -> int:
        """The sum of a column of counts."""
        return int(self.columns[name].sum())

    def take(self, chosen: npt.NDArray[Any]) -> "Table":
        """The rows at these positions, or where this is true."""
        if chosen.dtype == np.bool_ and chosen.all():
            return self
        return Table(self.ids[chosen], {name: held[chosen] for name, held in self.columns.items()})

    def of(self, client_ids: Ids) -> "Table":
        """The rows of these clients, whose numbers rise."""
        return self.take(np.isin(self.ids, client_ids, assume_unique=True))


def read(sql: str, params: Sequence[Any], *, width: int, many: bool) -> Rows:
    """The rows of a statement all of whose columns are numbers of double precision."""
    if many and connection.vendor == "postgresql":
        return _copied(sql, params, width)
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = cursor.fetchall()
    return np.array(rows, dtype=np.float64).reshape(-1, width)


def without_compiling(cursor: Any) -> None:
    """Compiling so many sums takes longer than adding them up: not on this connection."""
    if connection.vendor == "postgresql":
        cursor.execute("SELECT set_config('jit', 'off', false)")


def unhurried() -> None:
    """Let the statements of this transaction take their time: for work that nobody waits for."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0;"
                # Enough to sort the events of a block without files.
                "SET LOCAL work_mem = '64MB'"
            )


def is_many(client_ids: Sequence[int] | None) -> bool:
    """Whether the answer of a statement about these clients is long."""
    return client_ids is None or len(client_ids) >= _MANY


def _copied(sql: str, params: Sequence[Any], width: int) -> Rows:
    """By binary COPY, whose tuples are of one length, as none of the numbers is null."""
    operations: Any = connection.ops  # only PostgreSQL can write a statement out
    text = operations.compose_sql(sql, params)
    buffer = bytearray()
    with connection.cursor() as cursor:
        without_compiling(cursor)
    with (
        connection.cursor() as cursor,
        cursor.cursor.copy(f"COPY ({text}) TO STDOUT (FORMAT BINARY)") as stream,
    ):
        for piece in stream:
            buffer += piece
    field = [("length", ">i4"), ("value", ">f8")]
    shape = np.dtype([("fields", ">i2"), ("cells", field, (width,))])
    header, trailer = 19, 2
    count = (len(buffer) - header - trailer) // shape.itemsize
    rows = np.frombuffer(buffer, shape, count=count, offset=header)
    return rows["cells"]["value"].astype(np.float64)


def split(rows: Rows, *, by: str, called: Mapping[int, str]) -> Iterator[tuple[Slot, Rows]]:
    """The rows of each slot; they come by window, population, part and client."""
    if not len(rows):
        return
    starts = np.flatnonzero(np.any(np.diff(rows[:, :3], axis=0) != 0, axis=1)) + 1
    for held in np.split(rows, starts):
        window, kind, part = (int(cell) for cell in held[0, :3])
        yield Slot(window, POPULATIONS[kind], called.get(part, part) if by else ""), held


def table(rows: Rows, names: Sequence[str]) -> Table:
    """The table of one slot, whose columns stand behind window, population, part and client."""
    held = {name: rows[:, 4 + place] for place, name in enumerate(names)}
    return Table(rows[:, 3].astype(np.int64), held)


def nobody(names: Sequence[str]) -> Table:
    """These columns without any client."""
    return table(np.zeros((0, 4 + len(names))), names)


def names(by: By) -> Mapping[int, str]:
    """What the numbers of the parts stand for; a campaign is called by its number."""
    if by == "buying_role":
        return dict(enumerate(ROLES))
    if not by:
        return {}
    rows = {
        "stage": Stage.objects.values_list("pk", "code"),
        "questionnaire": Questionnaire.objects.values_list("pk", "key"),
        "product_family": Product.objects.values_list("pk", "family"),
    }
    return dict(rows[by]) if by in rows else {}
