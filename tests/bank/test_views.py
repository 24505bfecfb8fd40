import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from tests.factories import make_user

LOGIN = "/accounts/login/"
RIGHT = {"username": "lan", "password": "a long password 1"}


@pytest.fixture
def lan(db):
    return make_user("lan", "relationship_manager")


def signed_in(client):
    return "_auth_user_id" in client.session


def test_addresses_are_those_of_the_contract():
    assert (reverse("bank:login"), reverse("bank:logout")) == (LOGIN, "/accounts/logout/")


def test_page_is_shown_and_not_kept_by_anybody(client, lan):
    response = client.get(LOGIN)
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    assert client.head(LOGIN).status_code == 200


def test_right_password_leads_to_the_overview(client, lan):
    response = client.post(LOGIN, RIGHT)
    assert (response.status_code, response.url) == (302, reverse("overview"))
    assert signed_in(client)


def test_every_failure_looks_the_same(client, lan):
    make_user("off", "auditor", is_active=False)
    pages = set()
    for username, password in (
        ("lan", "wrong"),
        ("nobody", "wrong"),
        ("off", "a long password 1"),
        ("lan", ""),
        ("", ""),
        ("lan\x00", "x"),
    ):
        response = client.post(LOGIN, {"username": username, "password": password})
        text = response.content.decode()
        start = text.index('role="alert"')
        pages.add((response.status_code, text[start : text.index("</div>", start)]))
        assert not signed_in(client)
    assert len(pages) == 1


def test_password_is_never_sent_back(client, lan):
    response = client.post(LOGIN, {"username": "lan", "password": "my wrong secret"})
    assert "my wrong secret" not in response.content.decode()


@pytest.mark.parametrize("target", ["/clients/?page=2", "/overview/"])
def test_own_page_asked_for_is_shown_next(client, lan, target):
    assert client.post(LOGIN, {**RIGHT, "next": target}).url == target


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/",
        "/\\evil.example",
        "https:///evil.example",
        "https://evil.example/",
        "http://testserver/overview/",
        "javascript:alert(1)",
        "\x08//evil.example",
        "/\t/evil.example",
        "",
    ],
)
def test_foreign_page_asked_for_leads_home(client, lan, target):
    assert client.post(LOGIN, {**RIGHT, "next": target}).url == reverse("overview")
    assert client.get(LOGIN, {"next": target}).url == reverse("overview")


def test_planted_session_id_is_worthless_after_sign_in(client, lan):
    client.get(LOGIN)
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    client.post(LOGIN, RIGHT)
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_sign_out_is_a_post_and_ends_the_session(client, lan):
    client.force_login(lan)
    assert client.get("/accounts/logout/").status_code == 405
    assert signed_in(client)
    key = client.session.session_key
    assert client.post("/accounts/logout/").url == LOGIN
    assert not Session.objects.filter(session_key=key).exists()


def test_unknown_methods_are_405(client, lan):
    for method in ("put", "patch", "delete"):
        assert getattr(client, method)(LOGIN).status_code == 405


def test_form_without_its_token_is_403(lan):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(LOGIN, RIGHT).status_code == 403
    assert strict.post("/accounts/logout/").status_code == 403


def test_switched_off_user_is_out_at_the_next_request(client, lan):
    client.force_login(lan)
    lan.is_active = False
    lan.save()
    assert client.get(reverse("overview")).status_code == 302


def test_changed_password_ends_the_other_sessions(client, lan):
    client.force_login(lan)
    lan.set_password("another long password 2")
    lan.save()
    assert client.get(reverse("overview")).status_code == 302


def test_language_switch_is_a_post_that_keeps_the_page(client, lan, settings):
    response = client.post("/i18n/setlang/", {"language": "en", "next": "/overview/"})
    assert (response.status_code, response.url) == (302, "/overview/")
    assert response.cookies[settings.LANGUAGE_COOKIE_NAME].value == "en"
    assert 'lang="en"' in client.get(LOGIN).content.decode()
