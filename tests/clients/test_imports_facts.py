"""What is lent and what happens, through import files: each kind, its errors, its replays."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils import translation

from bank.models import AuditEntry
from clients import reference as clients_reference
from clients.imports import engine, mapping, reading
from clients.imports.reporting import shown
from clients.models import (
    ChangeNote,
    ClientEvent,
    Facility,
    FacilityBalance,
    Party,
    Profile,
    Statement,
    Touchpoint,
    Transaction,
)
from cxportal.imports import KINDS
from cxportal.reference import read
from tests.factories import NOW, make_case, make_client, make_contact


@pytest.fixture(autouse=True)
def lan_has_a_client(staff):
    clients_reference.load(read(), NOW)
    return make_client("C1", manager=staff.lan, team=staff.east)


def run(kind, text, *, apply=True, by_map=None, by=None):
    table = reading.parse(text.encode(), "a.csv")
    by_map = mapping.load(by_map) if by_map is not None else None
    return engine.run(KINDS[kind](), table, by_map=by_map, apply=apply, at=NOW, by=by)


def counts(report):
    return tuple(report.counts().values())


def told(report):
    with translation.override("en"):
        return [(one.row, one.column, one.value, str(one.say)) for one in report.problems]


def noted():
    """The clients noted so far; the notes are taken away."""
    ids = {pk for note in ChangeNote.objects.all() for pk in note.client_ids}
    ChangeNote.objects.all().delete()
    return ids


GOOD = {
    "client_events": {
        "external_id": "E1",
        "client_code": "C1",
        "event": "complaint_closed",
        "occurred_at": "2026-09-01 10:00",
    },
    "parties": {
        "case_number": "L-1",
        "role": "guarantor",
        "client_code": "C2",
        "party_name": "",
        "contact_external_id": "P2",
    },
    "facilities": {
        "number": "F1",
        "client_code": "C1",
        "case_number": "L-1",
        "kind": "revolving",
        "limit": "1000000",
        "drawn": "",
        "drawn_wan": "25.5",
        "currency": "USD",
        "starts_on": "2026-01-01",
        "ends_on": "2027-01-01",
        "as_of": "2026-09-30",
    },
    "transactions": {
        "external_id": "T1",
        "client_code": "C1",
        "facility_number": "F0",
        "kind": "repayment",
        "product_code": "WC-REV",
        "amount": "-1250.56",
        "currency": "EUR",
        "booked_at": "2026-09-30T10:00:00+00:00",
        "days_past_due": "12",
    },
    "statements": {
        "client_code": "C1",
        "period_end": "2025-12-31",
        "basis": "annual",
        "audited": "yes",
        "currency": "CNY",
        "unit": "10000",
        "revenue": "1234.56789",
        "net_profit": "-5",
        "cfo_wan": "7.5",
    },
    "profiles": {
        "client_code": "C1",
        "as_of": "2026-09-30",
        "cash_cycle_days": "140",
        "fx_exposure_wan": "1200.5",
        "capex_plan_state": "approved",
        "new_spv_12m": "yes",
        "events_30d.page_view.statement_export": "12",
    },
    "touchpoints": {
        "event_id": "V1",
        "client_code": "C1",
        "contact_external_id": "P1",
        "kind": "page_view",
        "at": "2026-09-30 10:00",
        "quantity": "2",
        "duration_s": "90",
        "product_code": "CASH-MGT",
        "source": "portal",
    },
}


@pytest.fixture
def around(lan_has_a_client, staff):
    """Another client with a person and a facility, and a case and a person of the first."""
    other = make_client("C2", manager=staff.chen, team=staff.west)
    make_case(lan_has_a_client, number="L-1")
    make_case(other, number="L-2")
    make_contact(lan_has_a_client, external_id="P1")
    make_contact(other, external_id="P2")
    for number, owner in (("F0", lan_has_a_client), ("F9", other)):
        Facility.objects.create(number=number, client=owner, as_of=date(2025, 1, 1))
    return other


def file(kind, /, **cells):
    columns = GOOD[kind] | {name: value for name, value in cells.items() if value is not None}
    columns = {name: value for name, value in columns.items() if cells.get(name, "") is not None}
    return f"{','.join(columns)}\n{','.join(columns.values())}\n"


STORED = {
    "client_events": ClientEvent,
    "parties": Party,
    "facilities": FacilityBalance,
    "transactions": Transaction,
    "statements": Statement,
    "profiles": Profile,
    "touchpoints": Touchpoint,
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_file_is_checked_then_written_once(kind, around, lan_has_a_client):
    text = file(kind)
    assert counts(run(kind, text, apply=False)) == (1, 0, 0, 0, 0, 0)
    assert not STORED[kind].objects.exists()
    assert counts(run(kind, text)) == (1, 0, 0, 0, 0, 0)
    assert noted() == {lan_has_a_client.pk} | ({around.pk} if kind == "parties" else set())
    before = list(STORED[kind].objects.values())
    assert counts(run(kind, text)) == (0, 0, 1, 0, 0, 0)
    assert list(STORED[kind].objects.values()) == before
    assert noted() == set()
    entries = AuditEntry.objects.filter(act="import.apply")
    assert [entry.data["new"] for entry in entries.order_by("pk")] == [1, 0]


def test_each_value_is_kept_as_it_was_meant(around):
    for kind in GOOD:
        run(kind, file(kind))
    event = ClientEvent.objects.get()
    assert (event.client.code, event.event) == ("C1", "complaint_closed")
    assert event.occurred_at == datetime(2026, 9, 1, 2, tzinfo=UTC)
    party = Party.objects.get()
    assert (party.case.number, party.client.code, party.contact.external_id) == ("L-1", "C2", "P2")
    facility = Facility.objects.get(number="F1")
    assert (facility.limit, facility.drawn) == (Decimal(1000000), Decimal(255000))
    assert (facility.case.number, facility.kind, facility.currency) == ("L-1", "revolving", "USD")
    assert (facility.starts_on, facility.ends_on) == (date(2026, 1, 1), date(2027, 1, 1))
    booking = Transaction.objects.get()
    assert (booking.amount, booking.currency) == (Decimal("-1250.56"), "EUR")
    assert (booking.facility.number, booking.product.code) == ("F0", "WC-REV")
    assert (booking.kind, booking.days_past_due) == ("repayment", 12)
    statement = Statement.objects.get()
    assert (statement.revenue, statement.net_profit) == (Decimal("12345678.90"), Decimal(-50000))
    assert (statement.cfo, statement.equity, statement.audited) == (Decimal(75000), None, True)
    assert statement.unit == 10000
    assert Profile.objects.get().values == {
        "cash_cycle_days": 140,
        "fx_exposure_wan": 1200.5,
        "capex_plan_state": "approved",
        "new_spv_12m": True,
        "events_30d.page_view.statement_export": 12,
    }
    touchpoint = Touchpoint.objects.get()
    assert (touchpoint.contact.external_id, touchpoint.kind) == ("P1", "page_view")
    assert (touchpoint.quantity, touchpoint.duration_s, touchpoint.source) == (2, 90, "portal")


FAULTS = [
    ("client_events", {"client_code": "C9"}, "client_code", "a client code that the portal knows"),
    ("client_events", {"event": "moon"}, "event", "an event of clients that the portal knows"),
    ("client_events", {"event": "file_complete"}, "event", "an event of clients"),
    ("client_events", {"occurred_at": "soon"}, "occurred_at", "a time such as"),
    ("client_events", {"event": ""}, "event", "A value is needed here."),
    ("client_events", {"external_id": "-"}, "external_id", "this column is needed"),
    ("client_events", {"external_id": "x" * 121}, "external_id", "at most 120 characters"),
    ("parties", {"case_number": "L-9"}, "case_number", "a case number that the portal knows"),
    ("parties", {"role": "friend"}, "role", "one of: borrower, borrower_spv"),
    ("parties", {"contact_external_id": "P1"}, "contact_external_id", "another client"),
    ("parties", {"client_code": ""}, "contact_external_id", "another client"),
    (
        "parties",
        {"client_code": "", "contact_external_id": ""},
        "party_name",
        "A client code or the name of the party is needed.",
    ),
    ("facilities", {"limit": "a lot"}, "limit", "an amount such as 1250000.00"),
    ("facilities", {"limit": "1e18"}, "limit", "less than 10 to the power of 18"),
    ("facilities", {"drawn_wan": "1e999999"}, "drawn_wan", "in units of ten thousand"),
    ("facilities", {"drawn": "5"}, "drawn_wan", "in one of the two columns"),
    ("facilities", {"ends_on": "2025-12-31"}, "ends_on", "cannot end before it starts"),
    ("facilities", {"currency": "yuan"}, "currency", "a currency of ISO 4217"),
    ("facilities", {"as_of": ""}, "as_of", "A value is needed here."),
    ("facilities", {"as_of": "-"}, "as_of", "this column is needed"),
    ("facilities", {"number": "a/b"}, "number", "a code without a slash"),
    ("facilities", {"case_number": "L-9"}, "case_number", "a case number"),
    ("transactions", {"facility_number": "F7"}, "facility_number", "a facility number"),
    ("transactions", {"facility_number": "F9"}, "facility_number", "belongs to another client"),
    ("transactions", {"kind": "gift"}, "kind", "one of: drawdown, repayment"),
    ("transactions", {"product_code": "MOON"}, "product_code", "a product code"),
    ("transactions", {"days_past_due": "-1"}, "days_past_due", "a whole number from 0"),
    ("transactions", {"days_past_due": "1.5"}, "days_past_due", "a whole number from 0"),
    ("transactions", {"amount": "NaN"}, "amount", "an amount of less than"),
    ("transactions", {"booked_at": ""}, "booked_at", "A value is needed here."),
    ("statements", {"basis": "monthly"}, "basis", "one of: annual, half, quarter"),
    ("statements", {"unit": "100"}, "unit", "one of: 1, 1000, 10000"),
    ("statements", {"unit": "-"}, "unit", "one of: 1, 1000, 10000"),
    ("statements", {"revenue": "9e17"}, "revenue", "less than 10 to the power of 18"),
    ("statements", {"audited": "perhaps"}, "audited", "yes or no"),
    ("statements", {"period_end": "2025-02-30"}, "period_end", "a day of the calendar"),
    ("profiles", {"cash_cycle_days": "long"}, "cash_cycle_days", "a number"),
    ("profiles", {"cash_cycle_days": "inf"}, "cash_cycle_days", "a number of less than"),
    ("profiles", {"new_spv_12m": "2"}, "new_spv_12m", "yes or no"),
    ("profiles", {"as_of": "1.1.2026"}, "as_of", "a day such as"),
    ("touchpoints", {"kind": "wave"}, "kind", "one of: login, page_view"),
    ("touchpoints", {"contact_external_id": "P2"}, "contact_external_id", "another client"),
    ("touchpoints", {"contact_external_id": "P9"}, "contact_external_id", "a contact number"),
    ("touchpoints", {"quantity": "many"}, "quantity", "a whole number from 0"),
    ("touchpoints", {"quantity": "99999999999"}, "quantity", "a whole number from 0"),
    ("touchpoints", {"duration_s": "-5"}, "duration_s", "a whole number from 0"),
    ("touchpoints", {"event_id": "cx:1"}, "event_id", "are the portal's own"),
    ("transactions", {"external_id": "cx:1"}, "external_id", "are the portal's own"),
    ("touchpoints", {"at": "0001-01-01"}, "at", "a year from 1900"),
]


@pytest.mark.parametrize(("kind", "cells", "column", "form"), FAULTS)
def test_a_fault_names_its_place_and_nothing_is_written(kind, cells, column, form, around):
    report = run(kind, file(kind, **cells))
    assert report.errors == 1
    row, where, value, sentence = told(report)[0]
    assert (row, where) == (2, column)
    assert value == shown((GOOD[kind] | cells).get(column))
    assert form in sentence
    assert not STORED[kind].objects.exists()
    assert not ChangeNote.objects.exists()
    assert not AuditEntry.objects.filter(act="import.apply").exists()


@pytest.mark.parametrize("kind", GOOD)
def test_one_bad_row_keeps_the_good_ones_out(kind, around):
    text = file(kind)
    head, row = text.splitlines()
    key = "role" if kind == "parties" else "as_of" if kind == "profiles" else None
    bad = row.replace(GOOD[kind].get("client_code", ""), "MOON", 1)
    if key:
        bad = bad.replace(GOOD[kind][key], "sponsor" if key == "role" else "2026-08-31")
    assert run(kind, f"{head}\n{row}\n{bad}\n").errors == 1
    assert not STORED[kind].objects.exists()


@pytest.mark.parametrize("kind", GOOD)
def test_an_importer_writes_only_for_clients_they_may_change(kind, around, staff):
    text = file(
        kind,
        **(
            {"client_code": "", "party_name": "x", "contact_external_id": ""}
            if kind == "parties"
            else {}
        ),
    )
    for stranger in (staff.bo, staff.chen, staff.qiu):
        report = run(kind, text, by=stranger)
        assert "that the portal knows" in told(report)[0][3]
    assert not STORED[kind].objects.exists()
    assert run(kind, text, by=staff.lan).new == 1


@pytest.mark.parametrize("kind", ["client_events", "facilities", "transactions", "touchpoints"])
def test_a_number_of_somebody_elses_client_is_refused(kind, around, staff):
    run(kind, file(kind))
    cells = dict.fromkeys(("case_number", "facility_number", "contact_external_id"), "")
    cells = {name: "" for name in cells if name in GOOD[kind]} | {"client_code": "C2"}
    report = run(kind, file(kind, **cells), by=staff.chen)
    assert [sentence for *_place, sentence in told(report)] == [
        "This key belongs to a client that you may not change."
    ]


def test_a_facility_keeps_the_balance_of_each_day(around, lan_has_a_client):
    head = "number,client_code,limit,drawn,as_of\n"
    run("facilities", head + "F1,C1,100,40,2026-06-30\n")
    newer = run("facilities", head + "F1,C1,,55,2026-09-30\n")
    older = run("facilities", head + "F1,C1,90,10,2026-03-31\n")
    same = run("facilities", head + "F1,C1,120,,2026-09-30\n")
    again = run("facilities", head + "F1,C1,90,10,2026-03-31\nF1,C1,120,55,2026-09-30\n")
    assert [counts(one)[:3] for one in (newer, older, same, again)] == [
        (0, 1, 0),
        (0, 1, 0),
        (0, 1, 0),
        (0, 0, 2),
    ]
    facility = Facility.objects.get(number="F1")
    assert (facility.limit, facility.drawn, facility.as_of) == (120, 55, date(2026, 9, 30))
    assert list(facility.balances.order_by("as_of").values_list("as_of", "limit", "drawn")) == [
        (date(2026, 3, 31), 90, 10),
        (date(2026, 6, 30), 100, 40),
        (date(2026, 9, 30), 120, 55),
    ]
    assert noted() == {lan_has_a_client.pk}


def test_history_of_a_facility_may_stand_in_one_file_in_any_order(around):
    rows = ("F1,C1,100,40,2026-06-30", "F1,C1,120,55,2026-09-30", "F1,C1,90,10,2026-03-31")
    text = "number,client_code,limit,drawn,as_of\n" + "".join(f"{row}\n" for row in rows)
    assert counts(run("facilities", text))[:3] == (1, 2, 0)
    facility = Facility.objects.get(number="F1")
    assert (facility.limit, facility.drawn, facility.as_of) == (120, 55, date(2026, 9, 30))
    assert facility.balances.count() == 3
    assert counts(run("facilities", text))[:3] == (0, 0, 3)


def test_the_last_day_of_a_facility_without_history_is_kept_when_a_newer_comes(around):
    Facility.objects.filter(number="F0").update(limit=7, drawn=3)
    run("facilities", "number,client_code,limit,as_of\nF0,C1,9,2026-09-30\n")
    assert list(
        FacilityBalance.objects.order_by("as_of").values_list("as_of", "limit", "drawn")
    ) == [(date(2025, 1, 1), 7, 3), (date(2026, 9, 30), 9, 3)]


def test_the_currency_of_history_is_that_of_the_facility(around):
    head = "number,client_code,limit,currency,as_of\n"
    run("facilities", head + "F1,C1,100,USD,2026-06-30\n")
    report = run("facilities", head + "F1,C1,90,EUR,2026-03-31\n")
    assert told(report)[0] == (2, "currency", "EUR", "The facility is kept in USD.")
    report = run("facilities", head + "F1,C1,90,EUR,2026-09-30\n")
    assert (report.changed, report.warnings) == (1, 1)


def test_a_facility_that_moves_is_noted_for_both_clients(around, lan_has_a_client):
    run("facilities", "number,client_code,as_of\nF0,C2,2025-01-01\n")
    assert noted() == {lan_has_a_client.pk, around.pk}


def test_a_dash_clears_and_an_empty_cell_leaves(around):
    run("transactions", file("transactions"))
    run("statements", file("statements"))
    run("profiles", file("profiles"))
    run("transactions", "external_id,client_code,kind,amount,booked_at\nT1,C1,-,,\n")
    booking = Transaction.objects.get()
    assert (booking.kind, booking.amount) == (None, Decimal("-1250.56"))
    run("statements", "client_code,period_end,basis,revenue,audited\nC1,2025-12-31,annual,-,\n")
    statement = Statement.objects.get()
    assert (statement.revenue, statement.net_profit, statement.audited) == (None, -50000, True)
    run("profiles", "client_code,as_of,cash_cycle_days,icr\nC1,2026-09-30,-,1.2\n")
    assert Profile.objects.get().values == {
        "fx_exposure_wan": 1200.5,
        "capex_plan_state": "approved",
        "new_spv_12m": True,
        "events_30d.page_view.statement_export": 12,
        "icr": 1.2,
    }


def test_a_booking_reported_again_is_corrected(around, lan_has_a_client):
    run("transactions", file("transactions"))
    noted()
    assert counts(run("transactions", file("transactions", amount="-1300"))) == (0, 1, 0, 0, 0, 0)
    assert Transaction.objects.get().amount == -1300
    assert noted() == {lan_has_a_client.pk}


def test_an_event_reported_again_is_a_duplicate(around):
    run("touchpoints", file("touchpoints"))
    noted()
    report = run("touchpoints", file("touchpoints", quantity="5"))
    assert counts(report) == (0, 0, 0, 1, 1, 0)
    assert told(report) == [
        (
            2,
            "event_id",
            "V1",
            "This event is recorded already; the other report of it was left out.",
        )
    ]
    assert Touchpoint.objects.get().quantity == 2
    assert noted() == set()


@pytest.mark.parametrize(
    ("kind", "name"), [("transactions", "amount"), ("touchpoints", "quantity")]
)
def test_equal_rows_of_one_file_count_once_and_unequal_ones_are_an_error(kind, name, around):
    head, row = file(kind).splitlines()
    assert counts(run(kind, f"{head}\n{row}\n{row}\n{row}\n")) == (1, 0, 0, 2, 0, 0)
    assert STORED[kind].objects.count() == 1
    other = file(kind, **{name: "7"}).splitlines()[1]
    report = run(kind, f"{head}\n{row}\n{other}\n")
    assert told(report)[0][3] == "The same key stands in row 2 already."


def test_a_statement_without_a_unit_is_in_units_of_its_currency(around):
    run("statements", file("statements"))
    run("statements", file("statements", unit="", revenue="500"))
    statement = Statement.objects.get()
    assert (statement.revenue, statement.net_profit, statement.unit) == (500, -5, 10000)


def test_parties_are_clients_or_names_and_found_by_either(around):
    head = "case_number,role,client_code,party_name,contact_external_id\n"
    text = head + "L-1,sponsor,C2,,\nL-1,sponsor,,云帆电力,\nL-1,adviser,,云帆电力,P1\n"
    assert counts(run("parties", text)) == (3, 0, 0, 0, 0, 0)
    assert counts(run("parties", text)) == (0, 0, 3, 0, 0, 0)
    assert counts(run("parties", head + "L-1,sponsor,C2,云石,P2\n")) == (0, 1, 0, 0, 0, 0)
    party = Party.objects.get(client=around)
    assert (party.name, party.contact.external_id) == ("云石", "P2")
    assert run("parties", head + "L-1,sponsor,,云帆电力,\nL-1,sponsor,,云帆电力,\n").errors == 1


def test_the_fields_of_a_profile_are_those_of_the_products_rules():
    shipped = read()["products"]["meta"]
    names = {column.name for column in KINDS["profiles"]().columns()}
    wanted = {*shipped["signal_fields_used"], *shipped["client_fields_used"]}
    assert names == wanted | {"client_code", "as_of"}
    labels = {column.zh for column in KINDS["profiles"]().columns()}
    assert not labels & wanted  # each has words in Chinese


CLIENTS = "code,name_zh,online_contract,merged_into_code,merged_on\n"


def test_clients_tell_contracts_and_mergers(around, lan_has_a_client):
    text = CLIENTS + "C1,,yes,C3,2026-06-30\nC3,云石,no,,\n"
    assert counts(run("clients", text)) == (1, 1, 0, 0, 0, 0)
    lan_has_a_client.refresh_from_db()
    successor = lan_has_a_client.merged_into
    assert (successor.code, lan_has_a_client.merged_on) == ("C3", date(2026, 6, 30))
    assert (lan_has_a_client.online_contract, successor.online_contract) == (True, False)
    assert noted() == {lan_has_a_client.pk, successor.pk}
    assert counts(run("clients", text)) == (0, 0, 2, 0, 0, 0)
    assert counts(run("clients", CLIENTS + "C1,,-,-,-\n")) == (0, 1, 0, 0, 0, 0)
    lan_has_a_client.refresh_from_db()
    assert (lan_has_a_client.merged_into, lan_has_a_client.merged_on) == (None, None)
    assert lan_has_a_client.online_contract is None
    assert noted() == {lan_has_a_client.pk, successor.pk}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("C1,,,C2,\n", "needs its successor and the day"),
        ("C1,,,,2026-06-30\n", "needs its successor and the day"),
        ("C1,,,C9,2026-06-30\n", "There is no such client"),
        ("C1,,,C1,2026-06-30\n", "cannot be merged into itself"),
        ("C1,,,C2,2026-06-30\nC2,,,C1,2026-06-30\n", "cannot be merged into itself"),
        ("C1,,maybe,,\n", "yes or no"),
    ],
)
def test_a_merger_that_does_not_fit_is_refused(rows, sentence, around):
    report = run("clients", CLIENTS + rows)
    assert sentence in told(report)[0][3]
    assert not report.applied


def test_what_does_not_enter_a_figure_is_not_noted(around, lan_has_a_client):
    run("clients", "code,name_zh,name_en\nC1,云石,Yunshi\n")
    run("contacts", "external_id,client_code,name,email,phone\nP1,,,,1\n")
    assert noted() == set()
    run("clients", "code,name_zh,segment\nC1,,project_finance\n")
    assert noted() == {lan_has_a_client.pk}
    run("contacts", "external_id,client_code,name,email,left_on\nP1,,,,2026-09-30\n")
    assert noted() == {lan_has_a_client.pk}
    run("contacts", "external_id,client_code,name,email\nP8,C2,云,y@c.example\n")
    assert noted() == {around.pk}


def test_whoever_has_some_clients_changes_those_and_moves_none(around, staff):
    text = "code,name_zh,name_en\nC1,,New\n"
    assert run("clients", text, by=staff.lan).changed == 1
    assert "you may not change" in told(run("clients", text, by=staff.bo))[0][3]
    text = "code,name_zh,manager\nC1,,chen\n"
    assert "Only an administrator moves" in told(run("clients", text, by=staff.lan))[0][3]
    text = "code,name_zh\nC7,x\n"
    assert "Only an administrator adds" in told(run("clients", text, by=staff.lan))[0][3]
    assert run("clients", text, by=staff.admin).new == 1
    text = "external_id,client_code,name,email\nP2,C1,,\n"
    assert "you may not change" in told(run("contacts", text, by=staff.lan))[0][3]


@pytest.mark.parametrize("kind", [kind for kind in GOOD if kind != "parties"])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    kind, around, django_assert_num_queries, django_assert_max_num_queries
):
    def rows(first, number):
        head, row = file(kind).splitlines()
        lines = []
        for one in range(first, first + number):
            line = row
            for name, value in {
                "E1": f"E{one}",
                "F1,": f"F{one},",
                "T1": f"T{one}",
                "V1": f"V{one}",
            }.items():
                line = line.replace(name, value, 1)
            if kind == "statements":
                line = line.replace("2025-12-31", f"{1950 + one}-12-31")
            if kind == "profiles":
                line = line.replace("2026-09-30", f"{1950 + one}-09-30")
            lines.append(line)
        return "\n".join([head, *lines]) + "\n"

    with django_assert_max_num_queries(17) as first:
        assert run(kind, rows(10, 3)).new == 3
    with django_assert_num_queries(len(first.captured_queries)):
        assert run(kind, rows(20, 30)).new == 30


def test_what_can_hardly_be_meant_is_told_with_row_and_column():
    text = (
        "number,client_code,limit,drawn,currency,as_of\n"
        "F1,C1,100,120,CNY,2026-11-01\nF2,C1,-5,,CNY,2026-11-01\nF3,C1,1.005,,CNY,2026-11-01\n"
    )
    report = run("facilities", text)
    assert told(report) == [
        (4, "limit", "1.005", "Kept as 1.01: money has two decimals."),
        (2, "drawn", "120.00", "More is drawn than the limit of 100.00."),
        (3, "limit", "-5.00", "A limit below 0 counts as 0."),
    ]
    assert report.applied
    text = "event_id,client_code,kind,at\nT1,C1,login,2027-01-01T00:00:00+08:00\n"
    (problem,) = told(run("touchpoints", text))
    assert problem[:2] == (2, "at")
    assert problem[3] == "This time lies in the future; nothing counts before it has come."


@pytest.mark.parametrize("code", ["XXX", "XAU", "ABC", "CN"])
def test_what_is_no_currency_is_refused(code):
    text = f"number,client_code,limit,currency,as_of\nF1,C1,100,{code},2026-11-01\n"
    report = run("facilities", text)
    ((row, column, _value, sentence),) = told(report)
    assert (row, column, report.applied) == (2, "currency", False)
    assert "a currency of ISO 4217 such as CNY" in sentence
