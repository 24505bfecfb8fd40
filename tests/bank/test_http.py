import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.test import Client

from bank.http import client_address, role_required, staff
from tests.factories import make_user


@role_required()
def anyone(request, word=""):
    return HttpResponse(f"{request.user.username} {word}".strip())


@role_required("supervisor")
def supervisors(request):
    return HttpResponse("in")


def ask(rf, view, user, **headers):
    request = rf.get("/page/?x=1", headers=headers)
    request.user = user
    return view(request)


def test_stranger_is_led_to_the_sign_in_page(rf):
    response = ask(rf, anyone, AnonymousUser())
    assert (response.status_code, response.url) == (302, "/accounts/login/?next=/page/%3Fx%3D1")


def test_stranger_asking_for_a_fragment_moves_the_whole_page(rf):
    response = ask(rf, anyone, AnonymousUser(), HX_Request="true")
    assert (response.status_code, response.headers["HX-Redirect"]) == (401, "/accounts/login/")


def test_every_role_passes_a_view_that_names_none(rf, staff):
    for user in (staff.lan, staff.mu, staff.qiu, staff.admin):
        assert ask(rf, anyone, user).content == user.username.encode()


def test_only_the_named_role_and_superusers_pass(rf, staff):
    assert ask(rf, supervisors, staff.mu).content == b"in"
    assert ask(rf, supervisors, make_user("root", "", is_superuser=True)).content == b"in"
    for user in (staff.lan, staff.qiu, staff.admin):
        with pytest.raises(PermissionDenied):
            ask(rf, supervisors, user)


def test_user_without_a_role_and_one_switched_off_are_refused(rf, db):
    for user in (make_user("x", ""), make_user("y", "auditor", is_active=False)):
        with pytest.raises(PermissionDenied):
            ask(rf, anyone, user)


def test_staff_gives_the_user_or_refuses(rf, db):
    request = rf.get("/")
    request.user = AnonymousUser()
    with pytest.raises(PermissionDenied):
        staff(request)
    request.user = make_user("lan", "auditor")
    assert staff(request) == request.user


@pytest.mark.parametrize(
    ("proxies", "forwarded", "found"),
    [
        (0, "6.6.6.6", "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, "6.6.6.6", "6.6.6.6"),
        (1, "1.1.1.1, 6.6.6.6", "6.6.6.6"),
        (2, "1.1.1.1, 6.6.6.6, 10.0.0.2", "6.6.6.6"),
        (3, "6.6.6.6, 10.0.0.2", "6.6.6.6"),
        (1, "<script>", "10.0.0.1"),
        (1, " , 2001:DB8::1 ", "2001:db8::1"),
    ],
)
def test_client_address_counts_only_the_banks_own_proxies(rf, settings, proxies, forwarded, found):
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", headers={"X-Forwarded-For": forwarded}, REMOTE_ADDR="10.0.0.1")
    assert client_address(request) == found


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/overview/",
        "/clients/",
        "/clients/C-1/",
        "/cases/",
        "/cases/K-1/",
        "/responses/",
        "/responses/R-1/",
        "/health/live",
        "/health/ready",
        "/privacy/",
        "/demo/mail/",
    ],
)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_page_that_only_reads_offers_no_other_method(path, method):
    stranger = Client(enforce_csrf_checks=True)
    assert getattr(stranger, method)(path).status_code == 405


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/logout/", "/i18n/setlang/"])
def test_form_without_token_is_refused_and_deletes_nothing(path):
    stranger = Client(enforce_csrf_checks=True)
    assert (stranger.post(path).status_code, stranger.delete(path).status_code) == (403, 405)
