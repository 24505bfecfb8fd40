"""Cells of a workbook keep their types on the way into our columns."""

import io
from datetime import date, datetime

import openpyxl
import pytest

from clients import reference
from clients.imports import engine, mapping, reading
from clients.imports.case_rows import CaseRows
from clients.imports.client_rows import ClientKind
from clients.imports.milestone_rows import MilestoneKind
from clients.models import Case, Client, Milestone
from cxportal.reference import read
from tests.factories import NOW, make_client


def run(kind, rows, *, by_map=None, sheets=1):
    book = openpyxl.Workbook()
    for number in range(sheets - 1):
        book.create_sheet(f"more {number}").append(["x"])
    for row in rows:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    by_map = mapping.load(by_map or {})
    table = reading.parse(stream.getvalue(), "a.xlsx", sheet=by_map.sheet)
    return engine.run(kind(), table, by_map=by_map, apply=True, at=NOW)


@pytest.fixture(autouse=True)
def loaded(db):
    reference.load(read(), NOW)


def test_numbers_in_the_key_column_are_taken_with_a_warning():
    report = run(ClientKind, [["code", "name_zh", "since"], [12, "云石", date(2020, 1, 2)]])
    assert (report.new, report.warnings, report.errors) == (1, 1, 0)
    assert (report.problems[0].column, report.problems[0].sheet) == ("code", "Sheet")
    client = Client.objects.get()
    assert (client.code, client.since) == ("12", date(2020, 1, 2))


def test_days_times_and_amounts_come_as_they_are():
    make_client("C1")
    head = ["number", "client_code", "opened_on", "amount", "currency"]
    run(CaseRows, [head, ["L-1", "C1", datetime(2026, 9, 1), 1250000.5, "usd"]])  # noqa: DTZ001
    case = Case.objects.get()
    assert (str(case.amount), case.currency, case.opened_on) == (
        "1250000.50",
        "USD",
        date(2026, 9, 1),
    )
    head = ["external_id", "case_number", "code", "occurred_at"]
    run(MilestoneKind, [head, ["M1", "L-1", "enquiry", datetime(2026, 9, 1, 10, 30)]])  # noqa: DTZ001
    assert Milestone.objects.get().occurred_at.isoformat() == "2026-09-01T02:30:00+00:00"


@pytest.mark.parametrize(
    ("column", "value"),
    [("amount", True), ("amount", "much"), ("amount_wan", "much"), ("currency", "Yuan")],
)
def test_money_that_is_none_is_refused(column, value):
    make_client("C1")
    rows = [["number", "client_code", "opened_on", column], ["L-1", "C1", "2026-09-01", value]]
    assert run(CaseRows, rows).errors == 1


def test_further_sheets_are_told_unless_the_mapping_names_one():
    rows = [["code", "name_zh"], ["C1", "云石"]]
    assert run(ClientKind, rows, sheets=2).warnings == 1
    assert run(ClientKind, rows, sheets=2, by_map={"@rows": {"sheet": "Sheet"}}).warnings == 0
