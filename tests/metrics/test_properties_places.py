"""The same inputs give the same output wherever they are computed (metrics-spec 14, 31)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALL_CASES = """
from tests.metrics.catalogue import CATALOGUE
from tests.metrics.test_catalogue import COVERED, filled
for case in COVERED:
    print(case["id"], repr(CATALOGUE[case["fn"]](**filled(case["args"]))))
"""


def computed(**place):
    """Every open case, answered by a process of its own in another place."""
    env = {**os.environ, "PYTHONHASHSEED": "0", **place}
    run = [sys.executable, "-c", ALL_CASES]
    return subprocess.run(run, cwd=ROOT, env=env, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def here():
    found = computed(TZ="UTC", LC_ALL="C.UTF-8")
    assert found.count(b"\n") > 300
    return found


@pytest.mark.parametrize(
    "place",
    [
        {"TZ": "Asia/Shanghai", "LC_ALL": "zh_CN.UTF-8", "LANG": "zh_CN.UTF-8"},
        {"TZ": "America/St_Johns", "LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "17"},
        {"TZ": "Pacific/Apia", "LC_ALL": "POSIX", "PYTHONHASHSEED": "4242"},
    ],
    ids=lambda place: place["TZ"],
)
def test_locale_zone_and_hash_seed_change_no_digit(here, place):
    assert computed(**place) == here
