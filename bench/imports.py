"""I1 and I2: clients from XLSX, against django-import-export in bulk mode and against COPY."""

import csv
import io
import statistics
from collections.abc import Callable
from functools import cache
from pathlib import Path

import openpyxl
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from import_export import fields, resources, widgets
from import_export.formats.base_formats import XLSX

from bench.measuring import Goal, Line, seconds
from clients.imports import engine, reading, uscc
from clients.imports.client_rows import ClientKind
from clients.models import Client, Industry, Province

LIBRARY, COPY = Goal("I1", 15), Goal("I2", 0.12)
ROWS, ROUNDS = 50_000, 5
HEADER = ("code", "name_zh", "name_en", "uscc", "industry", "province", "size", "segment", "since")
_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


class Naive(resources.ModelResource):
    """The library as its manual tells: widgets look things up once, rows go in bulk."""

    code = fields.Field("code", "code")
    uscc = fields.Field("uscc", "uscc")
    industry = fields.Field("industry_id", "industry")
    province = fields.Field("province_id", "province")
    since = fields.Field("since", "since", widget=widgets.DateWidget("%Y-%m-%d"))

    class Meta:
        model = Client
        fields = HEADER
        import_id_fields = ("code",)
        use_bulk = True
        batch_size = 2_000
        skip_diff = True
        skip_unchanged = True
        use_transactions = True

    def before_import(self, dataset: object, **kwargs: object) -> None:
        """The dictionaries, once for the file."""
        self.industries = dict(Industry.objects.values_list("code", "pk"))
        self.provinces = dict(Province.objects.values_list("code", "pk"))
        self.seen: set[str] = set()

    def before_import_row(self, row: dict[str, object], **kwargs: object) -> None:
        """The same checks as ours: keys once, known codes, lengths, the check sign."""
        code, credit = str(row["code"]).strip(), uscc.clean(str(row["uscc"]))
        faults = [
            code in self.seen or not code or "/" in code or len(code) > 64,
            not uscc.is_valid(credit),
            not row["name_zh"] or len(str(row["name_zh"])) > 300,
            row["size"] not in Client.Size.values,
            row["segment"] not in Client.Segment.values,
            str(row["industry"]) not in self.industries,
            str(row["province"]) not in self.provinces,
        ]
        if any(faults):
            raise ValidationError(f"row {code}: {faults}")
        self.seen.add(code)
        row["uscc"] = credit
        row["industry"] = self.industries[str(row["industry"])]
        row["province"] = self.provinces[str(row["province"])]


def against_library(scale: float) -> Line:
    """Read, check, report and apply, all or nothing; each round into an empty table."""
    count = _count(scale)
    path = _workbook(count)
    ratios, ours, theirs = _in_turn(lambda: _ours(path), lambda: _library(path))
    told = (
        f"import of {count} clients from XLSX, {count / ours:.0f} rows/s; django-import-export "
        f"in bulk mode with the same checks {count / theirs:.0f} rows/s"
    )
    return Line(LIBRARY, ratios, told)


def against_copy(scale: float) -> Line:
    """The same against the plain COPY of finished rows."""
    count = _count(scale)
    path = _workbook(count)
    finished = _finished(count)
    ratios, ours, theirs = _in_turn(lambda: _ours(path), lambda: _copy(finished))
    told = (
        f"import of {count} clients from XLSX, {count / ours:.0f} rows/s; "
        f"COPY of finished rows {count / theirs:.0f} rows/s"
    )
    return Line(COPY, ratios, told)


def _in_turn(
    ours: Callable[[], object], theirs: Callable[[], object]
) -> tuple[list, float, float]:
    """Both sides alternately; each finds the table empty, and swept of what was there."""
    pairs = []
    for _round in range(ROUNDS + 1):
        pair = []
        for side in (ours, theirs):
            _empty()
            pair.append(seconds(side))
        pairs.append(pair)
    pairs = pairs[1:]
    medians = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    return [y / x for x, y in pairs], *medians


def _ours(path: Path) -> None:
    report = engine.run(ClientKind(), reading.read(path), apply=True, at=timezone.now())
    assert report.applied, report.errors


def _library(path: Path) -> None:
    dataset = XLSX().create_dataset(path.read_bytes())
    result = Naive().import_data(dataset, dry_run=False, raise_errors=True)
    assert not result.has_errors()


def _copy(finished: bytes) -> None:
    names = "code, name_zh, name_en, short_name, uscc, industry_id, province_id, size, segment, "
    names += "since, kind, status, is_demo"
    with (
        connection.cursor() as cursor,
        cursor.copy(
            f"COPY clients_client ({names}) FROM STDIN (FORMAT csv, FORCE_NOT_NULL (short_name))"
        ) as copy,
    ):
        copy.write(finished)


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE clients_client CASCADE")


def _count(scale: float) -> int:
    return max(1_000, int(ROWS * scale))


@cache
def _workbook(count: int) -> Path:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("clients")
    sheet.append(HEADER)
    for row in _rows(count):
        sheet.append(row)
    path = Path(settings.STATE_DIR, f"clients-{count}.xlsx")
    book.save(path)
    return path


def _finished(count: int) -> bytes:
    industries = dict(Industry.objects.values_list("code", "pk"))
    provinces = dict(Province.objects.values_list("code", "pk"))
    text = io.StringIO()
    writer = csv.writer(text)
    for code, zh, en, credit, industry, province, size, segment, since in _rows(count):
        keys = (industries[industry], provinces[province])
        writer.writerow(
            (code, zh, en, "", credit, *keys, size, segment, since, "corporate", "active", "f")
        )
    return text.getvalue().encode()


def _rows(count: int) -> list[tuple[str, ...]]:
    industries = list(Industry.objects.order_by("code").values_list("code", flat=True))
    provinces = list(Province.objects.order_by("code").values_list("code", flat=True))
    return [
        (
            f"K{number:07d}",
            f"云汀第{number}实业有限公司",
            f"Yunting Industrial {number} Co., Ltd.",
            _credit_code(number),
            industries[number % len(industries)],
            provinces[number % len(provinces)],
            Client.Size.values[number % 4],
            Client.Segment.values[number % 2],
            f"20{number % 25:02d}-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        )
        for number in range(count)
    ]


def _credit_code(number: int) -> str:
    body = f"91310000{number:09d}"
    return next(body + sign for sign in _SIGNS if uscc.is_valid(body + sign))
