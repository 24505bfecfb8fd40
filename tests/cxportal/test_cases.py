"""The list of cases and the page of one case: stages against the days promised."""

from datetime import date, timedelta

import pytest

from bank.models import Holiday
from clients.models import Milestone, MilestoneType
from tests import factories
from tests.cxportal.conftest import make_late

pytestmark = pytest.mark.usefixtures("today", "stages")
NOW = factories.NOW


@pytest.fixture
def lan(client, staff):
    client.force_login(staff.lan)
    return client


def make_case(staff, code="due_diligence", *, days=30, **fields):
    case = factories.make_case(
        factories.make_client(manager=staff.lan, team=staff.east), stage=code, **fields
    )
    Milestone.objects.create(
        external_id=f"M-{case.number}",
        case=case,
        code=code,
        occurred_at=NOW - timedelta(days=days),
    )
    return case


@pytest.mark.parametrize("number", [1, 3])
def test_list_takes_the_same_queries_for_any_number(lan, staff, number, django_assert_num_queries):
    for _each in range(number):
        make_case(staff)
    with django_assert_num_queries(10):
        assert lan.get("/cases/").status_code == 200


@pytest.mark.parametrize(("days", "late"), [(6, 0), (9, 0), (11, 0), (12, 1), (13, 2), (30, 15)])
def test_lateness_counts_working_days_beyond_the_promise(lan, staff, days, late):
    # Seven working days were promised; 24 November 2026 is a Tuesday.
    make_case(staff, days=days)
    assert [row.late for row in lan.get("/cases/").context["rows"]] == [late]
    found = lan.get("/cases/?late=1").context["rows"]
    assert [row.late for row in found] == ([late] if late else [])


def test_holiday_does_not_count(lan, staff):
    Holiday.objects.create(date=date(2026, 11, 20), kind="off")
    make_case(staff, days=12)
    assert [row.late for row in lan.get("/cases/").context["rows"]] == [0]
    assert list(lan.get("/cases/?late=1").context["rows"]) == []


def test_waiting_for_the_client_and_running_loans_are_never_late(lan, staff):
    make_case(staff, "materials_pending", days=200)
    make_case(staff, "disbursed", days=2000, opened_on=date(2020, 1, 1))
    assert [row.late for row in lan.get("/cases/").context["rows"]] == [0, 0]
    assert list(lan.get("/cases/?late=1").context["rows"]) == []


def test_ended_case_is_not_late(lan, staff):
    make_case(staff, closed_on=date(2026, 11, 20))
    assert [row.late for row in lan.get("/cases/").context["rows"]] == [0]
    assert list(lan.get("/cases/?late=1").context["rows"]) == []


def test_list_is_narrowed_by_stage_kind_and_words(lan, staff):
    make_case(staff, name="甲贷款")
    make_case(staff, "disbursed", name="乙贷款")
    for query, names in (
        ("stage=disbursed", {"乙贷款"}),
        ("kind=project_finance", set()),
        ("q=甲", {"甲贷款"}),
        ("stage=nonsense", {"甲贷款", "乙贷款"}),
        ("rm=nobody", set()),
    ):
        rows = lan.get(f"/cases/?{query}").context["rows"]
        assert {row.case.name for row in rows} == names


def test_late_case_says_so_in_words(lan, book, settings):
    make_late(book.mine.case)
    lan.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    text = lan.get(f"/cases/{book.mine.case.number}/").content.decode()
    assert "Due Diligence: 15 working days late" in text
    assert "15 days over" in text


def test_stages_stand_against_promised_days(lan, book):
    make_late(book.mine.case)
    visits = lan.get(f"/cases/{book.mine.case.number}/").context["progress"].visits
    assert [(visit.code, visit.days, visit.promised, visit.over) for visit in visits] == [
        ("enquiry", 35, 1, 34),
        ("due_diligence", 22, 7, 15),
    ]


def test_steps_show_where_the_case_stands(lan, book):
    make_late(book.mine.case)
    steps = lan.get(f"/cases/{book.mine.case.number}/").context["progress"].steps
    assert [step.state for step in steps] == ["done", "late", "todo", "todo", "todo", "todo"]


def test_milestones_show_plan_and_day(lan, book):
    MilestoneType.objects.create(
        code="signed", position=1, name_zh="签约", name_en="Signed", case_kinds=["loan"]
    )
    for number, (planned, occurred) in enumerate(
        (
            (date(2026, 11, 16), NOW - timedelta(days=4)),
            (date(2026, 11, 2), None),
            (date(2026, 12, 1), None),
        )
    ):
        Milestone.objects.create(
            external_id=f"P-{number}",
            case=book.mine.case,
            code="signed",
            planned_on=planned,
            occurred_at=occurred,
        )
    rows = lan.get(f"/cases/{book.mine.case.number}/").context["milestones"]
    assert [(row.planned, row.behind, row.overdue) for row in rows if row.planned] == [
        (date(2026, 11, 16), 4, False),
        (date(2026, 11, 2), None, True),
        (date(2026, 12, 1), None, False),
    ]


def test_case_page_lists_the_answers_about_it(lan, book):
    lines = lan.get(f"/cases/{book.mine.case.number}/").context["lines"]
    assert [line.response.response_id for line in lines] == ["R-禾屿"]


def test_case_without_any_record_has_a_page(lan, staff):
    case = factories.make_case(factories.make_client(manager=staff.lan))
    assert lan.get(f"/cases/{case.number}/").status_code == 200
