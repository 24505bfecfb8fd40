"""One pass over a file: map, check, compare, and write everything or nothing."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from bank import audit
from bank.models import ApiKey, User
from clients import changes
from clients.imports import mapping
from clients.imports.cells import Column
from clients.imports.kinds import Kind, Row
from clients.imports.lookup import Lookup
from clients.imports.mapping import Getter, Map
from clients.imports.reading import Table
from clients.imports.reporting import Report, Say, Unfit, Unreadable

_LOCK = 7_301_442_031
CLEAR = "-"


def run(
    kind: Kind,
    table: Table,
    *,
    by_map: Map | None = None,
    apply: bool,
    at: datetime,
    by: User | ApiKey | None = None,
) -> Report:
    """Check a file and, if asked and it has no error, write all of it in one transaction.

    The dry run is the same path without the last step; the same file twice changes nothing.
    """
    by_map = by_map or Map()
    report = Report(kind.name, table.name, table.digest, table.sheet, table.encoding)
    # A preview only reads, and on SQLite an open transaction would keep every writer waiting.
    with transaction.atomic() if apply else nullcontext():
        if apply:
            _alone()
        look = Lookup(by, at=at)
        rows = _check(kind, table, by_map, look, report)
        kind.plan([row for row in rows if row.number not in report.bad_rows], look, report)
        if apply and not report.errors:
            kind.write(at=at, by=by)
            changes.note(kind.touched(), at=at)
            report.applied = True
            data = {"file": table.name, "digest": table.digest, **report.counts()}
            audit.record("import.apply", f"import:{kind.name}", at=at, by=by, data=data)
    return report


def _alone() -> None:
    """One import at a time, so that the second of two equal ones sees what the first wrote."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            # A large file is many statements; none of them is a runaway query.
            cursor.execute("SET LOCAL statement_timeout = '120s'")
            # Between them the rows are checked, which on a busy machine takes its time.
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '15min'")


def _check(kind: Kind, table: Table, by_map: Map, look: Lookup, report: Report) -> list[Row]:
    columns = kind.columns()
    getters = mapping.getters(by_map, table.header, columns)
    _check_header(kind, columns, getters)
    _warn_of_header(table, by_map, columns, report)
    _tell_left_out(table, report)
    keep = mapping.selector(by_map, table.header)
    used = [(column, getters[column.name]) for column in columns if column.name in getters]
    width = len(table.header)
    seen: dict[tuple[object, ...], Row] = {}
    rows = []
    for number, cells_of_row in table.rows:
        report.rows += 1
        if keep is not None and not keep(cells_of_row):
            report.skipped += 1
            continue
        if not _fits(cells_of_row, width, number, report):
            continue
        row = Row(number, {}, cells_of_row, getters)
        _fill(row, kind, used, look, report)
        if _stands(kind, row, by_map, seen, report):
            rows.append(row)
    _warn_of_numbers(kind, table, rows, report)
    return rows


def _check_header(kind: Kind, columns: Sequence[Column], getters: dict[str, Getter]) -> None:
    missing = [
        column.name
        for column in columns
        if (column.needed or column.name in kind.key) and column.name not in getters
    ]
    if missing:
        raise Unreadable(
            _("The header lacks %(columns)s, which a file of this kind needs."),
            columns=", ".join(missing),
        )


def _warn_of_header(table: Table, by_map: Map, columns: Sequence[Column], report: Report) -> None:
    if table.other_sheets and not by_map.sheet:
        say = Say(_("Only this sheet was read; the workbook has others."))
        report.warn(0, "", table.sheet, say)
    if by_map.rules:
        return  # a mapping chooses on purpose
    known = {
        mapping.fold(name) for column in columns for name in (column.name, column.zh, column.en)
    }
    for name in table.header:
        if name and mapping.fold(name) not in known:
            report.warn(0, name, "", Say(_("This column is not known and was left out.")))


def _tell_left_out(table: Table, report: Report) -> None:
    """What the reader took out before a row was made of it."""
    for reason, number in table.left_out:
        report.rows += number
        report.skipped += number
        say = Say(_("Lines left out: %(number)s (%(reason)s)."), number=number, reason=reason)
        report.warn(0, "", "", say)


def _warn_of_numbers(kind: Kind, table: Table, rows: list[Row], report: Report) -> None:
    """A code that a spreadsheet keeps as a number has lost its leading zeros, if it had any."""
    for name in kind.key if table.encoding == "xlsx" else ():
        number = sum(isinstance(row.cell(name), int | float) for row in rows)
        if number:
            say = Say(
                _("%(number)s cells hold numbers, not text: zeros in front may be lost."),
                number=number,
            )
            report.warn(0, name, "", say)


def _fits(row: list[object], width: int, number: int, report: Report) -> bool:
    """A row with another number of cells than the header has lost its order."""
    beyond = any(cell not in (None, "") for cell in row[width:])
    if len(row) >= width and not beyond:
        return True
    say = Say(_("The row has %(cells)s cells, the header %(width)s."), cells=len(row), width=width)
    report.error(number, "", "", say)
    return False


def _fill(
    filled: Row,
    kind: Kind,
    used: list[tuple[Column, Getter]],
    look: Lookup,
    report: Report,
) -> None:
    for column, get in used:
        cell: object = None
        try:
            cell = get(filled.raw)
            if cell is None or cell == "":
                continue
            text = cell.strip() if isinstance(cell, str) else cell
            if text == "":
                continue
            if text == CLEAR and column.clearable:
                if column.needed:
                    raise Unfit(_("a value, since this column is needed"))  # noqa: TRY301
                filled.values[column.name] = column.blank
            else:
                value = filled.values[column.name] = column.read(cell, look)
                doubt = column.doubt and column.doubt(cell, value, look)
                if doubt:
                    report.warn(filled.number, column.name, cell, doubt)
        except Unfit as unfit:
            kind.unfit(column, unfit.say, filled.number, cell, report)


def _stands(
    kind: Kind,
    row: Row,
    by_map: Map,
    seen: dict[tuple[object, ...], Row],
    report: Report,
) -> bool:
    """Is this row one to go on with? Keys are needed and stand once in a file."""
    if row.number in report.bad_rows:
        return False
    needed = by_map.skip_without_any
    if needed and all(row.values.get(name) in (None, "") for name in needed):
        report.skipped += 1
        return False
    for name in kind.key:
        if row.values.get(name) in (None, ""):
            report.error(row.number, name, "", Say(_("A value is needed here.")))
            return False
    first = seen.setdefault(kind.identity(row), row)
    if first is row:
        return True
    if by_map.first_of_key or (kind.repeats and first.values == row.values):
        report.skipped += 1
        return False
    say = Say(_("The same key stands in row %(row)s already."), row=first.number)
    report.error(row.number, kind.key[0], row.cell(kind.key[0]), say)
    return False
