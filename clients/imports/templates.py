"""Empty files with the columns of a kind, to be filled in."""

import csv
import io
import zipfile
from xml.sax.saxutils import escape

from clients.imports.kinds import Kind

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def build(kind: Kind, suffix: str) -> bytes:
    """One header row; the sheet's second row could not be told from data, so there is none."""
    names = [column.name for column in kind.columns()]
    return _csv(names) if suffix == "csv" else _xlsx(kind.name, names)


def _csv(names: list[str]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream).writerow(names)
    # Excel takes a CSV file for UTF-8 only with the mark in front.
    return stream.getvalue().encode("utf-8-sig")


def _xlsx(title: str, names: list[str]) -> bytes:
    """The smallest workbook there is: a library for one row would be a large one."""
    cells = "".join(f'<c t="inlineStr"><is><t>{escape(name)}</t></is></c>' for name in names)
    files = {
        "[Content_Types].xml": (
            f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType='
            '"application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.'
            'openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
            '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.'
            'openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
        ),
        "_rels/.rels": (
            f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'{_HEAD}<workbook xmlns="{_SPREADSHEET}" xmlns:r="{_RELATIONS}"><sheets>'
            f'<sheet name="{escape(title)}" sheetId="1" r:id="r1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
            f'Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
        ),
        "xl/worksheets/sheet1.xml": (
            f'{_HEAD}<worksheet xmlns="{_SPREADSHEET}"><sheetData><row r="1">{cells}</row>'
            "</sheetData></worksheet>"
        ),
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()
