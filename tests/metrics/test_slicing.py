"""Figures on request through the interface: any filter, any cut, any days, behind the gate."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Industry, Product, Stage
from metrics import forms, queries, recompute, slicing
from metrics.slicing import computing
from tests import factories
from tests.factories import NOW, make_caller, make_client, make_visitor

pytestmark = pytest.mark.django_db
URL = "/api/v1/indicators/"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def today():
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def version():
    return factories.make_full_version()


def answer(version, score, *, client=None, days=1.0, **fields):
    """One client that answers once; further fields are those of the client."""
    company = client or make_client(**fields)
    values = {"nps": score, "speed": 4 if score > 6 else 2, "efficiency": 5, "ces": 6}
    at = NOW - days * DAY
    factories.make_scores(version, company, values, submitted_at=at)
    return company


def answers(version, scores, **fields):
    return [answer(version, score, **fields) for score in scores]


def rows(caller, url=URL, **query):
    query = {name.rstrip("_"): value for name, value in query.items()}
    found = caller.get(url, {"metric": "nps"} | query)
    assert found.status_code == 200, found.json()
    return found.json()["results"]


def told(caller, **query):
    """Slice, value and gate of each row."""
    return [(row["slice"], row["value"], row["gate"]) for row in rows(caller, **query)]


def test_filter_by_size_counts_only_these_clients(version):
    answers(version, [9, 9, 9, 9, 3], size="large")
    answers(version, [0] * 6, size="small")
    (row,) = rows(make_caller(), size="large")
    assert (row["value"], row["n"], row["clients"]) == (60, 5, 5)
    assert (row["eligible"], row["coverage"], row["gate"]) == (5, 1.0, "")
    assert (row["slice"], row["period"]) == ({"size": "large"}, "rolling12m")
    assert (row["method"], row["version"], row["parameter_set"][:3]) == ("adj_wald", 1, "ps-")
    assert row["as_of"] == "2026-11-24T10:00:00+08:00"


def test_cut_by_size_has_one_row_for_each_size(version):
    answers(version, [9] * 6, size="large")
    answers(version, [0] * 7, size="small")
    assert told(make_caller(), group_by="size") == [
        ({"size": "large"}, 100, ""),
        ({"size": "small"}, -100, ""),
    ]


def test_every_group_can_be_asked_for_and_counts_right(version, staff):
    industry = Industry.objects.create(code="26", section="C", name_zh="化工", name_en="Chemicals")
    place = {"team": staff.east, "size": "large", "industry": industry}
    answers(version, [9] * 6, **place)
    answers(version, [0] * 6, segment="project_finance", team=staff.west)
    recompute.refresh_all(at=NOW)
    machine = make_caller()
    held = {
        name: [(row["slice"][name], row["n"]) for row in rows(machine, group_by=name)]
        for name in ("team", "segment", "size", "industry", "questionnaire")
    }
    assert held == {
        "team": [("BR", 12), ("EAST", 6), ("WEST", 6)],
        "segment": [("corporate", 6), ("project_finance", 6)],
        "size": [("large", 6)],
        "industry": [("C", 6)],
        "questionnaire": [(version.questionnaire.key, 12)],
    }
    (row,) = rows(machine, industry="26")
    assert (row["slice"], row["n"]) == ({"industry": "26"}, 6)


def make_asked(version, number, **more):
    """So many contacts who answered a wave about a case at a stage."""
    stage, _new = Stage.objects.get_or_create(
        case_kind="loan",
        code="approval",
        defaults={"position": 3, "name_zh": "审批", "name_en": "x"},
    )
    product, _new = Product.objects.get_or_create(
        code="WC", defaults={"family": "working_capital", "name_zh": "流贷", "name_en": "Loan"}
    )
    campaign = factories.make_campaign(version=version)
    for _one in range(number):
        contact = factories.make_contact(make_client(), buying_role="decider")
        case = factories.make_case(contact.client, product=product)
        milestone = case.milestones.create(
            code=stage.code, external_id=f"M-{case.pk}", occurred_at=NOW - DAY
        )
        invitation = factories.make_invitation(
            contact,
            campaign=campaign,
            version=version,
            case=case,
            milestone=milestone,
            state="answered",
        )
        factories.make_response(
            invitation, {"nps": 10, "speed": 5}, submitted_at=NOW - HOUR, **more
        )
    return campaign


def test_cut_by_what_answers_have_and_filter_by_it_agree():
    version = factories.make_full_version(kind="transactional")
    campaign = make_asked(version, 6)
    machine = make_caller()
    for name, value in (
        ("stage", "approval"),
        ("product_family", "working_capital"),
        ("buying_role", "decider"),
        ("campaign", campaign.pk),
    ):
        (cut,) = rows(machine, population="transactional", group_by=name, from_="2026-11-01")
        (one,) = rows(machine, population="transactional", **{name: value}, from_="2026-11-01")
        assert cut["slice"] == one["slice"] == {name: value}
        assert {key: cut[key] for key in ("n", "value", "gate")} == {
            "n": 6,
            "value": 100,
            "gate": "",
        }
        assert cut == one


def test_population_follows_the_campaign_and_kinds_are_never_pooled(version):
    campaign = make_asked(factories.make_full_version(kind="transactional"), 5)
    machine = make_caller()
    (row,) = rows(machine, campaign=campaign.pk, size="large")
    assert row["n"] == 0
    mixed = machine.get(URL, {"campaign": campaign.pk, "population": "pulse"})
    assert (mixed.status_code, set(mixed.json())) == (400, {"population"})
    line = machine.get(URL, {"questionnaire": version.questionnaire.key, "population": "pulse"})
    assert (line.status_code, set(line.json())) == (400, {"population"})


def test_days_are_local_and_the_last_one_stays_out(version):
    """16:00 UTC is midnight in Shanghai."""
    midnight = datetime(2026, 10, 31, 16, tzinfo=UTC)
    for hours, number in ((-1, 5), (0, 6), (24, 7)):
        for _one in range(number):
            days = (NOW - midnight - hours * HOUR) / DAY
            answer(version, 9, days=days)
    machine = make_caller()
    assert rows(machine, from_="2026-11-01", to="2026-11-02")[0]["n"] == 6
    assert rows(machine, from_="2026-10-31", to="2026-11-02")[0]["n"] == 11
    whole = rows(machine, from_="2026-11-01")[0]
    assert (whole["n"], whole["period"]) == (13, "2026-11-01/2026-11-25")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"team": "EAST"},
        {"segment": "corporate"},
        {"group_by": "team"},
        {"group_by": "segment"},
    ],
)
@pytest.mark.parametrize("period", ["rolling12m", "rolling90", "2026Q4", "2026-11"])
def test_stored_and_computed_figures_are_the_same_to_the_last_digit(version, staff, query, period):
    answers(version, [9, 8, 10, 3, 9, 7, 10], team=staff.east)
    answers(version, [2, 8, 9, 9, 10, 10], team=staff.west, segment="project_finance")
    recompute.refresh_all(at=NOW)
    ask = forms.read(query | {"period": period}, viewer=staff.qiu, at=NOW)
    answered = {"nps", "nps_respondent", "csat", "csat_response_speed", "ces", "nps_exposure"}
    units = forms.units(ask, staff.qiu)
    kept = list(slicing.rows(ask, units, viewer=staff.qiu, at=NOW))
    made = computing.rows(ask, units, viewer=staff.qiu, at=NOW)

    def plain(found):
        return {
            (str(row.slice), row.figure.metric): (
                row.figure.value,
                row.figure.low,
                row.figure.high,
                row.figure.n,
                row.figure.clients,
                row.figure.eligible,
                row.figure.coverage,
                row.figure.gate,
                row.figure.detail,
            )
            for row in found
            if row.figure.metric in answered and row.figure.n
        }

    assert plain(kept) == plain(made)
    assert plain(kept)


def test_one_small_cell_takes_the_smallest_other_with_it(version):
    answers(version, [9] * 20, size="large")
    answers(version, [9] * 9, size="medium")
    answers(version, [0] * 3, size="small")
    assert told(make_caller(), group_by="size") == [
        ({"size": "large"}, 100, ""),
        ({"size": "medium"}, None, "COMPLEMENTARY"),
        ({"size": "small"}, None, "MIN_CLIENTS MIN_RESPONSES"),
    ]


def test_clients_of_unknown_size_are_a_cell_that_nobody_sees(version):
    answers(version, [9] * 20, size="large")
    answers(version, [9] * 9, size="medium")
    answers(version, [0] * 3)
    held = told(make_caller(), group_by="size")
    assert [gate for _slice, _value, gate in held] == ["", "COMPLEMENTARY"]


def test_filter_that_leaves_a_few_answers_out_of_a_published_figure_is_withheld(version):
    """The bank less its large clients would be three answers."""
    answers(version, [9] * 20, size="large")
    answers(version, [0] * 3, size="small")
    (row,) = rows(make_caller(), size="large")
    assert (row["value"], row["n"], row["gate"]) == (None, 20, "DIFFERENCING")


def test_second_filter_that_nearly_repeats_the_first_is_withheld_from_this_viewer(version, staff):
    section = {
        code: Industry.objects.create(code=code, section=code[0], name_zh=code, name_en=code)
        for code in ("C1", "C2")
    }
    answers(version, [9] * 12, industry=section["C1"], size="large")
    answers(version, [0] * 3, industry=section["C2"], size="large")
    answers(version, [9] * 30, size="small")
    lan, bo = make_visitor(staff.lan), make_visitor(staff.bo)
    assert told(lan, size="large") == [({"size": "large"}, 60, "")]
    assert told(lan, industry="C1") == [({"industry": "C1"}, None, "DIFFERENCING")]
    assert told(lan, size="large") == [({"size": "large"}, 60, "")]
    assert told(bo, industry="C1") == [({"industry": "C1"}, 100, "")]
    assert told(bo, size="large") == [({"size": "large"}, None, "DIFFERENCING")]


def test_span_that_ends_a_few_answers_from_a_month_is_withheld(version):
    answers(version, [9] * 8, days=10)
    answers(version, [0] * 3, days=20)
    machine = make_caller()
    assert told(machine, from_="2026-11-01") == [({}, pytest.approx(100 * 5 / 11), "")]
    assert told(machine, from_="2026-11-10") == [({}, None, "DIFFERENCING")]


def test_figure_less_the_answers_that_a_viewer_sees_is_not_shown(version, staff):
    answers(version, [9] * 9, team=staff.east, manager=staff.lan)
    answers(version, [0] * 3, team=staff.east, manager=staff.bo)
    answers(version, [9] * 30, team=staff.west)
    recompute.refresh_all(at=NOW)
    shown = {
        name: [told(make_visitor(getattr(staff, name)), **query)[0][2] for query in asked]
        for name, asked in (
            ("lan", ({"team": "EAST"}, {"team": "EAST", "size": ""}, {})),
            ("bo", ({"team": "EAST"}, {}, {})),
            ("mu", ({"team": "EAST"}, {}, {})),
            ("qiu", ({"team": "EAST"}, {}, {})),
        )
    }
    assert shown == {
        "lan": ["COMPLEMENTARY", "COMPLEMENTARY", ""],
        "bo": ["", "", ""],
        "mu": ["", "", ""],
        "qiu": ["", "", ""],
    }


def test_answers_promised_to_the_experience_team_are_not_seen_by_the_manager(staff):
    closed = factories.make_full_version(attribution="experience_team_only")
    open_ = factories.make_full_version()
    answers(closed, [0] * 3, team=staff.east, manager=staff.lan)
    answers(open_, [9] * 9, team=staff.east, manager=staff.lan)
    recompute.refresh_all(at=NOW)
    assert told(make_visitor(staff.lan), team="EAST")[0][2] == "COMPLEMENTARY"
    assert told(make_visitor(staff.qiu), team="EAST")[0][2] == ""


def test_team_out_of_scope_is_404_with_any_filter(version, staff):
    answers(version, [9] * 6, team=staff.west, size="large")
    seen = {
        name: make_visitor(getattr(staff, name))
        .get(URL, {"team": "WEST", "size": "large"})
        .status_code
        for name in ("lan", "bo", "chen", "mu", "qiu")
    }
    assert seen == {"lan": 404, "bo": 404, "chen": 200, "mu": 404, "qiu": 200}
    key = make_caller(team=staff.east)
    assert key.get(URL, {"team": "WEST", "size": "large"}).status_code == 404


def test_key_of_a_team_counts_only_that_team(version, staff):
    answers(version, [9] * 6, team=staff.east, size="large")
    answers(version, [0] * 6, team=staff.west, size="large")
    east = make_caller(team=staff.east)
    assert told(east, size="large")[0][1:] == (100, "")
    assert [row["n"] for row in rows(east, group_by="size")] == [6]
    assert [row["slice"] for row in rows(east, group_by="team", size="large")] == [
        {"team": "EAST", "size": "large"}
    ]


def test_one_client_in_any_days_and_of_any_questionnaire(version, staff):
    company = make_client("C-1", manager=staff.lan, team=staff.east)
    for _number in range(6):
        answer(version, 9, client=company)
    url = "/api/v1/clients/C-1/indicators/"
    lan = make_visitor(staff.lan)
    (row,) = rows(lan, url, metric="nps_respondent", from_="2026-11-01")
    assert (row["slice"], row["value"], row["n"], row["gate"]) == ({"client": "C-1"}, 100, 6, "")
    (row,) = rows(lan, url, metric="recommend_mean", questionnaire=version.questionnaire.key)
    assert (row["value"], row["n"]) == (9, 6)
    assert make_visitor(staff.chen).get(url, {"from": "2026-11-01"}).status_code == 404
    (row,) = rows(lan, metric="recommend_mean", group_by="client", from_="2026-11-01")
    assert (row["slice"], row["value"]) == ({"client": "C-1"}, 9)


@pytest.mark.parametrize(
    "name",
    [
        "team",
        "segment",
        "size",
        "industry",
        "stage",
        "product_family",
        "questionnaire",
        "campaign",
        "buying_role",
        "client",
    ],
)
def test_cut_takes_the_same_queries_for_any_number_of_rows(name, staff):
    """Asked of days, so that every cut is computed."""
    counts = []
    metric = "recommend_mean" if name == "client" else "nps"
    query = {"metric": metric, "group_by": name, "from": "2026-10-01"}
    for number in (1, 3):
        for _one in range(number):
            version = factories.make_full_version(kind="transactional")
            make_asked(version, 6)
            answers(version, [9] * 6, team=factories.make_team(), size="large")
        cache.clear()
        browser = make_visitor(staff.lan)
        browser.get(URL, {"metric": "nps"})
        with CaptureQueriesContext(connection) as found:
            answer_ = browser.get(URL, query | {"population": "transactional"})
        assert answer_.status_code == 200
        counts.append(len(found))
    assert counts[0] == counts[1]
    assert counts[0] <= 25


def test_stored_figures_of_a_page_are_guarded_for_its_viewer(version, staff):
    answers(version, [9] * 9, team=staff.east, manager=staff.lan)
    answers(version, [0] * 3, team=staff.east, manager=staff.bo)
    answers(version, [9] * 30, team=staff.west, segment="project_finance")
    recompute.refresh_all(at=NOW)
    figures = [
        *queries.beside("team", [staff.east.pk], period="2026Q4", metrics=["nps", "csat"])[
            staff.east.pk
        ].values(),
        queries.figures("bank", 0, period="rolling12m")["nps"],
        queries.figures("bank", 0, period="rolling12m", part="segment=corporate")["nps"],
        queries.figures("bank", 0, period="rolling12m")["response_rate"],
    ]
    gates = {
        name: [
            fig.gate for fig in slicing.for_viewer(figures, viewer=getattr(staff, name), at=NOW)
        ]
        for name in ("lan", "bo", "mu", "qiu")
    }
    open_ = ["", "", "", "", "NO_DATA"]
    assert gates == {
        "lan": ["COMPLEMENTARY", "COMPLEMENTARY", "", "COMPLEMENTARY", "NO_DATA"],
        "bo": open_,
        "mu": open_,
        "qiu": open_,
    }


@pytest.mark.parametrize("number", [1, 3])
def test_guard_of_a_page_takes_the_same_queries_for_any_number_of_figures(
    version, staff, number, django_assert_num_queries
):
    for _one in range(number):
        answers(version, [9] * 6, team=staff.east, manager=staff.lan)
    recompute.refresh_all(at=NOW)
    keys = ["2026-11", "2026Q4", "rolling12m"][:number]
    figures = queries.trend("bank", 0, "nps", periods=keys)
    with django_assert_num_queries(3):
        first = slicing.for_viewer(figures, viewer=staff.lan, at=NOW)
    # The verdict stands while neither figures nor clients in scope change.
    with django_assert_num_queries(1):
        assert slicing.for_viewer(figures, viewer=staff.lan, at=NOW) == first
    answers(version, [9], team=staff.east, manager=staff.lan)
    with django_assert_num_queries(3):
        slicing.for_viewer(figures, viewer=staff.lan, at=NOW)
    with django_assert_num_queries(0):
        slicing.for_viewer(figures, viewer=staff.qiu, at=NOW)
