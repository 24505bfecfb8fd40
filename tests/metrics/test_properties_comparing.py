"""What must hold of differences, families and trends for any data (metrics-spec 3.7-3.10, 14)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from metrics.formulas import comparing, trends, uncertainty
from metrics.formulas.answers import Counts
from metrics.formulas.parameters import CORRECTIONS

COUNT = st.integers(0, 40)
SOME = st.builds(Counts, COUNT, COUNT, COUNT).filter(lambda counts: counts.n > 0)
CODE = st.sampled_from([-1, 0, 1])
SCORE = st.integers(0, 10)
PVALS = st.lists(st.floats(0, 1) | st.none(), max_size=12)


def near(x, y):
    return (x is None and y is None) or x == pytest.approx(y, rel=1e-9, abs=1e-9)


@given(SOME, SOME, st.sampled_from(["adj_wald", "wald"]))
def test_difference_the_other_way_round_is_its_negative_with_the_same_p(a, b, method):
    one, two = (comparing.nps_diff(*pair, method=method) for pair in ((a, b), (b, a)))
    assert two.diff_raw == -one.diff_raw
    assert near(two.diff_used, -one.diff_used)
    assert near(two.p_value, one.p_value)
    assert (near(two.ci.low, -one.ci.high), near(two.ci.high, -one.ci.low)) == (True, True)


@given(SOME, SOME)
def test_swapping_promoters_and_detractors_flips_the_difference(a, b):
    found = comparing.nps_diff(a, b)
    mirrored = comparing.nps_diff(Counts(a.p, a.s, a.d), Counts(b.p, b.s, b.d))
    assert mirrored.diff_raw == -found.diff_raw
    assert near(mirrored.ci.low, -found.ci.high)
    assert near(mirrored.p_value, found.p_value)


@given(SOME, SOME, st.floats(0.5, 0.999))
def test_interval_of_a_difference_stays_on_its_scale(a, b, conf):
    found = comparing.nps_diff(a, b, conf=conf)
    assert -200 <= found.ci.low <= found.ci.high <= 200
    assert found.ci.low <= found.diff_used <= found.ci.high


@given(st.lists(st.tuples(SCORE, SCORE), min_size=2, max_size=40))
def test_full_overlap_reproduces_the_paired_error(pairs):
    before, after = zip(*pairs, strict=True)
    paired = comparing.nps_diff_paired(before, after)
    codes = [(code(a), code(b)) for a, b in pairs]
    y1, y2 = zip(*codes, strict=True)
    found = comparing.nps_diff_overlap(y1, y2, codes)
    assert found.diff == pytest.approx(paired.diff, abs=1e-9)
    assert found.se == pytest.approx(paired.se, abs=1e-4)


def code(score):
    return 1 if score >= 9 else 0 if score >= 7 else -1


@given(st.lists(CODE, min_size=2, max_size=30), st.lists(CODE, min_size=2, max_size=30))
def test_overlap_the_other_way_round_is_its_negative(y1, y2):
    both = list(zip(y1, y2, strict=False))
    one = comparing.nps_diff_overlap(y1, y2, both)
    two = comparing.nps_diff_overlap(y2, y1, [(b, a) for a, b in both])
    assert near(two.diff, -one.diff)
    assert near(two.se, one.se)
    assert near(two.p_value, one.p_value)


@given(st.lists(SOME, min_size=2, max_size=6))
def test_homogeneity_ignores_the_order_of_groups(groups):
    one, two = comparing.nps_homogeneity(groups), comparing.nps_homogeneity(groups[::-1])
    assert near(one.q, two.q)
    assert near(one.pooled, two.pooled)
    assert 0 <= one.p_value <= 1


@given(SOME, SOME)
def test_homogeneity_of_two_groups_is_their_difference(a, b):
    found, pair = comparing.nps_homogeneity([a, b]), comparing.nps_diff(a, b)
    assert found.q == pytest.approx(pair.z**2, rel=1e-9, abs=1e-9)
    assert found.p_value == pytest.approx(pair.p_value, abs=1e-9)


@given(PVALS, st.sampled_from(CORRECTIONS))
def test_corrected_p_values_are_not_smaller_and_keep_the_order(pvals, method):
    found = comparing.p_adjust(pvals, method=method)
    pairs = sorted((p, q) for p, q in zip(pvals, found, strict=True) if p is not None)
    assert all(p <= q <= 1 for p, q in pairs)
    assert [q for _, q in pairs] == sorted(q for _, q in pairs)
    assert [q is None for q in found] == [p is None for p in pvals]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_benjamini_hochberg_agrees_with_another_implementation(pvals):
    found = comparing.p_adjust(pvals, method="bh")
    assert found == pytest.approx(stats.false_discovery_control(pvals), abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_family_says_changed_exactly_below_alpha(pvals):
    tests = [uncertainty.Test(0.0, p) for p in pvals]
    for one in comparing.family(tests):
        assert (one.word == "changed") == (one.p_adjusted < 0.05)


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=20), st.integers(1, 5))
def test_trend_the_other_way_round_is_its_negative(values, step):
    one, two = trends.mann_kendall(values), trends.mann_kendall([-x for x in values])
    assert (two.s, two.var, two.z) == (-one.s, one.var, -one.z)
    assert one.p_value == two.p_value
    x = [step * i for i in range(len(values))]
    slope = trends.theil_sen(x, values)
    assert slope == pytest.approx(stats.theilslopes(values, x).slope, abs=1e-9)


@given(st.lists(st.floats(-100, 100), min_size=8, max_size=30))
def test_chart_is_centred_and_signals_only_what_lies_outside(values):
    found = trends.xmr(values)
    assert found.lcl <= found.mean <= found.ucl
    assert all(not found.lcl <= values[i] <= found.ucl for i in found.signals)


@given(st.lists(st.floats(-100, 100), max_size=30), st.floats(0.01, 1))
def test_smoothed_values_stay_among_the_values(values, lam):
    found = trends.ewma(values, lam=lam)
    assert len(found) == (len(values) + 1 if values else 0)
    assert all(min(values) - 1e-9 <= level <= max(values) + 1e-9 for level in found)


VOTES = st.dictionaries(st.integers(1, 12), CODE, max_size=12)


@given(VOTES, VOTES)
def test_votes_as_columns_differ_as_they_do_one_by_one(one, two):
    shared = sorted(one.keys() & two.keys())
    both = [(one[client], two[client]) for client in shared]
    plain = comparing.nps_diff_overlap(list(one.values()), list(two.values()), both)
    sides = [[held[client] for client in shared] for held in (one, two)]
    found = comparing.votes_overlap(*map(column, (one.values(), two.values(), *sides)))
    assert (found is None) == (plain is None)
    if plain is not None:
        assert (near(found.diff, plain.diff), found.both) == (True, plain.both)
        assert (near(found.se, plain.se), near(found.p_value, plain.p_value)) == (True, True)


@given(st.lists(st.tuples(CODE, CODE), max_size=20))
def test_pairs_of_votes_as_columns_differ_as_they_do_one_by_one(pairs):
    answer = {1: 10, 0: 8, -1: 0}
    before, after = ([pair[side] for pair in pairs] for side in (0, 1))
    plain = comparing.nps_diff_paired(
        [answer[vote] for vote in before], [answer[vote] for vote in after]
    )
    found = comparing.votes_paired(column(before), column(after))
    assert (found is None) == (plain is None)
    if plain is not None:
        assert (near(found.diff, plain.diff), found.n) == (True, plain.n)
        assert (near(found.se, plain.se), near(found.p_value, plain.p_value)) == (True, True)


def column(votes):
    return np.array(list(votes), dtype=np.float64)
