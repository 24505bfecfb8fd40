"""The API as a whole: scope on every address, its description, and what no address answers."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client as Browser
from drf_spectacular.generators import SchemaGenerator

from tests import factories
from tests.factories import NOW, make_caller, make_client, make_contact, make_visitor

API = "/api/v1/"
# Stands in every text of the western client; nobody of the east may read it anywhere.
CANARY = "KANARIE"
# What each address of the schema needs to name the eastern or the western record.
PLACES = {
    "campaigns/": {},
    "campaigns/{id}/": {"id": "campaign"},
    "campaigns/{id}/funnel/": {"id": "campaign"},
    "campaigns/{id}/launch/": None,
    "campaigns/{id}/pause/": None,
    "campaigns/{id}/preflight/": {"id": "campaign"},
    "campaigns/{id}/resume/": None,
    "campaigns/{id}/stop/": None,
    "cases/": {},
    "cases/{number}/": {"number": "case"},
    "cases/{number}/milestones/": {"number": "case"},
    "clients/": {},
    "clients/{code}/": {"code": "client"},
    "clients/{code}/events/": {"code": "client"},
    "clients/{code}/indicators/": {"code": "client"},
    "clients/{code}/timeline/": {"code": "client"},
    "contacts/": {},
    "facilities/": {},
    "indicators/": {},
    "invitations/": {},
    "questionnaires/": {},
    "questionnaires/{key}/": {"key": "questionnaire"},
    "responses/": {},
    "touchpoints/": None,
    "transactions/": None,
}
# Lists that belong to nobody in particular.
SHARED = {"indicators/", "questionnaires/"}
QUERIES = {
    "clients/": ["q=KANARIE", "team=WEST", "manager=chen"],
    "contacts/": ["client=KANARIE-C"],
    "cases/": ["client=KANARIE-C", "team=WEST"],
    "facilities/": ["client=KANARIE-C", "case=KANARIE-L"],
    "invitations/": ["client=KANARIE-C", "campaign={campaign}"],
    "responses/": ["client=KANARIE-C", "campaign={campaign}", "since=2000-01-01T00:00:00Z"],
    "indicators/": ["group_by=client", "group_by=team", "group_by=campaign", "team=WEST"],
    "campaigns/": ["status=collecting"],
}


@pytest.fixture(autouse=True)
def empty_cache(db):
    cache.clear()


def record(mark: str, **client: Any) -> dict[str, Any]:
    """A client with everything that belongs to one, each text holding the mark."""
    fields = {"name_zh": f"{mark} 公司", "name_en": f"{mark} Ltd", "short_name": mark}
    company = make_client(f"{mark}-C", **fields | client)
    contact = make_contact(
        company,
        external_id=f"{mark}-P",
        name=f"{mark} 女士",
        position=mark,
        email=f"{mark.lower()}@{mark.lower()}.example",
        phone=f"{mark}-1",
    )
    case = factories.make_case(company, number=f"{mark}-L", name=mark, manager=company.manager)
    case.milestones.create(
        external_id=f"{mark}-M", code="enquiry", note=mark, occurred_at=NOW - timedelta(days=9)
    )
    company.events.create(external_id=f"{mark}-E", event="complaint_closed", occurred_at=NOW)
    factories.make_facility(company, number=f"{mark}-F", case=case, kind=mark)
    version = factories.make_version()
    campaign = factories.make_campaign(
        name=f"{mark} 活动", version=version, audience={"client_codes": [company.code]}
    )
    invitation = factories.make_invitation(contact, campaign=campaign, version=version)
    factories.make_response(
        invitation, {"nps": 2, "reason": f"{mark} 很慢", "csat": 1}, response_id=f"{mark}-R"
    )
    return {
        "client": company.code,
        "case": case.number,
        "campaign": campaign.pk,
        "questionnaire": version.questionnaire.key,
    }


@pytest.fixture
def world(staff):
    """A client of Lan in the east, whose parent is Chen's client in the west."""
    west = record(CANARY, manager=staff.chen, team=staff.west)
    parent = factories.Client.objects.get(code=west["client"])
    east = record("OSTEN", manager=staff.lan, team=staff.east, parent=parent)
    callers = {
        name: make_visitor(getattr(staff, name))
        for name in ("lan", "bo", "chen", "mu", "qiu", "admin")
    }
    callers |= {"key": make_caller(), "east": make_caller(team=staff.east), "nobody": Browser()}
    return SimpleNamespace(east=east, west=west, callers=callers)


def addresses(keys: dict[str, Any]) -> list[str]:
    """Every address that can be read, as it names the record with these keys."""
    found = []
    for path, needed in PLACES.items():
        if needed is not None:
            found.append(path.format(**{name: keys[kind] for name, kind in needed.items()}))
    return found


def test_every_address_of_the_schema_is_tested():
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    assert {path.removeprefix(API) for path in paths} == set(PLACES)


@pytest.mark.parametrize("name", ["lan", "bo", "mu", "east", "nobody"])
def test_record_of_another_team_appears_in_no_byte(name, world):
    caller = world.callers[name]
    urls = [*addresses(world.east), *addresses(world.west)]
    urls += [
        f"{path}?{query.format(**world.west)}"
        for path, queries in QUERIES.items()
        for query in queries
    ]
    for url in urls:
        answer = caller.get(API + url)
        assert answer.status_code in ({401} if name == "nobody" else {200, 404}), url
        assert CANARY not in answer.content.decode().upper(), url


@pytest.mark.parametrize("name", ["chen", "qiu", "admin", "key"])
def test_record_in_scope_is_there(name, world):
    caller = world.callers[name]
    for path, needed in PLACES.items():
        if needed:
            keys = {key: world.west[kind] for key, kind in needed.items()}
            assert caller.get(API + path.format(**keys)).status_code == 200, path
    for path in (path for path, needed in PLACES.items() if needed == {} and path not in SHARED):
        assert CANARY in caller.get(API + path).content.decode(), path


def test_detail_out_of_scope_is_404_and_in_scope_200(world):
    expected = {
        "lan": (200, 404),
        "bo": (404, 404),
        "chen": (404, 200),
        "mu": (200, 404),
        "qiu": (200, 200),
        "admin": (200, 200),
        "key": (200, 200),
        "east": (200, 404),
        "nobody": (401, 401),
    }
    scoped = [path for path, needed in PLACES.items() if needed and "key" not in needed]
    for path in scoped:
        found = {}
        for name, caller in world.callers.items():
            found[name] = tuple(
                caller.get(
                    API + path.format(**{key: side[kind] for key, kind in PLACES[path].items()})
                ).status_code
                for side in (world.east, world.west)
            )
        assert found == expected, path


def test_lists_count_only_what_is_in_scope(world):
    expected = {"lan": 1, "bo": 0, "chen": 1, "mu": 1, "qiu": 2, "admin": 2, "key": 2, "east": 1}
    for path in (path for path, needed in PLACES.items() if needed == {} and path not in SHARED):
        found = {name: world.callers[name].get(API + path).json()["count"] for name in expected}
        assert found == expected, path


def test_acts_on_a_campaign_are_for_those_who_manage(world, staff):
    manager_of_east = make_caller("read", "manage", team=staff.east)
    callers = world.callers | {"manage": make_caller("manage"), "team": manager_of_east}
    expected = {
        "lan": 403,
        "bo": 403,
        "chen": 403,
        "mu": 403,
        "qiu": 403,
        "admin": 409,
        "key": 403,
        "east": 403,
        "nobody": 401,
        "manage": 409,
        "team": 404,
    }
    url = f"{API}campaigns/{world.west['campaign']}/resume/"
    factories.Campaign.objects.update(status="closed")
    found = {
        name: caller.post(url, {}, content_type="application/json").status_code
        for name, caller in callers.items()
    }
    assert found == expected


def test_moving_a_client_acts_at_the_next_request(world, staff):
    url = f"{API}clients/{world.east['client']}/"
    lan, bo = world.callers["lan"], world.callers["bo"]
    assert (lan.get(url).status_code, bo.get(url).status_code) == (200, 404)
    factories.Client.objects.filter(code=world.east["client"]).update(manager=staff.bo)
    assert (lan.get(url).status_code, bo.get(url).status_code) == (404, 200)


def test_reading_asks_for_no_change(world):
    before = {
        model: list(model.objects.order_by("pk").values())
        for model in (factories.Client, factories.Campaign, factories.Invitation)
    }
    for method in ("get", "head", "options"):
        for url in addresses(world.west):
            answer = getattr(world.callers["admin"], method)(API + url)
            assert answer.status_code == 200, (method, url)
    for model, rows in before.items():
        assert list(model.objects.order_by("pk").values()) == rows


def test_schema_describes_every_field_without_a_warning(tmp_path):
    target = tmp_path / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(target))
    assert "KeyAuthentication" not in target.read_text()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_schema_is_for_staff_and_machines(language, staff):
    for caller, status in (
        (Browser(), 401),
        (make_visitor(staff.lan), 200),
        (make_caller("read"), 200),
        (make_caller("ingest"), 403),
    ):
        answer = caller.get(f"{API}schema/?format=json", headers={"Accept-Language": language})
        assert answer.status_code == status
    schema = make_caller().get(f"{API}schema/?format=json").json()
    assert schema["paths"][f"{API}clients/"]["get"]["security"] == [
        {"key": []},
        {"cookieAuth": []},
    ]


def test_page_of_the_schema_has_a_policy_of_its_own(staff):
    browser = make_visitor(staff.lan)
    page = browser.get(f"{API}docs/")
    assert page.status_code == 200
    policy = dict(
        part.strip().split(" ", 1) for part in page["Content-Security-Policy"].split(";")
    )
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert policy["script-src"] == "'self'"
    words = page.content.decode()
    assert "http://" not in words.replace("http://www.w3.org", "")
    assert "https://" not in words
    script = browser.get(f"{API}docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert f"{API}schema/" in script.content.decode()
    other = browser.get(API)["Content-Security-Policy"]
    assert "unsafe" not in other
    assert Browser().get(f"{API}docs/").status_code == 401


def test_root_names_the_resources(staff):
    found = make_visitor(staff.lan).get(API).json()
    readable = {path.strip("/") for path, needed in PLACES.items() if needed == {}}
    assert set(found) == readable | {"touchpoints", "transactions"}


def test_links_are_built_from_the_public_address(settings):
    settings.PUBLIC_BASE_URL, settings.ALLOWED_HOSTS = "https://cx.bank.example", ["*"]
    make_client()
    make_client()
    machine, elsewhere = (
        make_caller(),
        {"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )
    first = machine.get(f"{API}clients/?page_size=1", headers=elsewhere).json()
    assert first["next"] == "https://cx.bank.example/api/v1/clients/?page=2&page_size=1"
    second = machine.get(f"{API}clients/?page_size=1&page=2", headers=elsewhere).json()
    assert second["previous"] == "https://cx.bank.example/api/v1/clients/?page_size=1"
    root = machine.get(API, headers=elsewhere).json()
    assert root["clients"] == "https://cx.bank.example/api/v1/clients/"


@pytest.mark.parametrize("path", ["nothing/", "clients//", "%00/", "campaigns/x/", "a/b/c/d/"])
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_unknown_address_is_404_in_json(path, method):
    answer = getattr(make_caller("read", "ingest", "manage"), method)(API + path)
    assert (answer.status_code, set(answer.json())) == (404, {"detail"})


def test_unknown_method_is_405(staff):
    for method in ("TRACE", "FOO"):
        assert make_visitor(staff.lan).generic(method, f"{API}clients/").status_code == 405


def test_answer_of_another_origin_is_not_shared(staff):
    answer = make_visitor(staff.lan).get(
        f"{API}clients/", headers={"Origin": "https://evil.example"}
    )
    assert "Access-Control-Allow-Origin" not in answer
