"""XLSX: the table of the zip is judged before anything is unpacked."""

import io
import re
import zipfile
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from python_calamine import CalamineWorkbook

from clients.imports.reporting import Unreadable

MAX_ENTRIES = 2_000
MAX_UNPACKED = 200 * 1024 * 1024
# Sheets shrink to a tenth or so; what shrinks far more was made to burst.
SMALL = 20 * 1024 * 1024
MAX_RATIO = 80

_CHUNK = 1 << 20
# A cell beyond column ZZ or row 199,999: a reader would build the whole rectangle up to it.
_FAR = re.compile(rb"""\sr=["'](?:[A-Z]{3,}[0-9]+|[A-Z]{0,2}(?:[2-9][0-9]{5}|[0-9]{7,}))["']""")


@dataclass(frozen=True)
class Sheet:
    """The cells of one sheet, and how many further sheets were not read."""

    sheet: str
    rows: list[list[object]]
    other_sheets: int


def read(content: bytes, *, sheet: str, max_rows: int, max_columns: int) -> Sheet:
    """Read one sheet: the one named, else the first that is not empty."""
    _inspect(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = list(book.sheet_names)
    except Exception as error:  # a foreign parser may raise anything on a broken file
        raise _broken() from error
    if sheet and sheet not in names:
        raise Unreadable(_("The workbook has no sheet “%(sheet)s”."), sheet=sheet)
    for chosen in [sheet] if sheet else names:
        rows = _rows(book, chosen)
        if any(cell != "" for row in rows for cell in row):
            break
    width = max((len(row) for row in rows), default=0)
    if len(rows) > max_rows + 1 or width > max_columns:
        raise Unreadable(
            _("The sheet has more than %(rows)s rows or %(columns)s columns."),
            rows=max_rows,
            columns=max_columns,
        )
    return Sheet(chosen, rows, len(names) - 1)


def _rows(book: Any, name: str) -> list[list[object]]:
    try:
        rows: list[list[object]] = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    except Exception as error:  # see above
        raise _broken() from error
    return rows


def _broken() -> Unreadable:
    return Unreadable(_("The workbook is damaged, cut or of another kind than its name says."))


def _inspect(content: bytes) -> None:
    """Size, entries, encryption, macros and far cells, all before the sheet is built."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _judge(entries, len(content))
            for entry in entries:
                if entry.filename.startswith("xl/worksheets/"):
                    _look_for_far_cells(archive, entry)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        raise _broken() from error


def _judge(entries: list[zipfile.ZipInfo], packed: int) -> None:
    names = {entry.filename for entry in entries}
    unpacked = sum(entry.file_size for entry in entries)
    if any(entry.flag_bits & 1 for entry in entries):
        raise Unreadable(_("The workbook is protected by a password; save it without one."))
    if "xl/workbook.xml" not in names:
        raise _broken()
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise Unreadable(_("The workbook holds macros; save it as .xlsx without them."))
    bursting = unpacked > SMALL and unpacked > MAX_RATIO * packed
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED or bursting:
        raise Unreadable(_("Unpacked, the workbook would be far too large."))


def _look_for_far_cells(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    tail = b""
    with archive.open(entry) as stream:
        while chunk := stream.read(_CHUNK):
            if _FAR.search(tail + chunk):
                raise Unreadable(_("The sheet has cells far outside a table of this kind."))
            tail = chunk[-40:]
