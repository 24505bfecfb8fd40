"""The overview: who sees which unit, in which period, behind the display gate."""

from datetime import UTC, datetime, timedelta

import pytest

from metrics import recompute
from tests import factories

pytestmark = pytest.mark.usefixtures("today")
NOW = factories.NOW


@pytest.fixture
def answers(staff):
    """Six clients in the east, four in the west: 10 answers, five of them promoters."""
    version = factories.make_scored_version()
    for number in range(10):
        east = number < 6
        client = factories.make_client(
            team=staff.east if east else staff.west, manager=staff.lan if east else staff.chen
        )
        factories.make_scores(
            version,
            client,
            {"nps": 10 if number % 2 else 5, "speed": 4, "efficiency": 5, "attitude": 2},
            submitted_at=NOW - timedelta(days=20),
        )
    recompute.refresh_all(at=NOW)
    return version


def figures(client, path="/overview/"):
    return client.get(path).context["figures"]


@pytest.mark.parametrize(
    ("who", "unit", "n"),
    [
        ("lan", "EAST", 6),
        ("mu", "EAST", 6),
        ("chen", "WEST", 4),
        ("qiu", "", 10),
        ("admin", "", 10),
    ],
)
def test_everybody_starts_with_the_own_unit(client, staff, answers, who, unit, n):
    client.force_login(getattr(staff, who))
    context = client.get("/overview/").context
    assert (context["unit"].code, context["figures"]["nps_respondent"].n) == (unit, n)


@pytest.mark.parametrize(
    ("who", "team", "status"),
    [
        ("lan", "EAST", 200),
        ("lan", "WEST", 404),
        ("lan", "BR", 404),
        ("lan", "", 200),
        ("mu", "EAST", 200),
        ("mu", "WEST", 404),
        ("mu", "BR", 404),
        ("qiu", "WEST", 200),
        ("admin", "BR", 200),
        ("admin", "NOWHERE", 404),
    ],
)
def test_team_out_of_scope_is_not_found(client, staff, answers, who, team, status):
    client.force_login(getattr(staff, who))
    assert client.get("/overview/", {"team": team}).status_code == status


@pytest.mark.parametrize(
    ("period", "key"),
    [
        ("", "rolling12m"),
        ("12m", "rolling12m"),
        ("90d", "rolling90"),
        ("rolling12m", "rolling12m"),
        ("2026-11", "2026-11"),
        ("2026Q4", "2026Q4"),
        ("2017-05", "2017-05"),
    ],
)
def test_period_is_a_key_or_a_short_word(client, staff, period, key):
    client.force_login(staff.qiu)
    assert client.get("/overview/", {"period": period}).context["period"] == key


@pytest.mark.parametrize(
    "period", ["2026-13", "2026Q5", "yesterday", "9999999", "rolling3m:2026-10", "0000-01"]
)
def test_unknown_period_is_not_found(client, staff, period):
    client.force_login(staff.qiu)
    assert client.get("/overview/", {"period": period}).status_code == 404


def test_headline_is_by_client_with_the_answers_beside_it(client, staff, answers):
    client.force_login(staff.qiu)
    text = client.get("/overview/").content.decode()
    assert 'value="0" data-metric="nps" data-n="10" data-clients="10"' in text
    assert 'value="0" data-metric="nps_respondent" data-n="10" data-clients="10"' in text
    assert 'data-metric="csat_response_speed" data-n="10"' in text


def test_old_month_is_shown_when_asked_for(client, staff, answers):
    for _each in range(6):
        factories.make_scores(
            answers,
            factories.make_client(team=staff.east),
            {"nps": 9},
            submitted_at=datetime(2017, 5, 12, tzinfo=UTC),
        )
    recompute.refresh_all(at=NOW)
    client.force_login(staff.qiu)
    found = figures(client, "/overview/?period=2017-05")["nps_respondent"]
    assert (found.value, found.n) == (100, 6)
    assert "2017-05" in client.get("/overview/").context["periods"]


def test_withheld_figure_is_a_dash_with_its_reason(client, staff, answers):
    client.force_login(staff.chen)
    response = client.get("/overview/")
    assert response.context["nps"].value is None
    text = response.content.decode()
    assert 'value="" data-metric="nps" data-n="4"' in text
    assert "+100" not in text.split("<footer")[0].split('id="h-trend"')[0]


@pytest.mark.parametrize("number", [1, 3])
def test_overview_takes_the_same_queries_for_any_number(
    client, staff, number, django_assert_num_queries
):
    version = factories.make_scored_version()
    for _each in range(number):
        one = factories.make_client(team=staff.east, manager=staff.lan)
        factories.make_scores(version, one, {"nps": 2})
    recompute.refresh_all(at=NOW)
    client.force_login(staff.qiu)
    with django_assert_num_queries(11):
        assert client.get("/overview/").status_code == 200


def test_teams_stand_side_by_side_without_the_one_that_holds_them(client, staff, answers):
    client.force_login(staff.qiu)
    rows = client.get("/overview/").context["teams"]
    assert [(row.team.code, row.figure.clients) for row in rows] == [("EAST", 6), ("WEST", 4)]


def test_low_scores_are_those_of_clients_in_scope(client, book):
    client.force_login(book.staff.lan)
    low = client.get("/overview/").context["low"]
    assert [line.response.response_id for line in low] == ["R-禾屿"]
    client.force_login(book.staff.bo)
    assert client.get("/overview/").context["low"] == []


def test_low_score_promised_to_the_experience_team_is_not_listed(client, book):
    book.mine.response.version.attribution = "experience_team_only"
    book.mine.response.version.save()
    client.force_login(book.staff.lan)
    assert client.get("/overview/").context["low"] == []


def test_empty_bank_shows_dashes_and_no_invented_figure(client, staff):
    client.force_login(staff.qiu)
    response = client.get("/overview/")
    assert response.status_code == 200
    assert response.context["histogram"] is None
    assert response.context["trend"].lines == []


def test_root_leads_to_the_overview(client, staff):
    client.force_login(staff.lan)
    assert client.get("/")["Location"] == "/overview/"
