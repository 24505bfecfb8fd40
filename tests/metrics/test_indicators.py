"""Each indicator against counts made by hand, and the verdict of the gate."""

from datetime import date

import numpy as np
import pytest

from metrics import indicators, storing
from metrics.facts import answers, requests
from metrics.facts.columns import DIMENSIONS
from metrics.facts.exposure import Exposure
from metrics.facts.tables import Table
from metrics.formulas import uncertainty
from metrics.indicators import Given, clients, rates
from metrics.storing import Stamp, Unit
from tests.factories import NOW

BY_NAME = indicators.by_name(indicators.UNITS)
STAMP = Stamp("ps-test", "Asia/Shanghai", NOW)


def make_sums(*given, closed=0):
    """The sums of clients 1, 2, 3 …; each is told by its values by item."""
    empty = answers.empty()
    held = {name: np.zeros(len(given)) for name in empty.columns}
    for place, values in enumerate(given):
        _take_nps(held, place, values.get("nps", ()), closed)
        for name in DIMENSIONS:
            _take(held, place, name, values.get(name, ()), "top", 4, closed)
        _take(held, place, "ces", values.get("ces", ()), "easy", 5, closed)
        _take(held, place, "csat", values.get("csat", ()), None, 0, closed)
    return Table(np.arange(1, len(given) + 1), held)


def _take_nps(held, place, scores, closed):
    open_ = scores[: len(scores) - closed] if closed else scores
    for score in scores:
        held[f"h{score}"][place] += 1
        held["p" if score > 8 else "s" if score > 6 else "d"][place] += 1
    for name in ("n", "weight"):
        held[name][place] = len(scores)
    for name in ("total", "weighted"):
        held[name][place] = sum(scores)
    held["coded"][place] = held["p"][place] - held["d"][place]
    held["open_n"][place] = held["open_weight"][place] = len(open_)
    held["open_total"][place] = sum(open_)


def _take(held, place, name, values, what, floor, closed):
    held[f"{name}_n"][place] = len(values)
    held[f"{name}_total"][place] = sum(values)
    held[f"{name}_squares"][place] = sum(value * value for value in values)
    held[f"{name}_open"][place] = max(0, len(values) - closed)
    if what:
        held[f"{name}_{what}"][place] = sum(value >= floor for value in values)


def make_requests(*given):
    held = {
        name: np.array([float(one.get(name, 0)) for one in given]) for name in requests.OUTCOMES
    }
    return Table(np.arange(1, len(given) + 1), held | {"asked": sum(held.values())})


def make_given(*sums, eligible=None, exposure=None, outcomes=(), **more):
    table = make_sums(*sums, **more)
    base = table.ids if eligible is None else np.array(eligible)
    if exposure is not None:
        ids = np.arange(1, len(exposure) + 1)
        amounts = np.array(exposure, dtype=float)
        exposure = Exposure(date(2026, 11, 24), "CNY", ids, amounts, np.zeros(len(amounts)))
    return Given(table, make_requests(*outcomes), base, exposure)


def read(metric, given):
    return BY_NAME[metric].read(given)


def each(metric, given):
    """The stored rows of one metric, client by client."""
    batches = clients.read(given.answers, given.requests)
    rows = [row for one in batches for row in storing.of_batch(one, "relational", "p", STAMP)]
    return {row.scope_id: storing.measurement(row) for row in rows if row.metric == metric}


def test_interval_of_a_hundred_and_seventy_two_promoters_is_the_published_one():
    scores = [9] * 172 + [8] * 100 + [0] * 40
    given = make_given(*({"nps": [score]} for score in scores))
    for metric in ("nps", "nps_respondent"):
        found = read(metric, given)
        assert round(found.value, 1) == 42.3
        assert (round(found.low, 1), round(found.high, 1)) == (34.1, 49.7)
        assert (found.n, found.clients) == (312, 312)


def test_one_client_has_one_vote_however_many_answer():
    given = make_given({"nps": [10, 10, 10, 10]}, {"nps": [0]})
    found = read("nps", given)
    assert (found.value, found.n, found.clients) == (0, 5, 2)
    assert [found.detail[name] for name in ("promoter", "passive", "detractor")] == [1, 0, 1]
    assert read("nps_respondent", given).value == 60


def test_mean_of_eight_and_a_half_is_passive_in_the_vote_but_not_in_its_fraction():
    found = read("nps", make_given({"nps": [8, 9]}))
    assert (found.detail["passive"], found.detail["fractional"]) == (1, 50)


def test_client_with_promoters_and_detractors_is_split():
    assert read("nps", make_given({"nps": [9, 6]}, {"nps": [9, 7]})).detail["split"] == 1


def test_census_has_no_interval_of_a_finite_population():
    given = make_given(*({"nps": [9]} for _number in range(6)))
    detail = read("nps", given).detail
    assert (detail["census"], detail["low_finite"], detail["high_finite"]) == (True, None, None)


def test_half_of_the_eligible_narrow_the_interval_and_all_silent_bound_it():
    given = make_given(*({"nps": [9]} for _number in range(6)), eligible=range(1, 14))
    found = read("nps", given)
    assert found.low < found.detail["low_finite"] < found.detail["high_finite"] == 100
    assert not found.detail["census"]
    assert found.coverage == 6 / 13
    assert (found.detail["low_silent"], found.detail["high_silent"]) == (-100 / 13, 100)
    half = make_given(*({"nps": [9]} for _number in range(6)), eligible=range(1, 13))
    assert "low_silent" not in read("nps", half).detail


def test_screen_says_how_many_answers_it_takes():
    detail = read("nps", make_given({"nps": [9]}, eligible=range(1, 151))).detail
    assert (detail["needed"], detail["needed_difference"]) == (131, 1047)


def test_published_fixture_by_answer_client_and_exposure():
    given = make_given(
        {"nps": [10, 10, 9, 9, 9, 10]},
        {"nps": [3]},
        {"nps": [7]},
        eligible=[1, 2, 3, 4],
        exposure=[100, 500, 100, 300],
    )
    assert round(read("nps_respondent", given).value, 1) == 62.5
    assert read("nps", given).value == 0
    found = read("nps_exposure", given)
    assert round(found.value, 1) == -57.1
    assert (found.coverage, found.coverage_exposure) == (0.75, 0.7)
    assert found.detail["exposure"] == 700
    assert found.detail["max_share"] == 500 / 700
    assert found.detail["capped"] == 0
    assert found.decide().reasons == (
        "DOMINANCE",
        "LOW_EFFECTIVE_N",
        "MIN_CLIENTS",
        "WEIGHT_DOMINANCE",
    )


def test_equal_weights_are_the_votes_with_their_interval():
    sums = [{"nps": [score]} for score in (9, 9, 8, 0, 10, 3, 7)]
    given = make_given(*sums, exposure=[10] * 7)
    plain, weighted = read("nps", given), read("nps_exposure", given)
    assert weighted.value == pytest.approx(plain.value)
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high))
    assert weighted.detail["n_eff"] == pytest.approx(7)
    assert "capped" not in weighted.detail


def test_nothing_at_stake_is_a_reason_and_not_zero():
    given = make_given(*({"nps": [9]} for _number in range(6)), exposure=[0] * 6)
    found = read("nps_exposure", given)
    assert (found.value, found.decide().reasons) == (None, ("ZERO_EXPOSURE",))
    assert read("coverage_exposure", given).decide().reasons == ("ZERO_EXPOSURE",)
    assert read("nps_exposure", make_given({"nps": [9]})) is None


def test_score_zero_is_a_detractor_and_stands_in_the_counts():
    found = read("nps_respondent", make_given({"nps": [0, 6, 7, 9]}))
    assert found.detail["counts"] == [1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0]
    assert [found.detail[name] for name in ("detractors", "passives", "promoters")] == [2, 1, 1]
    assert (found.value, found.detail["low_cluster"]) == (-25, None)


def test_answers_that_hang_together_by_client_are_less_sure():
    together = make_given(*({"nps": [score] * 4} for score in (9, 9, 9, 0, 0, 8)))
    found = read("nps_respondent", together)
    assert found.detail["low_cluster"] < found.low
    assert found.detail["deff"] > 3


def test_dimension_is_the_share_of_four_and_five_with_its_mean_beside():
    given = make_given({"response_speed": [5, 4]}, {"response_speed": [3, 1]})
    found = read("csat_response_speed", given)
    assert (found.value, found.detail["mean"]) == (0.5, 3.25)
    assert (found.detail["top2"], found.detail["n"]) == (2, 4)
    assert (round(found.low, 3), round(found.high, 3)) == (0.150, 0.850)
    assert (found.detail["mean_low"], found.detail["mean_high"]) == (1, 5)
    found = read("csat_response_speed", make_given({"response_speed": [3, 3, 4, 4]}))
    half = 3.182446 * np.std([3, 3, 4, 4], ddof=1) / 2
    assert found.detail["mean_low"] == pytest.approx(3.5 - half)
    assert found.detail["mean_high"] == pytest.approx(3.5 + half)


def test_composite_is_the_mean_over_responses_with_the_error_by_client():
    found = read("csat", make_given({"csat": [100, 80]}, {"csat": [50]}))
    assert (found.n, found.clients) == (3, 2)
    assert found.value == pytest.approx(230 / 3)
    assert found.detail["client_mean"] == 70
    assert (found.low, found.high) == (0, 100)
    given = make_given({"csat": [90, 80, 85]}, {"csat": [70]}, {"csat": [75, 65]})
    single = uncertainty.cluster_mean([90, 80, 85, 70, 75, 65], [1] * 6, "aaabcc")
    found, half = read("csat", given), 4.302652730 * single.se
    assert found.value == pytest.approx(single.mean)
    assert (found.low, found.high) == (
        pytest.approx(single.mean - half),
        pytest.approx(min(single.mean + half, 100)),
    )


def test_composite_of_one_response_a_client_has_the_interval_of_the_mean():
    found = read("csat", make_given(*({"csat": [value]} for value in (60, 70, 95, 80))))
    plain = uncertainty.mean_interval([60, 70, 95, 80])
    assert (found.value, found.low) == (plain.mean, pytest.approx(plain.ci.low))
    assert read("csat", make_given({"csat": [60, 70]})).low is None


def test_composite_whose_dimensions_do_not_hang_together_is_withheld():
    given = make_given(*({"csat": [50]} for _number in range(6)))
    held = given.answers.columns
    for name, items in zip(
        DIMENSIONS, ([1, 5, 2, 4, 3, 3], [5, 1, 4, 2, 3, 3], [3] * 6), strict=True
    ):
        held[f"full_{name}_total"][:] = items
        held[f"full_{name}_squares"][:] = np.square(items)
    held["full_n"][:] = 1
    held["full_squares"][:] = 81
    assert read("csat", given).detail["alpha"] is None
    held["full_squares"][0] = 100
    found = read("csat", given)
    assert found.detail["alpha"] < 0.7
    assert found.decide().reasons == ("ALPHA_LOW",)


def test_ease_is_its_mean_with_the_share_that_found_it_easy():
    found = read("ces", make_given({"ces": [7, 5]}, {"ces": [4, 1]}))
    assert (found.value, found.detail["easy_share"], found.detail["easy"]) == (4.25, 0.5, 2)
    assert found.low < 4.25 < found.high
    assert read("ces", make_given({"ces": [7]})).low is None


def test_response_rate_counts_partials_and_keeps_the_silent_in_the_base():
    given = make_given(outcomes=({"i": 2, "nc": 1}, {"p": 1, "r": 1}, {"nc": 5}))
    rate = read("response_rate", given)
    assert (rate.value, rate.eligible, rate.n, rate.clients) == (0.3, 10, 3, 2)
    assert rate.detail == {"complete": 2, "partial": 1, "refused": 1, "silent": 6}
    by_client = read("client_response_rate", given)
    assert (by_client.value, by_client.eligible) == (pytest.approx(2 / 3), 3)


def test_exposure_coverage_is_that_of_whoever_answered_anything():
    given = make_given({"csat": [50]}, {}, eligible=[2, 3], exposure=[10, 20, 70])
    given = Given(
        given.answers.take(np.array([0])), given.requests, given.eligible, given.exposure
    )
    found = read("coverage_exposure", given)
    # Who answered without being eligible is added to the base.
    assert (found.value, found.eligible) == (0.1, 3)


def test_silence_is_the_share_of_exposure_that_said_nothing():
    exposure = make_given(exposure=[10, 20, 70]).exposure
    found = rates.silent(np.array([1, 2, 3]), exposure, np.array([2]))
    assert (found.value, found.detail["amount"], found.clients) == (0.8, 80, 2)
    assert rates.silent(np.array([4]), exposure, np.array([2])).reasons == ("ZERO_EXPOSURE",)
    assert rates.silent(np.array([], dtype=int), exposure, np.array([2])) is None


@pytest.mark.parametrize("metric", list(BY_NAME))
def test_nothing_answered_and_nobody_asked_is_no_figure(metric):
    assert read(metric, make_given(exposure=[])) is None


def test_four_clients_show_nothing():
    given = make_given(*({"nps": [9]} for _number in range(4)))
    assert read("nps", given).decide().reasons == ("MIN_CLIENTS", "MIN_RESPONSES")


def test_client_with_more_than_half_of_the_answers_hides_the_figure():
    many = [{"nps": [9]} for _number in range(4)]
    hidden = read("nps", make_given({"nps": [9] * 5}, *many)).decide()
    assert hidden.reasons == ("DOMINANCE",)
    assert read("nps", make_given({"nps": [9] * 4}, *many)).decide().show


def test_fewer_than_thirty_clients_are_flagged():
    for count, flags in ((29, ("LOW_BASE",)), (30, ())):
        given = make_given(*({"nps": [9]} for _number in range(count)))
        assert read("nps", given).decide().flags == flags


def test_rate_is_judged_by_those_asked_not_by_those_who_answered():
    asked = [{"nc": 1}] * 5
    shown = read("response_rate", make_given(outcomes=asked)).decide()
    assert (shown.show, shown.flags) == (True, ("LOW_BASE",))
    hidden = read("response_rate", make_given(outcomes=asked[:4])).decide()
    assert hidden.reasons == ("MIN_CLIENTS", "MIN_RESPONSES")


def test_mean_and_label_of_a_client_stand_on_attributable_answers_alone():
    open_ = make_given({"nps": [9, 8]})
    assert each("recommend_mean", open_)[1].value == 8.5
    assert each("client_label", open_)[1].label == "passive"
    secret = make_given({"nps": [9, 8]}, closed=2)
    assert each("recommend_mean", secret) == each("client_label", secret) == {}
    assert each("nps_respondent", secret)[1].n == 2


def test_composite_of_one_client_is_read_over_its_responses():
    found = each("csat", make_given({"csat": [60, 80, 100]}, {"csat": [60]}))
    assert (found[1].value, found[1].high) == (80, 100)
    assert found[1].low == pytest.approx(80 - 4.302653 * 20 / 3**0.5)
    assert (found[2].value, found[2].low, found[2].high) == (60, None, None)


def test_one_client_is_judged_by_answers_only():
    few = make_given({"nps": [9] * 4, "csat": [50] * 4, "ces": [5] * 4})
    for metric in ("nps_respondent", "csat", "ces"):
        assert each(metric, few)[1].gate == "MIN_RESPONSES"
    assert each("recommend_mean", few)[1].gate == each("client_label", few)[1].gate == ""
    enough = each("nps_respondent", make_given({"nps": [9] * 5}))[1]
    assert (enough.gate, enough.flags) == ("", "")


@pytest.mark.parametrize(
    ("closed", "gate"), [(0, ""), (1, "COMPLEMENTARY"), (4, "COMPLEMENTARY"), (5, "")]
)
def test_few_closed_answers_hide_the_figure_of_one_client_from_subtraction(closed, gate):
    count = 6 + closed
    given = make_given(
        {"nps": [9] * count, "csat": [50] * count, "response_speed": [4] * count}, closed=closed
    )
    for metric in ("nps_respondent", "csat", "csat_response_speed"):
        assert each(metric, given)[1].gate == gate
    assert each("recommend_mean", given)[1].gate == ""


def test_unit_of_one_client_and_the_client_itself_agree():
    given = make_given(
        {"nps": [9, 7, 3], "response_speed": [5, 3, 2], "ces": [7, 5, 2]},
        outcomes=({"i": 2, "nc": 1},),
    )
    unit = Unit("team", 1, "relational", "p")
    whole = {row.metric: row for row in storing.build(unit, given, STAMP)}
    for metric in ("nps_respondent", "csat_response_speed", "ces", "response_rate"):
        one, other = each(metric, given)[1], storing.measurement(whole[metric])
        assert one.value == pytest.approx(other.value)
        assert (one.low, one.high) == pytest.approx((other.low, other.high))
        assert one.detail == {key: pytest.approx(other.detail[key]) for key in one.detail}
