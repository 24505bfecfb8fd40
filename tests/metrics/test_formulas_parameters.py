"""The id of a parameter set."""

from dataclasses import replace

from metrics.formulas.parameters import DEFAULT, Csat, Gate, Intervals, Parameters


def test_equal_values_have_one_id_and_any_change_another():
    assert Parameters().id == DEFAULT.id
    assert replace(DEFAULT, intervals=Intervals(k=3)).id == DEFAULT.id
    assert replace(DEFAULT, csat=Csat(weights=Csat().weights[::-1])).id == DEFAULT.id
    changed = replace(DEFAULT, gate=Gate(min_resp=10))
    assert changed.id != DEFAULT.id
    assert changed.id.startswith("ps-")
    assert len(changed.id) == 11
