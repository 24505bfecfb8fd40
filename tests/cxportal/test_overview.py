"""The overview: who sees which unit, in which period, behind the display gate."""

import csv
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError

from bank.models import AuditEntry
from clients.models import Outage
from cxportal.queries import heatmap, highlights
from metrics import recompute
from metrics.models import Measurement
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
    with django_assert_num_queries(20) as taken:
        assert client.get("/overview/").status_code == 200
    # What is computed is read from the store, the first time too.
    assert [query["sql"] for query in taken if "WITH" in query["sql"]] == []


def test_teams_stand_side_by_side_without_the_one_that_holds_them(client, staff, answers):
    client.force_login(staff.qiu)
    rows = client.get("/overview/").context["teams"]
    assert [(row.team.code, row.figure.clients) for row in rows] == [("EAST", 6), ("WEST", 4)]


def test_low_scores_are_those_of_clients_in_scope(client, book):
    client.force_login(book.staff.lan)
    low = client.get("/overview/").context["low"].data
    assert [line.response.response_id for line in low] == ["R-禾屿"]
    client.force_login(book.staff.bo)
    assert client.get("/overview/").context["low"].data == []


def test_low_score_promised_to_the_experience_team_is_not_listed(client, book):
    book.mine.response.version.attribution = "experience_team_only"
    book.mine.response.version.save()
    client.force_login(book.staff.lan)
    assert client.get("/overview/").context["low"].data == []


def test_empty_bank_shows_dashes_and_no_invented_figure(client, staff):
    client.force_login(staff.qiu)
    response = client.get("/overview/")
    assert response.status_code == 200
    assert response.context["histogram"] is None
    assert response.context["trend"].data.lines == []


def test_root_leads_to_the_overview(client, staff):
    client.force_login(staff.lan)
    assert client.get("/")["Location"] == "/overview/"


METRIC = "csat_processing_efficiency"


def store(slice_, value, n, *, metric=METRIC, gate="", **fields):
    return Measurement.objects.create(
        **{
            "metric": metric,
            "population": "transactional",
            "scope": "bank",
            "scope_id": 0,
            "slice": slice_,
            "period": "rolling12m",
            "value": value,
            "low": value and max(value - 0.1, 0),
            "high": value and min(value + 0.1, 1),
            "n": n,
            "clients": n,
            "method": "wilson",
            "version": 1,
            "parameter_set": "p",
            "zone": "Asia/Shanghai",
            "as_of": NOW,
            "gate": gate,
        }
        | fields
    )


@pytest.fixture
def heat(staff, stages):
    """Two stages: one strong with a part too small to show, one weak."""
    store("", 0.87, 40)
    store("stage=enquiry", 0.95, 30)
    store("stage=due_diligence", 0.60, 10)
    store("segment=corporate&stage=enquiry", 11 / 13, 13)
    store("segment=project_finance&stage=enquiry", 0.56, 9)
    store("segment=corporate&stage=due_diligence", None, 4, gate="MIN_RESPONSES")


def cells(client, path="/overview/"):
    drawn = client.get(path).context["heat"].data
    return {row.name: row for row in drawn.rows}


def test_cell_is_coloured_by_the_rounded_value(client, staff, heat):
    client.force_login(staff.qiu)
    first = cells(client)["阶段 enquiry"].cells
    assert [(cell.value, cell.step, cell.few) for cell in first] == [
        ("85%", "h4", False),
        ("56%", "h1", True),
    ]


@pytest.mark.parametrize(
    ("value", "step"),
    [(0.694, "h1"), (0.695, "h2"), (0.8, "h3"), (0.849, "h4"), (0.9, "h5"), (0.945, "h6")],
)
def test_steps_break_at_70_80_85_90_95(client, staff, stages, value, step):
    store("stage=enquiry", 0.9, 30)
    store("segment=corporate&stage=enquiry", value, 30)
    client.force_login(staff.qiu)
    assert cells(client)["阶段 enquiry"].cells[0].step == step


def test_withheld_cell_shows_its_base_only(client, staff, heat):
    client.force_login(staff.qiu)
    cell = cells(client)["阶段 due_diligence"].cells[0]
    assert (cell.value, cell.step, cell.figure.n) == ("", "", 4)
    text = " ".join(client.get("/overview/").content.decode().split())
    known = (
        f'value="" data-metric="{METRIC}" data-n="4" data-clients="4" data-low="" '
        'data-high="" data-method="wilson" data-version="1" data-gate="MIN_RESPONSES"'
    )
    assert known in text


def test_cell_leads_to_its_responses(client, staff, heat):
    client.force_login(staff.qiu)
    cell = cells(client)["阶段 enquiry"].cells[1]
    assert cell.url == (
        "stage=enquiry&segment=project_finance&kind=transactional&from=2025-11-25&to=2026-11-24"
    )
    assert client.get(f"/responses/?{cell.url}").status_code == 200


def test_map_may_be_coloured_by_another_dimension(client, staff, heat):
    store("stage=enquiry", 0.7, 30, metric="csat_response_speed")
    client.force_login(staff.qiu)
    row = cells(client, "/overview/?heat=csat_response_speed")["阶段 enquiry"]
    assert row.total.value == "70%"
    assert client.get("/overview/?heat=nonsense").context["heat"].data.metric == heatmap.METRIC


def test_weakest_stage_is_named_when_the_sample_sets_it_apart(client, staff, heat):
    client.force_login(staff.qiu)
    second = client.get("/overview/").context["highlights"].data[1]
    assert (second.icon, "阶段 due_diligence" in second.words) == ("alert", True)


def test_weakest_stage_is_not_set_apart_by_a_wide_interval(client, staff, heat):
    Measurement.objects.filter(slice="stage=due_diligence").update(high=0.9)
    client.force_login(staff.qiu)
    second = client.get("/overview/").context["highlights"].data[1]
    assert (second.icon, second.tone) == ("flat", "muted")


def test_highlights_say_nothing_the_sample_does_not_hold(client, staff):
    client.force_login(staff.qiu)
    found = client.get("/overview/").context["highlights"].data
    assert [one.tone for one in found] == ["muted"] * 3


def test_silent_exposure_is_the_third_sentence(client, staff):
    store("", 0.31, 20, metric="silent_exposure", population="")
    client.force_login(staff.qiu)
    third = client.get("/overview/").context["highlights"].data[2]
    assert "<b>31.0%</b>" in third.words


def test_line_of_business_narrows_figures_and_course(client, staff):
    store("segment=corporate", 20.0, 12, metric="nps", population="relational", low=1, high=39)
    client.force_login(staff.qiu)
    assert client.get("/overview/?line=corporate").context["nps"].value == 20
    assert client.get("/overview/?line=project_finance").context["nps"].value is None
    assert client.get("/overview/?line=nonsense").status_code == 404


def test_engagement_is_that_of_the_last_90_days(client, staff):
    store(
        "",
        70.0,
        40,
        metric="cei",
        population="",
        period="rolling90",
        low=66,
        high=74,
        detail={"bands": {"sound": 30, "strong": 10}},
    )
    client.force_login(staff.qiu)
    response = client.get("/overview/")
    assert response.context["figures"]["cei"].value == 70
    assert 'value="70" data-metric="cei"' in response.content.decode()


def test_card_that_fails_keeps_its_frame_and_leaves_the_others(client, staff, monkeypatch):
    def broken(*_args):
        raise DatabaseError

    monkeypatch.setattr(heatmap, "read", broken)
    monkeypatch.setattr(highlights, "of", broken)
    client.force_login(staff.qiu)
    response = client.get("/overview/?period=90d")
    assert (response.status_code, response.context["heat"].failed) == (200, True)
    text = response.content.decode()
    assert 'href="/overview/?period=90d"' in text.split('id="h-heat"')[1].split("</section>")[0]
    assert 'id="h-trend"' in text


@pytest.mark.parametrize(("hours", "stale"), [(25, False), (27, True)])
def test_old_figures_say_from_when_they_are(client, staff, hours, stale):
    made = NOW - timedelta(hours=hours)
    store("", 20.0, 9, metric="nps", population="relational", low=1, high=39, as_of=made)
    client.force_login(staff.qiu)
    assert client.get("/overview/").context["stale"] is stale


def test_outage_of_a_log_is_a_pin(client, staff, answers):
    for source in ("online", "mail"):
        Outage.objects.create(
            source=source, starts_at=NOW - timedelta(days=60), ends_at=NOW - timedelta(days=58)
        )
    client.force_login(staff.qiu)
    assert len(client.get("/overview/").context["trend"].data.pins) == 1


def test_teams_that_cannot_be_told_apart_get_no_ranking(client, staff, answers):
    for number in range(4):
        factories.make_scores(
            answers,
            factories.make_client(team=staff.west),
            {"nps": 10 if number % 2 else 5},
            submitted_at=NOW - timedelta(days=20),
        )
    recompute.refresh_all(at=NOW)
    client.force_login(staff.qiu)
    assert client.get("/overview/").context["ranking"].data != ""


def test_funnel_of_the_newest_campaign_stays_in_scope(client, book):
    client.force_login(book.staff.lan)
    shown = client.get("/overview/").context["funnel"].data
    assert shown.campaign == book.mine.campaign
    assert [step.count for step in shown.steps] == [1, 1, 1, 0, 0, 0]
    client.force_login(book.staff.bo)
    assert client.get("/overview/").context["funnel"].data is None


def test_figure_that_less_the_own_answers_tells_a_few_is_withheld(client, staff):
    version = factories.make_scored_version()
    for number in range(6):
        one = factories.make_client(team=staff.east, manager=staff.lan if number < 5 else staff.bo)
        factories.make_scores(version, one, {"nps": 9}, submitted_at=NOW - timedelta(days=20))
    recompute.refresh_all(at=NOW)
    client.force_login(staff.qiu)
    assert figures(client, "/overview/?team=EAST")["nps"].gate == ""
    client.force_login(staff.lan)
    assert figures(client, "/overview/?team=EAST")["nps"].gate == "COMPLEMENTARY"


def test_export_holds_the_figures_shown_after_the_gate_and_is_written_down(client, staff):
    version = factories.make_version()
    for score in (9, 9, 3):
        contact = factories.make_contact(factories.make_client(team=staff.east))
        invitation = factories.make_invitation(contact, version=version)
        factories.make_response(invitation, {"nps": score})
    staff.east.name_zh = staff.east.name_en = "=1+1"
    staff.east.save()
    recompute.refresh_all(at=NOW)
    client.force_login(staff.qiu)
    answer = client.post("/overview/export/?period=90d")
    held = list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))
    rows = [row for row in held if (row["metric"], row["period"]) == ("nps", "rolling90")]
    assert {(row["value"], row["n"], bool(row["gate"])) for row in rows} >= {("", "3", True)}
    assert "'=1+1" in {row["part"] for row in held}
    entry = AuditEntry.objects.get(act="figures.export")
    assert (entry.actor, entry.data["rows"]) == (staff.qiu, len(held))
    assert client.get("/overview/export/").status_code == 405
    client.force_login(staff.lan)
    assert client.post("/overview/export/?team=WEST").status_code == 404
