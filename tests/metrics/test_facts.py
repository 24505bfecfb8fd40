"""What of the raw rows counts: standing, valid, last per person, at the client of that time."""

from datetime import UTC, datetime, timedelta

import pytest

from metrics.facts import pools, population, replies, requests
from surveys.models import Question
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def version():
    return factories.make_scored_version()


def only(client):
    found = dict(replies.by_client([client.pk]))
    return found.get(client.pk, [])


def bucket(client):
    """Everything of one client in one bucket, whatever the period."""
    held = requests.by_client([client.pk]).get(client.pk, [])
    found = pools.sort(client.pk, only(client), held, lambda _row: ["one"])
    return found.get("one", pools.Bucket(client.pk))


def test_reply_holds_valid_values_and_leaves_out_the_rest(version):
    company = factories.make_client()
    row = factories.make_scores(version, company, {"nps": 0, "speed": 4, "attitude": "na"})
    (reply,) = only(company)
    assert reply.values == {"nps": 0, "response_speed": 4}
    assert (reply.id, reply.client, reply.contact) == (row.response_id, company.pk, None)
    assert (reply.population, reply.campaign, reply.attributable) == ("relational", None, True)


def test_reply_without_a_promise_to_the_relationship_team_is_not_attributable():
    version = factories.make_scored_version(attribution="anonymous_optional")
    company = factories.make_client()
    factories.make_scores(version, company, {"nps": 9})
    assert [reply.attributable for reply in only(company)] == [False]


def test_retracted_and_test_responses_do_not_count(version):
    company = factories.make_client()
    factories.make_scores(version, company, {"nps": 1}, retracted_at=NOW)
    factories.make_scores(version, company, {"nps": 2}, is_test=True)
    assert only(company) == []


def test_value_off_its_scale_and_another_scale_do_not_count(version):
    company = factories.make_client()
    Question.objects.filter(version=version, key="speed").update(hi=7)
    row = factories.make_scores(version, company, {"nps": 9, "speed": 7, "efficiency": 5})
    row.answers.filter(question__key="nps").update(value=11)
    assert [reply.values for reply in only(company)] == [{"processing_efficiency": 5}]


def test_reversed_item_is_turned_before_it_counts(version):
    company = factories.make_client()
    Question.objects.filter(version=version, key="attitude").update(reversed=True)
    factories.make_scores(version, company, {"attitude": 5})
    assert [reply.values for reply in only(company)] == [{"service_attitude": 1}]


def test_replies_come_by_client_and_time_in_one_query(version, django_assert_num_queries):
    first, second = factories.make_client(), factories.make_client()
    late = factories.make_scores(version, first, {"nps": 9, "speed": 5})
    early = factories.make_scores(version, first, {"nps": 1}, submitted_at=NOW - 9 * HOUR)
    other = factories.make_scores(version, second, {"nps": 5})
    with django_assert_num_queries(1):
        found = [(client, [reply.id for reply in rows]) for client, rows in replies.by_client()]
    assert found == [
        (first.pk, [early.response_id, late.response_id]),
        (second.pk, [other.response_id]),
    ]


def test_last_answer_of_a_person_counts_item_by_item(version):
    company = factories.make_client()
    person = factories.make_contact(company)
    factories.make_scores(
        version, company, {"nps": 3, "speed": 2}, contact=person, submitted_at=NOW - 5 * HOUR
    )
    factories.make_scores(version, company, {"nps": 9}, contact=person)
    assert bucket(company).values("nps") == [9]
    assert bucket(company).values("response_speed") == [2]


def test_of_two_answers_at_one_instant_the_larger_number_counts(version):
    company = factories.make_client()
    person = factories.make_contact(company)
    for number, score in (("b", 9), ("a", 1), ("B", 5)):
        factories.make_scores(
            version, company, {"nps": score}, contact=person, response_id=number, submitted_at=NOW
        )
    assert bucket(company).values("nps") == [9]


def test_each_response_without_a_contact_is_a_person_of_its_own(version):
    company = factories.make_client()
    for score in (9, 9, 2):
        factories.make_scores(version, company, {"nps": score})
    assert sorted(bucket(company).values("nps")) == [2, 9, 9]


def test_composite_needs_two_of_three_dimensions(version):
    company = factories.make_client()
    factories.make_scores(version, company, {"speed": 5})
    factories.make_scores(version, company, {"speed": 5, "efficiency": 3})
    (value,) = bucket(company).values("csat")
    assert value == pytest.approx((0.40 * 100 + 0.35 * 50) / 0.75)


def test_answer_stays_with_the_client_at_submission(version):
    old, new = factories.make_client(), factories.make_client()
    person = factories.make_contact(old)
    factories.make_scores(version, old, {"nps": 9}, contact=person)
    person.client = new
    person.save()
    assert (len(only(old)), only(new)) == (1, [])


def test_outcomes_of_requests_follow_what_came_back():
    company = factories.make_client()
    version = factories.make_version()
    given = {
        "i": {"nps": 9, "csat": 4, "reason": "好"},
        "p": {"nps": 9},
        "r": {"csat": 3},
    }
    for answers in given.values():
        invitation = factories.make_invitation(factories.make_contact(company), version=version)
        factories.make_response(invitation, answers)
    opened = factories.make_contact(company)
    factories.make_invitation(opened, version=version, opened_at=NOW)
    factories.make_invitation(factories.make_contact(company), version=version)
    factories.make_invitation(factories.make_contact(company), version=version, sent_at=None)
    assert bucket(company).outcomes == {"i": 1, "p": 1, "r": 2, "nc": 1}


def test_conditional_question_counts_as_asked_only_where_it_was_answered():
    company = factories.make_client()
    version = factories.make_version()
    for answers in (
        {"nps": 2, "csat": 2, "reason": "慢"},
        {"nps": 2, "csat": 2, "callback": "no"},
    ):
        invitation = factories.make_invitation(factories.make_contact(company), version=version)
        factories.make_response(invitation, answers)
    # Three of three, and three of four.
    assert bucket(company).outcomes == {"i": 1, "p": 1}


def test_retracted_answer_makes_its_request_silent_again():
    invitation = factories.make_invitation()
    factories.make_response(invitation, {"nps": 9}, retracted_at=NOW)
    assert bucket(invitation.client).outcomes == {"nc": 1}


def test_requests_take_three_queries_however_many(django_assert_num_queries):
    company = factories.make_client()
    version = factories.make_version()
    for _number in range(3):
        invitation = factories.make_invitation(factories.make_contact(company), version=version)
        factories.make_response(invitation)
    with django_assert_num_queries(3):
        assert len(requests.by_client()[company.pk]) == 3


def test_client_belongs_to_its_team_and_all_above(staff, django_assert_num_queries):
    inside = factories.make_client(team=staff.east)
    closed = factories.make_client(team=staff.branch, status="closed")
    outside = factories.make_client()
    with django_assert_num_queries(2):
        found = population.membership()
    assert found.teams[inside.pk] == (staff.east.pk, staff.branch.pk)
    assert found.teams[outside.pk] == ()
    assert found.active == {inside.pk, outside.pk}
    assert closed.pk not in found.active
    assert (found.eligible[0], found.eligible[staff.branch.pk]) == (2, 1)


def test_circle_of_teams_ends_where_it_closes(staff):
    staff.branch.parent = staff.east
    staff.branch.save()
    company = factories.make_client(team=staff.east)
    assert population.membership().teams[company.pk] == (staff.east.pk, staff.branch.pk)


def test_every_change_of_rows_changes_the_counts(version):
    company = factories.make_client()
    seen = [population.counts().get(company.pk)]

    def note():
        found = population.counts([company.pk])[company.pk]
        assert found not in seen
        seen.append(found)

    row = factories.make_scores(version, company, {"nps": 9})
    note()
    row.revision += 1
    row.save()
    note()
    row.retracted_at = NOW
    row.save()
    note()
    factories.make_scores(version, company, {"nps": 3}, replaces=row)
    note()
    invitation = factories.make_invitation(factories.make_contact(company))
    note()
    invitation.opened_at = datetime(2026, 11, 24, tzinfo=UTC)
    invitation.save()
    note()
