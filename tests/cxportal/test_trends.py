"""Geometry of the trend."""

import pytest

from cxportal import charts, trends


def test_month_without_a_figure_interrupts_the_line():
    month = [trends.TrendPoint(f"2026-{n:02d}", 10, 0, 20, 5) for n in range(1, 6)]
    month[2] = trends.TrendPoint("2026-03", None, None, None, 0)
    drawn = trends.trend(month, charts.Domain())
    assert [len(line.split()) for line in drawn.lines] == [2, 1]
    assert len(drawn.running.split()) == 2
    assert [dot.y is None for dot in drawn.dots] == [False, False, True, False, False]


def test_trend_without_any_figure_has_no_line():
    drawn = trends.trend([trends.TrendPoint("2026-01", None, None, None, 0)], charts.Domain())
    assert drawn.lines == []


def months(*values):
    return [
        trends.TrendPoint(f"2026-{number:02d}", value, value, value, 5)
        for number, value in enumerate(values, start=1)
    ]


def test_segment_to_the_running_month_is_drawn_by_itself():
    drawn = trends.trend(months(10, 20, 30), charts.Domain())
    assert [len(line.split()) for line in drawn.lines] == [2]
    assert drawn.running.split() == [drawn.lines[0].split()[1], "680.0,146.0"]


def test_running_month_alone_has_no_segment():
    drawn = trends.trend(months(10, None, 30), charts.Domain())
    assert drawn.running == ""


@pytest.mark.parametrize(("before", "moved"), [(30, 160.0), (70, 53.2), (29, 162.3)])
def test_words_of_the_period_before_stand_clear_of_the_newest_value(before, moved):
    drawn = trends.trend(months(10, 20, 30), charts.Domain(), before=before)
    assert drawn.before_y == pytest.approx(moved, abs=4)
    assert abs(drawn.before_y - drawn.dots[-1].y) >= 14


def test_pins_turn_their_words_to_where_there_is_room():
    drawn = trends.trend(months(10, 20, 30), charts.Domain(), pins=[(0.9, "late"), (0.1, "early")])
    assert [(pin.words, pin.anchor, pin.y) for pin in drawn.pins] == [
        ("early", "start", 12),
        ("late", "end", 26),
    ]


def test_spark_is_the_stretch_that_ends_with_the_newest_value():
    labels = [f"2026-{number:02d}" for number in range(1, 7)]
    drawn = trends.spark(labels, [80.0, None, 81.0, 82.0, 85.0, None])
    assert (drawn.first, drawn.last) == (("2026-03", 81.0), ("2026-05", 85.0))
    assert len(drawn.line.split()) == 3


def test_two_points_make_no_spark():
    assert trends.spark(["a", "b", "c"], [None, 1.0, 2.0]) is None
