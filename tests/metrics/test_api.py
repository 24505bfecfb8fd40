"""Figures over the API: the listed fields, after the gate, in scope."""

import pytest
from django.core.cache import cache

from metrics import queries, recompute
from tests import factories
from tests.factories import NOW, make_caller, make_client, make_visitor

API = "/api/v1/"
URL = f"{API}indicators/"
FIELDS = [
    "metric",
    "slice",
    "period",
    "value",
    "low",
    "high",
    "n",
    "clients",
    "eligible",
    "coverage",
    "coverage_exposure",
    "method",
    "version",
    "parameter_set",
    "as_of",
    "gate",
]


@pytest.fixture(autouse=True)
def empty_cache(db):
    cache.clear()


@pytest.fixture
def measured(staff):
    """Five clients of the eastern team answer, and one of the western."""
    version = factories.make_scored_version()
    for number, score in enumerate([9, 9, 9, 7, 3]):
        client = make_client(f"E-{number}", team=staff.east, manager=staff.lan)
        factories.make_scores(version, client, {"nps": score, "speed": 4})
    client = make_client("W-0", team=staff.west, manager=staff.chen)
    factories.make_scores(version, client, {"nps": 10})
    recompute.refresh_stale(at=NOW)
    return staff


def rows(caller, url=URL, **query):
    return caller.get(url, query).json()["results"]


def test_figure_carries_exactly_the_listed_fields(measured):
    (row,) = rows(make_caller(), metric="nps_respondent", period="2026Q4")
    figure = queries.figures("bank", 0, period="2026Q4")["nps_respondent"]
    assert list(row) == FIELDS
    assert row == {
        "metric": "nps_respondent",
        "slice": {},
        "period": "2026Q4",
        "value": figure.value,
        "low": figure.low,
        "high": figure.high,
        "n": 6,
        "clients": 6,
        "eligible": figure.eligible,
        "coverage": figure.coverage,
        "coverage_exposure": None,
        "method": "adj_wald",
        "version": 1,
        "parameter_set": figure.parameter_set,
        "as_of": "2026-11-24T10:00:00+08:00",
        "gate": "",
    }
    assert round(row["value"], 6) == round(100 * (4 - 1) / 6, 6)


def test_without_a_metric_there_is_one_row_for_each(measured):
    assert [row["metric"] for row in rows(make_caller())] == list(queries.METRICS["bank"])
    assert {row["period"] for row in rows(make_caller())} == {"rolling12m"}


def test_withheld_figure_says_why_and_shows_nothing(measured):
    (row,) = rows(make_caller(), metric="nps", team="WEST")
    assert [row[name] for name in ("value", "low", "high", "n")] == [None, None, None, 1]
    assert row["gate"] == "DOMINANCE MIN_CLIENTS MIN_RESPONSES"


def test_period_without_answers_says_no_data(measured):
    (row,) = rows(make_caller(), metric="nps", period="2019-02")
    assert (row["value"], row["n"], row["as_of"], row["gate"]) == (None, 0, None, "NO_DATA")


def test_groups_come_one_row_each(measured):
    machine = make_caller()
    teams = rows(machine, metric="nps", group_by="team")
    # The eastern team is withheld too: branch less east would be the one western client.
    assert [(row["slice"], row["gate"] == "") for row in teams] == [
        ({"team": "BR"}, True),
        ({"team": "EAST"}, False),
        ({"team": "WEST"}, False),
    ]
    below = rows(machine, metric="nps", group_by="team", team="EAST")
    assert [row["slice"] for row in below] == [{"team": "EAST"}]
    means = rows(machine, metric="recommend_mean", group_by="client", team="EAST")
    assert [(row["slice"]["client"], row["value"]) for row in means] == [
        ("E-0", 9),
        ("E-1", 9),
        ("E-2", 9),
        ("E-3", 7),
        ("E-4", 3),
    ]


def test_groups_are_paged_over_units_and_metrics(measured):
    machine = make_caller()
    whole = rows(machine, group_by="client")
    wide = len(queries.METRICS["client"])
    assert len(whole) == min(50, 6 * wide)
    first = machine.get(URL, {"group_by": "client", "page_size": 7}).json()
    assert first["count"] == 6 * wide
    pages = [rows(machine, group_by="client", page_size=7, page=page) for page in range(1, 8)]
    assert [row for page in pages for row in page] == whole[:49]


def test_campaign_is_measured_over_its_whole_life_in_its_own_kind():
    version = factories.make_scored_version(kind="transactional")
    campaign = factories.make_campaign(version=version)
    for _number in range(5):
        invitation = factories.make_invitation(
            campaign=campaign, version=version, state="answered", answered_at=NOW
        )
        factories.make_response(invitation, {"nps": 10})
    recompute.refresh_stale(at=NOW)
    machine = make_caller()
    (row,) = rows(machine, metric="nps_respondent", campaign=campaign.pk)
    assert (row["slice"], row["period"], row["n"]) == ({"campaign": campaign.pk}, "all", 5)
    assert rows(machine, metric="nps_respondent", group_by="campaign") == [row]
    assert rows(machine, group_by="campaign", population="pulse") == []


def test_one_client_has_the_same_rows(measured):
    found = rows(make_caller(), f"{API}clients/E-4/indicators/")
    assert [list(row) for row in found] == [FIELDS] * len(queries.METRICS["client"])
    values = {row["metric"]: row["value"] for row in found}
    assert (values["recommend_mean"], values["client_label"]) == (3, "detractor")
    assert {str(row["slice"]) for row in found} == {"{'client': 'E-4'}"}
    (row,) = rows(make_caller(), f"{API}clients/E-4/indicators/", metric="csat", period="2026Q4")
    assert (row["metric"], row["period"]) == ("csat", "2026Q4")


def test_band_of_a_score_does_not_stand_in_for_its_number(staff):
    client, version = make_client("E-9"), factories.make_full_version()
    answers = {"nps": 8, "trust": 4, "renewal": 5, "speed": 4, "efficiency": 3}
    factories.make_scores(version, client, answers)
    recompute.refresh_stale(at=NOW)
    figure = queries.figures("client", client.pk, period="rolling12m")["health"]
    (row,) = rows(make_caller(), f"{API}clients/E-9/indicators/", metric="health")
    assert figure.label == "sound"
    assert row["value"] == figure.value == pytest.approx(67.3333, abs=1e-3)


@pytest.mark.parametrize(
    "query",
    [
        {"metric": "happiness"},
        {"metric": "recommend_mean"},
        {"metric": ""},
        {"period": "2026"},
        {"period": "2026Q5"},
        {"period": "2026-13"},
        {"period": "2026-00"},
        {"period": "0000Q1"},
        {"period": "rolling7"},
        {"period": "all"},
        {"period": "x" * 100_000},
        {"period": "2026-1\x00"},
        {"population": "everybody"},
        {"group_by": "manager__password"},
        {"colour": "red"},
        {"segment": "retail"},
        {"size": "huge"},
        {"industry": "ZZ"},
        {"industry": "J" * 100},
        {"stage": "no such stage"},
        {"stage": "\x00"},
        {"product_family": "toys"},
        {"questionnaire": "none"},
        {"buying_role": "boss"},
        {"from": "2026-13-01"},
        {"from": "2026-02-30"},
        {"from": "today"},
        {"to": "2026-02-01"},
        {"from": "2026-03-01", "to": "2026-03-01"},
        {"from": "2026-03-02", "to": "2026-03-01"},
        {"from": "2026-03-01", "period": "2026Q1"},
        {"segment": "corporate", "group_by": "segment"},
    ],
)
def test_what_cannot_be_asked_is_400_and_named(query, staff):
    answer = make_caller().get(URL, query)
    assert (answer.status_code, set(answer.json()) <= set(query)) == (400, True)


@pytest.mark.parametrize(
    "query",
    [
        {"team": "NONE"},
        {"team": "\x00"},
        {"campaign": "7"},
        {"campaign": "x"},
        {"campaign": "9" * 40},
    ],
)
def test_unit_that_does_not_exist_is_404(query):
    assert make_caller().get(URL, query).status_code == 404


def test_each_viewer_gets_the_units_in_scope(measured):
    east = make_caller(team=measured.east)
    callers = {
        name: make_visitor(getattr(measured, name)) for name in ("lan", "chen", "mu", "qiu")
    }
    callers |= {"key": make_caller(), "east": east}

    def slices(caller, **query):
        answer = caller.get(URL, {"metric": "nps"} | query)
        if answer.status_code == 404:
            return 404
        return [row["slice"].get("team", "bank") for row in answer.json()["results"]]

    found = {
        name: (slices(caller), slices(caller, group_by="team"), slices(caller, team="WEST"))
        for name, caller in callers.items()
    }
    every = (["bank"], ["BR", "EAST", "WEST"], ["WEST"])
    assert found == {
        "lan": (["bank"], ["EAST"], 404),
        "chen": (["bank"], ["WEST"], ["WEST"]),
        "mu": (["bank"], ["EAST"], 404),
        "qiu": every,
        "key": every,
        "east": (["EAST"], ["EAST"], 404),
    }
    assert len(rows(east, metric="recommend_mean", group_by="client")) == 5
    assert east.get(f"{API}clients/W-0/indicators/").status_code == 404


def test_key_of_a_team_gets_no_figure_of_a_campaign_that_reaches_beyond_it(staff):
    campaign = factories.make_campaign()
    for team in (staff.east, staff.west):
        contact = factories.make_contact(make_client(team=team))
        factories.make_invitation(contact, campaign=campaign, version=campaign.version)
    east = make_caller(team=staff.east)
    assert east.get(f"{API}campaigns/{campaign.pk}/").status_code == 200
    assert east.get(URL, {"campaign": campaign.pk}).status_code == 404
    assert make_caller().get(URL, {"campaign": campaign.pk}).status_code == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_figures_are_read_only(method):
    machine = make_caller("read", "ingest", "manage")
    make_client("C-1")
    for url in (URL, f"{API}clients/C-1/indicators/"):
        assert getattr(machine, method)(url).status_code == 405


@pytest.mark.parametrize("units", [1, 3])
@pytest.mark.parametrize(
    ("query", "queries_"),
    [
        ({"group_by": "team"}, 5),
        ({"group_by": "campaign"}, 4),
        ({"group_by": "client"}, 5),
        ({}, 3),
    ],
)
def test_list_takes_the_same_queries_for_any_length(
    query, queries_, units, django_assert_num_queries
):
    machine = make_caller()
    for _number in range(units):
        factories.make_client(team=factories.make_team())
        factories.make_campaign()
    machine.get(API)
    with django_assert_num_queries(queries_):
        assert machine.get(URL, query).json()["count"] >= 1


@pytest.mark.parametrize("period", ["rolling12m", "2026Q4", "2026-10"])
@pytest.mark.parametrize("metric", ["nps", "nps_exposure", "client_response_rate"])
def test_figure_among_clients_says_that_it_is_none_of_one(metric, period, measured):
    (row,) = rows(make_caller(), f"{API}clients/E-4/indicators/", metric=metric, period=period)
    assert (row["metric"], row["period"], row["value"]) == (metric, period, None)
    assert row["gate"] == "NOT_OF_ONE_CLIENT"
