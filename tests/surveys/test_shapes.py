"""The questionnaires that are shipped have the shape they must; a fault names its place."""

import copy

import pytest

from clients.shapes import Wrong
from cxportal.reference import read
from surveys import shapes

DATA = read()


def test_what_is_shipped_is_sound():
    shapes.check(DATA)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"colour": "red"}, "items[1]: unknown key 'colour'"),
        ({"type": "moon"}, "items[1].type: unknown code 'moon'"),
        ({"dimension": "moon"}, "items[1].dimension: unknown code 'moon'"),
        ({"scale": "moon"}, "items[1].scale: unknown code 'moon'"),
        ({"key": "nps"}, "items[1].key: 'nps' occurs twice"),
        ({"show_if": {"item": "comment", "op": "eq", "value": 1}}, "show_if.item: unknown code"),
        ({"show_if": {"any": [{"var": "moon"}]}}, "show_if.var: unknown code 'moon'"),
        ({"show_if": {"nand": []}}, "show_if: not a condition"),
    ],
)
def test_a_fault_is_named_by_file_and_path(change, said):
    data = copy.deepcopy(DATA)
    data["questionnaires"]["questionnaires"][0]["items"][1].update(change)
    with pytest.raises(Wrong) as caught:
        shapes.check(data)
    assert str(caught.value).startswith("questionnaires.json.questionnaires[0].items")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"events": ["moon_landed"]}, "events: unknown code 'moon_landed'"),
        ({"events": ["schedule:Apr,Moon"]}, "events: unknown code 'schedule:Apr,Moon'"),
        ({"targets": ["moon"]}, "targets: unknown code 'moon'"),
        ({"questionnaire": "moon"}, "questionnaire: unknown code 'moon'"),
        ({"sample_share": 0}, "sample_share: with 0 nobody is asked"),
        ({"link_valid_days": 0}, "link_valid_days: 0 is not between 1 and 365"),
    ],
)
def test_a_trigger_that_could_not_ask_is_named_by_file_and_path(change, said):
    data = copy.deepcopy(DATA)
    data["case_model"]["triggers"][1].update(change)
    with pytest.raises(Wrong) as caught:
        shapes.check(data)
    assert str(caught.value).startswith(f"case_model.json.triggers[1].{said}")
