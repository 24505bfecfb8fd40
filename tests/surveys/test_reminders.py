"""The one reminder: whom it reaches, when, and what drops it at the last moment."""

from datetime import UTC, date, datetime, timedelta

import pytest

from bank.models import AuditEntry, Holiday
from clients import consent
from clients.models import Milestone
from cxportal import reference
from surveys import answering, campaigns, ledger, reminders, sending, triggers
from surveys.governance import book
from surveys.models import Campaign, Delivery, Invitation, Trigger
from tests.factories import (
    NOW,
    make_case,
    make_client,
    make_contact,
    make_draft,
    make_mailed_version,
)
from tests.sinks import Sink

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
# NOW is a Tuesday; five working days later it is the next Tuesday.
DUE = NOW + 7 * DAY
ANSWER = {"nps": 9, "csat": 4}


@pytest.fixture
def relay(settings):
    with Sink() as sink:
        settings.EMAIL_URL = sink.url
        yield sink


@pytest.fixture
def sent(relay):
    """A campaign whose three mails have left at NOW, and the relay that took them."""
    client = make_client()
    for _ in range(3):
        make_contact(client)
    campaign = campaigns.launch(make_draft(), at=NOW, by=None)
    drain(NOW)
    campaigns.advance(NOW)
    return campaign


def drain(at):
    return sending.drain(clock=lambda: at)


def planned():
    return list(Delivery.objects.filter(kind="reminder").order_by("id"))


def outcomes():
    return [(row.state, row.reason) for row in planned()]


def test_reminder_is_queued_after_five_working_days_and_never_a_second(sent, relay):
    assert reminders.plan_due(DUE - timedelta(hours=11)) == 0
    assert reminders.plan_due(DUE) == 3
    assert reminders.plan_due(DUE) == 0
    assert drain(DUE) == sending.Drained(sent=3)
    assert reminders.plan_due(DUE + 7 * DAY) == 0
    assert len(planned()) == 3
    first, second = relay.mails[0][1], relay.mails[3][1]
    assert first["X-CX-Invitation"] == second["X-CX-Invitation"]
    assert first["Message-ID"] != second["Message-ID"]
    entries = AuditEntry.objects.filter(act="campaign.remind")
    assert [(entry.subject_id, entry.data) for entry in entries] == [
        (str(sent.pk), {"reminders": 3})
    ]


def test_reminder_repeats_the_link_with_other_words_and_says_until_when(relay):
    version = make_mailed_version()
    version.emails["reminder"] = version.emails["invitation"] | {
        "subject_zh": "调研将于{{close_date}}结束",
        "body_zh": "{{contact_name}}：\n\n填写至{{close_date}}：\n{{survey_link}}",
    }
    version.save()
    make_contact(make_client())
    campaign = campaigns.launch(make_draft(version), at=NOW, by=None)
    drain(NOW)
    campaigns.advance(NOW)
    reminders.plan_due(DUE)
    drain(DUE)
    (_, first), (_, second) = relay.mails
    assert first["Subject"] != second["Subject"]
    last = campaign.closes_at.astimezone().date()
    text = second.get_body(("plain",)).get_content().replace("\n", "")
    assert f"{last.month} 月 {last.day} 日" in text
    link = next(word for word in text.split() if "/s/" in word)
    assert link in first.get_body(("plain",)).get_content()


def test_working_days_are_those_of_the_bank(sent):
    Holiday.objects.create(date=date(2026, 11, 27), kind="off")
    assert reminders.plan_due(DUE) == 0
    assert reminders.plan_due(DUE + DAY) == 3


@pytest.mark.parametrize(("days", "first"), [(1, NOW + DAY), (3, NOW + 3 * DAY), (0, None)])
def test_campaign_has_a_number_of_its_own(sent, days, first):
    Campaign.objects.update(remind_after=days)
    if first is None:
        assert reminders.plan_due(NOW + 13 * DAY) == 0
        return
    assert reminders.plan_due(first - DAY) == 0
    assert reminders.plan_due(first) == 3


def test_questionnaire_without_a_reminder_reminds_nobody(sent):
    version = sent.version
    version.emails["reminder"] = None
    version.save()
    assert reminders.plan_due(DUE) == 0
    version.emails["reminder"] = {"subject_en": "Still open", "body_en": "{{survey_link}}"}
    version.save()
    Invitation.objects.filter(pk=Invitation.objects.earliest("pk").pk).update(language="en")
    assert reminders.plan_due(DUE) == 1


def test_only_those_still_open_are_reminded(sent):
    answered, withdrawn, waiting = Invitation.objects.order_by("pk")
    answering.submit(answered, ANSWER, at=NOW + DAY, language="zh")
    Invitation.objects.filter(pk=withdrawn.pk).update(state="withdrawn")
    assert reminders.plan_due(DUE) == 1
    assert planned()[0].invitation == waiting
    Campaign.objects.update(status="paused")
    Delivery.objects.filter(kind="reminder").delete()
    assert reminders.plan_due(DUE) == 0


def test_answer_one_second_before_the_mark_drops_the_reminder(sent, relay):
    reminders.plan_due(DUE)
    batch = ledger.claim(holder="me", limit=10, at=DUE)
    answering.submit(batch[0].invitation, ANSWER, at=DUE - timedelta(seconds=1), language="zh")
    ledger.release(batch, holder="me")
    assert drain(DUE) == sending.Drained(sent=2, passed=1)
    assert outcomes() == [("skipped", "answered"), ("sent", ""), ("sent", "")]


def test_claimed_reminder_is_judged_by_what_holds_when_it_is_marked(sent):
    reminders.plan_due(DUE)
    rules = book()
    first, second, third = ledger.claim(holder="me", limit=10, at=DUE)
    answering.submit(first.invitation, ANSWER, at=DUE, language="zh")
    consent.opt_out(second.invitation.contact, at=DUE)
    consent.bounce(third.invitation.contact, at=DUE)
    assert [
        ledger.mark(one, holder="me", rules=rules, at=DUE) for one in (first, second, third)
    ] == [False] * 3
    assert outcomes() == [
        ("skipped", "answered"),
        ("skipped", "no_consent"),
        ("skipped", "address_bounced"),
    ]
    assert set(Invitation.objects.values_list("state", flat=True)) == {"answered", "invited"}


def test_frozen_client_gets_no_reminder(sent):
    reminders.plan_due(DUE)
    contact = Invitation.objects.earliest("pk").contact
    consent.freeze(contact.client, "open_complaint", at=DUE)
    assert drain(DUE) == sending.Drained(passed=3)
    assert outcomes() == [("skipped", "open_complaint")] * 3


def test_paused_campaign_holds_its_reminders_and_a_closed_one_drops_them(sent):
    reminders.plan_due(DUE)
    campaigns.pause(sent, at=DUE, by=None)
    assert drain(DUE) == sending.Drained()
    campaigns.resume(sent, at=DUE, by=None)
    campaigns.close(sent, at=DUE, by=None)
    assert drain(DUE) == sending.Drained()
    assert outcomes() == [("skipped", "cancelled")] * 3


def test_reminders_keep_the_hours_of_the_recipient(relay):
    make_contact(make_client(), time_zone="Europe/Berlin")
    campaign = campaigns.launch(make_draft(send_window=True), at=NOW, by=None)
    start = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    drain(start)
    campaigns.advance(start)
    assert Campaign.objects.get(pk=campaign.pk).status == "collecting"
    assert reminders.plan_due(DUE) == 1
    assert planned()[0].next_try_at == start + 7 * DAY


def test_waiting_reminders_do_not_turn_collecting_back_into_sending(sent):
    reminders.plan_due(DUE)
    campaigns.pause(sent, at=DUE, by=None)
    campaigns.resume(sent, at=DUE, by=None)
    campaigns.advance(DUE)
    assert Campaign.objects.get().status == "collecting"


def test_remind_by_hand_goes_at_once_and_only_once(sent, staff):
    assert reminders.waiting(sent, at=NOW + DAY) == 3
    assert reminders.remind(sent, at=NOW + DAY, by=staff.admin) == 3
    assert reminders.remind(sent, at=NOW + DAY, by=staff.admin) == 0
    assert reminders.waiting(sent, at=NOW + DAY) == 0
    assert drain(NOW + DAY) == sending.Drained(sent=3)
    assert reminders.plan_due(DUE) == 0
    assert AuditEntry.objects.get(act="campaign.remind").actor == staff.admin


def test_remind_by_hand_needs_a_collecting_campaign(sent):
    Campaign.objects.update(status="paused")
    with pytest.raises(campaigns.NotPossible):
        reminders.remind(sent, at=NOW, by=None)


@pytest.mark.parametrize("count", [1, 3])
def test_planning_takes_the_same_queries_for_one_and_for_three(
    relay, count, django_assert_num_queries
):
    for _ in range(count):
        make_contact(make_client())
    campaigns.launch(make_draft(), at=NOW, by=None)
    drain(NOW)
    campaigns.advance(NOW)
    # Rules and calendar, the bank's number, two lists of own numbers, the texts, the rows and
    # their reminders, the audit line, and a savepoint around them.
    with django_assert_num_queries(11):
        assert reminders.plan_due(DUE) == count


def test_trigger_reminds_by_a_number_of_its_own_while_it_is_on(relay):
    reference.load(NOW - timedelta(days=30))
    case = make_case(make_client())
    make_contact(case.client, job_role="cfo")
    Milestone.objects.create(
        external_id="M-1",
        case=case,
        code="approved",
        event="approval_communicated",
        occurred_at=NOW - DAY,
    )
    triggers.invite_due(NOW)
    drain(NOW)
    trigger = Trigger.objects.filter(code="TR02")
    trigger.update(remind_after=2, is_active=False)
    assert reminders.plan_due(NOW + 2 * DAY) == 0
    trigger.update(is_active=True)
    assert reminders.plan_due(NOW + DAY) == 0
    assert reminders.plan_due(NOW + 2 * DAY) == 1
    assert drain(NOW + 2 * DAY) == sending.Drained(sent=1)
    assert AuditEntry.objects.get(act="trigger.remind").data == {"reminders": {"TR02": 1}}


def test_invitation_of_neither_campaign_nor_trigger_is_not_reminded(sent):
    Invitation.objects.update(campaign=None)
    assert reminders.plan_due(DUE) == 0
