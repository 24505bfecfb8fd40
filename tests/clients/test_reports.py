"""Lists of touchpoints and transactions as machines report them: one effect each, for ever."""

import json
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection

from bank.models import AuditEntry
from clients.api import reports
from clients.models import ChangeNote, Facility, Product, Touchpoint, Transaction
from clients.signals import facts_changed
from tests.factories import NOW, make_caller, make_client, make_contact, make_visitor

API = "/api/v1/"
REPORT = {
    "touchpoints": {
        "event_id": "E-1",
        "client_code": "C-1",
        "kind": "login",
        "at": "2026-11-20T09:00:00+08:00",
    },
    "transactions": {
        "external_id": "T-1",
        "client_code": "C-1",
        "booked_at": "2026-11-20T09:00:00+08:00",
    },
}
NUMBER = {"touchpoints": "event_id", "transactions": "external_id"}
ROWS = {"touchpoints": Touchpoint, "transactions": Transaction}
BOTH = pytest.mark.parametrize("resource", ["touchpoints", "transactions"])


@pytest.fixture(autouse=True)
def empty_cache(db, monkeypatch):
    cache.clear()
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def mine():
    return make_client("C-1")


@pytest.fixture
def machine():
    return make_caller("ingest")


def send(caller, resource, body):
    return caller.post(f"{API}{resource}/", json.dumps(body), content_type="application/json")


def report(resource, **fields):
    return REPORT[resource] | fields


def said(accepted=0, duplicates=0, *rejected):
    return {"accepted": accepted, "duplicates": duplicates, "rejected": list(rejected)}


def test_touchpoint_is_stored_with_every_field(mine, machine):
    contact = make_contact(mine, external_id="P-1")
    product = Product.objects.create(code="e_bank", family="cash", name_zh="网银", name_en="E")
    body = report(
        "touchpoints",
        contact_external_id="P-1",
        kind="product_use",
        quantity=3,
        duration_s=90,
        product_code="e_bank",
        source="portal",
    )
    assert send(machine, "touchpoints", [body]).json() == said(1)
    row = Touchpoint.objects.get()
    assert (row.event_id, row.client, row.contact, row.kind) == (
        "E-1",
        mine,
        contact,
        "product_use",
    )
    assert row.at == datetime(2026, 11, 20, 1, tzinfo=UTC)
    assert (row.quantity, row.duration_s, row.product, row.source) == (3, 90, product, "portal")


def test_touchpoint_says_only_what_was_reported(mine, machine):
    send(machine, "touchpoints", [report("touchpoints", contact_external_id=None, source=None)])
    row = Touchpoint.objects.get()
    assert (row.contact, row.quantity, row.duration_s, row.product, row.source) == (
        None,
        1,
        None,
        None,
        "",
    )


def test_transaction_is_stored_with_every_field_and_its_sign(mine, machine):
    facility = Facility.objects.create(number="F-1", client=mine, as_of=NOW.date())
    product = Product.objects.create(code="wc_loan", family="loan", name_zh="流贷", name_en="WC")
    body = report(
        "transactions",
        facility_number="F-1",
        kind="repayment",
        product_code="wc_loan",
        amount="-1234567890123.40",
        currency="usd",
        days_past_due=0,
    )
    assert send(machine, "transactions", [body]).json() == said(1)
    row = Transaction.objects.get()
    assert (row.external_id, row.client, row.facility, row.kind) == (
        "T-1",
        mine,
        facility,
        "repayment",
    )
    assert (row.product, row.amount, row.currency) == (
        product,
        Decimal("-1234567890123.40"),
        "USD",
    )
    assert (row.booked_at, row.days_past_due) == (datetime(2026, 11, 20, 1, tzinfo=UTC), 0)


def test_transaction_says_only_what_was_reported(mine, machine):
    send(machine, "transactions", [report("transactions")])
    row = Transaction.objects.get()
    unknown = (row.facility, row.kind, row.product, row.amount, row.days_past_due)
    assert (unknown, row.currency) == ((None,) * 5, "CNY")


@BOTH
def test_time_without_an_offset_is_of_the_reporting_zone(resource, mine, machine):
    field = "at" if resource == "touchpoints" else "booked_at"
    send(machine, resource, [report(resource, **{field: "2026-11-20T09:00:00"})])
    assert getattr(ROWS[resource].objects.get(), field) == datetime(2026, 11, 20, 1, tzinfo=UTC)


@BOTH
def test_same_list_again_has_no_second_effect(resource, mine, machine):
    body = [report(resource, **{NUMBER[resource]: f"N-{number}"}) for number in range(3)]
    assert send(machine, resource, body).json() == said(3)
    assert send(machine, resource, body).json() == said(0, 3)
    assert ROWS[resource].objects.count() == 3
    assert AuditEntry.objects.filter(act=f"{resource[:-1]}s.ingest").count() == 1
    assert ChangeNote.objects.count() == 1


@BOTH
def test_known_and_new_mixed_and_twice_in_one_list(resource, mine, machine):
    send(machine, resource, [report(resource)])
    again = report(resource, **{NUMBER[resource]: "N-2"})
    answer = send(machine, resource, [again, report(resource), again, again]).json()
    assert (answer, ROWS[resource].objects.count()) == (said(1, 3), 2)


@BOTH
def test_first_report_of_a_number_stands(resource, mine, machine):
    other = make_client("C-2")
    send(machine, resource, [report(resource)])
    answer = send(machine, resource, [report(resource, client_code=other.code)])
    assert answer.json() == said(0, 1)
    assert ROWS[resource].objects.get().client == mine


@BOTH
def test_what_is_wrong_is_named_by_place_and_field_and_the_rest_is_taken(resource, mine, machine):
    body = [
        report(resource),
        report(resource, client_code="nobody"),
        "no object",
        report(resource, **{NUMBER[resource]: "N-2"}),
    ]
    answer = send(machine, resource, body).json()
    assert answer["accepted"] == 2
    found = [(one["index"], one["field"]) for one in answer["rejected"]]
    assert found == [(1, "client_code"), (2, "")]
    assert all(one["reason"] for one in answer["rejected"])


LONG = "9" * 4000


@pytest.mark.parametrize(
    ("resource", "field", "value"),
    [
        *(
            (resource, field, value)
            for resource, field, values in (
                (
                    "touchpoints",
                    "event_id",
                    [None, "", "  ", 7, [], {}, "x" * 161, "a\nb"],
                ),
                ("touchpoints", "client_code", [None, "", "C-2", 1, ["C-1"], True]),
                ("touchpoints", "contact_external_id", ["P-9", 5, {"a": 1}]),
                ("touchpoints", "kind", [None, "", "LOGIN", "nonsense", 3, ["login"]]),
                ("touchpoints", "at", [None, "", "soon", 20261120, "2026-02-30T00:00:00Z"]),
                ("touchpoints", "at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]),
                ("touchpoints", "at", ["2026-11-24T02:05:01Z", [], True]),
                ("touchpoints", "quantity", [-1, 2**31, 1.5, "1", True, 10**18]),
                ("touchpoints", "duration_s", [-1, 2**31, "x", [1]]),
                ("touchpoints", "product_code", ["nonsense", 4]),
                ("touchpoints", "source", ["x" * 61, 3, "a\u2028b"]),
                ("touchpoints", "id", [1]),
                ("transactions", "external_id", [None, "", 7, "x" * 161, "cx:1"]),
                ("transactions", "client_code", [None, "C-2"]),
                ("transactions", "facility_number", ["F-9", 5]),
                ("transactions", "kind", ["nonsense", 3]),
                ("transactions", "product_code", ["nonsense"]),
                ("transactions", "amount", ["x", "1.005", 0.001, 10**18, "1e400", "NaN", LONG]),
                ("transactions", "amount", [[], {}, True, "", "1e-400"]),
                ("transactions", "currency", ["", "RMB1", 156, "人民币", "ABC", "XXX"]),
                ("transactions", "booked_at", [None, "2026-11-24T02:05:01Z", 5]),
                ("transactions", "days_past_due", [-1, 1.5, 2**31]),
                ("transactions", "is_demo", [True]),
            )
            for value in values
        )
    ],
)
def test_field_that_is_wrong_is_named_and_nothing_is_stored(resource, field, value, mine, machine):
    answer = send(machine, resource, [report(resource, **{field: value})])
    assert answer.status_code == 200
    found = answer.json()
    assert (found["accepted"], found["duplicates"]) == (0, 0)
    assert [(one["index"], one["field"]) for one in found["rejected"]] == [(0, field)]
    assert (ROWS[resource].objects.count(), AuditEntry.objects.count()) == (0, 1)  # the key's


def test_contact_and_facility_of_another_client_are_as_unknown_as_any(mine, machine):
    other = make_client("C-2")
    make_contact(other, external_id="P-2")
    Facility.objects.create(number="F-2", client=other, as_of=NOW.date())
    for resource, field, strange, missing in (
        ("touchpoints", "contact_external_id", "P-2", "P-9"),
        ("transactions", "facility_number", "F-2", "F-9"),
    ):
        items = [report(resource, **{field: value}) for value in (strange, missing)]
        first, second = send(machine, resource, items).json()["rejected"]
        assert (first["field"], first["reason"]) == (second["field"], second["reason"])


@BOTH
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", 400),
        (b"[]", 400),
        (b'"x"', 400),
        (b"5", 400),
        (b"null", 400),
        (b"", 400),
        (b"not json", 400),
        (b'[{"quantity": NaN}]', 400),
        (b"[" * 100_000, 400),
        (b"[" * 60 + b"]" * 60, 400),
        ('[{"source": "网"}]'.encode("gb18030"), 400),
        (json.dumps([{}] * 1001).encode(), 400),
        (b"[" + b" " * 2_700_000 + b"]", 413),
    ],
)
def test_body_that_is_no_list_of_items_is_refused_as_a_whole(resource, body, status, machine):
    answer = machine.post(f"{API}{resource}/", body, content_type="application/json")
    assert (answer.status_code, set(answer.json())) == (status, {"detail"})
    assert isinstance(answer.json()["detail"], str)


@BOTH
@pytest.mark.parametrize(
    "broken",
    [
        b'"source": "a\\u0000b"',
        b'"client_code": "\\ud800"',
        b'"client_code": 9223372036854775808',
        b'"client_code": 1e400',
        b'"\\ud800": 1',
        b'"kind": "\\u0000"',
    ],
)
def test_item_that_cannot_be_stored_is_rejected_alone(resource, broken, mine, machine):
    good = json.dumps(report(resource)).encode()
    body = b"[" + good + b", {" + broken + b"}]"
    answer = machine.post(f"{API}{resource}/", body, content_type="application/json").json()
    ((index, field, reason),) = [tuple(one.values()) for one in answer["rejected"]]
    assert (answer["accepted"], index, bool(reason)) == (1, 1, True)
    assert field.isprintable()


@BOTH
def test_thousand_items_are_taken_at_once(resource, mine, machine):
    body = [report(resource, **{NUMBER[resource]: f"N-{number}"}) for number in range(1000)]
    assert send(machine, resource, body).json() == said(1000)


@BOTH
@pytest.mark.parametrize("count", [1, 3])
def test_list_takes_the_same_queries_for_any_length(
    resource, count, machine, django_assert_num_queries
):
    product = Product.objects.create(code="p", family="loan", name_zh="品", name_en="P").code
    items = []
    for number in range(count):
        client = make_client()
        make_contact(client, external_id=f"P-{number}")
        Facility.objects.create(number=f"F-{number}", client=client, as_of=NOW.date())
        other = (
            {"contact_external_id": f"P-{number}"}
            if resource == "touchpoints"
            else {"facility_number": f"F-{number}"}
        )
        named = {NUMBER[resource]: f"N-{number}", "client_code": client.code}
        items.append(report(resource, product_code=product, **named, **other))
    send(machine, resource, [{}])  # notes the use of the key, at most once a minute
    # The key, three dictionaries, a transaction of two, note and audit; SQLite's twin reads and
    # writes in two more, the one INSERT of PostgreSQL goes past this counter.
    with django_assert_num_queries(8 if connection.vendor == "postgresql" else 10):
        assert send(machine, resource, items).json() == said(count)


def test_clients_whose_facts_changed_are_noted_once(machine):
    first, second, third = (make_client(f"C-{number}") for number in (1, 2, 3))
    send(machine, "touchpoints", [report("touchpoints", client_code=third.code)])
    ChangeNote.objects.all().delete()
    items = [
        report("touchpoints", event_id=f"E-{number}", client_code=code)
        for number, code in enumerate(("C-2", "C-1", "C-2"), start=2)
    ]
    send(machine, "touchpoints", [*items, report("touchpoints", client_code="C-3")])
    note = ChangeNote.objects.get()
    assert (note.client_ids, note.at) == ([first.pk, second.pk], NOW)


def test_list_leaves_one_line_in_the_audit_trail_and_no_content(mine, machine):
    send(machine, "touchpoints", [report("touchpoints"), report("touchpoints", event_id="E-2")])
    entry = AuditEntry.objects.get(act="touchpoints.ingest")
    assert entry.actor_label.startswith("key:cx")
    assert (entry.at, entry.data) == (NOW, {"accepted": 2, "duplicates": 0})


def test_one_bell_is_rung_for_a_list_that_brought_something(
    mine, machine, django_capture_on_commit_callbacks
):
    heard = []

    def listen(**_event):
        heard.append(Touchpoint.objects.count())

    facts_changed.connect(listen)
    try:
        for _again in range(2):
            with django_capture_on_commit_callbacks(execute=True):
                send(machine, "touchpoints", [report("touchpoints")])
    finally:
        facts_changed.disconnect(listen)
    assert heard == [1]


def test_listener_that_fails_costs_no_event(
    mine, machine, django_capture_on_commit_callbacks, caplog
):
    def broken(**_event):
        raise RuntimeError

    facts_changed.connect(broken)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            assert send(machine, "touchpoints", [report("touchpoints")]).json() == said(1)
    finally:
        facts_changed.disconnect(broken)
    assert "A receiver of facts_changed failed" in caplog.text


@BOTH
def test_only_a_machine_that_may_ingest_reports(resource, mine, staff):
    mine.manager, mine.team = staff.lan, staff.east
    mine.save()
    expected = {"read": 403, "manage": 403, "ingest": 200}
    found = {
        scope: send(make_caller(scope), resource, [report(resource)]).status_code
        for scope in expected
    }
    assert found == expected
    for name in ("lan", "bo", "chen", "mu", "qiu", "admin"):
        caller = make_visitor(getattr(staff, name))
        assert send(caller, resource, [report(resource)]).status_code == 403, name
    assert send(make_visitor(None), resource, [report(resource)]).status_code == 401


@BOTH
def test_key_of_a_team_reports_for_its_own_clients_only(resource, mine, staff):
    mine.team = staff.east
    mine.save()
    make_client("C-2", team=staff.west)
    key = make_caller("ingest", team=staff.east)
    items = [
        report(resource, **{NUMBER[resource]: code, "client_code": code})
        for code in ("C-1", "C-2", "nobody")
    ]
    answer = send(key, resource, items).json()
    assert answer["accepted"] == 1
    assert len({one["reason"] for one in answer["rejected"]}) == 1
    assert [one["index"] for one in answer["rejected"]] == [1, 2]
    assert [row.client for row in ROWS[resource].objects.all()] == [mine]


@BOTH
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_events_are_reported_and_not_read_or_changed_here(resource, method):
    caller = make_caller("read", "ingest", "manage")
    answer = getattr(caller, method)(f"{API}{resource}/")
    assert (answer.status_code, set(answer.json())) == (405, {"detail"})


@pytest.mark.django_db(transaction=True)
def test_lists_that_overlap_at_the_same_moment_have_one_effect_each(mine):
    machine = make_caller("ingest")
    items = [report("touchpoints", event_id=f"E-{number}") for number in range(60)]
    lists = iter([items, items[::-1], items[20:] + items[:20], items[::-1]])
    start, answers = threading.Barrier(4), []

    def run():
        try:
            body = next(lists)
            start.wait()
            answers.append(send(machine, "touchpoints", body).json())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answer["accepted"] for answer in answers) == 60
    assert sum(answer["duplicates"] for answer in answers) == 180
    assert Touchpoint.objects.count() == 60


def test_late_event_is_taken_at_its_own_time(mine, machine):
    old = (NOW - timedelta(days=900)).isoformat()
    assert send(machine, "touchpoints", [report("touchpoints", at=old)]).json() == said(1)
    assert Touchpoint.objects.get().at == NOW - timedelta(days=900)


def test_schema_names_the_fields_that_are_read():
    for serializer, columns in (
        (reports.TouchpointReport, reports.TOUCHPOINT),
        (reports.TransactionReport, reports.TRANSACTION),
    ):
        fields = serializer().fields
        assert list(fields) == [column.name for column in columns]
        needed = [name for name, field in fields.items() if field.required]
        assert needed == [column.name for column in columns if column.needed]
