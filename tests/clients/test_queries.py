"""Lists and facts of clients, within scope and in constant queries."""

from datetime import timedelta
from decimal import Decimal

import pytest

from clients import consent, queries, reference
from clients.models import Milestone
from cxportal.reference import read
from tests.factories import NOW, make_case, make_client, make_contact


def codes(viewer, **filters):
    return [client.code for client in queries.client_list(viewer, **filters)]


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


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_takes_two_queries_for_any_number(staff, django_assert_num_queries, number):
    for _each in range(number):
        client = make_client(manager=staff.lan, team=staff.east)
        make_case(client)
        make_case(client, closed_on=NOW.date())
        make_contact(client)
    with django_assert_num_queries(2):
        page = queries.client_list(staff.admin)
        rows = [(row.manager.username, row.team.code, row.open_cases, row.people) for row in page]
    assert rows == [("lan", "EAST", 1, 1)] * number


def test_a_page_that_does_not_exist_is_the_nearest_one(staff):
    make_client("C1")
    assert queries.client_list(staff.admin, page="moon").number == 1
    assert queries.client_list(staff.admin, page=10**20).number == 1


def test_facts_count_and_never_add_up_currencies(staff):
    client = make_client(manager=staff.lan)
    make_client("SPV1", parent=client, manager=staff.lan)
    make_client("SPV2", parent=client, manager=staff.chen)
    make_case(client, amount=Decimal("100.50"))
    make_case(client, amount=Decimal(200))
    make_case(client, amount=Decimal(7), currency="USD")
    make_case(client, amount=Decimal(9), closed_on=NOW.date())
    make_contact(client)
    consent.freeze(client, "open_complaint", at=NOW)
    found = queries.facts(client, staff.lan)
    assert found.amounts == {"CNY": Decimal("300.50"), "USD": Decimal(7)}
    assert (found.open_cases, found.closed_cases, found.contacts) == (3, 1, 1)
    assert [one.code for one in found.subsidiaries] == ["SPV1"]
    assert [freeze.reason for freeze in found.freezes] == ["open_complaint"]
    assert [user.username for user in queries.managers(staff.admin)] == ["chen", "lan"]


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
def test_tracks_name_stages_and_steps_in_five_queries(db, django_assert_num_queries, number):
    reference.load(read(), NOW)
    client = make_client()
    for _each in range(number):
        history(client)
    with django_assert_num_queries(5):
        found = queries.tracks(client)
    assert len(found) == number
    assert [step.milestone.code for step in found[0].steps] == [
        "enquiry",
        "application",
        "final_maturity",
    ]
    assert [step.is_stage for step in found[0].steps] == [True, True, False]
    assert found[0].since == NOW
    assert found[0].stage_name == "申请受理"


def test_path_shows_every_stage_with_the_day_it_was_entered(db):
    reference.load(read(), NOW)
    case = history(make_client())
    steps = queries.path(case)
    assert [(stage.code, day is not None) for stage, day in steps[:3]] == [
        ("enquiry", True),
        ("application", True),
        ("materials_pending", False),
    ]
    assert queries.track(case).stage_name == "申请受理"


def test_the_timeline_mixes_what_happened_newest_first(db):
    reference.load(read(), NOW)
    client = make_client()
    history(client)
    make_contact(client)
    freeze = consent.freeze(client, "open_complaint", at=NOW + timedelta(hours=1))
    consent.thaw(freeze, at=NOW + timedelta(hours=2))
    assert [entry.kind for entry in queries.timeline(client)] == [
        "thaw",
        "freeze",
        "stage",
        "stage",
        "consent",
    ]
    assert len(queries.timeline(client, limit=2)) == 2
