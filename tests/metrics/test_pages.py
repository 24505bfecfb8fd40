"""The pages of the indicators: what they show to whom, and what no door gives away."""

import csv
import html
import io
import re
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import ExchangeRate, Facility, FacilityBalance
from metrics import queries, recompute
from tests import factories
from tests.factories import NOW, make_client, make_visitor

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def today():
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def version():
    return factories.make_full_version()


def give(version, company, score, *, days=1.0, **fields):
    values = {"nps": score, "speed": 4, "efficiency": 5, "ces": 6}
    return factories.make_scores(version, company, values, submitted_at=NOW - days * DAY, **fields)


@pytest.fixture
def world(staff, version):
    """Nine clients of Lan, three of Bo, eight of Chen; the figures are stored."""
    for manager, team, scores in (
        (staff.lan, staff.east, [9] * 9),
        (staff.bo, staff.east, [0] * 3),
        (staff.chen, staff.west, [9, 8, 3, 9, 9, 7, 10, 2]),
    ):
        for place, score in enumerate(scores):
            company = make_client(
                f"{manager.username.upper()}-{place}", manager=manager, team=team, size="large"
            )
            give(version, company, score)
    recompute.refresh_all(at=NOW)
    return staff


def page(user, url, status=200, **query):
    answer = make_visitor(user).get(url, query, headers={"Accept-Language": "en"})
    assert answer.status_code == status, answer.content[:300]
    return html.unescape(answer.content.decode())


def figures(text):
    """The machine-readable figures of a page: value, answers and gate of each."""
    found = re.findall(
        r'<data class="figure" value="([^"]*)" data-metric="([^"]*)" data-n="(\d+)"'
        r'[^>]*data-gate="([^"]*)"',
        text,
    )
    return [(metric, value, int(n), gate) for value, metric, n, gate in found]


def test_list_shows_every_indicator_with_its_base(world):
    text = page(world.qiu, "/indicators/")
    found = {metric: (value, n, gate) for metric, value, n, gate in figures(text)}
    assert set(found) == set(queries.METRICS["bank"])
    stored = queries.figures("bank", 0, period="rolling12m")
    assert found["nps"] == (f"{stored['nps'].value:.10f}".rstrip("0").rstrip("."), 20, "")
    assert found["ces"] == ("6", 20, "")
    assert 'href="/indicators/nps/' in text


def test_page_of_an_indicator_shows_value_parts_test_and_course(world):
    text = page(world.qiu, "/indicators/nps/", group_by="team")
    assert [row[:3] for row in figures(text)[:1]] == [("nps", "40", 20)]
    assert "EAST" in text
    assert "WEST" in text
    assert "Q = " in text or "One pair" in text
    assert "Course by quarters" not in text  # one quarter is no course
    assert re.search(r'<svg viewBox="0 0 760 \d+"\s+role="img"\s+aria-label="[^"]*EAST', text)


def test_manager_sees_the_bank_and_the_own_team_only(world):
    lan = page(world.lan, "/indicators/nps/", group_by="team")
    assert ("EAST" in lan, "WEST" in lan) == (True, False)
    for name, code in (("lan", 404), ("bo", 404), ("chen", 200), ("mu", 404), ("qiu", 200)):
        page(getattr(world, name), "/indicators/nps/", code, team="WEST")


def test_every_door_withholds_what_a_viewer_could_complete(world):
    """Lan sees nine of twelve answers of her team singly; the rest would be three."""
    made = {"scope": "team", "id": world.east.pk, "period": "rolling12m"}
    doors = [
        ("/indicators/", {"team": "EAST"}),
        ("/indicators/nps/", {"team": "EAST"}),
        ("/indicators/nps/made/", made),
    ]
    for url, query in doors:
        shown = {
            name: next(
                (value, gate)
                for metric, value, _n, gate in figures(page(getattr(world, name), url, **query))
                if metric == "nps"
            )
            for name in ("lan", "mu", "qiu")
        }
        assert shown == {"lan": ("", "COMPLEMENTARY"), "mu": ("50", ""), "qiu": ("50", "")}, url
    (row,) = rows_of(world.lan, team="EAST")
    assert (row["value"], row["low"], row["gate"], row["n"]) == ("", "", "COMPLEMENTARY", "12")
    (row,) = rows_of(world.qiu, team="EAST")
    assert (row["value"], row["gate"], row["n"]) == ("50.0", "", "12")


def rows_of(user, metric="nps", **query):
    """The rows of the export."""
    answer = make_visitor(user).get(f"/indicators/{metric}/rows.csv", query)
    assert answer.status_code == 200
    text = answer.content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_withheld_part_is_in_no_byte_of_page_chart_and_export(version, staff):
    for size, score, number in (("large", 9, 20), ("medium", 9, 9), ("small", 0, 3)):
        for _one in range(number):
            give(version, make_client(size=size), score)
    recompute.refresh_all(at=NOW)
    text = page(staff.qiu, "/indicators/nps/", group_by="size")
    held = [(value, n, gate) for _m, value, n, gate in figures(text)[1:] if n]
    assert sorted(held) == [
        ("", 3, "MIN_CLIENTS MIN_RESPONSES"),
        ("", 9, "COMPLEMENTARY"),
        ("100", 20, ""),
    ]
    chart = re.search(r"<svg viewBox=\"0 0 760.*?</svg>", text, re.DOTALL)[0]
    assert chart.count("<circle") == 1
    assert "−100" not in chart.split('aria-label="')[1].split('"')[0]
    rows = rows_of(staff.qiu, group_by="size")
    assert [(row["size"], row["value"]) for row in rows] == [
        ("", str(100 * (29 - 3) / 32)),
        ("large", "100.0"),
        ("medium", ""),
        ("small", ""),
    ]
    assert all(row["n"] and row["method"] and row["parameter_set"] for row in rows if row["value"])


def test_export_is_safe_to_open_in_a_spreadsheet(staff, version):
    lan = staff.lan
    give(version, make_client("=cmd()", manager=lan), 9)
    rows = rows_of(lan, "recommend_mean", group_by="client", **{"from": "2026-11-01"})
    assert [row["client"] for row in rows] == ["'=cmd()"]


def test_figure_leads_to_how_it_is_made(world):
    text = page(world.qiu, "/indicators/nps/", team="EAST")
    url = re.search(r'href="(/indicators/nps/made/\?scope=team[^"]+)"', text)[1]
    answer = make_visitor(world.qiu).get(url)
    assert answer.status_code == 200
    assert figures(answer.content.decode())[0][:3] == ("nps", "50", 12)


def packed(text):
    """The page without the white space around its tags."""
    return re.sub(r"\s*(<[^>]+>)\s*", r"\1", text)


def test_account_names_rule_numbers_exclusions_parameters_and_answers(world, version):
    contact = factories.make_contact(make_client("LAN-X", manager=world.lan, team=world.east))
    give(version, contact.client, 9, contact=contact, days=3)
    give(version, contact.client, 10, contact=contact, days=2)
    give(version, contact.client, 10, is_test=True)
    recompute.refresh_all(at=NOW)
    text = page(world.qiu, "/indicators/nps_respondent/made/", team="EAST")
    flat = packed(text)
    for label, count in (
        ("responses received", 15),
        ("tests and previews", 1),
        ("replaced by a later answer of the same person", 1),
        ("counted", 13),
        ("answers of 9 and 10", 10),
    ):
        assert f"<dt>{label}</dt><dd>{count}</dd>" in flat, label
    assert "Every person's last answer counts once" in text
    assert "gate.min_resp" in text
    assert "ps-" in text
    assert "LAN-X" in text


def lend(company, limit):
    loan = Facility.objects.create(
        number=f"F-{company.pk}",
        client=company,
        kind="loan",
        limit=limit,
        drawn=1,
        as_of=NOW.date(),
    )
    FacilityBalance.objects.create(facility=loan, as_of=NOW.date() - DAY, limit=limit, drawn=1)


def test_largest_weights_are_named_as_far_as_the_viewer_may_see_the_client(staff, version):
    ExchangeRate.objects.create(currency="CNY", as_of=NOW.date() - 900 * DAY, rate=1)
    for manager, limits in ((staff.lan, [40, 10, 10, 10]), (staff.chen, [30, 10, 10, 10, 10])):
        for place, limit in enumerate(limits):
            company = make_client(
                f"{manager.username}-{place}", manager=manager, team=manager.team
            )
            give(version, company, 9)
            lend(company, limit)
    recompute.refresh_all(at=NOW)

    def weights(user):
        text = packed(page(user, "/indicators/nps_exposure/made/"))
        return re.findall(r"<dt>([^<]*)</dt><dd>([\d.]+%)</dd>", text)[:2]

    assert weights(staff.qiu) == [("lan-0 Co., Ltd.", "28.6%"), ("chen-0 Co., Ltd.", "21.4%")]
    assert weights(staff.lan) == [
        ("lan-0 Co., Ltd.", "28.6%"),
        ("a client outside your scope", "21.4%"),
    ]


def test_single_answers_follow_scope_and_promise(staff):
    closed = factories.make_full_version(attribution="experience_team_only")
    open_ = factories.make_full_version()
    for version, code in ((closed, "CLOSED"), (open_, "OPEN")):
        for place in range(6):
            give(version, make_client(f"{code}-{place}", manager=staff.lan, team=staff.east), 9)
    recompute.refresh_all(at=NOW)

    def named(user):
        text = page(user, "/indicators/nps/made/")
        return {code for code in ("OPEN", "CLOSED") if f"/clients/{code}-0/" in text}

    seen = {name: named(getattr(staff, name)) for name in ("lan", "bo", "chen", "mu", "qiu")}
    assert seen == {
        "lan": {"OPEN"},
        "bo": set(),
        "chen": set(),
        "mu": {"OPEN"},
        "qiu": {"OPEN", "CLOSED"},
    }


def test_account_of_a_client_out_of_scope_is_404(world):
    pk = world.lan.clients.get(code="LAN-0").pk
    query = {"scope": "client", "id": pk, "period": "rolling12m"}
    codes = {
        name: make_visitor(getattr(world, name))
        .get("/indicators/recommend_mean/made/", query)
        .status_code
        for name in ("lan", "bo", "chen", "mu", "qiu")
    }
    assert codes == {"lan": 200, "bo": 404, "chen": 404, "mu": 200, "qiu": 200}


@pytest.mark.parametrize(
    "query",
    [
        {"id": "x", "scope": "team"},
        {"id": "9" * 40, "scope": "client"},
        {"id": "1", "scope": "planet"},
        {"campaign": "999"},
        {"team": "\x00"},
    ],
)
def test_account_of_nothing_is_404(staff, query):
    page(staff.qiu, "/indicators/nps/made/", 404, **query)


@pytest.mark.parametrize(
    "query",
    [
        {"period": "2026Q9"},
        {"from": "yesterday"},
        {"segment": "retail"},
        {"group_by": "colour"},
        {"slice": "stage=none"},
    ],
)
@pytest.mark.parametrize("url", ["/indicators/", "/indicators/nps/", "/indicators/nps/made/"])
def test_bad_value_is_said_on_the_page_with_400(staff, url, query):
    if "slice" in query and "made" not in url:
        query = {"stage": "none"}
    text = page(staff.qiu, url, 400, **query)
    assert "This cannot be shown as asked" in text or "made" in url


def test_unknown_indicator_is_404_and_a_stranger_is_led_to_sign_in(staff, client):
    page(staff.qiu, "/indicators/happiness/", 404)
    for url in ("/indicators/", "/indicators/nps/", "/indicators/nps/made/"):
        assert client.get(url).status_code == 302
        assert client.post(url).status_code == 405


def test_indicator_of_single_clients_lists_those_in_scope(world):
    text = page(world.lan, "/indicators/recommend_mean/")
    assert "LAN-0" in text
    assert "CHEN-0" not in text
    assert "BO-0" not in text


@pytest.fixture
def waves(staff, version):
    """Two waves half a year apart: who was glad answers again, who was not is silent."""
    ExchangeRate.objects.create(currency="CNY", as_of=NOW.date() - 900 * DAY, rate=1)
    campaign = factories.make_campaign(version=version)
    for place in range(16):
        company = make_client(
            f"W-{place}", manager=staff.lan, team=staff.east, size="large", internal_rating="AA-"
        )
        contact = factories.make_contact(company)
        glad = place < 8
        give(version, company, 10 if glad else 2, contact=contact, days=200)
        invitation = factories.make_invitation(
            contact, campaign=campaign, version=version, sent_at=NOW - 5 * DAY
        )
        if glad:
            give(version, company, 9, contact=contact, invitation=invitation, days=2)
    quiet = make_client("QUIET", manager=staff.lan, team=staff.east)
    loan = Facility.objects.create(
        number="F-1", client=quiet, kind="loan", limit=5_000_000, drawn=1, as_of=NOW.date()
    )
    FacilityBalance.objects.create(facility=loan, as_of=NOW.date() - DAY, limit=5_000_000, drawn=1)
    recompute.refresh_all(at=NOW)
    return staff


def test_response_rate_tells_what_the_silent_said_before(waves):
    text = page(waves.qiu, "/indicators/response_rate/", period="2026Q4")
    flat = re.sub(r"\s+", " ", text)
    assert figures(text)[0] == ("response_rate", "0.5", 8, "")

    def after(label):
        return figures(flat.split(f"<dt>{label}</dt>")[1])[0][1]

    assert after("Earlier NPS of those silent now") == "-100"
    assert after("Earlier NPS of those who answered now") == "100"
    assert "<dt>Bias, if they still think so</dt> <dd> +100.0 </dd>" in flat
    assert after("NPS by answer, without a reminder") == "100"
    assert after("NPS as it is") == "100"
    assert "AA" in text
    assert "QUIET" in text
    assert "¥5m" in text


def test_silent_clients_are_those_the_viewer_may_see(waves):
    assert "QUIET" in page(waves.lan, "/indicators/response_rate/", period="2026Q4")
    assert "QUIET" not in page(waves.bo, "/indicators/response_rate/", period="2026Q4")


@pytest.mark.parametrize(
    ("url", "most"),
    [
        ("/indicators/", 45),
        ("/indicators/nps/", 40),
        ("/indicators/nps/?group_by=size", 45),
        ("/indicators/nps/?group_by=team", 45),
        ("/indicators/recommend_mean/", 30),
        ("/indicators/response_rate/", 45),
        ("/indicators/nps/made/", 30),
    ],
)
def test_pages_take_the_same_queries_for_any_number_of_rows(staff, url, most):
    counts = []
    for number in (1, 3):
        for _one in range(number):
            version = factories.make_full_version()
            team = factories.make_team()
            for _client in range(6):
                give(version, make_client(team=team, manager=staff.lan, size="large"), 9)
        recompute.refresh_all(at=NOW)
        cache.clear()
        browser = make_visitor(staff.qiu)
        with CaptureQueriesContext(connection) as found:
            assert browser.get(url).status_code == 200
        counts.append(len(found))
    assert counts[0] == counts[1]
    assert counts[0] <= most


def test_pages_have_no_inline_style(world):
    for url in ("/indicators/", "/indicators/response_rate/", "/indicators/nps/made/"):
        assert " style=" not in page(world.qiu, url)
