"""Triggers in the admin: tuned within reason, audited; and what each has seen."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bank.models import AuditEntry
from clients.models import Milestone
from cxportal import reference
from surveys import triggers
from surveys.models import Occasion, Questionnaire, Trigger
from tests.factories import make_case, make_client, make_contact

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(staff):
    reference.load(timezone.now() - timedelta(days=1))
    return staff


@pytest.fixture
def admin(client, house):
    client.force_login(house.admin)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture(autouse=True)
def english(settings):
    settings.LANGUAGE_CODE = "en"


def url(model, page, *args):
    return reverse(f"admin:surveys_{model}_{page}", args=args)


def posted(trigger, **fields):
    """What the form posts for a trigger as it stands, and what is changed."""
    data = {
        name: getattr(trigger, name)
        for name in (
            *("name_zh", "name_en", "context", "target_kind", "max_contacts", "priority"),
            *("delay_working_days", "link_valid_days", "cooldown_days", "client_pause_days"),
            *("sample_share", "case_kinds"),
        )
    }
    data |= {
        "questionnaire": trigger.questionnaire_id,
        "wave_window_days": trigger.wave_window_days or "",
        "events": "\n".join(trigger.events),
        "targets": "\n".join(trigger.targets),
        "party_roles": "\n".join(trigger.party_roles),
    }
    flags = {name: "on" for name in ("is_active", "once") if getattr(trigger, name)}
    return {name: value for name, value in (data | flags | fields).items() if value is not None}


def change(admin, code, **fields):
    trigger = Trigger.objects.get(code=code)
    return admin.post(url("trigger", "change", trigger.pk), posted(trigger, **fields))


def test_every_shipped_trigger_can_be_saved_as_it_is(admin):
    for trigger in Trigger.objects.order_by("code"):
        if trigger.delivery == "email":
            answer = change(admin, trigger.code)
            assert answer.status_code == 302, (trigger.code, answer.context["errors"])
            again = Trigger.objects.get(pk=trigger.pk)
            assert (again.events, again.targets, again.party_roles, again.active_since) == (
                *(trigger.events, trigger.targets, trigger.party_roles, trigger.active_since),
            )
    assert Trigger.objects.count() == 18


def test_trigger_is_switched_and_tuned_and_the_trail_tells_it(admin, house):
    answer = change(
        admin,
        "TR05",
        party_roles="agent_bank\nadviser",
        targets="project_director cfo",
        delay_working_days=7,
        is_active=None,
    )
    assert answer.status_code == 302
    trigger = Trigger.objects.get(code="TR05")
    assert trigger.party_roles == ["agent_bank", "adviser"]
    assert (trigger.targets, trigger.delay_working_days) == (["project_director", "cfo"], 7)
    assert trigger.is_active is False
    entry = AuditEntry.objects.get(act="trigger.change")
    assert (entry.actor, entry.subject_id) == (house.admin, str(trigger.pk))
    assert entry.data["now"]["party_roles"] == ["agent_bank", "adviser"]
    before = timezone.now()
    assert change(admin, "TR05", is_active="on").status_code == 302
    assert Trigger.objects.get(code="TR05").active_since >= before


@pytest.mark.parametrize(
    ("code", "fields", "field", "sentence"),
    [
        (
            "TR02",
            {"events": "approval_communicated\ncod_reached"},
            "events",
            "These events do not exist for the chosen kinds of case: cod_reached.",
        ),
        (
            "TR02",
            {"events": "stage:nowhere milestone:nothing schedule:Mai client:party touchpoint:x"},
            "events",
            "These events do not exist for the chosen kinds of case: stage:nowhere, "
            "milestone:nothing, schedule:Mai, client:party, touchpoint:x.",
        ),
        ("TR02", {"events": ""}, "events", "This field is required."),
        ("TR02", {"targets": "boss"}, "targets", "No contact can have these roles: boss."),
        ("TR02", {"targets": "decider"}, "targets", "No contact can have these roles: decider."),
        ("TR02", {"targets": ""}, "targets", "Name at least one role."),
        (
            "TR02",
            {"party_roles": "lender"},
            "party_roles",
            "No party of a case can be this: lender.",
        ),
        ("TR02", {"context": "tea"}, "context", "There is no kind of contact “tea”."),
        (
            "TR02",
            {"questionnaire": 9999},
            "questionnaire",
            "Select a valid choice. That choice is not one of the available choices.",
        ),
        (
            "TR18",
            {"wave_window_days": ""},
            "wave_window_days",
            "Say how many days the wave stays open.",
        ),
        (
            "TR18",
            {"events": "schedule:Apr client:onboarding_completed"},
            "events",
            "A schedule stands alone, without other events.",
        ),
        (
            "TR02",
            {"max_contacts": 0},
            "max_contacts",
            "Ensure this value is greater than or equal to 1.",
        ),
        (
            "TR02",
            {"sample_share": "1.5"},
            "sample_share",
            "Ensure this value is less than or equal to 1.",
        ),
        (
            "TR02",
            {"sample_share": "0"},
            "sample_share",
            "With this share nobody is asked; switch it off.",
        ),
        (
            "TR02",
            {"link_valid_days": 4},
            "link_valid_days",
            "A link in a mail must be valid for at least 5 days.",
        ),
        (
            "TR02",
            {"link_valid_days": 0},
            "link_valid_days",
            "A link in a mail must be valid for at least 5 days.",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_with_place_and_reason(
    admin, code, fields, field, sentence
):
    answer = change(admin, code, priority=50, **fields)
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors[field] == [sentence]
    assert not Trigger.objects.filter(priority=50).exists()
    assert not AuditEntry.objects.filter(act="trigger.change").exists()


def test_questionnaire_without_a_mail_is_refused_while_switched_on(admin):
    line = Questionnaire.objects.get(key="branch_visit")
    answer = change(admin, "TR02", questionnaire=line.pk)
    assert answer.context["adminform"].form.errors == {
        "questionnaire": ["This questionnaire has no published version with a mail."]
    }
    assert change(admin, "TR02", questionnaire=line.pk, is_active=None).status_code == 302


def test_triggers_are_neither_added_nor_deleted_and_tuned_by_administrators_only(admin, house):
    trigger = Trigger.objects.get(code="TR02")
    assert admin.get(url("trigger", "add")).status_code == 403
    assert admin.post(url("trigger", "delete", trigger.pk)).status_code == 403
    for somebody in (house.qiu, house.mu, house.lan):
        admin.force_login(somebody)
        assert change(admin, "TR02", priority=50).status_code == 403
    assert not Trigger.objects.filter(priority=50).exists()


def make_seen(number, at):
    for _ in range(number):
        firm = make_client(name_en="Anke Co.")
        make_contact(firm, job_role="cfo", consent="no", external_id=f"P-{firm.code}")
        case = make_case(firm)
        Milestone.objects.create(
            external_id=f"M-{case.number}",
            case=case,
            code="approved",
            event="approval_communicated",
            occurred_at=at - timedelta(days=4),
        )
    triggers.invite_due(at)


def test_every_event_shows_why_nobody_was_asked(admin):
    make_seen(1, timezone.now())
    occasion = Occasion.objects.get()
    page = admin.get(url("occasion", "changelist")).content.decode()
    assert "no contact may be asked now" in page
    assert "Approval communicated" in page
    row = admin.get(url("occasion", "change", occasion.pk)).content.decode()
    contact = occasion.client.contacts.get().external_id
    assert f"{contact}: contact has not agreed to surveys, or has opted out" in row
    assert admin.get(url("occasion", "add")).status_code == 403


@pytest.mark.parametrize("model", ["trigger", "occasion"])
def test_lists_take_the_same_queries_for_one_and_for_three_rows(admin, model):
    counts = []
    for number in (1, 2):
        make_seen(number, timezone.now())
        with CaptureQueriesContext(connection) as queries:
            admin.get(url(model, "changelist"))
        counts.append(len(queries))
    assert counts[0] == counts[1]
