"""Files become rows of cells: size, then type, then encoding, then structure."""

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clients.imports import weblog, workbook
from clients.imports.reporting import Unreadable

MAX_BYTES = 50 * 1024 * 1024
MAX_UNPACKED = 200 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 500
MAX_FIELD = 32_767

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK"
_GZIP = b"\x1f\x8b"
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_SEPARATORS = (",", ";", "\t")
_HEAD = 65_536
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Table:
    """One sheet: its header, and its rows with the number a spreadsheet would show."""

    name: str
    digest: str
    sheet: str
    encoding: str
    header: list[str]
    rows: list[tuple[int, list[object]]]
    other_sheets: int = 0
    # Lines that the reader itself took out: why, and how many.
    left_out: tuple[tuple[str | Promise, int], ...] = ()


def read(path: Path, *, sheet: str = "") -> Table:
    """Read a file of the disk; whatever is wrong with it is one sentence."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _too_large()
        content = path.read_bytes()
    except OSError as error:
        raise Unreadable(_("The file cannot be opened: %(why)s."), why=error.strerror) from error
    return parse(content, path.name, sheet=sheet)


def parse(content: bytes, name: str, *, sheet: str = "") -> Table:
    """Read the bytes of a file; the name must say truly what they are."""
    digest = hashlib.sha256(content).hexdigest()
    if len(content) > MAX_BYTES:
        raise _too_large()
    if not content.strip():
        raise Unreadable(_("The file is empty."))
    suffix = Path(name.lower()).suffix
    if suffix == ".gz":
        content, suffix = _unpack(content), Path(name.lower()[:-3]).suffix
    if content.startswith(_OLE):
        raise Unreadable(_ole_sentence(content))
    if suffix in {".xlsx", ".xlsm"} or content.startswith(_ZIP):
        return _workbook(content, name, suffix, digest, sheet)
    text, encoding = decode(content)
    if suffix == ".log":
        views = weblog.read(text, most=MAX_ROWS)
        header = [*weblog.HEADER]
        return Table(name, digest, "", encoding, header, views.rows, left_out=views.left_out)
    records = _records(text)
    header, rows = _split(records)
    return Table(name, digest, "", encoding, header, rows)


def decode(content: bytes) -> tuple[str, str]:
    """Byte order mark, strict UTF-8, then GB18030: short UTF-8 would pass for GB18030."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            candidates = [encoding]
            break
    else:
        candidates = ["utf-8", "gb18030"]
    for encoding in candidates:
        try:
            text = content.decode(encoding)
        except UnicodeError:
            continue
        if "\x00" in text:
            raise Unreadable(_("The file holds NUL characters; it is no plain CSV file."))
        return text, encoding
    raise Unreadable(_("The encoding is neither UTF-8, GB18030 nor UTF-16, or the file is cut."))


def _too_large() -> Unreadable:
    return Unreadable(_("The file is larger than %(size)s MB."), size=MAX_BYTES // (1024 * 1024))


def _unpack(content: bytes) -> bytes:
    if not content.startswith(_GZIP):
        raise Unreadable(_("The name ends in .gz, but the file is not packed with gzip."))
    try:
        with gzip.open(io.BytesIO(content)) as packed:
            plain = packed.read(MAX_UNPACKED + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise Unreadable(_("The packed file is damaged or cut.")) from error
    if len(plain) > MAX_UNPACKED:
        raise Unreadable(
            _("Unpacked, the file is larger than %(size)s MB."), size=MAX_UNPACKED // 1024 // 1024
        )
    if not plain.strip():
        raise Unreadable(_("The file is empty."))
    return plain


def _ole_sentence(content: bytes) -> str | Promise:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return _("The workbook is protected by a password; save it without one.")
    return _("This is a workbook of the old kind (.xls); save it as .xlsx or CSV.")


def _workbook(content: bytes, name: str, suffix: str, digest: str, sheet: str) -> Table:
    if suffix not in {".xlsx", ".xlsm"}:
        raise Unreadable(_("The file is packed but its name does not end in .xlsx or .gz."))
    found = workbook.read(content, sheet=sheet, max_rows=MAX_ROWS, max_columns=MAX_COLUMNS)
    header, rows = _split(enumerate(found.rows, start=1))
    return Table(name, digest, found.sheet, "xlsx", header, rows, found.other_sheets)


def _records(text: str) -> Iterator[tuple[int, list[object]]]:
    """The records with their number; a fault of the format names the record."""
    csv.field_size_limit(MAX_FIELD)
    # Quoted parts are taken out first: a header may hold separators and line breaks in quotes.
    bare = _QUOTED.sub("", text[:_HEAD]).lstrip("\r\n")
    first = re.split(r"[\r\n]", bare, maxsplit=1)[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = 0
    while True:
        number += 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unreadable(_csv_sentence(error), row=number, most=MAX_FIELD) from error
        yield number, list(record)


def _csv_sentence(error: csv.Error) -> str | Promise:
    if "field limit" in str(error):
        return _("Row %(row)s: a cell has more than %(most)s characters.")
    return _("Row %(row)s: a quotation mark is missing or stands in the wrong place.")


def _split(
    records: Iterator[tuple[int, list[object]]] | enumerate[list[object]],
) -> tuple[list[str], list[tuple[int, list[object]]]]:
    """The first row that is not blank is the header; blank rows below it are left out."""
    header: list[str] = []
    rows: list[tuple[int, list[object]]] = []
    for number, record in records:
        if not any(cell not in (None, "") for cell in record):
            continue
        if not header:
            header = _header(record)
            continue
        rows.append((number, record))
        if len(rows) > MAX_ROWS:
            raise Unreadable(_("The file has more than %(most)s rows."), most=MAX_ROWS)
    if not rows:
        raise Unreadable(_("The file has no row of data below its header."))
    return header, rows


def _header(record: list[object]) -> list[str]:
    names = [" ".join(str(cell or "").split()) for cell in record]
    while names and not names[-1]:
        names.pop()
    if len(names) > MAX_COLUMNS:
        raise Unreadable(_("The file has more than %(most)s columns."), most=MAX_COLUMNS)
    return names
