"""Who may call the API, what a body may hold, and what a list may be asked."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from bank import keys
from bank.api.access import KeyThrottle
from bank.models import ApiKey, AuditEntry
from clients.models import Milestone
from tests.factories import NOW, make_caller, make_case, make_client, make_team, make_visitor

CLIENTS = "/api/v1/clients/"


@pytest.fixture(autouse=True)
def empty_cache(db):
    cache.clear()


@pytest.fixture
def milestones():
    return f"/api/v1/cases/{make_case(make_client()).number}/milestones/"


def test_stranger_gets_401_in_json_and_is_told_how_to_sign_in():
    for answer in (Browser().get(CLIENTS), Browser().post(CLIENTS)):
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"
        assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer x", "Bearer cx00000000.abc", "Bearer a b", "Bearer é"]
)
def test_key_that_is_none_gets_401(header):
    answer = Browser().get(CLIENTS, headers={"Authorization": header.encode().decode("latin-1")})
    assert (answer.status_code, set(answer.json())) == (401, {"detail"})


def test_revoked_key_is_worthless_at_once():
    machine = make_caller("read")
    assert machine.get(CLIENTS).status_code == 200
    keys.revoke(ApiKey.objects.get(), at=timezone.now(), by=None)
    assert machine.get(CLIENTS).status_code == 401


def test_expired_key_is_worthless():
    machine = make_caller("read")
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert machine.get(CLIENTS).status_code == 401


@pytest.mark.parametrize(
    ("scopes", "read", "ingest", "manage"),
    [
        (["read"], 200, 403, 403),
        (["ingest"], 403, 400, 403),
        (["manage"], 403, 403, 400),
        (["read", "ingest", "manage"], 200, 400, 400),
    ],
)
def test_each_scope_opens_its_own_doors(scopes, read, ingest, manage, milestones):
    machine = make_caller(*scopes)
    post = {"data": "{}", "content_type": "application/json"}
    assert machine.get(CLIENTS).status_code == read
    assert machine.post(milestones, **post).status_code == ingest
    assert machine.post("/api/v1/campaigns/", **post).status_code == manage


def test_roles_write_what_their_work_is(staff, milestones):
    client = make_client("C-1", manager=staff.lan, team=staff.east)
    milestones = f"/api/v1/cases/{make_case(client).number}/milestones/"
    expected = {"lan": (400, 403), "mu": (400, 403), "qiu": (403, 403), "admin": (400, 400)}
    found = {}
    for name in expected:
        browser = make_visitor(getattr(staff, name))
        found[name] = tuple(
            browser.post(url, "{}", content_type="application/json").status_code
            for url in (milestones, "/api/v1/campaigns/")
        )
    assert found == expected


def test_signed_in_person_needs_the_token_of_the_form_to_write(staff):
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(staff.admin)
    assert browser.get(CLIENTS).status_code == 200
    answer = browser.post("/api/v1/campaigns/", "{}", content_type="application/json")
    assert (answer.status_code, set(answer.json())) == (403, {"detail"})


def test_person_without_a_role_sees_nothing(staff):
    staff.bo.role = ""
    staff.bo.save()
    assert make_visitor(staff.bo).get(CLIENTS).status_code == 403


def test_a_key_that_calls_too_often_waits_and_another_does_not(monkeypatch, time_machine):
    time_machine.move_to(NOW + timedelta(seconds=3), tick=False)
    monkeypatch.setattr(KeyThrottle, "limit", 3)
    eager, calm = make_caller(), make_caller()
    assert [eager.get(CLIENTS).status_code for _call in range(4)] == [200, 200, 200, 429]
    answer = eager.get(CLIENTS)
    assert (answer.status_code, answer["Retry-After"], set(answer.json())) == (
        429,
        "17",
        {"detail"},
    )
    assert calm.get(CLIENTS).status_code == 200
    time_machine.shift(17)
    assert eager.get(CLIENTS).status_code == 200


def test_people_are_not_counted_as_machines_are(staff, monkeypatch):
    monkeypatch.setattr(KeyThrottle, "limit", 1)
    browser = make_visitor(staff.admin)
    assert [browser.get(CLIENTS).status_code for _call in range(3)] == [200] * 3


def test_without_a_counter_nobody_waits(settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nowhere/broker.sock",
        }
    }
    assert make_caller().get(CLIENTS).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'{"note": "\\u0000"}',
        b'{"note": "\\ud800"}',
        b'{"\\u0000": 1}',
        b'{"note": 9223372036854775808}',
        b'{"note": ' + b"9" * 5000 + b"}",
        b'{"note": 1e400}',
        b'{"note": NaN}',
        b"[" * 100_000,
        b'{"a":' * 50 + b"1" + b"}" * 50,
        "{'note': '张'}".encode("gb18030"),
        b"{",
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"7",
    ],
)
def test_odd_json_is_400_and_writes_nothing(body, milestones):
    machine = make_caller("ingest", "manage")
    for url in (milestones, "/api/v1/campaigns/"):
        answer = machine.post(url, body, content_type="application/json")
        assert (answer.status_code, isinstance(answer.json(), dict)) == (400, True)
    assert Milestone.objects.count() == 0


def test_body_beyond_the_bound_is_413(milestones):
    body = b'{"note": "' + b"x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'
    answer = make_caller("ingest").post(milestones, body, content_type="application/json")
    assert (answer.status_code, set(answer.json())) == (413, {"detail"})


def test_form_is_no_json(milestones):
    assert make_caller("ingest").post(milestones, {"code": "x"}).status_code == 415


@pytest.mark.parametrize("page", ["0", "-1", "abc", "1.5", "1e3", "9" * 20, "9" * 5000, "２"])
def test_page_that_is_none_is_404(page):
    answer = make_caller().get(CLIENTS, {"page": page})
    assert answer.status_code == 404
    assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize(
    ("size", "rows"),
    [("3", 3), ("200", 200), ("1000000000", 200), ("0", 50), ("-1", 50), ("x", 50)],
)
def test_page_size_is_bounded(size, rows):
    for number in range(205):
        make_client(f"C-{number:03d}")
    found = make_caller().get(CLIENTS, {"page_size": size}).json()
    assert (found["count"], len(found["results"])) == (205, rows)


def test_pages_have_a_stable_order_and_no_row_twice():
    for number in range(7):
        make_client(f"C-{6 - number}")
    machine = make_caller()
    pages = [machine.get(CLIENTS, {"page_size": 3, "page": n}).json() for n in (1, 2, 3)]
    assert [row["code"] for page in pages for row in page["results"]] == [
        f"C-{number}" for number in range(7)
    ]
    assert (pages[2]["next"], pages[0]["previous"]) == (None, None)


@pytest.mark.parametrize(
    "name", ["branch", "client__branch", "ordering", "manager__password", "search"]
)
def test_parameter_that_is_none_is_refused_by_name(name):
    answer = make_caller().get(CLIENTS, {name: "x"})
    assert (answer.status_code, list(answer.json())) == (400, [name])


def test_long_or_unstorable_search_is_400():
    machine = make_caller()
    for text in ("x" * 100_000, "a\x00b"):
        answer = machine.get(CLIENTS, {"q": text})
        assert (answer.status_code, list(answer.json())) == (400, ["q"])


def test_team_filter_takes_the_teams_below(staff):
    make_client("E", team=staff.east)
    make_client("W", team=staff.west)
    make_client("X", team=make_team("OTHER"))
    machine = make_caller()

    def codes(team):
        return [row["code"] for row in machine.get(CLIENTS, {"team": team}).json()["results"]]

    assert [codes("BR"), codes("EAST"), codes("?")] == [["E", "W"], ["E"], []]


def test_what_a_machine_does_is_written_down_under_its_key(milestones):
    machine = make_caller("manage")
    key = ApiKey.objects.get()
    assert key.digest not in str(machine.get(CLIENTS).content)
    made = AuditEntry.objects.get(act="key.make")
    assert (made.at, made.subject_id) == (NOW, str(key.pk))
