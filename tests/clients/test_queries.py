"""Lists and facts of clients, within scope and in constant queries."""

from datetime import timedelta

import pytest
from django.utils import translation

from clients import consent, queries, reference
from clients.models import Milestone
from cxportal.reference import read
from tests.factories import NOW, make_case, make_client, make_contact, make_touchpoint


def codes(viewer, **filters):
    return [client.code for client in queries.clients(viewer, **filters)]


def test_the_list_shows_only_clients_in_scope(staff):
    make_client("C1", manager=staff.lan, team=staff.east)
    make_client("C2", manager=staff.chen, team=staff.west)
    assert codes(staff.lan) == ["C1"]
    assert codes(staff.bo) == []
    assert codes(staff.chen) == ["C2"]
    assert codes(staff.mu) == ["C1"]
    assert codes(staff.qiu) == codes(staff.admin) == ["C1", "C2"]


def test_search_and_filters_narrow_the_list(staff):
    make_client("C1", name_zh="云石钢铁", name_en="Yunshi Steel", manager=staff.lan)
    make_client("C2", short_name="Quiet", segment="project_finance", status="prospect")
    assert codes(staff.admin, q="steel") == codes(staff.admin, q="云石") == ["C1"]
    assert codes(staff.admin, q="yunshi moon") == []
    assert codes(staff.admin, q="quiet") == ["C2"]
    assert codes(staff.admin, rm="lan") == ["C1"]
    assert codes(staff.admin, segment="project_finance") == ["C2"]
    assert codes(staff.admin, status="prospect") == ["C2"]
    assert codes(staff.admin, status="' OR 1=1") == ["C1", "C2"]


def test_managers_are_those_of_clients_in_scope(staff):
    make_client(manager=staff.lan, team=staff.east)
    make_client(manager=staff.chen, team=staff.west)
    assert [user.username for user in queries.managers(staff.admin)] == ["chen", "lan"]
    assert [user.username for user in queries.managers(staff.mu)] == ["lan"]


def history(client):
    case = make_case(client, stage="application")
    Milestone.objects.create(
        external_id=f"{case}-2", case=case, code="application", occurred_at=NOW
    )
    Milestone.objects.create(
        external_id=f"{case}-1", case=case, code="enquiry", occurred_at=NOW - timedelta(days=3)
    )
    Milestone.objects.create(
        external_id=f"{case}-3", case=case, code="final_maturity", planned_on=NOW.date()
    )
    return case


@pytest.mark.parametrize("number", [1, 3])
def test_the_timeline_names_stages_in_nine_queries(db, django_assert_num_queries, number):
    reference.load(read(), NOW)
    client = make_client()
    for _each in range(number):
        history(client)
        person = make_contact(client, consent="")
        old = NOW - timedelta(days=30)
        make_touchpoint(client, kind="call", contact=person, at=old)
        client.events.create(external_id=f"E-{person}", event="complaint_closed", occurred_at=old)
    with django_assert_num_queries(9), translation.override("zh-hans"):
        found = queries.timeline(client)
    assert [entry.title for entry in found[:number]] == ["申请受理"] * number
    assert len(found) == 4 * number


def test_the_timeline_mixes_what_happened_newest_first(db):
    reference.load(read(), NOW)
    client = make_client()
    history(client)
    person = make_contact(client)
    make_touchpoint(client, kind="meeting", contact=person, at=NOW + timedelta(minutes=20))
    make_touchpoint(client, kind="login", contact=person, at=NOW + timedelta(minutes=30))
    at = NOW + timedelta(minutes=10)
    client.events.create(external_id="E-1", event="complaint_closed", occurred_at=at)
    freeze = consent.freeze(client, "open_complaint", at=NOW + timedelta(hours=1))
    consent.thaw(freeze, at=NOW + timedelta(hours=2))
    assert [entry.kind for entry in queries.timeline(client)] == [
        "thaw",
        "freeze",
        "contact",
        "event",
        "stage",
        "stage",
        "consent",
    ]
    with translation.override("en"):
        met, befell = queries.timeline(client)[2:4]
    assert (met.title, met.detail, befell.title) == ("Meeting", person.name, "Complaint closed")
    assert len(queries.timeline(client, limit=2)) == 2
