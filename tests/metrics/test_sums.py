"""Sums over answers against a count by hand, whatever came before, later or twice."""

from datetime import UTC, date, datetime, timedelta
from random import Random

import numpy as np
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.models import Industry, MilestoneType, Product, Stage
from metrics.facts import answers
from metrics.facts.columns import COMPOSITE, DIMENSIONS, GRID, ITEMS, NPS
from metrics.facts.tables import Slot
from metrics.facts.where import POPULATIONS, Cut, Where
from metrics.formulas import periods, scores
from metrics.formulas.parameters import DEFAULT, Clients, Parameters
from metrics.formulas.periods import Bounds
from surveys.models import Question
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YEAR = Bounds(NOW - 365 * DAY, NOW)
WEIGHTS = dict(DEFAULT.csat.weights)


@pytest.fixture
def version():
    return factories.make_full_version()


def sums(population="relational", window=YEAR, **more):
    return answers.sums(window, population, **more)


def only(name, **more):
    """The one client's number in this column."""
    (value,) = sums(**more)[name]
    return value


def give(version, company, values, **fields):
    return factories.make_scores(version, company, values, **fields)


def test_columns_count_what_was_answered(version):
    company = factories.make_client()
    for nps, speed, ces in ((0, 4, 5), (8, 2, 4), (10, "na", 7)):
        give(version, company, {"nps": nps, "speed": speed, "ces": ces})
    found = sums()
    assert found.ids.tolist() == [company.pk]
    assert {name: column[0] for name, column in found.columns.items() if column[0]} == {
        "h0": 1,
        "h8": 1,
        "h10": 1,
        "n": 3,
        "d": 1,
        "s": 1,
        "p": 1,
        "total": 18,
        "weight": 3,
        "weighted": 18,
        "open_n": 3,
        "open_total": 18,
        "open_weight": 3,
        "response_speed_n": 2,
        "response_speed_total": 6,
        "response_speed_squares": 20,
        "response_speed_top": 1,
        "response_speed_open": 2,
        "ces_n": 3,
        "ces_total": 16,
        "ces_squares": 90,
        "ces_easy": 2,
        "ces_open": 3,
    }


def test_ratings_are_brought_to_a_hundred_on_their_own_scale(version):
    company = factories.make_client()
    Question.objects.filter(version=version, key="renewal").update(reversed=True)
    give(version, company, {"trust": 4, "renewal": 2})
    assert (only("trust_total"), only("renewal_intention_total")) == (50, 75)


def test_values_that_do_not_count_stay_out(version):
    company = factories.make_client()
    give(version, company, {"nps": 1}, retracted_at=NOW)
    give(version, company, {"nps": 2}, is_test=True)
    give(version, company, {"nps": 3}, submitted_at=NOW)
    give(version, company, {"nps": 4}, submitted_at=YEAR.start - HOUR)
    off = give(version, company, {"nps": 5})
    off.answers.update(value=11)
    assert len(sums()) == 0
    give(version, company, {"nps": 6}, submitted_at=YEAR.start)
    assert (only("h6"), only("n")) == (1, 1)


def test_item_of_another_scale_is_another_series(version):
    company = factories.make_client()
    Question.objects.filter(version=version, key__in=["speed", "ces"]).update(hi=10)
    give(version, company, {"nps": 9, "speed": 5, "ces": 5})
    assert (only("response_speed_n"), only("ces_n"), only("n")) == (0, 0, 1)


def test_kinds_of_survey_are_never_pooled():
    company = factories.make_client()
    for kind, score in (("relational", 9), ("transactional", 1), ("pulse", 8)):
        give(factories.make_full_version(kind=kind), company, {"nps": score})
    assert [only("total", population=kind) for kind in POPULATIONS] == [9, 1, 8]


def test_reversed_item_is_turned_before_it_counts(version):
    company = factories.make_client()
    Question.objects.filter(version=version, key="attitude").update(reversed=True)
    give(version, company, {"attitude": 5})
    assert only("service_attitude_total") == 1


def test_last_answer_of_a_person_counts_item_by_item(version):
    company = factories.make_client()
    person = factories.make_contact(company)
    early = NOW - 5 * HOUR
    give(version, company, {"nps": 3, "speed": 2}, contact=person, submitted_at=early)
    give(version, company, {"nps": 9}, contact=person)
    assert (only("total"), only("n"), only("response_speed_total")) == (9, 1, 2)


def test_later_answer_outside_the_window_takes_nothing_away(version):
    company = factories.make_client()
    person = factories.make_contact(company)
    give(version, company, {"nps": 3}, contact=person, submitted_at=NOW - 40 * DAY)
    give(version, company, {"nps": 9}, contact=person)
    assert only("total", window=Bounds(NOW - 50 * DAY, NOW - 30 * DAY)) == 3
    assert only("total") == 9


def test_of_two_answers_at_one_instant_the_larger_number_counts(version):
    company = factories.make_client()
    person = factories.make_contact(company)
    for number, score in (("b", 9), ("a", 1), ("B", 5)):
        give(version, company, {"nps": score}, contact=person, response_id=number)
    assert only("total") == 9


def test_each_response_without_a_contact_is_a_person_of_its_own(version):
    company = factories.make_client()
    for score in (9, 9, 2):
        give(version, company, {"nps": score})
    assert (only("n"), only("total")) == (3, 20)


def test_composite_needs_two_of_three_dimensions(version):
    company = factories.make_client()
    give(version, company, {"speed": 5})
    give(version, company, {"speed": 5, "efficiency": 3})
    assert only("csat_n") == 1
    assert only("csat_total") == pytest.approx((0.40 * 100 + 0.35 * 50) / 0.75, abs=1e-7)


def test_complete_responses_are_kept_for_their_reliability(version):
    company = factories.make_client()
    give(version, company, {"speed": 5, "efficiency": 3, "attitude": 4})
    give(version, company, {"speed": 5, "efficiency": 3})
    found = sums()
    assert [found[f"full_{name}_total"][0] for name in DIMENSIONS] == [5, 3, 4]
    assert (found["full_n"][0], found["full_squares"][0]) == (1, 144)


def test_only_what_was_promised_to_the_team_is_open():
    company = factories.make_client()
    for attribution, score in (("relationship_team", 9), ("anonymous_optional", 2)):
        version = factories.make_full_version(attribution=attribution)
        give(version, company, {"nps": score, "speed": 4})
    assert (only("n"), only("open_n"), only("open_total")) == (2, 1, 9)
    assert (only("response_speed_n"), only("response_speed_open")) == (2, 1)


def test_answer_stays_with_the_client_at_submission(version):
    old, new = factories.make_client(), factories.make_client()
    person = factories.make_contact(old)
    give(version, old, {"nps": 9}, contact=person)
    person.client = new
    person.save()
    assert sums().ids.tolist() == [old.pk]


def test_merged_client_counts_under_its_successor_from_the_day_of_merging(version):
    first, second, last = (factories.make_client() for _number in range(3))
    person = factories.make_contact(first)
    give(version, first, {"nps": 2}, contact=person, submitted_at=NOW - 30 * DAY)
    give(version, last, {"nps": 9}, contact=person, submitted_at=NOW - 20 * DAY)
    second.merged_into, second.merged_on = last, date(2026, 11, 1)
    second.save()
    first.merged_into, first.merged_on = second, date(2026, 11, 10)
    first.save()
    ends = {day: periods.rolling_bounds(date(2026, 11, day), days=90) for day in (9, 10)}
    before, after = (sums(window=ends[day]) for day in (9, 10))
    assert (before.ids.tolist(), before["total"].tolist()) == ([first.pk, last.pk], [2, 9])
    assert (after.ids.tolist(), after["total"].tolist()) == ([last.pk], [9])
    assert sums(window=ends[10], clients=[last.pk]).ids.tolist() == [last.pk]
    assert sums(window=ends[10], clients=[first.pk]).ids.tolist() == []
    assert sums(window=ends[9], clients=[first.pk]).ids.tolist() == [first.pk]


def test_mergers_in_a_circle_end_where_they_close(version):
    one, two = factories.make_client(), factories.make_client()
    for company, into in ((one, two), (two, one)):
        company.merged_into, company.merged_on = into, date(2026, 1, 1)
        company.save()
    give(version, one, {"nps": 9})
    give(version, two, {"nps": 1})
    assert sums().total("total") == 10


def test_role_weighs_in_the_mean_and_not_in_the_counts(version):
    company = factories.make_client()
    for role, score in (("decider", 9), ("user", 5), ("influencer", 1)):
        person = factories.make_contact(company, buying_role=role)
        give(version, company, {"nps": score}, contact=person)
    rules = Parameters(clients=Clients(role_weights=(("decider", 3.0), ("influencer", 0.0))))
    found = sums(rules=rules)
    assert [found[name][0] for name in ("n", "weight", "weighted", "coded")] == [3, 4, 32, 2]
    assert [found[name][0] for name in ("open_weight", "open_total")] == [4, 32]


def test_one_query_and_one_for_the_mergers(version, django_assert_num_queries):
    companies = [factories.make_client() for _number in range(3)]
    for company in companies:
        give(version, company, {"nps": 9})
    for some in (companies[:1], companies):
        with django_assert_num_queries(2):
            assert len(sums(clients=[company.pk for company in some])) == len(some)


def test_cut_by_attributes_of_the_client(version, staff):
    industry = Industry.objects.create(code="26", section="C", name_zh="化工", name_en="Chem")
    inside = factories.make_client(
        team=staff.east, segment="project_finance", size="large", industry=industry
    )
    outside = factories.make_client()
    for company in (inside, outside):
        give(version, company, {"nps": 9})
    for where in (
        Where(team=staff.branch.pk),
        Where(segment="project_finance"),
        Where(size="large"),
        Where(industry="C"),
        Where(industry="26"),
        Where(clients=(inside.pk,)),
    ):
        assert sums(where=where).ids.tolist() == [inside.pk]
    assert len(sums(where=Where(team=staff.west.pk))) == 0
    assert len(sums(where=Where(clients=()))) == 0


def test_cut_by_attributes_of_the_answer(version):
    company = factories.make_client()
    case = factories.make_case(company)
    case.product = Product.objects.create(
        code="wc", family="working_capital", name_zh="流", name_en="W"
    )
    case.save()
    Stage.objects.create(
        case_kind="loan", code="approval", position=1, name_zh="审批", name_en="Approval"
    )
    MilestoneType.objects.create(
        code="limit_set", position=1, name_zh="核定", name_en="Limit set", stage="approval"
    )
    campaign = factories.make_campaign(version=version)
    for number, code in enumerate(("approval", "limit_set", "elsewhere")):
        milestone = case.milestones.create(external_id=f"M{number}", code=code, occurred_at=NOW)
        person = factories.make_contact(company, buying_role="decider")
        invitation = factories.make_invitation(
            person, version=version, campaign=campaign, case=case, milestone=milestone
        )
        factories.make_response(invitation, {"nps": 9}, submitted_at=NOW - HOUR)
    give(version, company, {"nps": 1})
    for where, n in (
        (Where(stage="approval"), 2),
        (Where(stage="elsewhere"), 0),
        (Where(campaign=campaign.pk), 3),
        (Where(product_family="working_capital"), 3),
        (Where(buying_role="decider"), 3),
        (Where(questionnaire=version.questionnaire_id), 4),
        (Where(stage="approval", buying_role="user"), 0),
        (Where(promises=("relationship_team",)), 4),
        (Where(promises=("experience_team_only",)), 0),
    ):
        assert sums(where=where).total("n") == n
    split = answers.many([YEAR], Cut(by="stage"))
    assert {slot.part: held.total("n") for slot, held in split.items()} == {"approval": 2}
    split = answers.many([YEAR], Cut(by="campaign"))
    assert {slot.part: held.total("n") for slot, held in split.items()} == {campaign.pk: 3}
    for by, parts in (
        ("questionnaire", {version.questionnaire.key: 4}),
        ("product_family", {"working_capital": 3}),
        ("buying_role", {"decider": 3}),
    ):
        split = answers.many([YEAR], Cut(by=by))
        assert {slot.part: held.total("n") for slot, held in split.items()} == parts


WINDOWS = [
    Bounds(NOW - 30 * DAY, NOW),
    Bounds(NOW - 60 * DAY, NOW - 20 * DAY),
    periods.parse("rolling12m", as_of=NOW),
]


def by_hand(rows, window):
    """The last value of each person to each item, by client, without any database."""
    last = {}
    for row in sorted(rows, key=lambda row: (row["at"], row["number"])):
        if row["retracted"] or not window.holds(row["at"]):
            continue
        values = dict(row["values"])
        composite = scores.composite(values, WEIGHTS)
        if composite is not None:
            values[COMPOSITE] = round(composite * GRID) / GRID
        person = row["person"] or ("", row["number"])
        for item, value in values.items():
            last[row["client"], person, item] = value
    found = {}
    for (client, _person, item), value in last.items():
        n, total = found.get((client, item), (0, 0))
        found[client, item] = (n + 1, total + value)
    return found


def from_table(table):
    found = {}
    for place, client in enumerate(table.ids.tolist()):
        for item in (NPS, *DIMENSIONS, COMPOSITE):
            names = ("n", "total") if item == NPS else (f"{item}_n", f"{item}_total")
            n, total = (table[name][place] for name in names)
            if n:
                found[client, item] = (n, total)
    return found


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32), count=st.integers(0, 25))
def test_any_rows_are_counted_as_by_hand(seed, count):
    random = Random(seed)
    with transaction.atomic():
        version = factories.make_full_version()
        clients = [factories.make_client() for _number in range(3)]
        people = [None, *(factories.make_contact(one) for one in clients)]
        rows = [made(random, version, clients, people) for _number in range(count)]
        found = answers.many(WINDOWS)
        for place, window in enumerate(WINDOWS):
            table = found.get(Slot(place, "relational"), answers.empty())
            assert from_table(table) == by_hand(rows, window)
            alone = [
                answers.sums(window, "relational", clients=[client])
                for client in table.ids.tolist()
            ]
            for name, column in table.columns.items():
                assert column.tolist() == [one[name][0] for one in alone]
        transaction.set_rollback(True)


def made(random, version, clients, people):
    """One response of anybody at any of few instants, so that ties occur."""
    values = {
        "nps": random.randrange(11),
        "speed": random.randrange(1, 6),
        "efficiency": random.randrange(1, 6),
        "attitude": random.randrange(1, 6),
    }
    kept = dict(random.sample(sorted(values.items()), random.randrange(1, 5)))
    person, company = random.choice(people), random.choice(clients)
    at = NOW - random.randrange(1, 80) * DAY
    retracted = random.random() < 0.2
    row = give(
        version,
        company,
        kept,
        contact=person,
        submitted_at=at,
        retracted_at=NOW if retracted else None,
    )
    names = dict(zip(("nps", "speed", "efficiency", "attitude"), (NPS, *DIMENSIONS), strict=True))
    return {
        "client": company.pk,
        "person": person.pk if person else None,
        "number": row.response_id,
        "at": at,
        "retracted": retracted,
        "values": {names[key]: value for key, value in kept.items()},
    }


def test_long_answers_are_read_like_short_ones(version):
    companies = [factories.make_client() for _number in range(205)]
    for place, company in enumerate(companies):
        give(version, company, {"nps": place % 11, "speed": 1 + place % 5})
    found = sums()
    again = sums(clients=[company.pk for company in companies])
    assert len(found) == 205
    for name, column in found.columns.items():
        assert np.array_equal(column, again[name])
    assert found["total"].tolist() == [place % 11 for place in range(205)]


def test_days_follow_the_clock_of_the_reporting_zone(version):
    # Shanghai has no summer time any more; Berlin has days of 23 and 25 hours.
    company = factories.make_client()
    hours = [datetime(2026, 3, 28, 23, tzinfo=UTC) + number * HOUR for number in range(24)]
    hours += [datetime(2026, 10, 24, 22, tzinfo=UTC) + number * HOUR for number in range(26)]
    for at in hours:
        give(version, company, {"nps": 9}, submitted_at=at)
    for key, length in (("2026-03-29", 23), ("2026-03-30", 1), ("2026-10-25", 25)):
        assert only("n", window=periods.period_bounds(key, "Europe/Berlin")) == length


def test_every_item_has_its_columns():
    assert {f"{item}_n" for item in ITEMS if item != NPS} <= set(answers.empty().columns)
