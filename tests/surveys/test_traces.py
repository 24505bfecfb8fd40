"""Our own mails among the touchpoints: each delivered once, clicked at most once."""

from datetime import timedelta

import pytest
from django.core.management import call_command

from clients.models import ChangeNote, Touchpoint
from surveys import campaigns, evidence, traces, visits
from surveys.models import Delivery
from tests.factories import (
    NOW,
    make_client,
    make_contact,
    make_delivery,
    make_draft,
    make_invitation,
    make_version,
)
from tests.sinks import Sink

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"
FIELDS = ("kind", "client", "contact", "at", "quantity", "source")


def stored(**which):
    return list(Touchpoint.objects.filter(**which).order_by("at", "pk").values_list(*FIELDS))


def visit(invitation, *, minutes=0, agent=PHONE, method="GET", page="survey"):
    at = NOW + timedelta(minutes=minutes)
    return visits.note(invitation, visits.Visit(page, method, at, agent=agent))


def clicks():
    return Touchpoint.objects.filter(kind="message_click").order_by("at", "pk")


def test_sent_mail_is_recorded_as_delivered_once():
    mail = make_delivery()
    asked = mail.invitation
    assert traces.record_sent(at=NOW) == 1
    assert traces.record_sent(at=NOW) == 0
    assert stored() == [
        ("message_delivered", asked.client_id, asked.contact_id, mail.sent_at, 1, "email")
    ]
    assert Touchpoint.objects.get().event_id == f"cx:delivered:{mail.pk}"
    note = ChangeNote.objects.get()
    assert (note.client_ids, note.at) == ([asked.client_id], NOW)


@pytest.mark.parametrize(
    "state",
    ["queued", "claimed", "sending", "retry", "failed", "skipped", "unknown", "bounced"],
)
def test_mail_that_was_not_sent_is_no_touchpoint(state):
    make_delivery(state=state, sent_at=None, reason="cancelled")
    assert traces.record_sent(at=NOW) == 0
    assert (Touchpoint.objects.count(), ChangeNote.objects.count()) == (0, 0)


def test_reminder_is_a_message_of_its_own():
    first = make_delivery()
    make_delivery(first.invitation, kind="reminder", sent_at=NOW)
    traces.record_sent(at=NOW)
    assert [row[3] for row in stored()] == [first.sent_at, NOW]


def test_mail_recorded_before_a_kill_is_not_recorded_twice():
    mail = make_delivery()
    traces.record_sent(at=NOW)
    Delivery.objects.update(recorded=False)
    ChangeNote.objects.all().delete()
    assert traces.record_sent(at=NOW) == 1
    assert (len(stored()), ChangeNote.objects.count()) == (1, 0)
    mail.refresh_from_db()
    assert mail.recorded


@pytest.mark.parametrize("rows", [1, 3])
def test_sweep_takes_the_same_queries_for_any_number_of_mails(rows, django_assert_num_queries):
    for _row in range(rows):
        visit(make_delivery().invitation)
    with django_assert_num_queries(7):
        traces.record_sent(at=NOW)
    with django_assert_num_queries(16):
        evidence.judge_visits(at=NOW)
    assert Touchpoint.objects.count() == 2 * rows


def test_mails_beyond_one_block_are_recorded_in_the_same_sweep(monkeypatch):
    monkeypatch.setattr(traces, "BLOCK", 2)
    for _row in range(5):
        make_delivery()
    assert traces.record_sent(at=NOW) == 5
    assert Touchpoint.objects.count() == 5


def test_visits_of_a_person_are_one_click_of_the_mail_at_the_first():
    mail = make_delivery()
    for minutes in (9, 4, 6):
        visit(mail.invitation, minutes=minutes)
    evidence.judge_visits(at=NOW)
    visit(mail.invitation, minutes=30)
    evidence.judge_visits(at=NOW)
    asked = mail.invitation
    at = NOW + timedelta(minutes=4)
    assert stored() == [("message_click", asked.client_id, asked.contact_id, at, 1, "email")]
    assert Touchpoint.objects.get().event_id == f"cx:click:{mail.pk}"
    assert ChangeNote.objects.count() == 1


@pytest.mark.parametrize(
    "machine",
    [
        {"agent": "Mozilla/5.0 (compatible; Barracuda Sentinel)"},
        {"agent": ""},
        {"method": "HEAD"},
        {"page": "opt_out"},
    ],
)
def test_machine_never_clicks(machine):
    visit(make_delivery().invitation, **machine)
    evidence.judge_visits(at=NOW)
    assert (Touchpoint.objects.count(), ChangeNote.objects.count()) == (0, 0)


def test_click_belongs_to_the_last_mail_sent_before_it():
    first = make_delivery()
    second = make_delivery(first.invitation, kind="reminder", sent_at=NOW + timedelta(hours=1))
    visit(first.invitation, minutes=5)
    visit(first.invitation, minutes=90)
    evidence.judge_visits(at=NOW)
    assert [row.event_id for row in clicks()] == [f"cx:click:{first.pk}", f"cx:click:{second.pk}"]


def test_click_shows_that_a_mail_of_unknown_outcome_arrived():
    mail = make_delivery(state="unknown", sent_at=None)
    visit(mail.invitation)
    evidence.judge_visits(at=NOW)
    assert [row.event_id for row in clicks()] == [f"cx:click:{mail.pk}"]


def test_visit_by_a_link_that_no_mail_carried_is_no_click():
    invitation = make_invitation()
    visit(invitation)
    make_delivery(invitation, state="failed", sent_at=None)
    evidence.judge_visits(at=NOW)
    assert clicks().count() == 0


@pytest.mark.parametrize(("state", "count"), [("sent", 1), ("unknown", 0)])
def test_click_of_a_nameless_survey_tells_neither_person_nor_instant(state, count):
    version = make_version(attribution="anonymous_optional")
    sent_at = NOW - timedelta(days=1) if state == "sent" else None
    mail = make_delivery(make_invitation(version=version), state=state, sent_at=sent_at)
    visit(mail.invitation, minutes=4)
    evidence.judge_visits(at=NOW)
    client = mail.invitation.client_id
    assert stored() == [("message_click", client, None, sent_at, 1, "email")] * count


def test_clicks_stay_with_the_client_that_was_asked():
    mail = make_delivery()
    asked = mail.invitation
    person = asked.contact
    person.client = make_client()
    person.save()
    visit(asked)
    traces.record_sent(at=NOW)
    evidence.judge_visits(at=NOW)
    assert {row[1] for row in stored()} == {asked.client_id}


def test_campaign_sent_by_the_timed_work_is_among_the_touchpoints(settings):
    contact = make_contact(make_client())
    campaigns.launch(make_draft(), at=NOW, by=None)
    with Sink() as sink:
        settings.EMAIL_URL = sink.url
        call_command("run_due", "--at", NOW.isoformat(), verbosity=0)
    assert [row[:4] for row in stored()] == [
        ("message_delivered", contact.client_id, contact.pk, NOW)
    ]
