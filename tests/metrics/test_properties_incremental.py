"""What must hold of figures kept up event by event, for any history (metrics-spec 14)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics.formulas import answers, incremental
from metrics.formulas.answers import Counts

IDS = st.sampled_from("abcdef")
RAW = st.integers(0, 10) | st.sampled_from([None, "", "N/A", "９", 8.5, 11, True])
EVENT = st.one_of(
    st.tuples(st.sampled_from(["add", "replace"]), IDS, RAW),
    st.tuples(st.just("retract"), IDS),
)
LOG = st.lists(EVENT, max_size=30)
VALUES = st.lists(st.integers(-1000, 1000).map(lambda x: x / 8), max_size=20)
COUNTS = st.builds(Counts, *[st.integers(0, 40)] * 3)


def recomputed(log):
    """The counts from what stands in the end, knowing nothing of the order of counting."""
    retracted = {event[1] for event in log if event[0] == "retract"}
    standing = {}
    for kind, response_id, *raw in log:
        if kind == "replace" or (kind == "add" and response_id not in standing):
            standing[response_id] = raw[0]
    return answers.count(raw for one, raw in standing.items() if one not in retracted)


def near(a, b):
    assert a.n == b.n
    assert a.mean == pytest.approx(b.mean, rel=1e-9, abs=1e-9)
    assert a.m2 == pytest.approx(b.m2, rel=1e-9, abs=1e-6)


@given(LOG)
def test_incremental_result_is_that_of_a_full_recomputation(log):
    assert incremental.replay(log) == recomputed(log)


@given(st.lists(EVENT, max_size=20, unique_by=lambda event: event[1]), st.randoms())
def test_order_of_events_with_distinct_ids_is_irrelevant(log, chance):
    shuffled = list(log)
    chance.shuffle(shuffled)
    assert incremental.replay(shuffled) == incremental.replay(log)


@given(LOG)
def test_replaying_the_log_twice_changes_nothing(log):
    assert incremental.replay([*log, *log]) == incremental.replay(log)


@given(LOG, LOG)
def test_logs_that_share_no_id_add_up(one, two):
    apart = [(kind, f"{response_id}2", *raw) for kind, response_id, *raw in two]
    together = incremental.replay([*one, *apart])
    assert together == incremental.replay(one) + incremental.replay(two)


@given(COUNTS, COUNTS, COUNTS)
def test_merging_counts_is_commutative_and_associative_and_empty_is_neutral(a, b, c):
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Counts() == a


@given(VALUES, VALUES, VALUES)
def test_merging_moments_is_commutative_and_associative_and_empty_is_neutral(x, y, z):
    a, b, c = (incremental.moments(values) for values in (x, y, z))
    merge = incremental.welford_merge
    near(merge(a, b), merge(b, a))
    near(merge(merge(a, b), c), merge(a, merge(b, c)))
    assert merge(a, incremental.Moments()) == a


@given(VALUES, VALUES)
def test_merged_moments_are_those_of_all_values(x, y):
    merged = incremental.welford_merge(incremental.moments(x), incremental.moments(y))
    near(merged, incremental.moments([*x, *y]))
