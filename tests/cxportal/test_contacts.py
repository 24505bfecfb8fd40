"""Logging a contact on the page of a client, and taking it back."""

import re
from datetime import timedelta

import pytest

from clients.models import Touchpoint
from tests import factories
from tests.factories import NOW, make_visitor

pytestmark = pytest.mark.usefixtures("today")
MINE = "/clients/C-MINE/"
LOG = f"{MINE}log-contact/"


@pytest.fixture
def lan(staff):
    return make_visitor(staff.lan)


def key_on(page) -> str:
    return re.search(r'name="key" value="([0-9a-f-]{36})"', page.content.decode())[1]


def typed(caller, **fields):
    return {
        "key": key_on(caller.get(LOG)),
        "kind": "call",
        "contact": "",
        "happened_at": "2026-11-24T09:15",
        "minutes": "",
    } | fields


def test_contact_is_logged_from_the_page_of_the_client(lan, book):
    page = lan.get(MINE)
    assert f'action="{LOG}"' in page.content.decode()
    form = typed(lan, key=key_on(page), contact=str(book.mine.contact.pk), minutes="45")
    answer = lan.post(LOG, form, follow=True)
    assert answer.redirect_chain == [(MINE, 302)]
    assert "联系已登记" in answer.content.decode() or "recorded" in answer.content.decode()
    row = Touchpoint.objects.get()
    assert (row.client, row.contact, row.kind) == (book.mine.client, book.mine.contact, "call")
    assert (row.at, row.duration_s) == (NOW - timedelta(minutes=45), 2700)
    assert (row.logged_by, row.logged_at) == (book.staff.lan, NOW)


def test_time_that_is_offered_is_now_in_the_reporting_zone(lan, book):
    assert 'value="2026-11-24T10:00"' in lan.get(LOG).content.decode()


def test_button_pressed_twice_records_one_contact(lan, book):
    form = typed(lan)
    assert [lan.post(LOG, form).status_code for _press in range(2)] == [302, 302]
    assert Touchpoint.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kind": ""}, "kind"),
        ({"kind": "login"}, "kind"),
        ({"happened_at": ""}, "happened_at"),
        ({"happened_at": "yesterday"}, "happened_at"),
        ({"happened_at": "2026-11-24T10:02"}, "happened_at"),
        ({"minutes": "0"}, "minutes"),
        ({"minutes": "1441"}, "minutes"),
        ({"minutes": "9" * 400}, "minutes"),
        ({"contact": "999999"}, "contact"),
        ({"contact": "\x00"}, "contact"),
        ({"key": "nonsense"}, "key"),
    ],
)
def test_what_is_wrong_comes_back_with_the_input_and_nothing_is_recorded(fields, wrong, lan, book):
    answer = lan.post(LOG, typed(lan, **{"minutes": "17"} | fields))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [wrong]
    text = answer.content.decode()
    assert 'value="2026-11-24T09:15"' in text or wrong == "happened_at"
    assert 'value="17"' in text or wrong == "minutes"
    assert f'id="log-{wrong}_error"' in text or wrong == "key"
    assert Touchpoint.objects.count() == 0


def test_person_of_another_client_cannot_be_chosen(lan, book):
    page = lan.get(LOG).content.decode()
    assert book.mine.contact.name in page
    assert book.theirs.contact.name not in page
    answer = lan.post(LOG, typed(lan, contact=str(book.theirs.contact.pk)))
    assert list(answer.context["form"].errors) == ["contact"]


def test_key_of_a_form_of_another_client_is_refused_in_words(lan, book, staff):
    other = factories.make_client("C-OTHER", manager=staff.lan)
    form = typed(lan)
    lan.post(LOG, form)
    answer = lan.post(f"/clients/{other.code}/log-contact/", form)
    assert (answer.status_code, Touchpoint.objects.count()) == (422, 1)
    assert answer.context["form"].non_field_errors()


@pytest.mark.parametrize(
    ("who", "status"),
    [("lan", 302), ("bo", 404), ("chen", 404), ("mu", 302), ("qiu", 403), ("admin", 403)],
)
def test_who_may_log(who, status, lan, book):
    form = typed(lan)
    caller = make_visitor(getattr(book.staff, who))
    assert caller.post(LOG, form).status_code == status
    assert Touchpoint.objects.count() == (status == 302)


def test_deputy_logs_as_long_as_he_stands_in(lan, book):
    form, bo = typed(lan), make_visitor(book.staff.bo)
    book.staff.lan.deputies.create(
        deputy=book.staff.bo, starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=1)
    )
    assert bo.post(LOG, form).status_code == 302
    book.staff.lan.deputies.update(ends_at=NOW - timedelta(hours=1))
    assert bo.post(LOG, form).status_code == 404


def test_stranger_is_led_to_the_sign_in_page(book):
    answer = make_visitor(None).post(LOG, {})
    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/accounts/login/")


def test_who_only_looks_is_offered_no_form(book):
    for who in ("qiu", "admin"):
        page = make_visitor(getattr(book.staff, who)).get(MINE)
        assert (page.status_code, LOG in page.content.decode()) == (200, False)


def test_form_needs_its_token(book, staff):
    browser = type(make_visitor(None))(enforce_csrf_checks=True)
    browser.force_login(staff.lan)
    assert browser.post(LOG, {}).status_code == 403


def test_contact_is_taken_back_from_the_page_on_the_same_day(lan, book):
    lan.post(LOG, typed(lan))
    row = Touchpoint.objects.get()
    undo = f"{LOG}{row.pk}/take-back/"
    assert undo in lan.get(MINE).content.decode()
    assert undo not in make_visitor(book.staff.mu).get(MINE).content.decode()
    assert make_visitor(book.staff.mu).post(undo).status_code == 403
    assert lan.get(undo).status_code == 405
    assert lan.post(undo).status_code == 302
    assert Touchpoint.objects.count() == 0
    assert lan.post(undo).status_code == 302  # a second press finds nothing and says nothing


def test_contact_of_yesterday_stays(lan, book, time_machine):
    lan.post(LOG, typed(lan))
    row = Touchpoint.objects.get()
    time_machine.move_to(NOW + timedelta(hours=14), tick=False)
    lan.force_login(book.staff.lan)
    undo = f"{LOG}{row.pk}/take-back/"
    assert undo not in lan.get(MINE).content.decode()
    assert lan.post(undo).status_code == 403
    assert Touchpoint.objects.count() == 1


def test_what_machines_told_cannot_be_taken_back(lan, book):
    told = factories.make_touchpoint(book.mine.client, kind="visit")
    lan.post(f"{LOG}{told.pk}/take-back/")
    assert Touchpoint.objects.count() == 1


def test_page_is_read_in_both_languages(lan, book):
    for language, html in (("en", "en"), ("zh-hans", "zh-Hans")):
        answer = lan.get(LOG, headers={"Accept-Language": language})
        assert f'<html lang="{html}">' in answer.content.decode()


def test_address_offers_no_other_method(lan, book):
    assert [getattr(lan, name)(LOG).status_code for name in ("put", "delete")] == [405, 405]
