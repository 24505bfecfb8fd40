"""The parts of the engagement index at their edges."""

from dataclasses import replace

import numpy as np
import pytest

from metrics.formulas import engagement, indices
from metrics.formulas.parameters import DEFAULT, Engagement
from metrics.formulas.uncertainty import Interval

NAN, INF = float("nan"), float("inf")
RULES = DEFAULT.engagement
FULL = {"login": 70.0, "pv": 55.5, "ctr": 40.0, "usage": 62.5, "offline": 30.0}


def column(*values):
    return np.array(values, dtype=float)


def test_events_without_age_or_value_do_not_count():
    assert engagement.decayed_sum([0, None, NAN, 0], [2, 1, 1, None]) == 2
    assert engagement.decayed_sum([0, 0], [NAN, INF]) == 0
    with pytest.raises(ValueError, match="zip"):
        engagement.decayed_sum([0], [1, 1])


def test_window_and_half_life_follow_the_rules():
    short = replace(RULES, window_days=30, half_life=10)
    assert engagement.decayed_sum([0, 10, 29.5, 30], rules=short) == pytest.approx(1.629409)
    assert engagement.weight(-0.001) == 0


def test_weight_of_a_day_is_on_the_grid_and_next_to_its_formula():
    for age in range(90):
        found = engagement.weight(age)
        assert (found * 2**36).is_integer()
        assert abs(found - 0.5 ** (age / 45)) <= 2**-37


def test_a_count_of_minus_one_and_below_lies_below_all():
    found = engagement.transformed(column(-2, -1, 0, NAN), log=True)
    assert found[:3].tolist() == [-INF, -INF, 0]
    assert np.isnan(found[3])


def test_block_of_events_without_values_counts_each_once():
    units, ages = np.array([0, 2, 2, 2]), np.array([0, 45, 90, -1])
    found = engagement.decayed_sum_columns(units, ages, units=4)
    assert found.tolist() == [1.0, 0.0, 0.5, 0.0]
    valued = engagement.decayed_sum_columns(units, ages, column(3, NAN, 1, 1), units=3)
    assert valued.tolist() == [3.0, 0.0, 0.0]
    empty = np.array([], dtype=int)
    assert engagement.decayed_sum_columns(empty, empty, units=2).tolist() == [0.0, 0.0]


def test_quantile_of_nothing_and_of_an_impossible_share():
    assert engagement.quantile7([None, NAN], 0.5) is None
    assert engagement.quantile7([7], 0.99) == 7
    with pytest.raises(ValueError, match=r"a quantile must lie in 0\.\.1, not 1\.5"):
        engagement.quantile7([1], 1.5)


def test_reference_bounds_of_nothing_and_of_shares():
    assert engagement.reference_bounds([]) is None
    assert engagement.reference_bounds([0.25, 0.25], log=False) == Interval(0.25, 0.25)


def test_reference_with_too_few_clients_is_refused():
    few, enough = [1.0] * 29 + [None], [1.0] * 30
    with pytest.raises(ValueError, match="reference of 'pv' needs at least 30 clients, not 29"):
        engagement.frozen_bounds("pv", few, log=True)
    with pytest.raises(ValueError, match="at least 30 clients, not 0"):
        engagement.frozen_bounds("pv", [], log=True)
    assert engagement.frozen_bounds("pv", enough, log=False) == Interval(1, 1)


def test_prior_of_too_few_clients_is_refused():
    with pytest.raises(ValueError, match="reference of 'ctr' needs at least 30 clients, not 29"):
        engagement.frozen_prior([0] * 30, [9] * 29 + [0])
    with pytest.raises(ValueError, match="not 0"):
        engagement.frozen_prior([], [])
    assert engagement.frozen_prior([1] * 30, [9] * 30).mu == pytest.approx(1 / 9)


@pytest.mark.parametrize(
    ("x", "bounds", "log", "found"),
    [
        (NAN, Interval(0, 1), True, None),
        (3, None, True, None),
        (-1, Interval(0, 1), True, 0),
        (-7, Interval(0, 0), True, 0),
        (0, Interval(0, 0), True, 50),
        (0.5, Interval(1, 1), False, 0),
        (1, Interval(1, 1), False, 50),
        (INF, Interval(0, 1), True, 100),
        (-0.5, Interval(-1, 1), True, 100 * (np.log1p(-0.5) + 1) / 2),
    ],
)
def test_min_max_at_its_edges(x, bounds, log, found):
    score = engagement.norm_minmax(x, bounds, log=log)
    assert score == (None if found is None else pytest.approx(found))


def test_min_max_refuses_bounds_that_fall():
    with pytest.raises(ValueError, match="must not fall"):
        engagement.norm_minmax(1, Interval(2, 1))


def test_min_max_of_a_block_leaves_out_what_is_missing():
    found = engagement.norm_minmax_columns(
        column(1, NAN, 1, NAN), column(0, 0, NAN, 1), column(2, 2, 2, 1), log=False
    )
    assert np.isnan(found).tolist() == [False, True, True, True]
    assert found[0] == 50


def test_percentile_and_z_without_anything_to_compare_with():
    assert engagement.norm_percentile(3, []) is None
    assert engagement.norm_percentile(None, [1]) is None
    assert engagement.norm_percentile(NAN, [1]) is None
    assert engagement.norm_z(None, 1, 1) is None
    assert engagement.norm_z(1, 1, None) is None
    assert engagement.norm_z(99, 0, 1) == 100
    assert engagement.norm_z(-99, 0, 1) == 0
    with pytest.raises(ValueError, match="standard deviation must be at least 0"):
        engagement.norm_z(1, 1, -1)


def test_click_rate_refuses_what_cannot_be():
    with pytest.raises(ValueError, match="at most the impressions"):
        engagement.ctr_shrunk(3, 2, 0.03, 100)
    with pytest.raises(ValueError, match="at most the impressions"):
        engagement.ctr_shrunk(-1, 2, 0.03, 100)
    for mean, strength in ((-0.1, 9), (1.1, 9), (0.1, -9)):
        with pytest.raises(ValueError, match=r"a rate in 0\.\.1 and a strength"):
            engagement.ctr_shrunk(1, 2, mean, strength)
    with pytest.raises(ValueError, match="at most the impressions"):
        engagement.ctr_prior_moments([2], [1])
    with pytest.raises(ValueError, match="zip"):
        engagement.ctr_prior_moments([2], [])


def test_click_rate_without_clicks_or_prior_is_missing():
    assert engagement.ctr_shrunk(None, 2, 0.03, 100) is None
    assert engagement.ctr_shrunk(1, 2, None, 100) is None
    assert engagement.ctr_shrunk(1, 2, 0.03, 0) == 0.5


@pytest.mark.parametrize(
    ("clicks", "impressions", "mu", "rho", "strength"),
    [
        ([0, 0], [5, 9], 0, 0, 5000),
        ([5, 9], [5, 9], 1, 0, 5000),
        ([3], [9], 1 / 3, 0, 5000),
        ([1, 0], [1, 1], 0.5, 0, 5000),
        ([0, 50, 0, 50], [50, 50, 50, 50], 0.5, 197 / 147, 10),
    ],
)
def test_prior_where_dispersion_cannot_be_seen_or_is_extreme(
    clicks, impressions, mu, rho, strength
):
    found = engagement.ctr_prior_moments(clicks, impressions)
    assert (found.mu, found.rho, found.strength) == (
        pytest.approx(mu),
        pytest.approx(rho),
        strength,
    )


def test_prior_of_no_impressions_is_undefined():
    assert engagement.ctr_prior_moments([0, 0], [0, 0]) is None


def test_usage_refuses_more_used_than_held():
    for used, held in ((3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="at most those held"):
            engagement.usage_score(used, held, 50)


def test_usage_without_products_or_depth():
    assert engagement.usage_score(None, 3, 50) is None
    assert engagement.usage_score(0, 0, None) is None
    assert engagement.usage_score(1, 2, NAN) == 50
    assert engagement.usage_score(1, 2, 0, rules=replace(RULES, breadth_share=0.8)) == 40


def test_missing_components_keep_their_reason():
    scores = FULL | {"login": None, "pv": NAN, "ctr": INF}
    found = engagement.cei(scores, reasons={"login": "NO_CONTRACT", "usage": "LOG_OUTAGE"})
    assert found.reasons == {"login": "NO_CONTRACT", "pv": "NO_DATA", "ctr": "NO_DATA"}
    assert found.coverage == 0.5
    assert found.cei == pytest.approx((0.3 * 62.5 + 0.2 * 30) / 0.5)
    assert found.reason is None


def test_index_below_its_coverage_says_so():
    found = engagement.cei({"usage": 50.0})
    assert (found.cei, found.coverage, found.reason) == (None, 0.3, "LOW_COVERAGE")
    assert engagement.cei({}).coverage == 0


def test_component_without_weight_alone_makes_no_index():
    rules = Engagement(
        weights=(("login", 0.5), ("pv", 0.5), ("ctr", 0.0), ("usage", 0.0), ("offline", 0.0)),
        min_coverage=0,
    )
    assert engagement.cei({"ctr": 40.0}, rules=rules).cei is None


def test_index_refuses_an_unknown_component_or_a_missing_column():
    with pytest.raises(ValueError, match="no component 'chat'"):
        engagement.cei(FULL | {"chat": 3.0})
    with pytest.raises(ValueError, match="one column for each of login, pv, ctr"):
        engagement.cei_columns({"login": column(1)})
    with pytest.raises(ValueError, match="needs 2 columns"):
        indices.weighted_index_columns(column(1), {"a": 0.5, "b": 0.5})
    with pytest.raises(ValueError, match="needs 2 columns"):
        indices.weighted_index_columns(np.ones((3, 1)), {"a": 0.5, "b": 0.5})


def test_index_refuses_weights_that_are_no_rule():
    with pytest.raises(ValueError, match=r"must sum to 1, not to 0\.9"):
        indices.weighted_index({"a": 1.0}, {"a": 0.5, "b": 0.4})
    with pytest.raises(ValueError, match="the weight of 'b' in the index must be 0 or more"):
        indices.weighted_index({"a": 1.0}, {"a": 1.5, "b": -0.5})


def test_change_is_undefined_where_an_index_is():
    assert engagement.cei_change(FULL, {"login": 3.0}) is None
    assert engagement.cei_change({"login": 3.0}, FULL) is None


def test_one_component_is_enough_for_an_index_without_other_rules():
    weights = {"a": 0.6, "b": 0.4}
    found = indices.weighted_index_columns(np.array([[NAN, 7.0], [3.0, NAN]]), weights)
    assert np.isnan(found.score[0])
    assert found.score[1] == indices.weighted_index({"a": 3.0}, weights).score == 3


def test_empty_block_has_an_empty_index():
    found = engagement.cei_columns({name: column() for name in FULL})
    assert found.score.shape == (0,)
    assert found.contributions.shape == (0, 5)
