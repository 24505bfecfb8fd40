"""A case moves along its graph, and nowhere else."""

from datetime import date, timedelta

import pytest
from django.utils import translation

from bank.models import AuditEntry
from clients import cases, reference
from clients.models import Milestone
from cxportal.reference import read
from tests.factories import NOW, make_case, make_client

DAY = timedelta(days=1)


@pytest.fixture
def case(db):
    reference.load(read(), NOW)
    return make_case(make_client())


def enter(case, code, number, *, days=0, event="", **fields):
    values = {"occurred_at": NOW - 30 * DAY + days * DAY} | fields
    return cases.record(
        case, code=code, external_id=f"M-{number}", event=event, at=NOW, by=None, **values
    )


def refusal(case, *arguments, **fields):
    with pytest.raises(cases.Refused) as caught:
        enter(case, *arguments, **fields)
    return str(caught.value)


def test_stages_follow_the_graph_and_the_case_follows_the_stages(case):
    enter(case, "enquiry", 1)
    enter(case, "application", 2, days=1)
    enter(case, "due_diligence", 3, days=2, event="application_accepted")
    case.refresh_from_db()
    assert (case.stage, case.closed_on) == ("due_diligence", None)
    enter(case, "withdrawn", 4, days=3)
    case.refresh_from_db()
    assert (case.stage, case.closed_on) == ("withdrawn", date(2026, 10, 28))


def test_the_same_milestone_twice_is_one_with_one_audit_line(case):
    first = enter(case, "application", 1)
    assert enter(case, "application", 1) == first
    assert AuditEntry.objects.filter(act="case.milestone").count() == 1


def test_a_step_the_graph_does_not_know_is_refused_with_a_sentence(case):
    with translation.override("en"):
        said = refusal(case, "approved", 1)
    assert said == "A case cannot go from “enquiry” to “approved”."
    assert Milestone.objects.count() == 0


def test_an_event_that_leads_elsewhere_is_refused(case):
    assert "client_withdrew" in refusal(case, "application", 1, event="client_withdrew")


def test_an_unknown_code_or_event_is_refused(case):
    assert "moon" in refusal(case, "moon", 1)
    assert "moon" in refusal(case, "application", 1, event="moon")


def test_a_milestone_of_the_other_kind_of_case_is_refused(case):
    assert "construction_start" in refusal(case, "construction_start", 1)


def test_where_two_events_lead_to_a_stage_the_event_must_be_named(case):
    case.stage = "extension_review"
    case.save()
    assert "extension_review" in refusal(case, "disbursed", 1)
    enter(case, "disbursed", 1, event="extension_refused")


def test_a_stage_cannot_be_entered_before_the_present_one(case):
    enter(case, "application", 1, days=5)
    assert refusal(case, "due_diligence", 2, days=4)


def test_a_time_is_needed_and_not_in_the_future(case):
    assert refusal(case, "application", 1, occurred_at=None)
    assert refusal(case, "application", 1, occurred_at=NOW + DAY)


def test_a_planned_stage_moves_nothing_and_a_milestone_neither(case):
    enter(case, "disbursed", 1, occurred_at=None, planned_on=date(2027, 1, 1))
    enter(case, "file_complete", 2, days=1)
    case.refresh_from_db()
    assert case.stage == "enquiry"


def test_a_planned_stage_is_entered_under_its_number_when_it_happens(case):
    enter(case, "application", 1, days=1)
    enter(case, "due_diligence", 2, occurred_at=None, planned_on=date(2027, 1, 1))
    enter(case, "disbursed", 3, occurred_at=None, planned_on=date(2027, 2, 1))
    reached = enter(case, "due_diligence", 2, days=3, planned_on=date(2027, 1, 1))
    case.refresh_from_db()
    assert (case.stage, reached.planned_on) == ("due_diligence", date(2027, 1, 1))
    with pytest.raises(cases.Refused):
        enter(case, "disbursed", 3, days=4)
    assert Milestone.objects.get(code="disbursed").occurred_at is None


def test_the_number_of_another_milestone_is_refused(case):
    enter(case, "application", 1)
    assert refusal(case, "file_complete", 1)
    with pytest.raises(cases.Refused):
        enter(make_case(make_client()), "application", 1)


def test_another_time_for_the_same_number_is_a_correction(case):
    enter(case, "application", 1, days=1)
    corrected = enter(case, "application", 1, days=2)
    assert corrected.occurred_at == NOW - 28 * DAY
    assert Milestone.objects.count() == 1
    entry = AuditEntry.objects.order_by("-pk").first()
    assert (entry.act, list(entry.data["before"])) == ("case.correct", ["occurred_at"])


def test_a_correction_that_turns_the_order_of_stages_is_refused(case):
    first = enter(case, "application", 1, days=1)
    enter(case, "due_diligence", 2, days=3)
    with pytest.raises(cases.Refused):
        cases.correct(first, planned_on=None, occurred_at=NOW - 2 * DAY, note="", at=NOW, by=None)
    first.refresh_from_db()
    assert first.occurred_at == NOW - 29 * DAY


def test_follow_marks_what_the_graph_does_not_allow(case):
    rules = cases.graph()
    entries = [
        cases.Entry("c", "approved", "", NOW + 2 * DAY),
        cases.Entry("a", "enquiry", "", NOW),
        cases.Entry("b", "application", "application_submitted", NOW + DAY),
    ]
    ordered, irregular = cases.follow(rules, "loan", entries)
    assert [entry.key for entry in ordered] == ["a", "b", "c"]
    assert irregular == {"c"}
    assert cases.follow(rules, "loan", entries[:1])[1] == {"c"}
