"""The list of clients and the page of one client."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients import consent
from metrics import recompute
from tests import factories

pytestmark = pytest.mark.usefixtures("today")
NOW = factories.NOW


@pytest.fixture
def lan(client, staff):
    client.force_login(staff.lan)
    return client


def counted(client, path) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


@pytest.mark.parametrize("number", [1, 3])
def test_list_takes_the_same_queries_for_any_number(lan, staff, number, django_assert_num_queries):
    for _each in range(number):
        one = factories.make_client(manager=staff.lan, team=staff.east)
        factories.make_response(factories.make_invitation(factories.make_contact(one)))
        recompute.refresh(one.pk, at=NOW)
    with django_assert_num_queries(8):
        assert lan.get("/clients/").status_code == 200


def test_list_shows_manager_status_last_answer_and_mean(lan, book):
    recompute.refresh(book.mine.client.pk, at=NOW)
    text = lan.get("/clients/").content.decode()
    assert "禾屿 有限公司" in text
    assert "2026-11-15" in text
    assert 'value="3" data-metric="recommend_mean" data-n="1"' in text


def test_list_is_narrowed_by_search_status_and_segment(lan, staff):
    factories.make_client("A1", name_zh="甲公司", manager=staff.lan, status="prospect")
    factories.make_client("B1", name_zh="乙公司", manager=staff.lan, segment="project_finance")
    for query, names in (
        ("q=甲", {"甲公司"}),
        ("q=B1", {"乙公司"}),
        ("status=prospect", {"甲公司"}),
        ("segment=project_finance", {"乙公司"}),
        ("status=nonsense", {"甲公司", "乙公司"}),
    ):
        rows = lan.get(f"/clients/?{query}").context["rows"]
        assert {row.name_zh for row, _mean in rows} == names


def test_list_says_when_nothing_fits_and_offers_to_clear(lan, book):
    text = lan.get("/clients/?q=xyz").content.decode()
    assert "<table" not in text
    assert 'href="?"' in text


def test_filters_in_force_can_be_taken_away_one_by_one(lan, book):
    chips = lan.get("/clients/?q=禾屿&status=active").context["chips"]
    assert (chips[0].key, chips[0].value) == ("q", "禾屿")
    text = lan.get("/clients/?q=abc&status=active&page=2").content.decode()
    assert 'href="?status=active"' in text


def test_supervisor_filters_by_manager(client, staff):
    factories.make_client("A1", manager=staff.lan, team=staff.east)
    factories.make_client("B1", manager=staff.bo, team=staff.east)
    client.force_login(staff.mu)
    rows = client.get("/clients/?rm=bo").context["rows"]
    assert [row.code for row, _mean in rows] == ["B1"]


def test_page_out_of_range_is_the_last_one(lan, staff):
    for _each in range(30):
        factories.make_client(manager=staff.lan)
    assert lan.get("/clients/?page=99").context["page"].number == 2
    assert lan.get("/clients/?page=x").context["page"].number == 1


def test_client_page_shows_mean_and_base_as_data(lan, book):
    path = f"/clients/{book.mine.client.code}/"
    recompute.refresh(book.mine.client.pk, at=NOW)
    text = lan.get(path).content.decode()
    assert 'value="3" data-metric="recommend_mean" data-n="1"' in text
    assert 'value="detractor" data-metric="client_label" data-n="1"' in text


def test_client_page_shows_a_new_answer_after_the_refresh(lan, book):
    other = factories.make_contact(book.mine.client)
    factories.make_response(
        factories.make_invitation(other, version=book.mine.response.version), {"nps": 9}
    )
    recompute.refresh(book.mine.client.pk, at=NOW)
    text = lan.get(f"/clients/{book.mine.client.code}/").content.decode()
    assert 'value="6" data-metric="recommend_mean" data-n="2"' in text


def test_client_page_takes_the_same_queries_however_much_happened(lan, book):
    path = f"/clients/{book.mine.client.code}/"
    few = counted(lan, path)
    for _each in range(3):
        person = factories.make_contact(book.mine.client)
        invitation = factories.make_invitation(person, version=book.mine.response.version)
        factories.make_response(invitation, {"nps": 8, "reason": "好"})
        factories.make_case(book.mine.client)
    assert counted(lan, path) == few
    assert few <= 27


def test_client_page_masks_the_credit_code(lan, book):
    text = lan.get(f"/clients/{book.mine.client.code}/").content.decode()
    assert book.mine.client.uscc not in text
    assert "••••" in text


def test_small_sample_shows_counts_instead_of_a_share(lan, book):
    text = lan.get(f"/clients/{book.mine.client.code}/").content.decode()
    assert "0 / 1" in text


def test_contact_who_opted_out_is_shown_with_the_reason(lan, book):
    consent.opt_out(book.mine.contact, at=NOW)
    people = lan.get(f"/clients/{book.mine.client.code}/").context["found"].people
    assert [person.reason != "" for person in people] == [True]


def test_contact_who_left_is_not_listed(lan, book):
    book.mine.contact.left_on = NOW.date()
    book.mine.contact.save()
    assert lan.get(f"/clients/{book.mine.client.code}/").context["found"].people == []


def test_silence_is_a_dashed_mark(lan, book):
    person = factories.make_contact(book.mine.client, name="沉默者")
    factories.make_invitation(person, sent_at=NOW - timedelta(days=20))
    rated = lan.get(f"/clients/{book.mine.client.code}/").context["ratings"]
    marks = {row.contact.name: [mark.score for mark in row.marks] for row in rated}
    assert marks == {"禾屿 联系人": [3], "沉默者": [None]}


def test_answers_for_the_experience_team_stay_hidden_from_the_manager(client, book):
    version = factories.make_version(attribution="experience_team_only")
    invitation = factories.make_invitation(book.mine.contact, version=version)
    factories.make_response(invitation, {"nps": 1, "reason": "只给体验团队"})
    path = f"/clients/{book.mine.client.code}/"
    client.force_login(book.staff.lan)
    assert "只给体验团队" not in client.get(path).content.decode()
    client.force_login(book.staff.qiu)
    assert "只给体验团队" in client.get(path).content.decode()


def test_parent_out_of_scope_is_named_without_a_link(lan, book, staff):
    parent = factories.make_client("GROUP", kind="group", manager=staff.chen, name_zh="某集团")
    book.mine.client.parent = parent
    book.mine.client.save()
    text = lan.get(f"/clients/{book.mine.client.code}/").content.decode()
    assert "某集团" in text
    assert "/clients/GROUP/" not in text


def test_page_of_a_client_without_anything_says_so(lan, staff):
    one = factories.make_client(manager=staff.lan)
    response = lan.get(f"/clients/{one.code}/")
    assert response.status_code == 200
    assert 'data-metric="recommend_mean" data-n="0"' in response.content.decode()


def test_timeline_is_newest_first(lan, book):
    events = lan.get(f"/clients/{book.mine.client.code}/").context["events"]
    moments = [event.at for event in events]
    assert moments == sorted(moments, reverse=True)
    assert events[0].response_id == "R-禾屿"
