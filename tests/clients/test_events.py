"""Events of clients, and facilities, as machines report and read them."""

from datetime import date, timedelta

import pytest
from django.core.cache import cache

from bank.models import AuditEntry
from clients import reference
from clients.models import Client, ClientEvent
from cxportal.reference import read
from tests.factories import (
    NOW,
    make_caller,
    make_case,
    make_client,
    make_contact,
    make_facility,
    make_visitor,
)

API = "/api/v1/"


@pytest.fixture(autouse=True)
def empty_cache(db, monkeypatch):
    cache.clear()
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def mine():
    reference.load(read(), NOW)
    return make_client("C-1")


@pytest.fixture
def machine():
    return make_caller("read", "ingest")


def post(caller, code="C-1", **body):
    body = {
        "external_id": "E-1",
        "event": "onboarding_completed",
        "occurred_at": "2026-11-02T09:00:00+08:00",
    } | body
    return caller.post(f"{API}clients/{code}/events/", body, content_type="application/json")


def test_event_is_written_once(mine, machine):
    first, second = post(machine), post(machine, client_code="C-1")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json() == {
        "external_id": "E-1",
        "client_code": "C-1",
        "event": "onboarding_completed",
        "occurred_at": "2026-11-02T09:00:00+08:00",
    }
    assert machine.get(f"{API}clients/C-1/events/").json()["results"] == [first.json()]
    entry = AuditEntry.objects.get(act="client.event")
    assert (entry.subject_id, entry.data["external_id"]) == (str(mine.pk), "E-1")


def test_event_names_the_person_it_concerns_where_the_report_does(mine, machine):
    make_contact(mine, external_id="P-1")
    named = {"event": "complaint_closed", "contact_external_id": "P-1"}
    first, second = post(machine, **named), post(machine, **named)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["contact_external_id"] == "P-1"
    assert ClientEvent.objects.get().contact.external_id == "P-1"
    assert post(machine, event="complaint_closed").status_code == 422
    stranger = make_contact(make_client("C-2"))
    wrong = post(machine, external_id="E-2", contact_external_id=stranger.external_id)
    assert (wrong.status_code, ClientEvent.objects.count()) == (422, 1)


def test_time_without_an_offset_is_of_the_reporting_zone(mine, machine):
    answer = post(machine, occurred_at="2026-11-02T09:00:00")
    assert answer.json()["occurred_at"] == "2026-11-02T09:00:00+08:00"


@pytest.mark.parametrize(
    "other", [{"event": "complaint_closed"}, {"occurred_at": "2026-11-03T09:00:00Z"}]
)
def test_another_content_under_the_same_number_is_422(other, mine, machine):
    post(machine)
    answer = post(machine, **other)
    assert (answer.status_code, set(answer.json())) == (422, {"detail"})
    assert ClientEvent.objects.get().event == "onboarding_completed"


def test_number_of_another_client_is_422(mine, machine):
    make_client("C-2")
    post(machine)
    assert post(machine, "C-2").status_code == 422
    assert ClientEvent.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {"event": "nonsense"},
        {"event": "application_submitted"},  # of a case
        {"occurred_at": "2026-11-24T02:05:01Z"},
    ],
)
def test_what_the_case_model_or_the_clock_forbids_is_422(body, mine, machine):
    answer = post(machine, **body)
    assert (answer.status_code, set(answer.json())) == (422, {"detail"})
    assert ClientEvent.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 121}, "external_id"),
        ({"external_id": "a\x1fb" * 50}, "external_id"),
        ({"event": None}, "event"),
        ({"event": ["a"]}, "event"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"client_code": "C-2"}, "client_code"),
        ({"is_demo": True}, "is_demo"),
    ],
)
def test_field_that_is_wrong_or_not_to_be_written_is_named(body, field, mine, machine):
    answer = post(machine, **body)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert ClientEvent.objects.count() == 0


def test_client_out_of_scope_takes_no_event(mine, staff):
    Client.objects.update(manager=staff.lan, team=staff.east)
    expected = {"lan": 201, "bo": 404, "chen": 404, "mu": 200, "qiu": 403, "admin": 200}
    found = {name: post(make_visitor(getattr(staff, name))).status_code for name in expected}
    assert found == expected
    assert post(make_caller("ingest", team=staff.west)).status_code == 404
    assert post(make_caller("read")).status_code == 403


def test_facility_carries_the_fields_of_the_import_file(machine):
    client = make_client("C-1")
    make_facility(
        client,
        number="F-1",
        case=make_case(client, number="L-1"),
        kind="revolving",
        limit="5000000.00",
        drawn="1250000.50",
        currency="USD",
        starts_on=date(2026, 1, 1),
        ends_on=date(2027, 1, 1),
        as_of=date(2026, 10, 31),
    )
    make_facility(client, number="F-2", as_of=date(2026, 10, 31))
    first, second = machine.get(f"{API}facilities/?client=C-1").json()["results"]
    assert first == {
        "number": "F-1",
        "client_code": "C-1",
        "case_number": "L-1",
        "kind": "revolving",
        "limit": "5000000.00",
        "drawn": "1250000.50",
        "currency": "USD",
        "starts_on": "2026-01-01",
        "ends_on": "2027-01-01",
        "as_of": "2026-10-31",
    }
    unknown = {name for name, value in second.items() if value is None}
    assert unknown == {"case_number", "limit", "drawn", "starts_on", "ends_on"}
    assert machine.get(f"{API}facilities/?client=C-2").json()["count"] == 0
    assert machine.get(f"{API}facilities/?case=L-1").json()["count"] == 1


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(("path", "queries"), [("facilities/", 3), ("clients/C-1/events/", 4)])
def test_list_takes_the_same_queries_for_any_length(
    path, queries, rows, machine, django_assert_num_queries
):
    client = make_client("C-1")
    for number in range(rows):
        make_facility(client, case=make_case(client))
        at = NOW - timedelta(days=number)
        client.events.create(external_id=f"E-{number}", event="x", occurred_at=at)
    machine.get(API)  # notes the use of the key, at most once a minute
    with django_assert_num_queries(queries):
        assert machine.get(API + path).json()["count"] == rows


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("path", ["facilities/", "clients/C-1/events/"])
def test_method_that_is_not_offered_is_405(method, path, mine):
    answer = getattr(make_caller("read", "ingest", "manage"), method)(API + path)
    assert (answer.status_code, set(answer.json())) == (405, {"detail"})


def test_facilities_are_not_made_here():
    caller = make_caller("read", "ingest", "manage")
    answer = caller.post(f"{API}facilities/", {}, content_type="application/json")
    assert answer.status_code == 405
