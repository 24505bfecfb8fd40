"""What a kind of file is to the engine, and the common case: one row is one record."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from bank.models import ApiKey, User
from clients.imports.cells import Column
from clients.imports.lookup import Lookup
from clients.imports.mapping import Getter
from clients.imports.reporting import Report, Say, shown

BATCH = 2_000
_BLOCK = 5_000


@dataclass(slots=True)
class Row:
    """The cells of one row that said something, by our column names."""

    number: int
    values: dict[str, Any]
    raw: Sequence[object]
    getters: Mapping[str, Getter]

    @property
    def cells(self) -> dict[str, object]:
        """The same as they stand in the file, for a preview: made anew, not kept."""
        return {name: self.cell(name) for name in self.values}

    def cell(self, name: str) -> object:
        """One of them; nothing where the row said nothing."""
        return self.getters[name](self.raw) if name in self.values else ""


class Kind(ABC):
    """A kind of import file."""

    name: ClassVar[str]
    title_zh: ClassVar[str]
    title_en: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    # Does a file of this kind print the same record several times? Equal rows count once then.
    repeats: ClassVar[bool] = False

    @abstractmethod
    def columns(self) -> Sequence[Column]:
        """The columns, natural key first."""

    @abstractmethod
    def plan(self, rows: list[Row], look: Lookup, report: Report) -> None:
        """Compare with what is stored, note errors and counts, remember what to write."""

    @abstractmethod
    def write(self, *, at: datetime, by: User | ApiKey | None) -> None:
        """Write what `plan` remembered; the caller holds the transaction."""

    def unfit(self, column: Column, say: Say, row: int, cell: object, report: Report) -> None:
        """A cell that cannot be taken is an error of the file, unless a kind knows better."""
        form = Say(_("expected: %(form)s"), form=say)
        report.error(row, column.name, cell, form)

    def identity(self, row: Row) -> tuple[object, ...]:
        """The natural key by which a row is the same as another row of the file."""
        return tuple(row.values[name] for name in self.key)

    def touched(self) -> Iterable[int]:
        """Clients whose figures have to be made again, once `write` has run."""
        return ()

    def key_of(self, row: Row) -> str:
        """The natural key as text."""
        return " ".join(shown(row.cell(name)) for name in self.key)


class RecordKind(Kind):
    """One row is one record of one model, found by one field."""

    model: ClassVar[type[Model]]
    shape: ClassVar[tuple[Column, ...]]
    # The fields from which figures are made (None: each), and the one that says of which client.
    measured: ClassVar[frozenset[str] | None] = frozenset()
    owner: ClassVar[str] = "client_id"

    def __init__(self) -> None:
        self.fresh: list[Any] = []
        self.altered: list[Any] = []
        self.fields: set[str] = set()
        self.stored: dict[Any, Any] = {}
        self.filled: set[str] = set()  # fields of new records
        self.noted: set[int] = set()
        self.look = Lookup()

    def columns(self) -> Sequence[Column]:
        """The columns of the contract."""
        return self.shape

    def plan(self, rows: list[Row], look: Lookup, report: Report) -> None:
        """One read of the stored records, then everything in memory."""
        self.stored = self.existing([self.locate(row) for row in rows])
        self.look = look
        self.prepare(rows, look, report)
        by_name = {column.name: column for column in self.columns()}
        for row in rows:
            item = self.stored.get(self.locate(row))
            if not self.check(row, item, look, report):
                continue
            values = {
                by_name[name].field: value
                for name, value in row.values.items()
                if by_name[name].field
            } | self.derived(row, look)
            if item is None:
                self._add(row, values, report)
            else:
                self._alter(row, item, values, report)

    def locate(self, row: Row) -> Any:
        """What the stored record is found by."""
        return row.values[self.key[0]]

    def existing(self, keys: Iterable[Any]) -> dict[Any, Any]:
        """The stored records of these keys."""
        wanted, found = list(dict.fromkeys(keys)), {}
        field = self.shape[0].field
        manager = self.model._meta.default_manager
        for start in range(0, len(wanted), _BLOCK):
            block = wanted[start : start + _BLOCK]
            for item in manager.filter(**{f"{field}__in": block}).iterator(_BLOCK):  # type: ignore[union-attr]
                found[getattr(item, field)] = item
        return found

    def prepare(self, rows: list[Row], look: Lookup, report: Report) -> None:
        """A chance to look at all rows at once before each is judged."""

    def check(self, row: Row, item: Any, look: Lookup, report: Report) -> bool:
        """Judge a row as a whole; what is needed must be there when the record is new."""
        if item is not None:
            if not look.limited or self.owner_of(item, look) in look.client_ids:
                return True
            say = Say(_("This key belongs to a client that you may not change."))
            report.error(row.number, self.key[0], row.cell(self.key[0]), say)
            return False
        missing = [
            column.name
            for column in self.columns()
            if column.needed and row.values.get(column.name) in (None, "")
        ]
        for name in missing:
            report.error(row.number, name, "", Say(_("A value is needed here.")))
        return not missing

    def owner_of(self, item: Any, look: Lookup) -> int:
        """The client whose record a stored one is."""
        owner: int = getattr(item, self.owner)
        return owner

    def derived(self, row: Row, look: Lookup) -> dict[str, Any]:
        """Fields of the record that follow from several cells."""
        return {}

    def beside(self, row: Row, item: Any, report: Report) -> dict[str, tuple[str, str]]:
        """Changes of a row outside the record itself: {column: (old, new)}."""
        return {}

    def write(self, *, at: datetime, by: User | ApiKey | None) -> None:
        """New and changed records by the same statement: a rival's insert becomes an update."""
        self.upsert(self.fresh, self.filled - set(self.unique()))
        self.upsert([self._twin(item) for item in self.altered], self.fields)

    def upsert(self, items: list[Any], fields: set[str]) -> None:
        """Insert the records, or update these fields of those whose key exists."""
        names = {item.attname: item.name for item in self.model._meta.concrete_fields}
        manager: Any = self.model._meta.default_manager
        if items and fields:
            manager.bulk_create(
                items,
                batch_size=BATCH,
                update_conflicts=True,
                unique_fields=[names.get(name, name) for name in self.unique()],
                update_fields=sorted(names.get(name, name) for name in fields),
            )

    def unique(self) -> tuple[str, ...]:
        """The fields of the record that its natural key fills."""
        return (self.shape[0].field,)

    def touched(self) -> Iterable[int]:
        """Clients of new records, and of those in which a field of a figure changed."""
        if self.measured == frozenset():
            return ()
        return self.noted | {getattr(item, self.owner) for item in self.fresh}

    def _add(self, row: Row, values: dict[str, Any], report: Report) -> None:
        item = self.model(**values)
        self.filled.update(values)
        self.fresh.append(item)
        self.stored[self.locate(row)] = item
        self.beside(row, None, report)
        report.new += 1
        report.change(row.number, self.key_of(row), _all_new(row))

    def _alter(self, row: Row, item: Any, values: dict[str, Any], report: Report) -> None:
        changed = {
            name: (getattr(item, name), value)
            for name, value in values.items()
            if getattr(item, name) != value
        }
        further = self.beside(row, item, report)
        if not changed and not further:
            report.unchanged += 1
            return
        if changed:
            if self.measured is None or self.measured & changed.keys():
                self.noted.update({getattr(item, self.owner), *changed.get(self.owner, ())})
            for name, (_old, value) in changed.items():
                setattr(item, name, value)
            self.fields.update(changed)
            self.altered.append(item)
        report.changed += 1
        report.change(row.number, self.key_of(row), lambda: self._told(row, changed) | further)

    def _twin(self, item: Any) -> Any:
        """The record without its row number: the natural key decides what is updated."""
        values = {
            field.attname: getattr(item, field.attname)
            for field in self.model._meta.concrete_fields
            if not field.primary_key
        }
        return self.model(**values)

    def _told(self, row: Row, changed: dict[str, tuple[Any, Any]]) -> dict[str, tuple[str, str]]:
        """Old and new values as people write them: codes in place of row numbers."""
        told = {}
        for column in self.columns():
            if column.field in changed and column.name in row.values:
                old = changed[column.field][0]
                if column.table and old is not None:
                    table = getattr(self.look, column.table)
                    old = next((code for code, pk in table.items() if pk == old), old)
                told[column.name] = (shown("" if old is None else old), row.cell(column.name))
        return {name: (old, shown(new)) for name, (old, new) in told.items()}


def _all_new(row: Row) -> Callable[[], dict[str, tuple[str, str]]]:
    return lambda: {name: ("", shown(cell)) for name, cell in row.cells.items()}
