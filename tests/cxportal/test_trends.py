"""Geometry of the trend."""

from cxportal import charts, trends


def test_month_without_a_figure_interrupts_the_line():
    month = [trends.TrendPoint(f"2026-{n:02d}", 10, 0, 20, 5) for n in range(1, 6)]
    month[2] = trends.TrendPoint("2026-03", None, None, None, 0)
    drawn = trends.trend(month, charts.Domain())
    assert [len(line.split()) for line in drawn.lines] == [2, 2]
    assert [dot.y is None for dot in drawn.dots] == [False, False, True, False, False]


def test_trend_without_any_figure_has_no_line():
    drawn = trends.trend([trends.TrendPoint("2026-01", None, None, None, 0)], charts.Domain())
    assert drawn.lines == []
