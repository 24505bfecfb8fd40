"""Figures after answers, corrections, retractions and days: one way or all at once, the same."""

import threading
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bank.models import Team
from metrics import recompute
from metrics.models import ClientState, DueWindows, Measurement
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
CONTENT = [field.name for field in Measurement._meta.fields if field.name not in ("id", "as_of")]


@pytest.fixture
def version():
    return factories.make_scored_version()


def stored(scope="bank", scope_id=0, period="rolling12m", population="relational", part=""):
    """The stored figures of one unit by metric."""
    found = Measurement.objects.filter(
        scope=scope, scope_id=scope_id, period=period, population=population, slice=part
    )
    return {row.metric: row for row in found}


def everything():
    """All stored figures without number and instant, in an order of their own."""
    rows = Measurement.objects.values(*CONTENT)
    return sorted(rows, key=lambda row: str([row[name] for name in CONTENT[:7]]))


def answer(version, company, score, *, days=0.5, **fields):
    at = fields.pop("submitted_at", NOW - days * DAY)
    return factories.make_scores(version, company, {"nps": score}, submitted_at=at, **fields)


def test_published_example_reads_from_the_store(version):
    for score, count in ((9, 172), (7, 100), (0, 40)):
        for company in [factories.make_client() for _number in range(count)]:
            answer(version, company, score)
    assert recompute.refresh_stale(at=NOW) == 312
    row = stored()["nps"]
    assert [round(number, 1) for number in (row.value, row.low, row.high)] == [42.3, 34.1, 49.7]
    assert (row.n, row.clients, row.eligible, row.coverage) == (312, 312, 312, 1.0)
    assert (row.method, row.version, row.gate, row.flags) == ("adj_wald", 1, "", "")
    assert (row.zone, row.as_of) == ("Asia/Shanghai", NOW)


def test_one_answer_reaches_client_team_branch_bank_and_campaign(staff):
    campaign = factories.make_campaign()
    company = factories.make_client(team=staff.east)
    version = factories.make_version()
    invitation = factories.make_invitation(
        factories.make_contact(company), version=version, campaign=campaign
    )
    factories.make_response(invitation, {"nps": 10, "csat": 5}, submitted_at=NOW - DAY)
    recompute.refresh_stale(at=NOW)
    assert stored("client", company.pk)["recommend_mean"].value == 10
    units = [("bank", 0), ("team", staff.east.pk), ("team", staff.branch.pk)]
    for scope, key in [*units, ("campaign", campaign.pk)]:
        assert stored(scope, key)["nps_respondent"].n == 1
        assert stored(scope, key)["response_rate"].value == 1
    assert stored("team", staff.west.pk) == {}
    assert stored("campaign", campaign.pk, "all")["nps"].n == 1
    assert stored("bank", period="all") == {}


def test_refresh_of_one_client_leaves_the_bank_to_the_sweep(version):
    company = factories.make_client()
    answer(version, company, 9)
    recompute.refresh(company.pk, at=NOW)
    assert stored("client", company.pk)["recommend_mean"].value == 9
    assert stored() == {}
    assert recompute.refresh_stale(at=NOW) == 0
    assert stored()["nps"].n == 1
    assert not DueWindows.objects.exists()


def test_second_run_writes_nothing(version, django_assert_num_queries):
    company = factories.make_client()
    answer(version, company, 9)
    recompute.refresh_stale(at=NOW)
    before = list(Measurement.objects.order_by("id").values())
    with django_assert_num_queries(6):
        assert recompute.refresh_stale(at=NOW + timedelta(minutes=1)) == 0
    recompute.refresh_all(at=NOW + timedelta(minutes=2))
    assert list(Measurement.objects.order_by("id").values()) == before


def test_answer_stamped_before_but_stored_after_a_refresh_is_found(version):
    company = factories.make_client()
    answer(version, company, 9)
    recompute.refresh_stale(at=NOW)
    answer(version, company, 1, days=40)
    assert recompute.refresh_stale(at=NOW) == 1
    assert stored("bank", 0, "2026-10")["nps_respondent"].value == -100
    assert stored("client", company.pk, "2026Q4")["recommend_mean"].value == 5


def test_retraction_takes_the_figure_away(version):
    company = factories.make_client()
    row = answer(version, company, 9)
    recompute.refresh_stale(at=NOW)
    row.retracted_at = NOW
    row.save()
    assert recompute.refresh_stale(at=NOW) == 1
    asked = Measurement.objects.exclude(metric__startswith="cei")
    assert set(asked.values_list("metric", flat=True)) == {"silent_exposure"}


def test_correction_replaces_the_score(version):
    company = factories.make_client()
    row = answer(version, company, 9)
    recompute.refresh_stale(at=NOW)
    row.retracted_at = NOW
    row.save()
    answer(version, company, 2, replaces=row)
    assert recompute.refresh_stale(at=NOW) == 1
    assert stored("client", company.pk)["recommend_mean"].value == 2
    assert stored("client", company.pk)["client_label"].label == "detractor"


def test_changed_value_of_a_repeated_import_is_found_by_its_revision(version):
    company = factories.make_client()
    row = answer(version, company, 9)
    recompute.refresh_stale(at=NOW)
    row.answers.update(value=0)
    row.revision = 2
    row.save()
    recompute.refresh_stale(at=NOW)
    assert stored()["nps_respondent"].detail["counts"][0] == 1


@pytest.mark.parametrize(
    ("at", "month", "quarter"),
    [
        (datetime(2026, 9, 30, 15, 59, 59, 999999, tzinfo=UTC), "2026-09", "2026Q3"),
        (datetime(2026, 9, 30, 16, 0, tzinfo=UTC), "2026-10", "2026Q4"),
    ],
)
def test_month_ends_at_midnight_of_the_reporting_zone(version, at, month, quarter):
    company = factories.make_client()
    answer(version, company, 9, submitted_at=at)
    recompute.refresh_stale(at=NOW)
    kept = Measurement.objects.filter(metric__in=["recommend_mean", "nps"])
    found = {key for key in kept.values_list("period", flat=True) if "3m" not in key}
    assert found == {month, quarter, "rolling12m", "rolling90"}


def test_rolling_window_loses_an_answer_when_the_day_turns(version):
    company = factories.make_client()
    # The ninetieth local day, today included, begins on 27 August in Shanghai.
    answer(version, company, 9, submitted_at=datetime(2026, 8, 26, 16, 0, tzinfo=UTC))
    recompute.refresh_stale(at=NOW)
    assert "recommend_mean" in stored("client", company.pk, "rolling90")
    assert recompute.refresh_stale(at=NOW + DAY) == 1
    assert stored("client", company.pk, "rolling90") == {}
    assert stored("bank", period="rolling90") == {}
    assert stored("client", company.pk)["recommend_mean"].as_of == NOW + DAY
    assert stored("client", company.pk, "2026Q3")["recommend_mean"].as_of == NOW


def test_trend_holds_three_months_ending_with_each_of_thirteen(version, staff):
    company = factories.make_client(team=staff.east)
    answer(version, company, 9, days=60)
    recompute.refresh_stale(at=NOW)
    for scope, key in (("bank", 0), ("team", staff.east.pk)):
        found = Measurement.objects.filter(
            scope=scope, scope_id=key, metric="nps", slice="", period__startswith="rolling3m"
        )
        assert sorted(found.values_list("period", flat=True)) == [
            "rolling3m:2026-09",
            "rolling3m:2026-10",
            "rolling3m:2026-11",
        ]
    assert not Measurement.objects.filter(scope="client", period__startswith="rolling3m").exists()


def test_kinds_of_survey_are_never_pooled():
    company = factories.make_client()
    for kind, score in (("relational", 10), ("transactional", 0), ("pulse", 8)):
        answer(factories.make_scored_version(kind=kind), company, score)
    recompute.refresh_stale(at=NOW)
    for kind, score in (("relational", 10), ("transactional", 0), ("pulse", 8)):
        assert stored(population=kind)["nps_respondent"].n == 1
        assert stored("client", company.pk, population=kind)["recommend_mean"].value == score


def test_client_that_is_closed_stays_in_the_base_it_answered_from(version):
    answer(version, factories.make_client(status="closed"), 9)
    answer(version, factories.make_client(), 9)
    factories.make_client()
    recompute.refresh_stale(at=NOW)
    row = stored()["nps"]
    assert (row.clients, row.eligible, row.coverage) == (2, 3, 2 / 3)


def test_client_that_moves_team_takes_its_answers_along(version, staff):
    company = factories.make_client(team=staff.east)
    answer(version, company, 9)
    recompute.refresh_stale(at=NOW)
    company.team = staff.west
    company.save()
    assert recompute.refresh_stale(at=NOW) == 1
    assert stored("team", staff.east.pk) == {}
    assert stored("team", staff.west.pk)["nps"].n == 1
    assert stored("team", staff.branch.pk)["nps"].n == 1


def test_client_that_is_closed_leaves_the_base_of_coverage(version):
    companies = [factories.make_client() for _number in range(2)]
    answer(version, companies[0], 9)
    recompute.refresh_stale(at=NOW)
    assert stored()["nps"].eligible == 2
    companies[1].status = "closed"
    companies[1].save()
    assert recompute.refresh_stale(at=NOW) == 1
    assert stored()["nps"].eligible == 1


def test_opening_a_link_makes_its_client_stale():
    invitation = factories.make_invitation()
    recompute.refresh_stale(at=NOW)
    assert stored()["response_rate"].detail["silent"] == 1
    invitation.opened_at = NOW
    invitation.save()
    assert recompute.refresh_stale(at=NOW) == 1
    assert stored()["response_rate"].detail["refused"] == 1


def test_single_withheld_team_hides_a_sister_too(version, staff):
    third = Team.objects.create(code="SOUTH", name_zh="南", name_en="South", parent=staff.branch)
    for team, count in ((staff.east, 9), (staff.west, 6), (third, 3)):
        for company in [factories.make_client(team=team) for _number in range(count)]:
            answer(version, company, 9)
    recompute.refresh_stale(at=NOW)
    gates = [stored("team", team.pk)["nps"].gate for team in (staff.east, staff.west, third)]
    assert gates == ["", "COMPLEMENTARY", "MIN_CLIENTS MIN_RESPONSES"]
    assert stored("team", staff.branch.pk)["nps"].gate == ""


def test_withheld_team_hides_no_sister_when_the_rest_holds_enough(version, staff):
    for team, count in ((staff.east, 9), (staff.west, 3), (staff.branch, 5)):
        for company in [factories.make_client(team=team) for _number in range(count)]:
            answer(version, company, 9)
    recompute.refresh_stale(at=NOW)
    assert stored("team", staff.east.pk)["nps"].gate == ""


def test_few_clients_in_the_parent_itself_hide_the_smallest_team(version, staff):
    for team, count in ((staff.east, 9), (staff.west, 6), (staff.branch, 2)):
        for company in [factories.make_client(team=team) for _number in range(count)]:
            answer(version, company, 9)
    recompute.refresh_stale(at=NOW)
    gates = [stored("team", team.pk)["nps"].gate for team in (staff.east, staff.west)]
    assert gates == ["", "COMPLEMENTARY"]


def test_rate_of_a_team_that_seldom_answers_stays_beside_its_sister(staff):
    version = factories.make_version()
    for team in (staff.east, staff.west):
        for number in range(6):
            person = factories.make_contact(factories.make_client(team=team))
            invitation = factories.make_invitation(person, version=version)
            if team == staff.east and number < 2:
                factories.make_response(invitation, {"nps": 9, "csat": 5})
    recompute.refresh_stale(at=NOW)
    rates = [stored("team", team.pk)["response_rate"] for team in (staff.east, staff.west)]
    assert [(row.value, row.n, row.eligible, row.gate) for row in rates] == [
        (2 / 6, 2, 6, ""),
        (0, 0, 6, ""),
    ]


_STORE = 'INSERT INTO "metrics_measurement"'


def test_refresh_takes_the_same_queries_for_one_client_and_for_three(version, staff):
    recompute.storing.parameters(at=NOW)
    taken = []
    for count in (1, 3):
        for company in [factories.make_client(team=staff.east) for _number in range(count)]:
            answer(version, company, 9)
        with CaptureQueriesContext(connection) as queries:
            recompute.refresh_stale(at=NOW)
        # A long insert is one statement on PostgreSQL, several on SQLite.
        told = [query["sql"] for query in queries]
        taken.append([sql for sql in told if not sql.startswith(_STORE)])
    assert len(taken[0]) == len(taken[1])


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["answer", "late", "retract", "correct", "invite", "refresh"]),
        st.integers(0, 2**16),
    ),
    min_size=1,
    max_size=12,
)


def play(event, seed, world):
    """One event of a history; `seed` decides whom and what it concerns."""
    random = Random(seed)
    company = random.choice(world["clients"])
    live = [row for row in world["rows"] if row.retracted_at is None]
    if event == "refresh":
        recompute.refresh_stale(at=NOW)
    elif event == "invite":
        person = random.choice(world["people"][company.pk])
        factories.make_invitation(person, sent_at=NOW - random.randrange(400) * DAY)
    elif event in ("retract", "correct") and live:
        row = random.choice(live)
        row.retracted_at = NOW
        row.save()
        if event == "correct":
            world["rows"].append(scored(world, random, row.client, replaces=row))
    elif event in ("answer", "late"):
        days = random.randrange(500) if event == "late" else 0
        at = NOW - days * DAY - timedelta(seconds=random.randrange(86400))
        world["rows"].append(scored(world, random, company, submitted_at=at))


def scored(world, random, company, **fields):
    given_ = {
        "nps": random.randrange(11),
        "speed": random.randrange(1, 6),
        "efficiency": random.randrange(1, 6),
    }
    kept = dict(random.sample(sorted(given_.items()), random.randrange(1, 4)))
    person = random.choice([None, *world["people"][company.pk]])
    return factories.make_scores(world["version"], company, kept, contact=person, **fields)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=EVENTS)
def test_any_history_ends_where_a_full_recomputation_ends(staff, events):
    with transaction.atomic():
        teams = [staff.east, staff.east, staff.west, None]
        clients = [factories.make_client(team=team) for team in teams]
        world = {
            "version": factories.make_scored_version(),
            "clients": clients,
            "people": {
                one.pk: [factories.make_contact(one, consent="") for _i in range(2)]
                for one in clients
            },
            "rows": [],
        }
        for event, seed in events:
            play(event, seed, world)
        recompute.refresh_stale(at=NOW)
        one_by_one = everything()
        recompute.refresh_stale(at=NOW)
        assert everything() == one_by_one
        Measurement.objects.all().delete()
        ClientState.objects.all().delete()
        recompute.refresh_all(at=NOW)
        assert everything() == one_by_one
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_workers_side_by_side_end_where_one_would():
    if connection.vendor != "postgresql":
        pytest.skip("the test database of SQLite has one connection")
    version = factories.make_scored_version()
    companies = [factories.make_client() for _number in range(6)]
    failures = []

    def work(company):
        try:
            answer(version, company, 9)
            recompute.refresh_stale(at=NOW)
        except Exception as error:  # noqa: BLE001 - told by the main thread
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[company]) for company in companies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert stored()["nps"].n == 6
    assert not DueWindows.objects.exists()
    found = everything()
    recompute.refresh_all(at=NOW)
    assert everything() == found
