"""Rates and completion at their edges."""

import pytest

from metrics.formulas import responding
from metrics.formulas.responding import Dispositions


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
