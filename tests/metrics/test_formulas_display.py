"""Rounding and writing at their edges."""

import math

import pytest

from metrics.formulas import display


@pytest.mark.parametrize(
    ("x", "digits", "shown"),
    [
        (2.675, 2, 2.68),
        (-2.675, 2, -2.68),
        (59.96, 1, 60.0),
        (0.5, 0, 1.0),
        (15, -1, 20.0),
        (1e300, 1, 1e300),
        (5e-324, 1, 0.0),
        (math.inf, 1, math.inf),
        (None, 1, None),
        (math.nan, 1, None),
    ],
)
def test_round_half_away(x, digits, shown):
    assert display.round_half_away(x, digits) == shown


def test_round_half_away_never_gives_minus_zero():
    assert math.copysign(1, display.round_half_away(-0.04, 1)) == 1


def test_points_and_interval_may_use_the_typographic_minus():
    assert display.points(-12.34, minus="\u2212") == "\u221212.3"
    assert display.interval(-5.5193, 42.7286) == "[-5.5, +42.7]"
    assert display.interval(None, 42.7) == "n/a"
    assert display.points(math.nan) == "n/a"


@pytest.mark.parametrize(
    ("p", "shown"),
    [(0.0004, "<0.001"), (0.00099, "<0.001"), (0.001, "0.001"), (0.0455, "0.046"), (1, "1.000")],
)
def test_p_value(p, shown):
    assert display.p_value(p) == shown


def test_p_value_of_nothing():
    assert display.p_value(None) == "n/a"


def test_largest_remainder_gives_ties_to_the_earlier_part():
    assert display.largest_remainder([1, 3, 12]) == [6.3, 18.7, 75.0]
    assert display.largest_remainder([1, 1], total=1, digits=0) == [1.0, 0.0]


def test_largest_remainder_at_its_edges():
    assert display.largest_remainder([]) == []
    assert display.largest_remainder([5]) == [100.0]
    assert display.largest_remainder([2.25, -2.25], total=0) == [2.3, -2.3]
    with pytest.raises(ValueError, match="finite"):
        display.largest_remainder([1, math.nan])
