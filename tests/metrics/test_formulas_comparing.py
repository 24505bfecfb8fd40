"""Differences of NPS and families of tests at their edges."""

import pytest

from metrics.formulas import comparing, uncertainty
from metrics.formulas.answers import Counts
from metrics.formulas.uncertainty import Interval, Test

NAN = float("nan")
ALL, NONE, SPREAD = Counts(p=5), Counts(d=5), Counts(3, 4, 13)


def test_difference_refuses_a_method_or_level_that_is_none():
    with pytest.raises(ValueError, match="unknown method 'score'"):
        comparing.nps_diff(SPREAD, SPREAD, method="score")
    with pytest.raises(ValueError, match="confidence"):
        comparing.nps_diff(SPREAD, SPREAD, conf=1)


def test_difference_to_an_empty_group_is_undefined():
    assert comparing.nps_diff(SPREAD, Counts()) is None
    assert comparing.nps_diff(Counts(), SPREAD) is None


def test_difference_without_spread_is_tested_only_with_pseudo_answers():
    plain = comparing.nps_diff(NONE, ALL, method="wald")
    assert (plain.z, plain.p_value, plain.significant) == (None, None, False)
    assert plain.ci == Interval(200, 200)
    equal = comparing.nps_diff(ALL, ALL, method="wald")
    assert (equal.z, equal.p_value, equal.ci) == (0, 1, Interval(0, 0))
    adjusted = comparing.nps_diff(NONE, ALL)
    assert adjusted.significant
    assert adjusted.ci.high < 200
    assert comparing.nps_diff(NONE, ALL, conf=0.999).ci.high == 200


def test_pairs_without_valid_answers_are_dropped():
    found = comparing.nps_diff_paired(["6", 8.5, "N/A", 9, 3], ["９", 9, 9, 10, 7])
    assert (found.n, found.diff) == (3, 100)
    assert comparing.nps_diff_paired([], []) is None
    with pytest.raises(ValueError, match="zip"):
        comparing.nps_diff_paired([9], [])


def test_pairs_that_all_move_alike_are_not_tested():
    found = comparing.nps_diff_paired([0, 6, 3], [9, 10, 9])
    assert (found.diff, found.se, found.t, found.p_value) == (200, 0, None, None)
    assert found.ci == found.shown_ci == Interval(200, 200)


def test_interval_of_few_pairs_is_shown_within_the_scale():
    found = comparing.nps_diff_paired([6, 3], [9, 7])
    assert found.ci.high > 700
    assert found.shown_ci == Interval(-200, 200)


def test_overlap_needs_two_values_on_each_side():
    assert comparing.nps_diff_overlap([1], [1, 0], []) is None
    assert comparing.nps_diff_overlap([1, 0], [None, 1], []) is None
    assert comparing.nps_diff_overlap([], [1, 0], []) is None


def test_overlap_of_one_unit_has_no_covariance():
    alone = comparing.nps_diff_overlap([1, 0, -1], [1, 1, 0], [(1, 1), (None, 0)])
    assert alone.both == 1
    assert alone.se == comparing.nps_diff_overlap([1, 0, -1], [1, 1, 0], []).se


def test_overlap_without_spread():
    assert comparing.nps_diff_overlap([1, 1], [1, 1], []).p_value == 1
    moved = comparing.nps_diff_overlap([-1, -1], [1, 1], [(-1, 1), (-1, 1)])
    assert (moved.z, moved.p_value, moved.shown_ci) == (None, None, Interval(200, 200))
    same = comparing.nps_diff_overlap([1, 0, -1], [1, 0, -1], [(1, 1), (0, 0), (-1, -1)])
    assert (same.se, same.z, same.p_value) == (0, 0, 1)


def test_labels_of_two_periods_share_their_clients():
    before = {"a": "promoter", "b": "passive", "c": "detractor", "d": None}
    after = {"b": "promoter", "c": "detractor", "d": "passive", "e": "promoter"}
    found = comparing.nps_diff_labels(before, after)
    assert found == comparing.nps_diff_overlap([1, 0, -1], [1, -1, 0, 1], [(0, 1), (-1, -1)])
    assert found.both == 2
    assert comparing.nps_diff_labels({}, after) is None


def test_groups_without_answers_are_left_out():
    found = comparing.nps_homogeneity([SPREAD, Counts(), ALL])
    assert found.df == 1
    assert comparing.nps_homogeneity([SPREAD, Counts()]) is None
    assert comparing.nps_homogeneity([]) is None
    assert comparing.nps_homogeneity([ALL, SPREAD], k=0) is None


def test_corrections_refuse_what_is_none():
    with pytest.raises(ValueError, match="unknown correction 'sidak'"):
        comparing.p_adjust([0.1], method="sidak")
    for value in (1.1, -0.1, NAN):
        with pytest.raises(ValueError, match="a p-value must lie in"):
            comparing.p_adjust([value])


def test_what_was_not_tested_does_not_count_as_a_test():
    assert comparing.p_adjust([None, 0.04, None]) == [None, 0.04, None]
    assert comparing.p_adjust([0.04, 0.01], method="none") == [0.04, 0.01]


def test_family_is_corrected_together_and_never_says_unchanged():
    tests = [Test(2.1, 0.04), Test(3.1, 0.002), None, Test(0.5, 0.6)]
    found = comparing.family(tests)
    assert [one.word for one in found] == [
        "not distinguishable",
        "changed",
        "not distinguishable",
        "not distinguishable",
    ]
    assert [one.p_adjusted for one in found] == [0.08, 0.006, None, 0.6]
    alone = comparing.family(tests[:1])
    assert (alone[0].word, alone[0].p_value) == ("changed", 0.04)
    assert comparing.family(tests, alpha=0.1, method="bh")[0].word == "changed"
    assert comparing.family([]) == []


def test_family_takes_every_kind_of_test():
    tests = [
        comparing.nps_diff(NONE, ALL),
        comparing.nps_diff_paired([6, 8, 9], [9, 9, 9]),
        uncertainty.welch([1, 2, 3], [7, 8, 9]),
    ]
    assert len({one.p_value for one in comparing.family(tests)}) == 3


def test_icc_at_its_edges():
    assert uncertainty.icc_anova([]) is None
    assert uncertainty.icc_anova([[1, 2]]) is None
    assert uncertainty.icc_anova([[1], [2]]) is None
    assert uncertainty.icc_anova([[1, 1], [1, NAN], [], [None]]).icc is None
    assert uncertainty.icc_anova([[0, 1], [0, 1]]).icc == -1


def test_design_effect_at_its_edges():
    assert uncertainty.deff_icc([], 0.5) is None
    assert uncertainty.deff_icc([0], 0.5) is None
    assert uncertainty.deff_icc([3], None) is None
    assert uncertainty.deff_icc([3], NAN) is None
    with pytest.raises(ValueError, match="size of a group"):
        uncertainty.deff_icc([-1], 0.5)
