"""What a page prints of a figure, and the shapes of its charts."""

import re

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.utils import translation

from metrics import charts
from metrics.queries import Figure

COUNTS = [1, 1, 2, 4, 6, 11, 15, 38, 62, 96, 76]


def make_figure(metric="nps", value=42.307692, low=34.1, high=49.7, **fields):
    given = {
        "population": "relational",
        "scope": "bank",
        "scope_id": 0,
        "period": "rolling12m",
        "n": 312,
        "clients": 120,
        "method": "adj_wald",
        "version": 1,
        "gate": "",
    }
    return Figure(metric=metric, value=value, low=low, high=high, **(given | fields))


def make_withheld(**fields):
    return make_figure(
        value=None, low=None, high=None, **({"n": 4, "gate": "MIN_RESPONSES"} | fields)
    )


def rendered(fig):
    return Template("{% load figures %}{% figure fig %}").render(Context({"fig": fig}))


def months(values):
    return [
        make_figure(
            value=value,
            low=None if value is None else value - 8,
            high=None if value is None else value + 7,
            gate="" if value is not None else "NO_DATA",
            n=0 if value is None else 30,
            period=f"rolling3m:2026-{month:02d}",
        )
        for month, value in enumerate(values, start=1)
    ]


def test_figure_prints_its_base_interval_method_and_version():
    assert rendered(make_figure()) == (
        '<data class="figure" value="42.307692" data-metric="nps" data-n="312" '
        'data-clients="120" data-low="34.1" data-high="49.7" data-method="adj_wald" '
        'data-version="1" data-gate="" data-flags="">+42.3</data>'
    )


def test_withheld_figure_prints_no_value_but_the_reason_and_its_base():
    text = rendered(make_withheld())
    assert 'value=""' in text
    assert 'data-low=""' in text
    assert 'data-gate="MIN_RESPONSES"' in text
    assert text.endswith(">n = 4</data>")


@pytest.mark.parametrize(
    ("metric", "value", "label", "text"),
    [
        ("nps", -5.04, "", "−5.0"),
        ("nps_respondent", 0.0, "", "0.0"),
        ("recommend_mean", 8.5, "", "8.5"),
        ("csat", 86.66666, "", "86.7"),
        ("csat_response_speed", 0.8657718, "", "86.6%"),
        ("response_rate", 0.358, "", "35.8%"),
        ("client_label", None, "promoter", "Promoter"),
    ],
)
def test_figure_is_written_in_the_unit_of_its_metric(metric, value, label, text):
    with translation.override("en"):
        assert charts.written(make_figure(metric, value, label=label)) == text


def test_label_is_the_machine_readable_value_of_a_label_figure():
    assert 'value="passive"' in rendered(make_figure("client_label", None, label="passive"))


def test_missing_figure_is_a_dash():
    assert charts.written(Figure("nps", "relational", "bank", 0, "2026Q3")) == "–"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(34.1, 49.7, (-20, 80)), (-20.1, 80.0, (-40, 80)), (-100.0, 100.0, (-100, 100))],
)
def test_axis_widens_by_twenty_where_an_interval_leaves_it(low, high, expected):
    assert charts.domain([make_figure(low=low, high=high), make_withheld()]) == expected


def test_axis_places_the_score_between_its_ends():
    chart = charts.nps_axis(make_figure(value=30.0, low=20.0, high=40.0))
    assert (chart.low, chart.value, chart.high) == ("209.6", "260.0", "310.4")
    assert len(chart.ticks) == 6


def test_withheld_figure_has_no_axis():
    assert charts.nps_axis(make_withheld()) is None


def test_parts_of_the_bar_add_up_to_a_hundred_per_cent():
    with translation.override("en"):
        chart = charts.stacked(40, 100, 172)
    assert [part.inner for part in chart.parts] == ["12.8%", "32.1%", "55.1%"]
    assert [part.text for part in chart.parts] == [
        "Detractors 40",
        "Passives 100",
        "Promoters 172",
    ]


def test_narrow_part_of_the_bar_prints_no_share_inside():
    assert charts.stacked(1, 9, 90).parts[0].inner == ""


def test_histogram_counts_groups_and_keeps_a_stub_for_zero():
    chart = charts.histogram([0, *COUNTS[1:]])
    assert chart.parts[0].height == "1.5"
    assert chart.parts[9].text == "96"
    assert [group.inner for group in chart.groups] == ["0–6 · 39", "7–8 · 100", "9–10 · 172"]


def test_empty_counts_make_no_chart():
    assert charts.histogram([0] * 11) is None
    assert charts.histogram([]) is None
    assert charts.stacked(0, 0, 0) is None


def test_trend_breaks_where_a_month_has_no_figure():
    chart = charts.trend(months([10, 20, None, 30, 40, 50]), counts=[1, 2, 0, 3, 4, 5])
    assert len(chart.bands) == 2
    assert len(chart.lines) == 2
    assert len(chart.lines[1].split()) == 2
    assert [dot.y != "" for dot in chart.dots] == [True, True, False, True, True, True]
    assert [dot.n for dot in chart.dots] == ["1", "2", "0", "3", "4", "5"]


def test_trend_marks_the_month_that_is_not_over():
    chart = charts.trend(months([10, 20, 30]))
    assert len(chart.unfinished.split()) == 2
    assert chart.dots[-1].unfinished
    assert chart.dots[-1].month.endswith("*")
    assert charts.trend(months([10, 20, 30]), unfinished=False).unfinished == ""


def test_trend_of_nothing_is_no_chart():
    assert charts.trend(months([None, None])) is None


def test_trend_of_a_share_has_an_axis_up_to_a_hundred():
    figs = [
        make_figure("csat_response_speed", 0.8, 0.7, 0.9, period=f"rolling3m:2026-{i:02d}")
        for i in (1, 2)
    ]
    chart = charts.trend(figs)
    assert [tick.text for tick in chart.ticks] == ["60", "80", "100"]


def test_sparkline_prints_first_and_last_value():
    chart = charts.sparkline(months([10, None, 30]))
    assert (chart.first, chart.last) == ("+10.0", "+30.0")
    assert chart.line == "4.0,56.0 232.0,10.0"
    assert charts.sparkline(months([10, None])) is None


@pytest.mark.parametrize(
    ("template", "chart"),
    [
        ("_nps_axis", charts.nps_axis(make_figure())),
        ("_whisker", charts.nps_axis(make_figure(), width=166)),
        ("_stacked", charts.stacked(40, 100, 172)),
        ("_histogram", charts.histogram(COUNTS)),
        ("_trend", charts.trend(months([10, None, 20, 30]))),
        ("_sparkline", charts.sparkline(months([10, 20]))),
    ],
)
def test_chart_names_itself_and_carries_no_style(template, chart):
    text = render_to_string(f"metrics/{template}.html", {"chart": chart})
    assert re.search(r'role="img" aria-label="[^"]{3,}"', text)
    assert "style=" not in text
    assert 'points=""' not in text


@pytest.mark.parametrize(
    "template", ["_nps_axis", "_whisker", "_stacked", "_histogram", "_trend", "_sparkline"]
)
def test_no_chart_prints_nothing(template):
    assert render_to_string(f"metrics/{template}.html", {"chart": None}).strip() == ""
