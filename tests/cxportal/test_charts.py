"""Geometry of the charts."""

import pytest

from cxportal import charts


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([], (-20, 80)),
        ([None, 34.1, 49.7], (-20, 80)),
        ([-41.0, 30.0], (-60, 80)),
        ([-100, 100], (-100, 100)),
        ([80.0, 80.1], (-20, 100)),
    ],
)
def test_axis_widens_in_steps_of_twenty(values, ends):
    on = charts.domain(values)
    assert (on.low, on.high) == ends


def test_axis_places_the_design_example():
    drawn = charts.axis(42.3, 34.1, 49.7, charts.Domain())
    assert (drawn.at, drawn.low, drawn.high) == (322.0, 280.7, 359.3)


def test_stacked_bar_fills_the_width():
    parts = charts.stacked([40, 100, 172])
    assert [part.count for part in parts] == [40, 100, 172]
    assert sum(part.width for part in parts) == pytest.approx(516, abs=0.2)
    assert [part.roomy for part in parts] == [True, True, True]


def test_stacked_bar_of_nothing_is_not_drawn():
    assert charts.stacked([0, 0, 0]) == []


def test_small_part_has_no_share_inside():
    assert charts.stacked([1, 0, 99])[0].roomy is False


def test_histogram_keeps_a_stub_for_zero_and_names_the_groups():
    drawn = charts.histogram([1, 0, 2, 4, 6, 11, 15, 38, 62, 96, 76])
    assert drawn.columns[1].height == 1.5
    assert [(bracket.group, bracket.count) for bracket in drawn.brackets] == [
        ("d", 39),
        ("n", 100),
        ("p", 172),
    ]


@pytest.mark.parametrize(
    ("score", "group", "radius"), [(0, "d", 2), (6, "d", 2), (7, "n", 8), (9, "p", 13)]
)
def test_shape_tells_the_group(score, group, radius):
    drawn = charts.mark(score, 0.5)
    assert (drawn.group, drawn.radius, drawn.x) == (group, radius, 404.0)


def test_silence_is_a_mark_without_a_score():
    assert charts.mark(None, 2.0) == charts.Mark(None, "", 662, 649, 11)


def test_wide_axis_names_every_second_mark():
    ticks = charts.whisker_ticks(charts.Domain(-60, 100))
    assert [tick.value for tick in ticks if tick.named] == [-40, 0, 40, 80]


def test_small_columns_keep_a_stub_for_zero_and_mark_a_week_without_a_log():
    drawn = charts.bars([0, 2, 1], [True, False, False])
    assert [(bar.height, bar.away) for bar in drawn] == [(1.5, True), (38.0, False), (19.0, False)]


def test_axis_marks_the_period_before():
    drawn = charts.axis(42.3, 34.1, 49.7, charts.Domain(), before=36.2)
    assert drawn.before == 291.2
