"""The page of indicators: a paragraph for each, and examples the formulas themselves write."""

import re

import pytest

from metrics.formulas.parameters import DEFAULT
from tests.metrics import examples

PAGE = examples.PAGE.read_text(encoding="utf-8")
SHOWN = dict(examples.BLOCK.findall(PAGE))
METRICS = (
    *("nps", "nps_exposure", "nps_respondent", "recommend_mean", "client_label"),
    *("csat", *(f"csat_{name}" for name, _weight in DEFAULT.csat.weights), "ces"),
    *("cei", *(f"cei_{name}" for name, _weight in DEFAULT.engagement.weights)),
    *("health", "client_score"),
    *("response_rate", "client_response_rate", "coverage_exposure", "silent_exposure"),
)


def test_every_metric_has_one_worked_example():
    assert [metric for metric, _text in examples.BLOCK.findall(PAGE)] == list(METRICS)


@pytest.mark.parametrize("metric", METRICS)
def test_example_is_what_the_formulas_say_today(metric):
    assert SHOWN[metric] == examples.paragraph(metric)


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_a_paragraph_and_a_line_in_the_table(metric):
    assert re.search(rf"^### .*`{metric}`", PAGE, re.MULTILINE)
    assert re.search(rf"^\| .*`{metric}`", PAGE, re.MULTILINE)


def test_writing_the_page_again_changes_nothing():
    assert examples.written(PAGE) == PAGE
