"""Clients, contacts, cases and milestones as machines read and report them."""

import threading
from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.db import connection

from bank.models import AuditEntry
from clients import reference
from clients.models import Case, Client, Industry, Milestone, Product, Province
from cxportal.reference import read
from tests.factories import (
    NOW,
    make_caller,
    make_case,
    make_client,
    make_contact,
    make_user,
    make_visitor,
)

API = "/api/v1/"


@pytest.fixture(autouse=True)
def empty_cache(db):
    cache.clear()


@pytest.fixture
def case():
    reference.load(read(), NOW)
    return make_case(make_client("C-1"), number="L-1")


@pytest.fixture
def machine():
    return make_caller("read", "ingest")


def post(caller, number="L-1", **body):
    body = {
        "external_id": "M-1",
        "code": "enquiry",
        "occurred_at": "2026-09-01T09:00:00+08:00",
    } | body
    return caller.post(f"{API}cases/{number}/milestones/", body, content_type="application/json")


def test_client_carries_the_fields_of_the_import_file(staff, machine):
    parent = make_client("G-1", kind="group")
    industry = Industry.objects.create(code="44", section="D", name_zh="电力", name_en="Power")
    province = Province.objects.create(code="33", name_zh="浙江省", name_en="Zhejiang")
    make_client(
        "C-1",
        name_zh="甲公司",
        name_en="Alpha",
        short_name="甲",
        uscc="91330000MA00000001",
        kind="spv",
        parent=parent,
        industry=industry,
        province=province,
        size="large",
        segment="project_finance",
        team=staff.east,
        manager=staff.lan,
        since=date(2020, 1, 2),
        internal_rating="A-",
        risk_class="pass",
    )
    assert machine.get(f"{API}clients/C-1/").json() == {
        "code": "C-1",
        "name_zh": "甲公司",
        "name_en": "Alpha",
        "short_name": "甲",
        "uscc": "91330000MA00000001",
        "kind": "spv",
        "parent_code": "G-1",
        "industry": "44",
        "province": "33",
        "size": "large",
        "segment": "project_finance",
        "team": "EAST",
        "manager": "lan",
        "status": "active",
        "since": "2020-01-02",
        "internal_rating": "A-",
        "risk_class": "pass",
    }


def test_client_without_much_known_says_null(machine):
    make_client("C-1")
    found = machine.get(f"{API}clients/C-1/").json()
    assert {name for name, value in found.items() if value is None} == {
        "uscc",
        "parent_code",
        "industry",
        "province",
        "size",
        "team",
        "manager",
        "since",
        "internal_rating",
        "risk_class",
    }


def test_parent_out_of_scope_is_not_named(staff):
    parent = make_client("G-1", manager=staff.bo)
    make_client("C-1", manager=staff.lan, parent=parent)
    found = make_visitor(staff.lan).get(f"{API}clients/C-1/")
    assert (found.json()["parent_code"], b"G-1" in found.content) == (None, False)


def test_code_with_a_slash_has_its_pages(machine):
    make_client("A/B 中")
    for path in ("", "indicators/", "timeline/"):
        assert machine.get(f"{API}clients/A/B 中/{path}").status_code == 200


@pytest.mark.parametrize("code", ["nobody", "%00", "%ED%A0%80", "x" * 5000, "..", "1/2/3"])
def test_unknown_code_is_404(code, machine):
    for path in ("clients/{}/", "clients/{}/timeline/", "clients/{}/indicators/", "cases/{}/"):
        answer = machine.get(API + path.format(code))
        assert (answer.status_code, set(answer.json())) == (404, {"detail"})


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"q": "ALPHA"}, ["C-1"]),
        ({"q": "公司 C-2"}, ["C-2"]),
        ({"q": "%"}, []),
        ({"segment": "corporate"}, ["C-1"]),
        ({"status": "prospect"}, ["C-2"]),
        ({"manager": "lan"}, ["C-1"]),
        ({"manager": "nobody"}, []),
        ({"team": "EAST"}, ["C-1", "C-2"]),
        ({"team": "EAST", "status": "active"}, ["C-1"]),
    ],
)
def test_clients_are_filtered(query, codes, staff, machine):
    east = {"team": staff.east}
    make_client("C-1", name_zh="甲公司", name_en="Alpha", manager=staff.lan, **east)
    make_client("C-2", name_zh="乙公司", segment="project_finance", status="prospect", **east)
    found = machine.get(f"{API}clients/", query).json()
    assert [row["code"] for row in found["results"]] == codes


@pytest.mark.parametrize("query", [{"segment": "retail"}, {"status": "'--"}])
def test_filter_value_that_does_not_exist_is_400(query, machine):
    answer = machine.get(f"{API}clients/", query)
    assert (answer.status_code, list(answer.json())) == (400, list(query))


def test_contact_carries_the_fields_of_the_import_file(machine):
    client = make_client("C-1")
    make_contact(
        client,
        external_id="P-1",
        name="程女士",
        salutation="女士",
        position="财务总监",
        job_role="cfo",
        email="p1@client.example",
        phone="010-1",
        time_zone="Asia/Shanghai",
        left_on=date(2026, 1, 1),
    )
    make_contact(client, external_id="P-2", consent="")
    found = machine.get(f"{API}contacts/?client=C-1").json()["results"]
    assert found[0] == {
        "external_id": "P-1",
        "client_code": "C-1",
        "name": "程女士",
        "salutation": "女士",
        "position": "财务总监",
        "job_role": "cfo",
        "buying_role": "user",
        "email": "p1@client.example",
        "phone": "010-1",
        "language": "zh",
        "time_zone": "Asia/Shanghai",
        "survey_consent": "yes",
        "left_on": "2026-01-01",
    }
    assert found[1]["survey_consent"] == "unknown"
    assert machine.get(f"{API}contacts/?client=C-2").json()["count"] == 0


def test_case_carries_the_fields_of_the_import_file(staff, machine):
    product = Product.objects.create(code="wc_loan", family="loan", name_zh="流贷", name_en="WC")
    make_case(
        make_client("C-1"),
        number="L-1",
        product=product,
        amount="1234567890123.40",
        manager=staff.lan,
        sector="power",
    )
    expected = {
        "number": "L-1",
        "client_code": "C-1",
        "kind": "loan",
        "product_code": "wc_loan",
        "name": "流动资金贷款",
        "amount": "1234567890123.40",
        "currency": "CNY",
        "stage": "enquiry",
        "opened_on": "2026-09-01",
        "closed_on": None,
        "manager": "lan",
        "sector": "power",
    }
    assert machine.get(f"{API}cases/L-1/").json() == expected
    assert machine.get(f"{API}cases/?client=C-1&kind=loan&stage=enquiry").json()["results"] == [
        expected
    ]
    assert machine.get(f"{API}cases/?kind=project_finance").json()["count"] == 0


def test_report_is_written_once_and_moves_the_case(case, machine):
    first = post(machine)
    second = post(machine)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert first.json() == {
        "external_id": "M-1",
        "case_number": "L-1",
        "code": "enquiry",
        "event": "",
        "planned_on": None,
        "occurred_at": "2026-09-01T09:00:00+08:00",
        "note": "",
        "irregular": False,
    }
    assert AuditEntry.objects.filter(act="case.milestone").count() == 1
    assert (
        post(
            machine,
            external_id="M-2",
            code="application",
            occurred_at="2026-09-02T01:00:00Z",
            case_number="L-1",
        ).status_code
        == 201
    )
    case.refresh_from_db()
    assert case.stage == "application"
    listed = machine.get(f"{API}cases/L-1/milestones/").json()["results"]
    assert [row["external_id"] for row in listed] == ["M-1", "M-2"]


def test_another_body_under_the_same_number_is_422_unless_it_is_a_correction(case, machine):
    post(machine)
    other = {"occurred_at": "2026-09-01T10:00:00+08:00", "note": "later"}
    refused = post(machine, **other)
    assert (refused.status_code, set(refused.json())) == (422, {"detail"})
    assert Milestone.objects.get().note == ""
    corrected = post(machine, **other, correction=True)
    assert (corrected.status_code, corrected.json()["occurred_at"]) == (200, other["occurred_at"])
    assert post(machine, **other, correction=True).status_code == 200
    assert AuditEntry.objects.filter(act="case.correct").count() == 1
    assert post(machine, code="application", correction=True).status_code == 422


@pytest.mark.django_db(transaction=True)
def test_six_equal_reports_at_once_have_one_effect(case, machine):
    answers = at_once(6, lambda: post(machine).status_code)
    assert sorted(answers) == [200, 200, 200, 200, 200, 201]
    assert Milestone.objects.count() == 1
    assert AuditEntry.objects.filter(act="case.milestone").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_number_reported_for_two_cases_at_once_is_taken_once(case, machine):
    make_case(case.client, number="L-2")
    numbers = iter(["L-1", "L-2"] * 3)
    answers = at_once(6, lambda: post(machine, next(numbers)).status_code)
    assert (answers.count(201), set(answers) <= {200, 201, 409, 422}) == (1, True)
    assert Milestone.objects.count() == 1


def at_once(count, work):
    """The results of calling `work` from so many connections at the same moment."""
    start, results = threading.Barrier(count), []

    def run():
        try:
            start.wait()
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_number_of_another_case_is_422(case, machine):
    make_case(case.client, number="L-2")
    post(machine)
    assert post(machine, "L-2").status_code == 422
    assert Milestone.objects.count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {"code": "nonsense"},
        {"code": "disbursement"},
        {"event": "nonsense"},
        {"occurred_at": None},
        {"occurred_at": "2999-01-01T00:00:00Z"},
    ],
)
def test_what_the_case_model_forbids_is_422_and_changes_nothing(body, case, machine):
    answer = post(machine, **body)
    assert (answer.status_code, set(answer.json())) == (422, {"detail"})
    assert Milestone.objects.count() == 0


def test_late_report_does_not_move_the_case_back(case, machine):
    post(machine)
    post(machine, external_id="M-2", code="application", occurred_at="2026-09-05T01:00:00Z")
    late = post(machine, external_id="M-3", code="enquiry", occurred_at="2026-09-02T01:00:00Z")
    assert late.status_code == 422
    assert Case.objects.get().stage == "application"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 121}, "external_id"),
        ({"external_id": ["M"]}, "external_id"),
        ({"external_id": {"a": 1}}, "external_id"),
        ({"code": None}, "code"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"occurred_at": 7}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"planned_on": "2026-02-30"}, "planned_on"),
        ({"note": "x" * 501}, "note"),
        ({"correction": "perhaps"}, "correction"),
        ({"case_number": "L-2"}, "case_number"),
        ({"irregular": False}, "irregular"),
        ({"id": 1}, "id"),
        ({"status": "closed"}, "status"),
    ],
)
def test_field_that_is_wrong_or_not_to_be_written_is_named(body, field, case, machine):
    answer = post(machine, **body)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert Milestone.objects.count() == 0


def test_case_out_of_scope_takes_no_report(case, staff):
    Client.objects.update(manager=staff.chen, team=staff.west)
    assert post(make_visitor(staff.lan)).status_code == 404
    assert post(make_caller("ingest", team=staff.east)).status_code == 404
    assert post(make_visitor(staff.chen)).status_code == 201


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize(
    "path", ["clients/", "clients/C-1/", "contacts/", "cases/L-1/", "cases/L-1/milestones/"]
)
def test_method_that_is_not_offered_is_405(method, path, case, machine):
    answer = getattr(make_caller("read", "ingest", "manage"), method)(API + path)
    assert (answer.status_code, set(answer.json())) == (405, {"detail"})


@pytest.mark.parametrize("path", ["clients/", "clients/C-1/", "contacts/", "cases/"])
def test_records_are_not_made_here(path, case):
    caller = make_caller("read", "ingest", "manage")
    assert caller.post(API + path, {}, content_type="application/json").status_code == 405


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize(
    ("path", "queries"),
    [("clients/", 3), ("contacts/", 3), ("cases/", 3), ("cases/L-0/milestones/", 4)],
)
def test_list_takes_the_same_queries_for_any_length(
    path, queries, rows, django_assert_num_queries
):
    machine = make_caller("read", "ingest")
    manager = make_user("rm", "relationship_manager")
    for number in range(rows):
        client = make_client(manager=manager, parent=Client.objects.first())
        make_contact(client)
        case = make_case(client, number=f"L-{number}", manager=manager)
        for step in range(rows):
            case.milestones.create(external_id=f"M-{number}-{step}", code="x", occurred_at=NOW)
    machine.get(API)  # notes the use of the key, at most once a minute
    with django_assert_num_queries(queries):
        assert machine.get(API + path).json()["count"] == rows


def test_times_carry_their_zone(case, machine):
    moment = NOW - timedelta(days=60)
    Milestone.objects.create(case=case, external_id="M-9", code="enquiry", occurred_at=moment)
    found = machine.get(f"{API}cases/L-1/milestones/").json()["results"][0]
    assert found["occurred_at"] == "2026-09-25T10:00:00+08:00"


@pytest.mark.parametrize(("language", "words"), [("zh-hans", "需要"), ("en", "An object with")])
def test_null_is_refused_in_the_language_of_the_caller(language, words, machine):
    client = make_client("C-1")
    url = f"{API}clients/{client.code}/events/"
    answer = machine.post(
        url, b"null", content_type="application/json", headers={"accept-language": language}
    )
    assert answer.status_code == 400
    assert words in str(answer.json())
