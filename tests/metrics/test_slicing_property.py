"""Property 30 on the real path: whatever is asked in whatever order, no few answers follow."""

from datetime import timedelta
from itertools import combinations

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.models import Industry
from metrics import forms, recompute, slicing
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
LEAST = 5
DAY = timedelta(days=1)
SIZES, SECTIONS, SEGMENTS = ("large", "small"), ("C", "F"), ("corporate", "project_finance")
CLIENT = st.tuples(
    st.sampled_from(SIZES),
    st.sampled_from(SECTIONS),
    st.sampled_from([SEGMENTS[0]] * 4 + [SEGMENTS[1]]),
    st.integers(0, 10),
)
FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "size": st.sampled_from(SIZES),
        "industry": st.sampled_from(SECTIONS),
        "segment": st.sampled_from(SEGMENTS),
    },
)
QUESTION = st.tuples(FILTERS, st.sampled_from(["", "size", "industry"]))


def make(rows):
    """The clients with one answer each; their numbers with what they are."""
    version = factories.make_full_version()
    sections = {
        letter: Industry.objects.create(
            code=f"{letter}1", section=letter, name_zh=letter, name_en=letter
        )
        for letter in SECTIONS
    }
    held = {}
    for size, section, segment, score in rows:
        company = factories.make_client(size=size, industry=sections[section], segment=segment)
        factories.make_scores(version, company, {"nps": score}, submitted_at=NOW - DAY)
        held[company.pk] = {"size": size, "industry": section, "segment": segment}
    return held


def members(held, part):
    """The clients behind a slice, counted by hand."""
    return frozenset(
        pk for pk, values in held.items() if all(values[n] == v for n, v in part.items())
    )


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rows=st.lists(CLIENT, min_size=12, max_size=28),
    questions=st.lists(QUESTION, min_size=2, max_size=5),
)
def test_no_two_figures_that_a_viewer_is_shown_differ_by_a_few_answers(staff, rows, questions):
    with transaction.atomic(), time_machine.travel(NOW, tick=False):
        cache.clear()
        held = make(rows)
        recompute.refresh_all(at=NOW)
        seen = [members(held, {})]
        for filters, group in questions:
            if group in filters:
                continue
            query = filters | ({"group_by": group} if group else {}) | {"metric": "nps"}
            ask = forms.read(query, viewer=staff.qiu, at=NOW)
            found = slicing.rows(ask, None, viewer=staff.qiu, at=NOW)
            for row in found:
                behind = members(held, row.slice)
                assert row.figure.n == len(behind)
                if row.figure.shown:
                    seen.append(behind)
            check_family(found, members(held, filters), seen)
        for one, other in combinations(seen, 2):
            assert not 0 < len(one ^ other) < LEAST
        transaction.set_rollback(True)


def check_family(found, whole, seen):
    """Of the cells under a total that was shown, those hidden hold nobody or at least five."""
    hidden = sum(row.figure.n for row in found if not row.figure.shown)
    if len(found) > 1 and whole in seen:
        assert hidden == 0 or hidden >= LEAST
