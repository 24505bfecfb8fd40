"""Whether figures differ: the test that fits, corrected with what is shown, and the word."""

from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache

from metrics import comparing, forms, queries, recompute, slicing
from metrics.comparing import changing, keeping
from metrics.formulas import comparing as formulas
from metrics.formulas import uncertainty
from metrics.models import Measurement
from metrics.queries import Figure
from metrics.slicing.asking import free_span, named_span
from surveys.models import Question
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
YEAR = timedelta(days=365)
ZONE = "Asia/Shanghai"


@pytest.fixture(autouse=True)
def today():
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def version():
    return factories.make_full_version()


def give(version, company, score, at, **more):
    values = {"nps": score, "speed": 5 if score > 6 else 2, "efficiency": 4} | more
    return factories.make_scores(version, company, values, submitted_at=at)


def change(viewer, metrics=("nps",), **query):
    """The changes of the bank's figures, as a page asks for them."""
    recompute.refresh_all(at=NOW)
    ask = forms.read(query, viewer=viewer, at=NOW)
    found = {
        row.figure.metric: row.figure for row in slicing.rows(ask, None, viewer=viewer, at=NOW)
    }
    kept = {metric: found[metric] for metric in metrics}
    return comparing.changes_of(ask, kept, viewer=viewer, at=NOW)


def test_same_clients_in_both_periods_are_compared_pair_by_pair(version, staff):
    steps = [(6, 9), (8, 9), (9, 9), (3, 7), (10, 10), (7, 9), (5, 8), (8, 9), (9, 9), (2, 9)]
    for before, after in steps:
        company = factories.make_client()
        give(version, company, before, NOW - YEAR - 30 * DAY)
        give(version, company, after, NOW - 30 * DAY)
    found = change(staff.qiu)["nps"]
    by_hand = formulas.nps_diff_paired(*zip(*steps, strict=True))
    assert (found.method, found.verdict, found.reason) == ("paired", "changed", "")
    assert found.diff == pytest.approx(by_hand.diff)
    assert found.p_value == found.p_adjusted == pytest.approx(by_hand.p_value)
    assert found.up is True


def test_clients_that_overlap_in_part_are_compared_by_their_labels(version, staff):
    both = [(9, 9), (9, 3), (7, 9), (3, 3), (9, 9), (2, 8)]
    for before, after in both:
        company = factories.make_client()
        give(version, company, before, NOW - YEAR - 30 * DAY)
        give(version, company, after, NOW - 30 * DAY)
    for score in (10, 0, 9):
        give(version, factories.make_client(), score, NOW - 20 * DAY)
    found = change(staff.qiu)["nps"]
    codes = {9: 1, 10: 1, 7: 0, 8: 0, 3: -1, 2: -1, 0: -1}
    pairs = [(codes[a], codes[b]) for a, b in both]
    y1, y2 = ([pair[side] for pair in pairs] for side in (0, 1))
    by_hand = formulas.nps_diff_overlap(y1, [*y2, 1, -1, 1], pairs)
    assert (found.method, found.verdict) == ("overlap", "not_distinguishable")
    assert (found.diff, found.p_value) == (
        pytest.approx(by_hand.diff),
        pytest.approx(by_hand.p_value),
    )


def test_shares_go_by_newcombe_and_all_that_is_shown_is_corrected_together(version, staff):
    for place in range(40):
        company = factories.make_client()
        give(version, company, 9 if place < 34 else 2, NOW - YEAR - 30 * DAY)
        give(version, company, 9 if place < 24 else 2, NOW - 30 * DAY)
    metrics = ("nps", "nps_respondent", "csat", "csat_response_speed")
    found = change(staff.qiu, metrics)
    speed = found["csat_response_speed"]
    ends, tested = uncertainty.newcombe(24, 40, 34, 40), uncertainty.pooled_z(24, 40, 34, 40)
    assert (speed.method, found["csat"].method) == ("newcombe", "welch")
    assert (speed.diff, speed.low, speed.p_value) == (
        pytest.approx(-0.25),
        pytest.approx(ends.ci.low),
        pytest.approx(tested.p_value),
    )
    expected = formulas.p_adjust([found[metric].p_value for metric in metrics])
    assert [found[metric].p_adjusted for metric in metrics] == expected
    assert speed.p_adjusted > speed.p_value
    assert all(found[metric].verdict == "changed" for metric in metrics)


def test_running_period_is_never_tested_against_a_complete_one(version, staff):
    for _number in range(8):
        company = factories.make_client()
        give(version, company, 2, NOW - 100 * DAY)
        give(version, company, 10, NOW - DAY)
    found = change(staff.qiu, period="2026Q4")["nps"]
    assert (found.reason, found.verdict, found.diff) == ("RUNNING", "", None)


def test_withheld_and_empty_periods_give_no_difference(version, staff):
    for _number in range(6):
        give(version, factories.make_client(), 9, NOW - DAY)
    assert change(staff.qiu)["nps"].reason == "NO_DATA"
    give(version, factories.make_client(), 0, NOW - YEAR - DAY)
    cache.clear()
    found = change(staff.qiu)["nps"]
    assert (found.reason, found.diff, found.before.value) == ("WITHHELD", None, None)


def test_changed_wording_breaks_the_series(version, staff):
    newer = factories.make_full_version(questionnaire=version.questionnaire, number=2)
    Question.objects.filter(version=newer, key="nps").update(text_zh="改过的问题")
    for _number in range(8):
        company = factories.make_client()
        give(version, company, 2, NOW - YEAR - 30 * DAY)
        give(newer, company, 10, NOW - 30 * DAY)
    found = change(staff.qiu, ("nps", "csat_response_speed"))
    assert (found["nps"].reason, found["nps"].diff) == ("SERIES_BREAK", None)
    assert found["csat_response_speed"].verdict == "changed"


@pytest.mark.parametrize(
    ("key", "name", "days"),
    [
        ("2026Q1", "2025Q4", 92),
        ("2026-03", "2026-02", 28),
        ("2026-01", "2025-12", 31),
        ("rolling90", "2026-05-29/2026-08-27", 90),
        ("rolling12m", "2024-11-25/2025-11-25", 365),
        ("rolling3m:2026-10", "2026-05-01/2026-08-01", 92),
    ],
)
def test_period_before_is_as_long_and_shares_no_day(key, name, days):
    span = named_span(key, at=NOW, zone=ZONE)
    before = changing.before(span)
    assert (before.key, before.bounds.end) == (name, span.bounds.start)
    assert (before.bounds.end - before.bounds.start).days == days


def test_days_are_compared_with_as_many_days_before():
    first, after = NOW.date() - 10 * DAY, NOW.date()
    span = free_span(first, after, zone=ZONE)
    before = changing.before(span)
    assert before.bounds.end == span.bounds.start
    assert before.bounds.end - before.bounds.start == after - first


def kept(scope="bank", scope_id=0, *, period="rolling12m", segment=""):
    """The changes that are stored with the figures of a unit."""
    found = queries.figures(scope, scope_id, period=period, part=segment)
    compared = {metric: found[metric] for metric in keeping.METRICS}
    return comparing.kept_changes(compared, see=lambda fig: fig, at=NOW)


@pytest.mark.parametrize("period", ["rolling12m", "rolling90", "2026Q3", "2026-10"])
def test_stored_change_is_the_one_computed_on_request(version, staff, period):
    edge = named_span(period, at=NOW, zone=ZONE).bounds.start
    for place in range(12):
        company = factories.make_client(team=staff.east if place % 2 else staff.west)
        give(version, company, place % 11, edge - 5 * DAY)
        if place > 2:
            give(version, company, 9, edge + 5 * DAY)
    asked = change(staff.qiu, keeping.METRICS, period=period)
    found = kept(period=period)
    assert found["nps"].method == "overlap"
    told = ("reason", "verdict", "method", "diff", "low", "high", "p_value", "p_adjusted")
    for metric in keeping.METRICS:
        for name in told:
            assert getattr(found[metric], name) == getattr(asked[metric], name), (metric, name)
    assert found["nps"].before.value == asked["nps"].before.value
    assert kept("team", staff.branch.pk, period=period)["nps"] != asked["nps"]
    assert kept("team", staff.branch.pk, period=period)["nps"].p_value == found["nps"].p_value
    assert kept(period=period, segment="segment=corporate")["nps"].diff == found["nps"].diff


def test_stored_change_follows_its_earlier_period_when_that_is_restated(version, staff):
    for _number in range(6):
        company = factories.make_client()
        give(version, company, 9, NOW - 100 * DAY)
        last = give(version, company, 9, NOW - 190 * DAY)
    recompute.refresh_stale(at=NOW)
    assert (kept(period="2026Q3")["nps"].before.value, kept(period="2026Q3")["nps"].diff) == (
        100,
        0,
    )
    last.retracted_at = NOW
    last.save()
    give(version, company, 0, NOW - 190 * DAY)
    recompute.refresh_stale(at=NOW)
    found = kept(period="2026Q3")["nps"]
    assert found.before.value == pytest.approx(100 * 4 / 6)
    assert found.diff == pytest.approx(100 * 2 / 6)


def test_stored_change_tells_nothing_of_a_withheld_period_before(version, staff):
    for number in range(6):
        company = factories.make_client()
        give(version, company, 9, NOW - DAY)
        if number < 3:
            give(version, company, 0, NOW - YEAR - DAY)
    recompute.refresh_all(at=NOW)
    row = Measurement.objects.get(
        metric="nps", scope="bank", slice="", period="rolling12m", population="relational"
    )
    assert row.detail["change"] == {
        "before": {
            "period": "2024-11-25/2025-11-25",
            "n": 3,
            "clients": 3,
            "gate": "MIN_CLIENTS MIN_RESPONSES",
        }
    }
    assert (kept()["nps"].reason, kept()["nps"].diff) == ("WITHHELD", None)
    assert kept(period="2026Q4")["nps"].reason == "RUNNING"


def part(promoters, passives, detractors, metric="nps"):
    n = promoters + passives + detractors
    ends = uncertainty.adjusted_wald(uncertainty.nps.Counts(detractors, passives, promoters))
    return Figure(
        metric,
        "relational",
        "team",
        1,
        "rolling12m",
        value=100 * (promoters - detractors) / n,
        low=ends.low,
        high=ends.high,
        n=n,
        clients=n,
        gate="",
        detail={"promoter": promoters, "passive": passives, "detractor": detractors},
    )


def test_parts_are_tested_together_first_and_pairs_only_if_they_differ():
    alike = comparing.apart([part(10, 5, 5), part(11, 5, 4), part(9, 6, 5)])
    assert (alike.pairs, alike.differs, alike.df) == ([], False, 2)
    assert alike.p_value > 0.05
    apart = comparing.apart([part(40, 5, 5), part(39, 6, 5), part(5, 5, 40)])
    assert apart.p_value < 0.05
    assert [(pair.one, pair.other, pair.differs) for pair in apart.pairs] == [
        (0, 1, False),
        (0, 2, True),
        (1, 2, True),
    ]
    expected = formulas.p_adjust([pair.p_value for pair in apart.pairs])
    assert [pair.p_adjusted for pair in apart.pairs] == expected


def test_withheld_parts_are_not_compared_and_one_part_has_no_test():
    withheld = queries.concealed(part(9, 0, 0), "MIN_CLIENTS")
    assert comparing.apart([part(9, 1, 1), withheld]) is None
    found = comparing.apart([withheld, part(40, 5, 5), part(5, 5, 40)])
    assert [(pair.one, pair.other, pair.differs) for pair in found.pairs] == [(1, 2, True)]


def test_team_is_not_compared_with_the_team_above_it(staff):
    teams = [staff.branch.pk, staff.east.pk, staff.west.pk]
    assert comparing.beside_each_other(teams) == teams[1:]
    assert comparing.beside_each_other([staff.branch.pk]) == [staff.branch.pk]


def quarters(values):
    """Stored quarters up to the last complete one; null is a gap."""
    keys = [f"{year}Q{quarter}" for year in range(2023, 2027) for quarter in range(1, 5)][3:15]
    for key, value in zip(keys, values, strict=True):
        if value is not None:
            Measurement.objects.create(
                metric="nps",
                population="relational",
                scope="bank",
                period=key,
                value=value,
                low=value - 5,
                high=value + 5,
                n=50,
                clients=50,
                method="adj_wald",
                version=1,
                parameter_set="ps-1",
                zone=ZONE,
                as_of=NOW,
            )


def course(viewer):
    ask = forms.read({"metric": "nps"}, viewer=viewer, at=NOW)
    (row,) = slicing.rows(ask, None, viewer=viewer, at=NOW)
    return comparing.course(ask, row.figure, at=NOW)


def test_trend_is_named_from_eight_quarters_on_and_only_if_the_test_allows(staff):
    quarters([None] * 4 + [1, 4, 9, 12, 17, 22, 24, 30])
    found = course(staff.qiu)
    assert (found.word, found.n, found.running) == ("rising", 8, "2026Q4")
    assert [fig.value for fig in found.figures[:4]] == [None] * 4
    assert found.control is not None
    assert found.control.mean == pytest.approx(14.875)


def test_seven_quarters_have_neither_trend_nor_limits(staff):
    quarters([None] * 5 + [1, 4, 9, 12, 17, 22, 24])
    found = course(staff.qiu)
    assert (found.word, found.control, found.n) == ("", None, 7)


def test_quarter_outside_the_limits_is_a_signal(staff):
    quarters([20, 21, 20, 19, 20, 21, 20, 19, 20, 21, 20, 60])
    assert course(staff.qiu).control.signals == {"2026Q3"}
