"""Parameter sets: their id, and what cannot be a rule."""

import re
from dataclasses import fields, replace

import pytest

from metrics.formulas import checks
from metrics.formulas.parameters import (
    DEFAULT,
    Bands,
    Clients,
    ClientScore,
    Comparing,
    Csat,
    Engagement,
    Gate,
    Health,
    Intervals,
    Parameters,
    Periods,
    Responding,
    Trends,
)

LEAVES = [
    (group.name, one.name)
    for group in fields(DEFAULT)
    for one in fields(getattr(DEFAULT, group.name))
]


def other(value):
    """Another valid value of the same kind."""
    if isinstance(value, str):
        return "bh" if value == "holm" else "Europe/London"
    if value == ():
        return (("decider", 3.0),)
    if isinstance(value, tuple):
        (one, first), (two, second), *rest = value
        return ((one, second), (two, first), *rest) if first != second else value[1:]
    return value + 1 if value >= 2 else value * 0.99 if isinstance(value, float) else value + 1


def test_equal_values_have_one_id():
    assert Parameters().id == DEFAULT.id
    assert replace(DEFAULT, intervals=Intervals(k=3)).id == DEFAULT.id
    assert replace(DEFAULT, csat=Csat(weights=Csat().weights[::-1])).id == DEFAULT.id
    assert re.fullmatch(r"ps-[0-9a-f]{8}", DEFAULT.id)


@pytest.mark.parametrize(("group", "name"), LEAVES)
def test_every_value_changes_the_id(group, name):
    rules = getattr(DEFAULT, group)
    changed = replace(rules, **{name: other(getattr(rules, name))})
    assert replace(DEFAULT, **{group: changed}).id != DEFAULT.id


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Intervals(conf=1), "the confidence level must lie strictly between 0 and 1"),
        (lambda: Intervals(k=-1), "the number of pseudo-answers must be at least 0, not -1"),
        (lambda: Gate(min_resp=0), "the least number of answers must be at least 1, not 0"),
        (lambda: Gate(dom_share=1.5), "the share that dominates must lie in 0..1, not 1.5"),
        (lambda: Clients(passive_from=9), "the cut points of labels must rise: 0, 9, 9"),
        (lambda: Clients(role_weight=-1), "the weight of 'any other role' must be at least 0"),
        (lambda: Clients(role_weights=(("user", -1),)), "the weight of 'user' must be at least"),
        (lambda: Csat(lo=5), "the ends of the satisfaction scale must rise: 5, 5"),
        (lambda: Csat(min_dims=0), "answered dimensions must be at least 1, not 0"),
        (lambda: Csat(weights=(("a", 0.5),)), "of satisfaction must sum to 1, not to 0.5"),
        (lambda: Responding(trim=0.5), "the cut of weights in medians must be at least 1"),
        (lambda: Comparing(alpha=0), "the level of a test must lie strictly between 0 and 1"),
        (lambda: Comparing(correction="sidak"), "unknown correction 'sidak'"),
        (lambda: Engagement(weights=(("login", 0.9),)), "must sum to 1, not to 0.9"),
        (lambda: Engagement(weights=(("chat", 1.0),)), "name an unknown component 'chat'"),
        (
            lambda: Engagement(weights=(("login", 1.2), ("pv", -0.2))),
            "the weight of 'pv' in the engagement index must be 0 or more",
        ),
        (
            lambda: Engagement(weights=(("login", 0.5), ("login", 0.5))),
            "the weights of the engagement index name a component twice",
        ),
        (lambda: Engagement(weights=()), "must sum to 1, not to 0"),
        (lambda: Engagement(half_life=0), "the half-life of an event in days must be above 0"),
        (lambda: Engagement(min_clients=1), "clients of a reference must be at least 2, not 1"),
        (lambda: Engagement(winsor_low=0.99), "the quantiles of the reference must rise"),
        (lambda: Engagement(points=(("chat", 1.0),)), "unknown kind of contact 'chat'"),
        (lambda: Engagement(points=(("call", -1.0),)), "the points of 'call' must be at least 0"),
        (lambda: Engagement(ctr_strength_low=6000), "the strengths of the click rate must rise"),
        (lambda: Health(weights=(("trust", 1.0), ("cei", 0.0))), "unknown component 'cei'"),
        (lambda: Health(ceilings=(("SILENT_12M", 170.0),)), "the ceiling SILENT_12M"),
        (lambda: ClientScore(weights=(("cei", 0.4),)), "of the client score must sum to 1"),
        (lambda: ClientScore(min_coverage=60), "must lie in 0..1, not 60"),
        (lambda: Bands(sound_from=40), "the limits of the bands must rise: 0, 40, 40, 80, 100"),
        (lambda: Trends(lam=0), "the weight of the newest value must be above 0, not 0"),
        (lambda: Trends(lam=1.1), "the weight of the newest value must lie in 0..1"),
        (lambda: Trends(min_periods=1), "periods of a chart must be at least 2, not 1"),
        (lambda: Periods(rolling_days=0), "the days of the rolling window must be at least 1"),
    ],
)
def test_what_cannot_be_a_rule_is_refused_with_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        make()


def test_weights_may_miss_one_by_a_billionth():
    assert checks.weights([("a", 0.5), ("b", 0.5 + 9e-10)], of="a test") == {
        "a": 0.5,
        "b": 0.5 + 9e-10,
    }
    with pytest.raises(ValueError, match=r"must sum to 1, not to 1\.000000002"):
        checks.weights([("a", 0.5), ("b", 0.5 + 2e-9)], of="a test")
    with pytest.raises(ValueError, match="must be 0 or more"):
        checks.weights([("a", float("nan"))], of="a test")
