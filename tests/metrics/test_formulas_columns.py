"""The formulas over columns are the twins of those for one unit, to the ninth digit."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.formulas import columns, scores, uncertainty
from metrics.formulas.answers import Counts
from metrics.formulas.parameters import Clients

COUNTS = st.tuples(*[st.integers(0, 30)] * 3)
SCORES = st.lists(st.integers(0, 10), max_size=6)
WEIGHT = st.one_of(st.just(0.0), st.floats(0.01, 1e9))


def floats(values):
    return np.array(values, dtype=float)


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def shown(number):
    return None if math.isnan(number) else number


def pair(interval):
    return (None, None) if interval is None else (close(interval.low), close(interval.high))


@given(st.lists(COUNTS, min_size=1, max_size=8))
def test_adjusted_wald_of_each_client(rows):
    found = columns.adjusted_wald(*floats(rows).T)
    for place, row in enumerate(rows):
        ends = (shown(found.low[place]), shown(found.high[place]))
        assert ends == pair(uncertainty.adjusted_wald(Counts(*row)))


@given(st.lists(st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))))
def test_wilson_of_each_client(rows):
    x, n = (floats([row[place] for row in rows]) for place in (0, 1))
    found = columns.wilson(x, n)
    for place, row in enumerate(rows):
        ends = (shown(found.low[place]), shown(found.high[place]))
        assert ends == pair(uncertainty.wilson(*row))


@given(st.lists(st.lists(st.integers(1, 5), max_size=9), min_size=1))
def test_mean_of_each_client_from_its_sums(rows):
    n, total = floats([len(row) for row in rows]), floats([sum(row) for row in rows])
    squares = floats([sum(value * value for value in row) for row in rows])
    found = columns.mean_ends(n, total, squares, lo=1, hi=5)
    for place, row in enumerate(rows):
        one = uncertainty.mean_interval(row)
        ends = one.ci.clipped(1, 5) if one and one.ci else None
        assert (shown(found.low[place]), shown(found.high[place])) == pair(ends)


@given(st.lists(st.floats(0, 100), max_size=12))
def test_mean_of_client_means(values):
    found, one = columns.mean_of(floats(values)), uncertainty.mean_interval(values)
    if one is None:
        assert found is None
        return
    assert (found.n, found.mean) == (one.n, close(one.mean))
    if one.ci is None:
        assert (found.sd, found.ci) == (None, None)
    else:
        assert (found.ci.low, found.ci.high) == pytest.approx((one.ci.low, one.ci.high), abs=1e-7)


@given(st.lists(SCORES, min_size=1))
def test_vote_of_each_client_is_its_label(rows):
    weight, total = floats([len(row) for row in rows]), floats([sum(row) for row in rows])
    codes = {1.0: "promoter", 0.0: "passive", -1.0: "detractor", None: None}
    for vote, row in zip(columns.labels(total, weight), rows, strict=True):
        mean = scores.client_mean((score, None) for score in row)
        assert codes[shown(vote)] == scores.client_label(mean)


def test_cut_points_of_votes_are_parameters():
    found = columns.labels(floats([8, 6]), floats([1, 1]), rules=Clients(8.0, 6.0))
    assert found.tolist() == [1, 0]


def same(found, one):
    """Both estimates, within rounding."""
    if one is None:
        assert found is None
        return
    assert (found.n, found.clients) == (one.n, one.clients)
    for name in ("nps", "v", "se", "deff", "n_eff"):
        mine, theirs = getattr(found, name), getattr(one, name)
        if theirs is None:
            assert mine is None
        else:
            assert mine == pytest.approx(theirs, rel=1e-6, abs=1e-6)
    assert (found.ci is None) == (one.ci is None)
    if one.ci is not None:
        assert (found.ci.low, found.ci.high) == pytest.approx((one.ci.low, one.ci.high), abs=1e-5)


VOTES = st.lists(
    st.tuples(st.sampled_from(["promoter", "passive", "detractor", None]), WEIGHT), max_size=10
)


@given(VOTES)
def test_votes_weighted_by_exposure(rows):
    codes = {"promoter": 1.0, "passive": 0.0, "detractor": -1.0, None: math.nan}
    votes, weights = floats([codes[label] for label, _ in rows]), floats([w for _, w in rows])
    one = uncertainty.label_nps([r[0] for r in rows], [r[1] for r in rows])
    if one is not None and one.v < 1e-9:
        one = None if columns.label_nps(votes, weights) is None else one
    same(columns.label_nps(votes, weights), one)


@given(st.lists(SCORES, max_size=8))
def test_answers_that_hang_together_by_client(rows):
    counts = [
        (sum(x < 7 for x in row), sum(7 <= x < 9 for x in row), sum(x > 8 for x in row))
        for row in rows
    ]
    flat = [(score, place) for place, row in enumerate(rows) for score in row]
    one = uncertainty.cluster_nps([x for x, _ in flat], [c for _, c in flat])
    same(columns.cluster_nps(*floats(counts or np.zeros((0, 3))).T), one)


@given(st.lists(st.tuples(*[st.integers(1, 5)] * 3), max_size=12))
def test_reliability_from_sums(rows):
    whole = [sum(row) for row in rows]
    items = [(sum(item), sum(x * x for x in item)) for item in zip(*rows, strict=True)]
    found = columns.alpha(len(rows), sum(x * x for x in whole), items)
    one = scores.cronbach_alpha(rows)
    assert found == (None if one is None else pytest.approx(one, rel=1e-6, abs=1e-6))
