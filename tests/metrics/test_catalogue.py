"""Every open case of the metric specification that the catalogue answers."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tests.metrics.catalogue import CATALOGUE

FILE = Path(__file__).parents[1] / "data" / "metrics-cases-open.json"
CASES = json.loads(FILE.read_text(encoding="utf-8"))
SECTIONS = {
    *("1.2", "1.3", "1.4", "2.1", "2.2", "2.3"),
    *("3.1", "3.2", "3.3", "3.3b", "3.3g", "3.4", "3.5", "3.6", "3.7", "3.8", "3.9", "3.10"),
    *("3.11", "3.12", "4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7", "4.8"),
    *("5.1", "5.2", "5.3", "5.4", "5.5", "5.6", "5.7", "6.1", "6.2", "6.3", "6.4", "6.5"),
    *("8.2", "8.3", "8.4a", "8.4b", "8.4c", "8.5", "8.6", "8.7", "8.8", "9.1", "9.2", "9.3"),
    *("13.1", "13.2", "13.3", "13.4", "13.5", "14.1", "14.2"),
}
COVERED = [case for case in CASES["cases"] if case["fn"] in CATALOGUE]


def filled(value: Any) -> Any:
    """Replace {"$data": name} by the shared data of that name."""
    if isinstance(value, dict):
        if "$data" in value:
            return CASES["data"][value["$data"]]
        return {key: filled(item) for key, item in value.items()}
    return [filled(item) for item in value] if isinstance(value, list) else value


def agrees(found: Any, expected: Any, tol: float) -> bool:
    """Compare numbers within tol, the keys of expected objects, and all else exactly."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            key in found and agrees(found[key], item, tol) for key, item in expected.items()
        )
    if isinstance(expected, list):
        return (
            isinstance(found, list)
            and len(found) == len(expected)
            and all(agrees(a, b, tol) for a, b in zip(found, expected, strict=True))
        )
    if isinstance(expected, bool) or not isinstance(expected, (int, float)):
        return type(found) is type(expected) and found == expected
    return (
        isinstance(found, (int, float))
        and not isinstance(found, bool)
        and math.isclose(found, expected, rel_tol=0, abs_tol=tol)
    )


@pytest.mark.parametrize("case", COVERED, ids=[case["id"] for case in COVERED])
def test_case_gives_the_expected_answer(case):
    found = CATALOGUE[case["fn"]](**filled(case["args"]))
    tol = case.get("tol", CASES["default_tol"])
    assert agrees(found, case["expected"], tol), (found, case["expected"])


def test_catalogue_covers_exactly_the_sections_built():
    assert {case["section"] for case in COVERED} == SECTIONS


def test_no_case_of_those_sections_is_left_out():
    assert [c["id"] for c in CASES["cases"] if c["section"] in SECTIONS] == [
        c["id"] for c in COVERED
    ]


def test_every_name_of_the_catalogue_has_a_case():
    assert {case["fn"] for case in COVERED} == CATALOGUE.keys()
