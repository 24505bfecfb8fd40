"""Files of every sort become rows, or one sentence."""

import gzip
import io
import json
import zipfile

import openpyxl
import pytest
from django.conf import settings
from django.utils import translation

from clients.imports import reading
from clients.imports.reporting import Unreadable

FILES = settings.BASE_DIR / "tests" / "data" / "files"
ROWS = "客户编号,名称\nC1,云石钢铁\nC2,云帆港口\n"


def cells(content, name="a.csv"):
    table = reading.parse(content, name)
    return [table.header] + [row for _number, row in table.rows]


def refusal(content, name="a.csv"):
    with translation.override("en"), pytest.raises(Unreadable) as caught:
        reading.parse(content, name)
    with translation.override("en"):
        return str(caught.value)


def workbook(rows, **more):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title in more.get("sheets", []):
        book.create_sheet(title)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
    ],
)
def test_each_encoding_gives_the_same_rows(encoding, named):
    table = reading.parse(ROWS.encode(encoding), "a.csv")
    assert table.encoding == named
    assert table.header == ["客户编号", "名称"]
    assert table.rows == [(2, ["C1", "云石钢铁"]), (3, ["C2", "云帆港口"])]


def test_short_utf8_is_not_taken_for_gb18030():
    assert cells("张伟,北京\n李,上海\n".encode()) == [["张伟", "北京"], ["李", "上海"]]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separator_and_line_end_are_found(separator, end):
    text = f'a{separator}"b, c; d"{end}1{separator}"two{end}lines"{end}'
    assert cells(text.encode()) == [["a", "b, c; d"], ["1", f"two{end}lines"]]


@pytest.mark.parametrize("path", sorted((FILES / "csv-spectrum").glob("*.csv")), ids=str)
def test_the_spectrum_of_csv_is_read_as_expected(path):
    table = reading.read(path)
    found = [dict(zip(table.header, row, strict=True)) for _number, row in table.rows]
    assert found == json.loads(path.with_suffix(".expected.json").read_text(encoding="utf-8"))


def test_a_header_with_line_breaks_does_not_hide_the_separator():
    assert reading.read(FILES / "test_header_newline.csv").header == ["start end", "b", "c"]


def test_old_macintosh_files_are_read():
    assert reading.read(FILES / "books-mac.csv").header == ["id", "name", "author_email"]


def test_the_first_sheet_with_something_on_it_is_read():
    table = reading.read(FILES / "test_sheets.xlsx")
    assert (table.sheet, table.other_sheets) == ("data", 1)


def test_blank_rows_are_left_out_and_the_others_keep_their_number():
    assert reading.parse(b"\n\na,b\n,\n1,2\n", "a.csv").rows == [(5, ["1", "2"])]


def test_a_packed_file_is_read():
    assert cells(gzip.compress(ROWS.encode(), mtime=0), "a.csv.gz")[1] == ["C1", "云石钢铁"]


def test_a_workbook_is_read_with_its_types():
    table = reading.parse(workbook([["a", "b"], ["0012", 12], ["x", 1.5]]), "a.xlsx")
    assert table.rows == [(2, ["0012", 12.0]), (3, ["x", 1.5])]
    assert (table.sheet, table.encoding) == ("Sheet", "xlsx")


def test_a_sheet_may_be_named():
    content = workbook([["a"], [1]], sheets=["two"])
    with pytest.raises(Unreadable, match="moon"):
        reading.parse(content, "a.xlsx", sheet="moon")
    assert reading.parse(content, "a.xlsx", sheet="Sheet").other_sheets == 1


GOOD = workbook([["code", "name_zh"], ["C1", "x"]])


def repacked(change):
    """The good workbook with entries changed, added or taken away."""
    source, target = zipfile.ZipFile(io.BytesIO(GOOD)), io.BytesIO()
    entries = change({name: source.read(name) for name in source.namelist()})
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target.getvalue()


def far_cell(entries):
    sheet = entries["xl/worksheets/sheet1.xml"]
    cell = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return entries | {"xl/worksheets/sheet1.xml": sheet.replace(b"</sheetData>", cell)}


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.csv", "The file is empty."),
        (b" \n \n", "a.csv", "The file is empty."),
        (b"code,name_zh\n", "a.csv", "no row of data"),
        (b"a,b\n1,\x002\n", "a.csv", "NUL"),
        (b"a,b\n1,\xff\xfe\xfd\n", "a.csv", "encoding"),
        ("客户,b\n云".encode("gb18030")[:-1], "a.csv", "encoding"),
        (ROWS.encode("utf-16-le"), "a.csv", "NUL"),
        (b'a,b\n1,"2\n', "a.csv", "Row 2: a quotation mark"),
        (b'a,b\n1,"2"x\n', "a.csv", "Row 2: a quotation mark"),
        (b"a,b\n1," + b"x" * 40_000 + b"\n", "a.csv", "Row 2: a cell has more than"),
        (b",".join(b"c%d" % n for n in range(501)) + b"\n1\n", "a.csv", "more than 500 columns"),
        (GOOD, "a.csv", "does not end in .xlsx"),
        (ROWS.encode(), "a.xlsx", "damaged, cut or of another kind"),
        (ROWS.encode(), "a.csv.gz", "not packed with gzip"),
        (gzip.compress(ROWS.encode() * 50, mtime=0)[:-20], "a.csv.gz", "damaged or cut"),
        (gzip.compress(b"\n", mtime=0), "a.csv.gz", "The file is empty."),
        (GOOD[: len(GOOD) // 2], "a.xlsx", "damaged, cut or of another kind"),
        (b"PK\x03\x04" + b"x" * 200, "a.xlsx", "damaged, cut or of another kind"),
        (repacked(lambda e: e | {"xl/worksheets/sheet1.xml": b"<worksheet"}), "a.xlsx", "damaged"),
        (repacked(lambda e: {"x": b"y"}), "a.xlsx", "damaged"),
        (repacked(lambda e: e | {"xl/vbaProject.bin": b"x"}), "a.xlsm", "macros"),
        (repacked(lambda e: e | {"xl/big": bytes(30_000_000)}), "a.xlsx", "far too large"),
        (repacked(far_cell), "a.xlsx", "far outside"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx",
            "protected by a password",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_one_sentence(content, name, said):
    sentence = refusal(content, name)
    assert said in sentence
    assert sentence.count("\n") == 0


@pytest.mark.parametrize(
    "name",
    [
        "bad_dimensions.xlsx",
        "test_empty.xlsx",
        "test_ambiguous_date.xls",
        "null_byte.csv",
        "test_latin1.csv",
        "moon.csv",
    ],
)
def test_broken_files_of_others_are_refused(name):
    with pytest.raises(Unreadable):
        reading.read(FILES / name)


def test_too_many_rows_and_bytes_are_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(reading, "MAX_ROWS", 2)
    assert "more than 2 rows" in refusal(b"a\n1\n2\n3\n")
    assert "more than 2 rows" in refusal(workbook([["a"], [1], [2], [3]]), "a.xlsx")
    monkeypatch.setattr(reading, "MAX_UNPACKED", 10)
    assert "Unpacked" in refusal(gzip.compress(b"a\n" * 50, mtime=0), "a.csv.gz")
    monkeypatch.setattr(reading, "MAX_BYTES", 4)
    assert "larger than" in refusal(b"a\n1\n2\n")
    (tmp_path / "a.csv").write_bytes(b"a\n1\n2\n")
    with pytest.raises(Unreadable):
        reading.read(tmp_path / "a.csv")
