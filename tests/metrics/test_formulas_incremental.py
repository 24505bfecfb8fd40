"""Figures kept up event by event, at their edges."""

import pytest

from metrics.formulas import incremental
from metrics.formulas.answers import Counts
from metrics.formulas.incremental import Moments


def test_retracted_id_stays_out_whenever_its_answer_comes():
    assert incremental.replay([("retract", "a"), ("add", "a", 9), ("replace", "a", 9)]) == Counts()
    assert incremental.replay([("add", "a", 9), ("retract", "a"), ("add", "b", 9)]).p == 1


def test_replacing_what_has_not_come_yet_stands():
    assert incremental.replay([("replace", "a", 7), ("add", "a", 9)]) == Counts(s=1)


def test_answers_that_are_not_valid_hold_their_id():
    events = [("add", "a", 8.5), ("add", "a", 9), ("add", "b", None), ("add", "c", "N/A")]
    assert incremental.replay(events) == Counts()
    assert incremental.replay([("add", "a", "９"), ("replace", "a", 11)]) == Counts()


def test_unknown_kind_of_event_is_refused():
    with pytest.raises(ValueError, match="unknown kind of event 'undo'"):
        incremental.replay([("undo", "a")])


def test_nothing_happened():
    assert incremental.replay([]) == Counts()
    assert incremental.moments([]) == Moments(0, 0.0, 0.0)


def test_moments_give_the_variance():
    found = incremental.moments([1, 2, None, 3])
    assert (found.n, found.mean, found.m2) == (3, 2, 2)
    assert (found.variance(), found.variance(ddof=0)) == (1, 2 / 3)
    assert incremental.moments([1]).variance() is None


def test_moments_that_cannot_be_are_refused():
    for n, m2 in ((-1, 0), (1, -0.1)):
        with pytest.raises(ValueError, match="0 or more"):
            Moments(n, 0, m2)


def test_empty_bucket_is_neutral_on_both_sides():
    one = Moments(3, 4, 2)
    assert incremental.welford_merge(one, Moments()) == one
    assert incremental.welford_merge(Moments(), one) == one
    assert incremental.welford_merge(Moments(), Moments()) == Moments()
