"""What a page prints of a figure, and the shapes of its wording."""

import re

import pytest
from django.template import Context, Template
from django.utils import translation

from metrics import wording
from metrics.queries import Figure


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


def test_dash_of_a_withheld_figure_has_the_same_attributes_as_any_figure():
    fig = make_withheld()
    dash = Template("{% load portal %}{% withheld fig %}").render(Context({"fig": fig}))
    names = [re.findall(r" (data-\w+)=", text) for text in (dash, rendered(fig))]
    assert names[0] == [name for name in names[1] if name != "data-flags"]


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
        assert wording.written(make_figure(metric, value, label=label)) == text


def test_label_is_the_machine_readable_value_of_a_label_figure():
    assert 'value="passive"' in rendered(make_figure("client_label", None, label="passive"))


def test_missing_figure_is_a_dash():
    assert wording.written(Figure("nps", "relational", "bank", 0, "2026Q3")) == "–"


@pytest.mark.parametrize(
    ("metric", "low", "high", "text"),
    [
        ("nps", 34.1, 49.7, "95% CI +34.1 to +49.7"),
        ("csat", 80.04, 90.0, "95% CI 80.0 to 90.0"),
        ("response_rate", 0.3, 0.4, "95% CI 30.0% to 40.0%"),
        ("nps", None, None, "–"),
    ],
)
def test_interval_is_written_in_the_unit_of_its_metric(metric, low, high, text):
    with translation.override("en"):
        assert wording.ends(make_figure(metric, low=low, high=high)) == text
