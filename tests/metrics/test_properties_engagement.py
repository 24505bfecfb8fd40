"""What must hold of engagement, health and client scores for any data (metrics-spec 14)."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from metrics.formulas import engagement, health, indices
from metrics.formulas.parameters import DEFAULT, ENGAGEMENT, HEALTH
from metrics.formulas.uncertainty import Interval

POINTS = st.floats(0, 100)
SCORE = st.one_of(POINTS, POINTS, POINTS, st.none())
SCORES = st.fixed_dictionaries(dict.fromkeys(ENGAGEMENT, SCORE))
BLOCK = st.lists(SCORES, max_size=12)
EVENTS = st.lists(st.tuples(st.integers(0, 4), st.integers(-5, 120), st.integers(0, 9)))
COUNT = st.floats(-2, 1e6) | st.integers(-2, 500) | st.just(math.nan)
BOUND = st.floats(-1, 12) | st.sampled_from([0.0, 1.0])
RULES = DEFAULT.engagement


def reported(scores):
    found = engagement.cei(scores)
    assume(found.cei is not None)
    return found


def same(single, row):
    """Bit for bit; null in the one is NaN in the other."""
    return math.isnan(row) if single is None else single == row


def columns(rows, names):
    return {
        name: np.array([math.nan if row[name] is None else row[name] for row in rows])
        for name in names
    }


@given(SCORES)
def test_contributions_add_to_the_index_which_stays_in_range(scores):
    found = reported(scores)
    assert 0 <= found.cei <= 100
    assert math.fsum(found.contributions.values()) == pytest.approx(found.cei, rel=1e-9, abs=1e-9)
    assert math.fsum(found.effective_weights.values()) == pytest.approx(1, rel=1e-9)


@given(SCORES, st.sampled_from(ENGAGEMENT), POINTS, POINTS)
def test_index_never_falls_when_a_component_rises(scores, name, one, two):
    before = reported(scores | {name: min(one, two)})
    assert engagement.cei(scores | {name: max(one, two)}).cei >= before.cei


@given(st.floats(0, 100), st.sets(st.sampled_from(ENGAGEMENT), min_size=1))
def test_equal_components_give_their_value_whatever_is_missing(value, there):
    assert reported(dict.fromkeys(there, value)).cei == value


@given(SCORES, SCORES)
def test_parts_of_a_change_add_up_to_it(before, after):
    one, two = reported(before), reported(after)
    found = engagement.cei_change(before, after)
    parts = math.fsum(part.behaviour + part.weight for part in found.parts.values())
    assert parts == pytest.approx(two.cei - one.cei, rel=1e-9, abs=1e-9)
    assert found.change == two.cei - one.cei


@given(BLOCK, SCORES)
def test_another_client_changes_no_other_clients_index(rows, newcomer):
    alone = engagement.cei_columns(columns(rows, ENGAGEMENT))
    beside = engagement.cei_columns(columns([newcomer, *rows], ENGAGEMENT))
    assert np.array_equal(beside.score[1:], alone.score, equal_nan=True)
    assert np.array_equal(beside.contributions[1:], alone.contributions, equal_nan=True)


@given(st.data(), st.floats(0, 1), st.floats(0, 5000))
def test_shrunken_click_rate_lies_between_raw_rate_and_prior(data, prior, strength):
    n = data.draw(st.integers(1, 10**6))
    x = data.draw(st.integers(0, n))
    low, high = sorted((x / n, prior))
    assert low - 1e-12 <= engagement.ctr_shrunk(x, n, prior, strength) <= high + 1e-12


@given(st.lists(st.tuples(st.integers(0, 200), st.floats(0, 1e3))), st.integers(1, 60))
def test_decayed_sum_never_rises_without_new_events(events, days):
    ages, values = [age for age, _ in events], [value for _, value in events]
    later = engagement.decayed_sum([age + days for age in ages], values)
    assert later <= engagement.decayed_sum(ages, values)


@given(EVENTS)
def test_decayed_sums_of_a_block_are_those_of_each_client(events):
    unit, ages, halves = (
        (np.array(part, dtype=int) for part in zip(*events, strict=True))
        if (events)
        else (np.array([], dtype=int),) * 3
    )
    found = engagement.decayed_sum_columns(unit, ages, halves / 2, units=5)
    turned = engagement.decayed_sum_columns(unit[::-1], ages[::-1], halves[::-1] / 2, units=5)
    single = [
        engagement.decayed_sum(
            [age for u, age, _ in events if u == one], [v / 2 for u, _, v in events if u == one]
        )
        for one in range(5)
    ]
    assert found.tolist() == turned.tolist() == single


@given(st.lists(st.tuples(COUNT, BOUND, BOUND), min_size=1, max_size=40), st.booleans())
def test_min_max_of_a_block_is_that_of_each_client(rows, log):
    ordered = [(x, min(one, two), max(one, two)) for x, one, two in rows]
    x, low, high = (np.array(part, dtype=float) for part in zip(*ordered, strict=True))
    found = engagement.norm_minmax_columns(x, low, high, log=log)
    for (value, one, two), row in zip(ordered, found, strict=True):
        single = engagement.norm_minmax(value, Interval(one, two), log=log)
        assert same(single, row)
        assert single is None or 0 <= single <= 100


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99), st.floats(0, 1)), min_size=1))
def test_click_rates_of_a_block_are_those_of_each_client(rows):
    x, n, prior = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    x, n = np.minimum(x, n), np.maximum(x, n)
    strength = np.full(len(x), 197.3)
    found = engagement.ctr_shrunk_columns(x, n, prior, strength)
    for i, row in enumerate(found):
        assert same(engagement.ctr_shrunk(x[i], n[i], prior[i], 197.3), row)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), SCORE), min_size=1))
def test_usage_of_a_block_is_that_of_each_client(rows):
    used = np.array([min(a, b) for a, b, _ in rows], dtype=float)
    held = np.array([max(a, b) for a, b, _ in rows], dtype=float)
    depth = np.array([math.nan if d is None else d for _, _, d in rows])
    found = engagement.usage_score_columns(used, held, depth)
    for i, (_, _, d) in enumerate(rows):
        single = engagement.usage_score(used[i], held[i], d)
        assert same(single, found[i])
        assert single is None or 0 <= single <= 100


@given(BLOCK)
def test_index_of_a_block_is_that_of_each_client(rows):
    found = engagement.cei_columns(columns(rows, ENGAGEMENT))
    for i, scores in enumerate(rows):
        single = engagement.cei(scores)
        assert same(single.cei, found.score[i])
        assert single.coverage == found.coverage[i]
        for j, name in enumerate(ENGAGEMENT):
            assert same(single.contributions.get(name), found.contributions[i, j])
            assert same(single.effective_weights.get(name), found.effective_weights[i, j])


@given(st.lists(st.tuples(SCORES, SCORES), max_size=12))
def test_changes_of_a_block_are_those_of_each_client(rows):
    sides = [columns([row[side] for row in rows], ENGAGEMENT) for side in (0, 1)]
    blocks = [np.column_stack([side[name] for name in ENGAGEMENT]) for side in sides]
    found = engagement.cei_change_columns(*map(engagement.cei_columns, sides), *blocks)
    for i, (before, after) in enumerate(rows):
        single = engagement.cei_change(before, after)
        assert same(single and single.change, found.change[i])
        for j, name in enumerate(ENGAGEMENT):
            assert same(single and single.parts[name].behaviour, found.behaviour[i, j])
            assert same(single and single.parts[name].weight, found.weight[i, j])


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(HEALTH, SCORE)), max_size=12))
def test_health_of_a_block_is_that_of_each_client(rows):
    found = health.relationship_health_columns(**columns(rows, HEALTH))
    for i, parts in enumerate(rows):
        single = health.relationship_health(**parts)
        assert same(single.score, found.score[i])
        assert single.coverage == found.coverage[i]


@given(
    SCORE,
    SCORE,
    SCORE,
    st.lists(st.tuples(st.sampled_from(["A", "B"]), st.floats(0, 100)), max_size=3),
)
def test_ceilings_only_lower_health(trust, satisfaction, loyalty, caps):
    found = health.relationship_health(trust, satisfaction, loyalty, caps=caps)
    free = health.relationship_health(trust, satisfaction, loyalty)
    assert found.uncapped == free.score
    if free.score is not None:
        assert found.score == min([free.score, *(ceiling for _, ceiling in caps)])
        assert (found.cap_applied is None) == (found.score == free.score)


@given(st.lists(st.floats(0, 1e3), min_size=1, max_size=40), st.floats(0, 1), st.floats(0, 1))
def test_quantiles_rise_and_stay_among_the_values(values, one, two):
    low, high = (engagement.quantile7(values, q) for q in sorted((one, two)))
    slack = 1e-9 * max(values)
    assert min(values) - slack <= low <= high + slack <= max(values) + 2 * slack


@given(st.dictionaries(st.text(max_size=3), SCORE, min_size=1, max_size=6), st.floats(0, 1))
def test_any_index_keeps_its_coverage_rule(scores, floor):
    weights = dict.fromkeys(scores, 1 / len(scores))
    found = indices.weighted_index(scores, weights, min_coverage=floor)
    there = sum(score is not None for score in scores.values())
    assert found.coverage == pytest.approx(there / len(scores))
    assert (found.score is None) == (there == 0 or there / len(scores) < floor - 1e-9)
