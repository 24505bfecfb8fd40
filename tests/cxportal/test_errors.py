"""Pages for what went wrong, in both languages, without technical words."""

import re

import pytest
from django.shortcuts import render
from django.test import Client, RequestFactory
from django.utils import translation

from cxportal.views import clients, errors
from tests import factories

TECHNICAL = re.compile(
    r"CSRF|cookie|token|server error|exception|traceback|database|HTTP|referer|Django"
    r"|数据库|服务器错误|异常堆栈|令牌",
    re.IGNORECASE,
)
PAGES = [
    (errors.bad_request, 400),
    (errors.forbidden, 403),
    (errors.csrf_failure, 403),
    (errors.not_found, 404),
    (errors.broken, 500),
]


def words(response) -> str:
    return re.sub(r"<[^>]+>", " ", response.content.decode())


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(("view", "status"), PAGES)
def test_page_needs_no_database_and_no_technical_word(view, status, language):
    # No access to the database is granted to this test.
    with translation.override(language):
        response = view(RequestFactory().get("/"))
    assert response.status_code == status
    assert TECHNICAL.search(words(response)) is None
    assert len(re.findall(r"<h1[ >]", response.content.decode())) == 1


def test_unknown_address_is_the_404_page_for_anybody(client, db):
    response = client.get("/nowhere/")
    assert response.status_code == 404
    assert b'id="main"' in response.content


def test_out_of_scope_and_missing_look_the_same(client, staff):
    factories.make_client("SOMEBODY", manager=staff.chen)
    client.force_login(staff.lan)
    theirs, nobody = client.get("/clients/SOMEBODY/"), client.get("/clients/NOBODY/")
    assert theirs.status_code == nobody.status_code == 404
    assert theirs.content == nobody.content


def test_form_without_its_secret_is_refused_in_plain_words(staff):
    client = Client(enforce_csrf_checks=True)
    response = client.post("/i18n/setlang/", {"language": "en"})
    assert response.status_code == 403
    assert TECHNICAL.search(words(response)) is None


def test_crash_shows_the_calm_page(client, staff, monkeypatch):
    def crash(*_args, **_named):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(clients.queries, "clients", crash)
    client.force_login(staff.lan)
    client.raise_request_exception = False
    response = client.get("/clients/")
    assert response.status_code == 500
    assert "secret detail" not in response.content.decode()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_outage_page_needs_neither_session_nor_database(language):
    with translation.override(language):
        response = render(RequestFactory().get("/"), "errors/503.html", status=503)
    assert response.status_code == 503
    assert TECHNICAL.search(words(response)) is None
