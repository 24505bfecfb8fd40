"""Series of periods at their edges."""

from datetime import timedelta

import pytest

from metrics.formulas import periods, trends
from metrics.formulas.parameters import Trends

NAN = float("nan")
QUARTERS = [
    periods.period_bounds(f"{year}-Q{q}") for year in range(2021, 2026) for q in range(1, 5)
]
RISING = [10.0, 12, 15, 14, 18, 21, 22, 26]


def test_smoothing_goes_on_over_gaps():
    assert trends.ewma([10, None, 20], lam=0.5) == [10, 10, None, 15]
    assert trends.ewma([NAN, 20], lam=1, start=4) == [4, None, 20]
    assert trends.ewma([None]) == []
    for lam in (0, 1.1):
        with pytest.raises(ValueError, match="weight of the newest value"):
            trends.ewma([1], lam=lam)


def test_chart_needs_eight_values_and_a_step():
    assert trends.xmr(RISING[:7]) is None
    assert trends.xmr([*RISING[:7], None]) is None
    assert trends.xmr([x for value in RISING for x in (value, None)]) is None
    assert trends.xmr(RISING[:7], rules=Trends(min_periods=7)).mean == 16


def test_chart_takes_no_step_over_a_gap():
    found = trends.xmr([0, 0, 0, 0, None, 50, 50, 50, 50])
    assert (found.mean, found.mr_bar, found.signals) == (25, 0, (0, 1, 2, 3, 5, 6, 7, 8))


def test_chart_of_a_constant_series_has_no_signal():
    found = trends.xmr([0.1] * 9)
    assert (found.mr_bar, found.signals) == (0, ())


def test_chart_signals_what_leaves_the_limits():
    assert trends.xmr([10, 11, 10, 11, 10, 11, 10, 11, 40, 10, 11, 10]).signals == (8,)


def test_trend_test_at_its_edges():
    assert trends.mann_kendall([]) is None
    assert trends.mann_kendall([3, None]) is None
    assert trends.mann_kendall([3, NAN, 4]).s == 1
    assert trends.mann_kendall([4, 3]).s == -1


def test_slope_at_its_edges():
    assert trends.theil_sen([], []) is None
    assert trends.theil_sen([1, 1], [2, 3]) is None
    assert trends.theil_sen([0, 1, 2], [0, None, 4]) == 2
    with pytest.raises(ValueError, match="zip"):
        trends.theil_sen([1], [])


def test_word_is_said_only_over_eight_periods_and_below_alpha():
    series = list(zip(QUARTERS, RISING, strict=False))
    assert trends.trend(series).word == "rising"
    assert trends.trend([(bounds, -x) for bounds, x in series]).word == "falling"
    assert trends.trend(series[:7]).word is None
    assert trends.trend([*series[:7], (QUARTERS[7], None)]).word is None
    assert trends.trend(series, alpha=1e-6).word is None
    assert trends.trend([(bounds, 5.0) for bounds in QUARTERS]).word is None


def test_trend_keeps_its_gaps_in_the_slope():
    found = trends.trend([(QUARTERS[0], 10), (QUARTERS[1], None), (QUARTERS[2], 14)])
    assert (found.n, found.slope, found.word) == (2, 2, None)
    empty = trends.trend([])
    assert (empty.n, empty.test, empty.slope) == (0, None, None)


def test_periods_that_share_answers_are_not_tested():
    day = periods.local_date(QUARTERS[4].start)
    rolling = [(periods.rolling_bounds(day + timedelta(days=i)), 1.0) for i in (0, 89)]
    with pytest.raises(ValueError, match="without overlap"):
        trends.trend(rolling)
    disjoint = [(periods.rolling_bounds(day + timedelta(days=i)), 1.0) for i in (0, 90)]
    assert trends.trend(disjoint).n == 2
    with pytest.raises(ValueError, match="without overlap"):
        trends.trend([(QUARTERS[1], 1.0), (QUARTERS[0], 1.0)])
