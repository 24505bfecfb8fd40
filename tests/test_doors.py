"""Every address of the product, as each role and as a stranger.

The addresses come from the resolver, so a new page is tried without being listed here; a new
kind of parameter needs a sample.
"""

import hashlib
import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.contenttypes.models import ContentType
from django.urls import URLPattern, get_resolver

from bank import keys
from bank.models import AuditEntry
from metrics import recompute
from surveys import links
from surveys.models import Hit
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
CANARY = "白榆砚溪"
ROLES = ("lan", "bo", "chen", "mu", "qiu", "admin")
OURS = ("bank", "clients", "surveys", "metrics")
# Open to anyone by design; everything else asks a stranger to sign in or knows nothing.
OPEN = re.compile(
    r"^/(health/(live|ready)|accounts/login/|admin/log(in|out)/|privacy/|demo/mail/|i18n/setlang/|favicon\.ico|[su]/.*)$"
)
MOST_QUERIES = 45


@pytest.fixture
def world(staff, settings, tmp_path):
    """One client of Lan with everything a page can show, and one of Chen."""
    settings.STATE_DIR, settings.DEMO = tmp_path, True
    mine = factories.make_client(
        "EAST-1",
        name_zh=f"{CANARY}有限公司",
        name_en="Canary Co., Ltd.",
        manager=staff.lan,
        team=staff.east,
    )
    factories.make_client("WEST-1", manager=staff.chen, team=staff.west)
    contact = factories.make_contact(mine)
    case = factories.make_case(mine)
    campaign = factories.make_campaign()
    fields = {"campaign": campaign, "version": campaign.version}
    invitation = factories.make_invitation(contact, **fields)
    answered = factories.make_invitation(factories.make_contact(mine), **fields)
    response = factories.make_response(answered)
    keys.make("probe", scopes=["read"], team=None, at=NOW, by=staff.admin)
    recompute.refresh_all(at=NOW)
    return {
        "staff": staff,
        "samples": {
            "code": mine.code,
            "number": case.number,
            "response_id": response.response_id,
            "name": "1700000000.M1P1Q1.host",
            "key": campaign.questionnaire.key,
            "pk": str(campaign.pk),
            "url": "nothing",
            "metric": "response_rate",
            "kind": "clients",
            "suffix": "csv",
            "verb": "launch",
            "app_label": "bank",
            "content_type_id": str(ContentType.objects.get_for_model(type(mine)).pk),
        },
        "tokens": {
            "s": [
                links.survey_token(invitation.uuid),
                links.survey_token(answered.uuid),
                "x" * 43,
            ],
            "u": [links.opt_out_token(invitation.uuid), "x" * 43],
        },
        "secret": [mine.code, case.number, response.response_id],
    }


def patterns(rows, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route with what stands before it."""
    for row in rows:
        if isinstance(row, URLPattern):
            yield before + str(row.pattern), row
        else:
            yield from patterns(row.url_patterns, before + str(row.pattern))


def addresses(world) -> list[str]:
    """Every address, each parameter filled with the sample of its kind."""
    found = set()
    for route, _pattern in patterns(get_resolver().url_patterns):
        plain = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"<\1>", route).replace("^", "").replace("$", "")
        plain = plain.replace("(?:/", "").replace(")?", "").replace(".*", "nothing")
        plain = re.sub(r"<\w+:(\w+)>", r"<\1>", plain)
        found.update(_filled(plain, world))
    return sorted(f"/{address}" for address in found)


def _filled(plain: str, world) -> Iterator[str]:
    if "<token>" in plain:
        for token in world["tokens"][plain[0]]:
            yield plain.replace("<token>", token)
        return
    match = re.match(r"admin/(\w+)/(\w+)/", plain)
    if match and re.search(r"<(object_id|id|pk)>", plain):
        row = _row(*match.groups())
        if row is None:
            return
        plain = re.sub(r"<(object_id|id|pk)>", str(row.pk), plain)
    samples = world["samples"] | {"object_id": "1"}
    yield re.sub(r"<(\w+)>", lambda found: samples[found[1]], plain)


def _row(app: str, model: str):
    kinds = {kind._meta.model_name: kind for kind in site._registry}
    return kinds[model]._default_manager.order_by("pk").first() if model in kinds else None


def tables() -> dict[str, str]:
    """A digest of every business table; notes of reading are evidence and left out."""
    found = {}
    for label in OURS:
        for model in apps.get_app_config(label).get_models():
            if model is Hit:
                continue
            rows = list(model._default_manager.order_by("pk").values_list())
            found[model._meta.label] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return found


def test_resolver_gives_every_kind_of_page(world):
    found = addresses(world)
    assert {"/overview/", "/clients/EAST-1/", "/api/v1/clients/EAST-1/", "/health/live"} <= {
        *found
    }
    assert len(found) > 100


@pytest.mark.parametrize(
    ("method", "people"),
    [("get", (None, *ROLES)), ("head", (None, "lan", "admin")), ("options", (None, "admin"))],
)
def test_reading_as_anyone_changes_nothing_and_never_breaks(client, world, method, people):
    before, broken = tables(), []
    for username in people:
        if username:
            client.force_login(getattr(world["staff"], username))
            before["bank.User"] = tables()["bank.User"]  # signing in is noted there
        for address in addresses(world):
            answer = getattr(client, method)(address)
            if answer.status_code >= 500:
                broken.append((username, address, answer.status_code))
        after = tables()
        assert {name for name in after if after[name] != before[name]} == set(), username
    assert broken == []


def test_stranger_sees_open_pages_only(client, world):
    let_in = [
        (address, answer.status_code)
        for address in addresses(world)
        if not OPEN.match(address)
        for answer in [client.get(address)]
        if not (
            answer.status_code in {401, 403, 404, 405}
            or (answer.status_code == 302 and "login" in answer.headers["Location"])
            or (address == "/" and answer.headers.get("Location") == "/overview/")
        )
    ]
    assert let_in == []


@pytest.mark.parametrize("username", ["bo", "chen"])
def test_client_of_another_manager_is_in_no_byte(client, world, username):
    client.force_login(getattr(world["staff"], username))
    told = []
    for address in addresses(world):
        if OPEN.match(address):
            continue
        answer = client.get(address)
        if CANARY in b"".join(answer).decode("utf-8", "replace"):
            told.append(address)
        if any(f"/{one}/" in address for one in world["secret"]):
            # What only takes a POST says so before it looks anything up.
            assert answer.status_code in {404, 405}, address
    assert told == []


def test_own_client_is_seen_so_that_the_search_above_means_something(client, world):
    for username in ("lan", "mu", "qiu", "admin"):
        client.force_login(getattr(world["staff"], username))
        for address in ("/clients/", "/clients/EAST-1/", "/api/v1/clients/EAST-1/"):
            assert CANARY in client.get(address).content.decode(), (username, address)


def test_administration_is_for_administrators(client, world):
    for username in ("lan", "mu", "qiu"):
        client.force_login(getattr(world["staff"], username))
        for address in addresses(world):
            if address.startswith("/admin/") and not OPEN.match(address):
                assert client.get(address).status_code in {302, 403, 404}, (username, address)


def test_trace_is_offered_nowhere(client, world):
    codes = {address: client.trace(address).status_code for address in addresses(world)}
    assert {address: code for address, code in codes.items() if code != 405} == {}


def test_no_page_asks_the_database_too_often(client, world, django_assert_max_num_queries):
    client.force_login(world["staff"].admin)
    for address in addresses(world):
        with django_assert_max_num_queries(MOST_QUERIES, info=address):
            client.get(address)


def test_every_page_carries_the_security_headers(client, world):
    client.force_login(world["staff"].admin)
    bare = []
    for address in addresses(world):
        headers = client.get(address).headers
        policy = headers.get("Content-Security-Policy", "")
        sound = (
            "default-src 'none'" in policy
            and headers.get("X-Content-Type-Options") == "nosniff"
            and "X-Frame-Options" in headers
            and "Permissions-Policy" in headers
        )
        if not sound:
            bare.append(address)
    assert bare == []


def test_reading_leaves_no_entry_in_the_audit_trail(client, world):
    before = AuditEntry.objects.count()
    client.force_login(world["staff"].qiu)
    for address in ("/overview/", "/clients/", "/clients/EAST-1/"):
        client.get(address)
    assert AuditEntry.objects.count() == before
