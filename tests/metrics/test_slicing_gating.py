"""What cells, totals and filters would give away together stays hidden (metrics-spec 3.12)."""

import numpy as np
import pytest
from django.core.cache import cache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.exceptions import RedisError

from metrics.queries import Figure
from metrics.slicing import gating, memory, sketches
from metrics.slicing.memory import Memory

LEAST = 5
# Building lists of numbers is slow only where many tests share a processor.
UNHURRIED = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def figure(n, gate=None, metric="nps", **fields):
    gate = ("MIN_RESPONSES" if n < LEAST else "") if gate is None else gate
    if not n:
        gate = "NO_DATA"
    value = None if gate else 10.0
    return Figure(
        metric, "relational", "bank", 0, "rolling12m", value=value, n=n, gate=gate, **fields
    )


def hidden_sizes(cells, total):
    """The answers of each non-empty cell that nobody is shown, the unnamed rest among them."""
    rest = max(total.n - sum(cell.n for cell in cells), 0)
    return [size for size in [*(cell.n for cell in cells if cell.gate), rest] if size]


@UNHURRIED
@given(
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=8),
    rest=st.integers(0, 12),
    dominated=st.sets(st.integers(0, 7)),
)
def test_no_suppressed_cell_follows_from_total_and_cells_shown(sizes, rest, dominated):
    """Property 30: what is hidden is several cells of 5 answers and more, or nothing at all."""
    cells = [
        figure(n, "DOMINANCE" if place in dominated and n >= LEAST else None)
        for place, n in enumerate(sizes)
    ]
    total = figure(sum(sizes) + rest)
    after = gating.family(cells, total)
    if total.gate:
        return
    hidden = hidden_sizes(after, total)
    shown = [cell for cell in after if not cell.gate]
    assert not hidden or sum(hidden) >= LEAST
    if shown and len(hidden) == 1:
        # One hidden cell alone is total less the rest: only the unnamed rest may be that.
        assert hidden == [rest]
        assert rest >= LEAST
    assert all(cell.value is None and not cell.detail for cell in after if cell.gate)
    assert [cell.n for cell in after] == sizes


def test_cells_under_a_withheld_total_need_no_further_suppression():
    cells = [figure(20), figure(3)]
    assert gating.family(cells, figure(23, "DOMINANCE")) == cells


@pytest.mark.parametrize(
    ("n", "singles", "gate"),
    [(12, 12, ""), (12, 11, "COMPLEMENTARY"), (12, 8, "COMPLEMENTARY"), (12, 7, ""), (12, 0, "")],
)
def test_figure_less_the_answers_seen_one_by_one_must_not_leave_a_few(n, singles, gate):
    assert gating.for_viewer(figure(n), {"nps": singles}).gate == gate


def test_rate_tells_nothing_of_any_answer_and_is_not_subtracted():
    rate = figure(12, metric="response_rate", eligible=20)
    assert gating.for_viewer(rate, {"response_rate": 10}).gate == ""


def sketch_of(answers):
    """A set of answers given as {client: (detractors, passives, promoters)}."""
    clients = np.array(sorted(answers), dtype=np.int64)
    content = np.array([answers[c] for c in sorted(answers)], dtype=np.int64).reshape(-1, 3)
    return sketches.sketch(clients, content.sum(axis=1), content)


ANSWERS = st.dictionaries(
    st.integers(1, 10**6), st.tuples(*[st.integers(0, 3)] * 3).filter(any), max_size=40
)


def true_distance(one, other):
    """How many answers must go and come at least, client by client."""
    gap = 0
    for client in {*one, *other}:
        a, b = one.get(client, (0, 0, 0)), other.get(client, (0, 0, 0))
        gap += sum(abs(x - y) for x, y in zip(a, b, strict=True))
    return gap


@UNHURRIED
@given(ANSWERS, ANSWERS)
def test_distance_of_two_sets_never_exceeds_the_true_one(one, other):
    found = sketches.apart(sketch_of(one), sketch_of(other))
    assert found <= true_distance(one, other)
    assert (found == 0) == (one == other)


@UNHURRIED
@given(ANSWERS, st.integers(1, 4))
def test_set_with_a_few_answers_more_is_always_found_out(one, more):
    other = one | {10**6 + 1 + i: (1, 0, 0) for i in range(more)}
    assert sketches.apart(sketch_of(one), sketch_of(other)) == more


@UNHURRIED
@given(ANSWERS)
def test_set_survives_being_written_down(one):
    kept = sketches.loaded(sketch_of(one).dumped())
    assert sketches.apart(kept, sketch_of(one)) == 0


@pytest.fixture
def lan(staff):
    cache.clear()
    return staff.lan


def whole(more=0):
    return sketch_of(dict.fromkeys(range(10 + more), (1, 0, 0)))


def shown_before(viewer, *sets, metric="nps"):
    held = Memory(viewer, metric, "relational")
    for one in sets:
        held.note(one)
    held.keep()


def test_second_filter_that_differs_by_a_few_answers_is_too_near(lan):
    shown_before(lan, whole())
    held = Memory(lan, "nps", "relational")
    assert [held.too_near(whole(more)) for more in (0, 1, 4, 5)] == [False, True, True, False]


def test_memory_is_of_one_viewer_and_one_metric(lan, staff):
    shown_before(lan, whole())
    others = [
        Memory(staff.bo, "nps", "relational"),
        Memory(lan, "csat", "relational"),
        Memory(lan, "nps", "pulse"),
    ]
    assert [held.too_near(whole(1)) for held in others] == [False] * 3


def test_two_filters_of_one_page_are_compared_too(lan):
    held = Memory(lan, "nps", "relational")
    held.note(whole())
    assert held.too_near(whole(2))


def test_always_published_sets_count_as_shown(lan):
    assert Memory(lan, "nps", "relational").too_near(whole(2), [whole()])


def test_without_a_store_nothing_new_is_shown(lan, monkeypatch):
    def away(*_args, **_more):
        raise RedisError

    monkeypatch.setattr(memory.cache, "get", away)
    assert Memory(lan, "nps", "relational").too_near(whole())


def test_only_so_many_sets_are_kept_and_the_oldest_go_first(lan, monkeypatch):
    monkeypatch.setattr(memory, "MOST", 2)
    shown_before(lan, whole())
    shown_before(lan, whole(20), whole(40))
    held = Memory(lan, "nps", "relational")
    assert [held.too_near(whole(more)) for more in (1, 21, 41)] == [False, True, True]
