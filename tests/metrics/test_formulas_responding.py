"""Rates and completion at their edges."""

import pytest

from metrics.formulas import responding
from metrics.formulas.parameters import Responding
from metrics.formulas.responding import Cell, Dispositions


def test_rates_with_unknowns_only():
    found = responding.aapor(Dispositions(uh=3, uo=4), e=0)
    assert (found.rr1, found.rr3, found.rr5, found.coop1) == (0, None, None, None)


def test_rates_refuse_impossible_input():
    with pytest.raises(ValueError, match="negative"):
        Dispositions(nc=-1)
    with pytest.raises(ValueError, match="eligible"):
        responding.aapor(Dispositions(), e=1.1)


def test_eligibility_of_nothing_resolved():
    assert responding.eligibility(eligible_known=0, ineligible_known=0) is None


@pytest.mark.parametrize(
    ("answered", "asked", "core_answered", "core_asked", "found"),
    [
        (4, 5, 1, 1, "complete"),
        (12, 15, 1, 1, "complete"),
        (5, 5, 0, 0, "complete"),
        (2, 4, 0, 0, "partial"),
        (1, 4, 0, 0, "breakoff"),
        (10, 10, 1, 2, "partial"),
        (0, 0, 0, 0, "breakoff"),
        (1, 10, 1, 2, "breakoff"),
    ],
)
def test_completion(answered, asked, core_answered, core_asked, found):
    given = {"core_answered": core_answered, "core_asked": core_asked}
    assert responding.completion(answered=answered, asked=asked, **given) == found


def test_bias_at_its_edges():
    assert responding.nonresponse_bias(1, 20, -30) == 0
    assert responding.nonresponse_bias(None, 20, -30) is None
    assert responding.nonresponse_bias(0.4, 20, float("nan")) is None
    with pytest.raises(ValueError, match="a response rate must lie in"):
        responding.nonresponse_bias(1.4, 20, -30)


def test_weighting_class_needs_more_eligible_than_answers():
    for eligible, responded in ((3, 4), (3, -1)):
        with pytest.raises(ValueError, match="0 <= responded <= eligible"):
            Cell(eligible, responded)


def test_small_weighting_classes_are_merged_before_weighting():
    cells = [Cell(40, 20), Cell(30, 6), Cell(5, 0)]
    assert responding.nonresponse_weights(cells) == [2, 5, None]
    assert responding.weighting_factors(cells) == [2, 35 / 6, 35 / 6]
    two_small = [Cell(10, 2), Cell(40, 20), Cell(8, 4)]
    assert responding.weighting_factors(two_small) == [3, 2, 3]
    tied = [Cell(30, 5), Cell(10, 1), Cell(20, 5)]
    assert responding.weighting_factors(tied) == [40 / 6, 40 / 6, 4]


def test_large_factors_are_cut_at_three_medians():
    cells = [Cell(40, 20), Cell(100, 5)]
    assert responding.weighting_factors(cells) == [2, 6]
    assert responding.weighting_factors(cells, rules=Responding(trim=20)) == [2, 20]


def test_nobody_answered_nobody_is_weighted():
    assert responding.weighting_factors([Cell(4, 0), Cell(3, 0)]) == [None, None]
    assert responding.weighting_factors([]) == []
    assert responding.weighting_factors([Cell(9, 3)]) == [3]


def test_r_indicator_at_its_edges():
    assert responding.r_indicator([]) is None
    assert responding.r_indicator([0.4, None]) is None
    assert responding.r_indicator([0.1] * 7) == 1
    with pytest.raises(ValueError, match="a response propensity must lie in"):
        responding.r_indicator([0.4, 1.4])
