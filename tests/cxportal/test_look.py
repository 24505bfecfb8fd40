"""What every staff page has in common: scope, frame, languages, and no style in the markup."""

import re

import pytest
from django.urls import reverse

from bank.models import User
from tests import factories
from tests.cxportal.conftest import CANARY

pytestmark = pytest.mark.usefixtures("today")
LISTS = ["overview", "clients", "cases", "responses"]
TABS = ["contacts", "cases", "financials", "engagement", "history"]
FILTERED = [
    "/overview/?period=90d",
    "/overview/?line=corporate&heat=csat_response_speed",
    "/clients/?status=active&segment=corporate",
    "/clients/?q=有限公司",
    "/cases/?late=1&kind=loan",
    "/cases/?q=L-",
    "/responses/?score=0-6&from=2026-01-01&to=2026-12-31",
    "/responses/?q=慢",
    "/responses/?kind=transactional&stage=enquiry&segment=corporate&team=EAST",
]


def pages_of(side):
    return [
        reverse("client", args=[side.client.code]),
        *(reverse(f"client-{tab}", args=[side.client.code]) for tab in TABS),
        reverse("case", args=[side.case.number]),
        reverse("response", args=[side.response.response_id]),
    ]


@pytest.fixture
def everything(book):
    return [reverse(name) for name in LISTS] + FILTERED


@pytest.mark.parametrize("name", LISTS)
def test_stranger_is_led_to_the_sign_in_page(client, db, name):
    response = client.get(reverse(name))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("bank:login"))


def test_single_pages_lead_a_stranger_to_the_sign_in_page(client, book):
    for path in pages_of(book.mine):
        assert client.get(path).status_code == 302


@pytest.mark.parametrize(
    ("who", "mine", "theirs"),
    [
        ("lan", 200, 404),
        ("bo", 404, 404),
        ("chen", 404, 200),
        ("mu", 200, 404),
        ("qiu", 200, 200),
        ("admin", 200, 200),
    ],
)
def test_single_pages_follow_the_scope(client, book, who, mine, theirs):
    client.force_login(getattr(book.staff, who))
    assert [client.get(path).status_code for path in pages_of(book.mine)] == [mine] * 8
    assert [client.get(path).status_code for path in pages_of(book.theirs)] == [theirs] * 8


@pytest.mark.parametrize("who", ["lan", "bo", "mu"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_other_managers_client_is_in_no_byte(client, book, everything, who, language, settings):
    client.force_login(getattr(book.staff, who))
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    for path in everything + (pages_of(book.mine) if who != "bo" else []):
        body = client.get(path)
        assert body.status_code == 200, path
        assert CANARY not in body.content.decode(), path


def test_canary_is_seen_by_those_in_scope(client, book):
    client.force_login(book.staff.chen)
    for path in ["/clients/", "/cases/", "/responses/", *pages_of(book.theirs)]:
        assert CANARY in client.get(path).content.decode(), path


def test_user_without_role_is_refused(client, db):
    client.force_login(User.objects.create_user("nobody", password="a long password 1"))
    assert client.get("/overview/").status_code == 403


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_pages_carry_no_style_and_no_script_in_the_markup(
    client, book, everything, language, settings
):
    client.force_login(book.staff.lan)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    for path in everything + pages_of(book.mine):
        text = client.get(path).content.decode()
        assert " style=" not in text, path
        assert "<script" not in re.sub(r'<script src="/static/[^"]+" defer></script>', "", text), (
            path
        )
        assert "<style" not in text, path
        assert len(re.findall(r"<h1[ >]", text)) == 1, path


@pytest.mark.parametrize(("language", "lang"), [("zh-hans", "zh-Hans"), ("en", "en")])
def test_page_names_its_language(client, staff, settings, language, lang):
    client.force_login(staff.lan)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    assert f'<html lang="{lang}">' in client.get("/overview/").content.decode()


def test_language_is_switched_by_post_only(client, staff):
    client.force_login(staff.lan)
    assert client.get("/i18n/setlang/?language=en").status_code == 405
    assert '<html lang="zh-Hans">' in client.get("/overview/").content.decode()
    client.post("/i18n/setlang/", {"language": "en", "next": "/clients/"})
    assert '<html lang="en">' in client.get("/overview/").content.decode()


@pytest.mark.parametrize(("who", "seen"), [("admin", True), ("lan", False), ("qiu", False)])
def test_administration_is_offered_to_administrators_only(client, staff, who, seen):
    client.force_login(getattr(staff, who))
    assert (reverse("admin:index") in client.get("/clients/").content.decode()) is seen


def test_search_in_the_head_finds_clients(client, book):
    client.force_login(book.staff.lan)
    text = client.get("/overview/").content.decode()
    assert f'action="{reverse("clients")}"' in text
    assert "禾屿 有限公司" in client.get("/clients/?q=禾屿").content.decode()


def test_help_stands_on_every_page(client, book, everything, settings):
    client.force_login(book.staff.lan)
    for path in everything:
        assert f"mailto:{settings.MAIL_FROM}" in client.get(path).content.decode()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_pages_that_only_show_refuse_to_act(client, book, method):
    client.force_login(book.staff.lan)
    for path in ["/overview/", "/clients/", "/cases/", "/responses/", *pages_of(book.mine)]:
        assert getattr(client, method)(path).status_code == 405


def test_head_answers_like_get_without_a_body(client, book):
    client.force_login(book.staff.lan)
    for path in ["/overview/", *pages_of(book.mine)]:
        response = client.head(path)
        assert (response.status_code, response.content) == (200, b"")


def test_codes_with_unusual_characters_have_a_page(client, staff):
    for code in ["A/B 1", "甲%乙", "C#1?x=1", "x.y"]:
        factories.make_client(code, manager=staff.lan)
    client.force_login(staff.lan)
    text = client.get("/clients/").content.decode()
    paths = re.findall(r'<a class="b" href="([^"]+)"', text)
    assert len(paths) == 4
    assert [client.get(path).status_code for path in paths] == [200] * 4
