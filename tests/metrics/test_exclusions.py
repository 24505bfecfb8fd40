"""What came in and did not count, each response once."""

from datetime import timedelta

import pytest

from metrics.facts import exclusions
from metrics.facts.where import EVERYTHING, Where
from metrics.formulas.periods import Bounds
from surveys.models import Answer, Question
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
WINDOW = Bounds(NOW - 30 * DAY, NOW)


def of(item="nps", where=EVERYTHING):
    return exclusions.of(item, WINDOW, "relational", where)


def test_each_response_is_in_exactly_one_line():
    version, bare = factories.make_full_version(), factories.make_version()
    bare.questions.filter(key="nps").delete()
    company = factories.make_client()
    contact = factories.make_contact(company)

    def give(values, **fields):
        return factories.make_scores(version, company, values, **fields)

    give({"nps": 9}, contact=contact, submitted_at=NOW - 2 * DAY)
    give({"nps": 8}, contact=contact, submitted_at=NOW - DAY)
    give({"nps": "na"})
    give({"speed": 4})
    give({"nps": 9}, is_test=True)
    give({"nps": 9}, retracted_at=NOW)
    old = give({"nps": 9}, retracted_at=NOW)
    give({"nps": 10}, replaces=old)
    give({"nps": 9}, submitted_at=NOW - 60 * DAY)
    factories.make_scores(bare, company, {})
    wrong = give({"nps": 9})
    Answer.objects.filter(response=wrong).update(value=11)
    found = of()
    assert found == exclusions.Exclusions(
        received=10,
        test=1,
        corrected=1,
        retracted=1,
        not_asked=1,
        skipped=1,
        not_applicable=1,
        other_scale=0,
        invalid=1,
        valid=3,
    )
    assert found.replaced(2) == 1
    parts = (found.test, found.corrected, found.retracted, found.not_asked, found.skipped)
    rest = (found.not_applicable, found.other_scale, found.invalid, found.valid)
    assert sum(parts) + sum(rest) == found.received


def test_rating_on_another_scale_is_a_series_of_its_own():
    version = factories.make_full_version()
    Question.objects.filter(version=version, key="speed").update(hi=7)
    factories.make_scores(version, factories.make_client(), {"speed": 6, "nps": 9})
    found = of("response_speed")
    assert (found.other_scale, found.valid, found.invalid) == (1, 0, 0)


def test_composite_needs_two_dimensions():
    version = factories.make_full_version()
    for values in (
        {"speed": 4, "efficiency": 5},
        {"speed": 4},
        {"speed": "na", "efficiency": "na"},
        {"nps": 9},
    ):
        factories.make_scores(version, factories.make_client(), values)
    found = of("csat")
    assert (found.received, found.valid, found.not_applicable, found.skipped) == (4, 1, 1, 2)


def test_cut_of_clients_and_of_answers_is_the_same_as_that_of_the_sums(staff):
    version = factories.make_full_version()
    inside = factories.make_client(team=staff.east, size="large", segment="project_finance")
    factories.make_scores(version, inside, {"nps": 9})
    factories.make_scores(version, factories.make_client(), {"nps": 9})
    for where, count in (
        (Where(team=staff.branch.pk), 1),
        (Where(size="large"), 1),
        (Where(segment="corporate"), 1),
        (Where(clients=(inside.pk,)), 1),
        (Where(questionnaire=version.questionnaire_id), 2),
        (Where(stage="approval"), 0),
    ):
        assert of(where=where).received == count
