"""Draining the ledger into a real relay, and what is written down of every outcome."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.utils import timezone

from bank import mail
from bank import settings as values
from bank.models import AuditEntry
from bank.replies import Outcome
from clients import consent
from clients.models import Suppression
from cxportal.celery import app
from surveys import (
    campaigns,
    governance,
    ledger,
    letters,
    links,
    outcomes,
    retries,
    rounds,
    sending,
    tasks,
)
from surveys.models import Delivery, Invitation
from tests.factories import (
    NOW,
    make_client,
    make_contact,
    make_draft,
    make_invitation,
    make_mailed_version,
)
from tests.sinks import Sink

pytestmark = pytest.mark.django_db


@pytest.fixture
def relay(settings):
    """A relay that takes everything; tests that need another make their own."""
    with Sink() as sink:
        settings.EMAIL_URL = sink.url
        yield sink


@pytest.fixture(autouse=True)
def one_connection():
    """The plain loop: a round is one mail. What several connections add is tested apart."""
    values.put("smtp_connections", 1, at=NOW, by=None)


def launch(*contacts, at=NOW, **fields):
    if not contacts:
        make_contact(make_client())
    return campaigns.launch(make_draft(**fields), at=at, by=None)


def drain(at=NOW, **fields):
    return sending.drain(clock=lambda: at, **fields)


def states():
    return list(Delivery.objects.order_by("id").values_list("state", flat=True))


def test_drain_sends_each_due_mail_once(relay):
    contacts = [make_contact(make_client()) for _ in range(3)]
    launch(*contacts)
    assert drain() == sending.Drained(sent=3)
    assert drain() == sending.Drained()
    assert relay.recipients == [contact.email for contact in contacts]
    delivery = Delivery.objects.order_by("id").first()
    assert (delivery.state, delivery.sent_at, delivery.attempt) == ("sent", NOW, 1)
    assert delivery.relay_reply == "queued as 42"
    assert {(one.state, one.sent_at) for one in Invitation.objects.all()} == {("invited", NOW)}
    assert relay.mails[0][1]["Message-ID"] == delivery.message_id


def test_nothing_leaves_before_its_time_or_beyond_the_limit(relay):
    for _ in range(3):
        make_contact(make_client())
    launch(1, send_at=NOW + timedelta(hours=1))
    assert drain() == sending.Drained()
    assert drain(NOW + timedelta(hours=1), limit=2) == sending.Drained(sent=2, ended="limit")
    assert states() == ["sent", "sent", "queued"]


def test_more_than_one_batch_is_drained(relay, monkeypatch):
    monkeypatch.setattr(sending, "BATCH", 2)
    for _ in range(5):
        make_contact(make_client())
    launch(1)
    assert drain() == sending.Drained(sent=5)


def test_stop_flag_ends_after_the_current_mail(relay):
    for _ in range(3):
        make_contact(make_client())
    launch(1)
    answers = iter([False, True])
    assert drain(stop=lambda: next(answers)) == sending.Drained(sent=1, ended="stopped")
    assert states() == ["sent", "queued", "queued"]


def test_hold_keeps_every_mail_back(relay, staff):
    launch()
    mail.hold(at=NOW, by=staff.admin)
    assert drain() == sending.Drained(ended="held")
    assert (states(), relay.mails) == (["queued"], [])
    mail.release(at=NOW, by=staff.admin)
    assert drain() == sending.Drained(sent=1)


def test_hold_during_a_drain_ends_it(relay, staff):
    for _ in range(2):
        make_contact(make_client())
    launch(1)

    def clock():
        if relay.mails:
            mail.hold(at=NOW, by=staff.admin)
        return NOW

    assert sending.drain(clock=clock) == sending.Drained(sent=1, passed=1, ended="held")
    assert states() == ["sent", "queued"]


def test_paused_campaign_waits_and_stopped_one_never_goes(relay):
    campaign = launch()
    campaigns.pause(campaign, at=NOW, by=None)
    assert drain() == sending.Drained()
    assert states() == ["queued"]
    campaigns.resume(campaign, at=NOW, by=None)
    campaigns.stop(campaign, at=NOW, by=None)
    assert drain() == sending.Drained()
    assert states() == ["skipped"]


def claimed(at=NOW):
    """One delivery taken by a holder that has not judged it yet."""
    (delivery,) = ledger.claim(holder="h", limit=1, at=at)
    return delivery


def mark(delivery, at=NOW):
    with transaction.atomic():
        ledger.lock([delivery])
        found = ledger.mark(delivery, holder="h", rules=governance.book(), at=at)
    delivery.refresh_from_db()
    return found


def test_pause_after_the_claim_gives_the_mail_back():
    campaign = launch()
    delivery = claimed()
    campaigns.pause(campaign, at=NOW, by=None)
    assert (mark(delivery), delivery.state) == (False, "queued")


def test_stop_after_the_claim_wins():
    campaign = launch()
    delivery = claimed()
    campaigns.stop(campaign, at=NOW, by=None)
    assert (mark(delivery), delivery.state, delivery.reason) == (False, "skipped", "cancelled")


def test_opt_out_between_planning_and_sending_is_obeyed(relay):
    contact = make_contact(make_client())
    launch(contact)
    consent.opt_out(contact, at=NOW)
    assert drain() == sending.Drained(passed=1)
    assert relay.mails == []
    delivery, invitation = Delivery.objects.get(), Invitation.objects.get()
    assert (delivery.state, delivery.reason) == ("skipped", "no_consent")
    assert (invitation.state, invitation.reason) == ("skipped", "no_consent")


def test_mail_outside_the_window_is_put_off(relay):
    launch(send_window=True)
    noon = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    assert drain(noon) == sending.Drained(passed=1)
    delivery = Delivery.objects.get()
    assert delivery.state == "queued"
    assert delivery.next_try_at == datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    assert (drain(delivery.next_try_at).sent, len(relay.mails)) == (1, 1)


def test_two_campaigns_for_one_contact_send_one_mail(relay):
    contact = make_contact(make_client())
    launch(contact)
    launch(contact)
    assert drain() == sending.Drained(sent=1, passed=1)
    assert relay.recipients == [contact.email]
    skipped = Delivery.objects.get(state="skipped")
    assert skipped.reason == "contact_cooldown"
    assert skipped.invitation.free_on == (NOW + timedelta(days=90)).date()


def test_answered_invitation_is_not_written_to_again(relay):
    launch()
    Invitation.objects.update(state="answered", answered_at=NOW)
    assert drain() == sending.Drained(passed=1)
    assert (states(), relay.mails) == (["sent"], [])


def test_reminder_goes_to_the_same_link_and_stops_with_the_answer(relay):
    contact = make_contact(make_client())
    invitation = make_invitation(
        contact, version=make_mailed_version(), variables=letters.personal(contact)
    )
    invitation.variables |= letters.common(
        invitation.version, closes_at=invitation.closes_at, at=NOW
    )
    invitation.save()
    reminder = Delivery.objects.create(
        invitation=invitation, kind="reminder", message_id="<r@x>", next_try_at=NOW
    )
    assert drain() == sending.Drained(sent=1)
    assert links.survey_url(invitation.uuid) in text_of(relay.mails[0][1])
    invitation.refresh_from_db()
    assert invitation.sent_at == NOW - timedelta(days=1)
    Delivery.objects.filter(pk=reminder.pk).update(state="queued")
    Invitation.objects.update(state="answered")
    assert drain() == sending.Drained(passed=1)
    reminder.refresh_from_db()
    assert (reminder.state, reminder.reason) == ("skipped", "answered")


def text_of(message):
    return message.get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("reply", "waits"),
    [
        ("451 4.7.1 grey-listed", (10, 30, 60)),
        ("450 4.1.8 later", (10, 30, 60)),
        ("455 what", (60, 300, 900)),
    ],
)
def test_temporary_refusal_backs_off_and_is_sent_once_in_the_end(settings, reply, waits):
    seen = []

    def busy(address):
        seen.append(address)
        return reply if len(seen) <= 3 else None

    launch()
    with Sink(rcpt=busy) as sink:
        settings.EMAIL_URL = sink.url
        at = NOW
        for seconds in waits:
            assert drain(at) == sending.Drained(retry=1)
            delivery = Delivery.objects.get()
            wait = (delivery.next_try_at - at).total_seconds()
            assert 0.8 * seconds <= wait <= 1.2 * seconds
            assert drain(at) == sending.Drained()
            at = delivery.next_try_at
        assert drain(at) == sending.Drained(sent=1)
        assert len(sink.mails) == 1
    assert Delivery.objects.get().attempt == 4


def test_refusal_that_never_ends_fails_with_its_cause(settings):
    launch()
    with Sink(rcpt=lambda address: "452 4.2.2 full") as sink:
        settings.EMAIL_URL = sink.url
        at, tries = NOW, 0
        while drain(at).retry:
            at, tries = Delivery.objects.get().next_try_at, tries + 1
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempt) == ("failed", tries + 1)
    assert delivery.last_error == "rcpt: 452 4.2.2 full"
    assert timedelta(hours=24) < at - NOW < timedelta(hours=55)


def test_bad_address_fails_at_once_and_is_not_used_again(settings):
    contact = make_contact(make_client())
    launch(contact)
    with Sink(rcpt=lambda address: "550 5.1.1 no such user") as sink:
        settings.EMAIL_URL = sink.url
        assert drain() == sending.Drained(failed=1)
    assert Suppression.objects.get().reason == "bounced"
    assert governance.refusals([contact], at=NOW)[contact.pk].code == "address_bounced"


def test_refused_content_fails_without_blaming_the_address(settings):
    launch()
    with Sink(data=lambda recipient: "554 5.6.0 spam") as sink:
        settings.EMAIL_URL = sink.url
        assert drain() == sending.Drained(failed=1)
    assert Suppression.objects.count() == 0


def test_relay_that_is_away_costs_no_try_and_ends_the_drain(settings):
    for _ in range(2):
        make_contact(make_client())
    launch(1)
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    assert drain() == sending.Drained(ended="relay")
    assert set(Delivery.objects.values_list("state", "attempt")) == {("queued", 0)}
    # What met the trouble waits a moment, so that it does not stand before the others for ever.
    first, second = Delivery.objects.order_by("id").values_list("next_try_at", flat=True)
    assert (first, second) == (NOW + retries.PUT_OFF, NOW)


def test_lost_verdict_is_unknown_then_sent_once_more_with_the_same_id_and_link(settings):
    calls = []

    def cut(recipient):
        calls.append(recipient)
        return "hang up" if len(calls) == 1 else None

    launch()
    with Sink(data=cut) as sink:
        settings.EMAIL_URL = sink.url
        assert drain() == sending.Drained(unknown=1)
        assert Delivery.objects.get().losses == 1
        assert sending.settle_lost(at=NOW) == outcomes.Lost(returned=0, unknown=0, requeued=1)
        assert drain() == sending.Drained(sent=1)
        first, second = [message for _to, message in sink.mails]
    assert first["Message-ID"] == second["Message-ID"]
    assert text_of(first) == text_of(second)


def test_second_loss_waits_for_a_person(settings, staff):
    launch()
    with Sink(data=lambda recipient: "hang up") as sink:
        settings.EMAIL_URL = sink.url
        drain()
        sending.settle_lost(at=NOW)
        drain()
    assert sending.settle_lost(at=NOW) == outcomes.Lost(0, 0, 0)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.losses) == ("unknown", 2)
    ledger.send_again(delivery, at=NOW, by=staff.admin)
    ledger.send_again(delivery, at=NOW, by=staff.admin)
    delivery.refresh_from_db()
    assert delivery.state == "queued"
    with pytest.raises(ledger.NotUnknown):
        ledger.consider_sent(delivery, at=NOW, by=staff.admin)
    assert AuditEntry.objects.filter(act="delivery.send_again").count() == 1


def test_person_may_consider_an_unknown_mail_sent(staff):
    launch()
    Delivery.objects.update(state="unknown", losses=2)
    ledger.consider_sent(Delivery.objects.get(), at=NOW, by=staff.admin)
    assert (states(), Invitation.objects.get().state) == (["sent"], "invited")


def test_silent_claim_returns_and_silent_mark_goes_once_more():
    for _ in range(2):
        make_contact(make_client())
    launch(1)
    first, second = ledger.claim(holder="h", limit=2, at=NOW)
    assert mark(first) is True
    soon, later = NOW + timedelta(seconds=4), NOW + timedelta(seconds=5)
    assert sending.settle_lost(at=soon) == outcomes.Lost(0, 0, 0)
    assert sending.settle_lost(at=later) == outcomes.Lost(1, 1, 1)
    assert sending.settle_lost(at=later) == outcomes.Lost(0, 0, 0)
    assert list(Delivery.objects.order_by("id").values_list("state", "losses")) == [
        ("queued", 1),
        ("queued", 0),
    ]
    assert mark(second, at=later) is False


def test_mark_fails_when_the_lease_has_run_out():
    launch()
    delivery = claimed()
    assert mark(delivery, at=NOW + timedelta(seconds=5)) is False
    assert delivery.state == "claimed"


@pytest.mark.skipif(connection.vendor == "sqlite", reason="the quick road is PostgreSQL's")
def test_quick_road_says_no_wherever_the_ledger_might(staff):
    contact = make_contact(make_client())
    campaign = launch(contact, send_window=True)
    delivery = claimed()
    fields = {"holder": "h", "rules": governance.book(), "at": NOW}
    now = {"at": NOW}
    hindrances = [
        lambda: mail.hold(**now, by=staff.admin),
        lambda: consent.opt_out(contact, **now),
        lambda: consent.bounce(contact, **now),
        lambda: consent.freeze(contact.client, "open_complaint", **now),
        lambda: contact.consents.update(state="unknown"),
        lambda: type(contact).objects.update(left_on=NOW.date()),
        lambda: type(contact).objects.update(email="other@client.example"),
        lambda: type(contact).objects.update(client=make_client()),
        lambda: campaigns.pause(campaign, **now, by=None),
        lambda: Invitation.objects.update(state="answered"),
        lambda: Invitation.objects.update(state="withdrawn"),
        lambda: Invitation.objects.update(closes_at=NOW),
        lambda: make_invitation(contact),
        lambda: [make_invitation(make_contact(contact.client)) for _ in range(3)],
        lambda: open_mail(contact.client, state="sending"),
        lambda: open_mail(contact.client, state="queued", losses=1),
        lambda: Delivery.objects.update(claimed_by="other"),
        lambda: Delivery.objects.update(lease_until=NOW),
        lambda: Delivery.objects.update(state="queued"),
        lambda: fields.update(at=datetime(2026, 11, 24, 4, 0, tzinfo=UTC)),
    ]
    for hinder in hindrances:
        with transaction.atomic():
            hinder()
            assert rounds.mark([delivery], **fields) == set()
            transaction.set_rollback(True)
    fields["at"] = NOW
    assert rounds.mark([delivery], **fields) == {delivery.pk}
    assert rounds.mark([delivery], **fields) == set()


def open_mail(client, **fields):
    invitation = make_invitation(make_contact(client), sent_at=None)
    message = {"invitation": invitation, "message_id": "<o@x>", "next_try_at": NOW}
    return Delivery.objects.create(**message | fields)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="the quick road is PostgreSQL's")
def test_quick_road_settles_an_accepted_mail_of_its_own_and_nothing_else():
    launch()
    delivery = claimed()
    mark(delivery)
    good, busy = (Outcome(kind, 250, "ok", "body") for kind in ("accepted", "retry"))
    assert rounds.settle([(delivery, busy)], holder="h", at=NOW) == set()
    assert rounds.settle([(delivery, good)], holder="other", at=NOW) == set()
    assert rounds.settle([(delivery, good)], holder="h", at=NOW) == {delivery.pk}
    assert rounds.settle([(delivery, good)], holder="h", at=NOW) == set()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.sent_at, delivery.attempt) == ("sent", NOW, 1)
    assert (delivery.relay_reply, delivery.lease_until) == ("ok", None)
    invitation = Invitation.objects.get()
    assert (invitation.state, invitation.sent_at) == ("invited", NOW)


def test_late_verdict_is_better_than_the_guess_of_the_sweep():
    launch()
    delivery = claimed()
    mark(delivery)
    sending.settle_lost(at=NOW + timedelta(seconds=5))
    outcome = Outcome("accepted", 250, "ok", "body")
    assert outcomes.settle(delivery, outcome, holder="h", at=NOW) == "sent"
    assert outcomes.settle(delivery, outcome, holder="h", at=NOW) == ""
    assert states() == ["sent"]


def test_letter_that_cannot_be_written_fails_after_five_tries_and_stops_nobody(relay):
    for _ in range(2):
        make_contact(make_client())
    launch(1)
    bad = Invitation.objects.order_by("id").first()
    Invitation.objects.filter(pk=bad.pk).update(variables={})
    at = NOW
    assert drain(at) == sending.Drained(sent=1, retry=1)
    for number in range(2, 6):
        at += timedelta(hours=2)
        assert drain(at) == (sending.Drained(retry=1) if number < 5 else sending.Drained(failed=1))
    delivery = Delivery.objects.get(invitation=bad)
    assert (delivery.state, delivery.taken) == ("failed", 5)
    assert delivery.last_error.startswith("Unfillable: ")


def test_each_mail_costs_the_same_queries(relay, django_assert_num_queries):
    make_contact(make_client())
    launch(1)
    # On PostgreSQL the statements of a mail are prepared and counted by nobody but the commit.
    first, more = (37, 18) if connection.vendor == "sqlite" else (21, 2)
    with django_assert_num_queries(first):
        drain()
    for _ in range(3):
        make_contact(make_client())
    launch(1)
    with django_assert_num_queries(first + 2 * more):
        assert drain().sent == 3


def test_tasks_ring_without_a_broker(relay, settings, django_capture_on_commit_callbacks):
    settings.CELERY_TASK_ALWAYS_EAGER = True
    launch(at=timezone.now())
    with django_capture_on_commit_callbacks(execute=True):
        tasks.ring()
    tasks.settle_lost.delay()
    tasks.advance_campaigns.delay()
    assert len(relay.mails) == 1


def test_deadlock_at_the_mark_is_tried_again_and_loses_no_verdict(relay, monkeypatch):
    for _ in range(2):
        make_contact(make_client())
    launch(1)
    real, faults = rounds.mark, iter([False, True, True, False])

    def mark_with_faults(*args, **fields):
        if next(faults):
            raise OperationalError("deadlock detected")
        return real(*args, **fields)

    monkeypatch.setattr(rounds, "mark", mark_with_faults)
    assert drain() == sending.Drained(sent=2)
    assert (states(), len(relay.mails)) == (["sent", "sent"], 2)


def test_database_that_stays_away_ends_the_drain_with_its_error(relay, monkeypatch):
    launch()

    def fail(*args, **fields):
        raise OperationalError("no connection")

    monkeypatch.setattr(rounds, "mark", fail)
    with pytest.raises(OperationalError):
        drain()
    assert states() == ["queued"]


def test_bell_without_a_broker_is_dropped_at_once(caplog):
    begun = time.monotonic()
    app.conf.task_always_eager = False
    try:
        tasks.publish(tasks.send_due)
    finally:
        app.conf.task_always_eager = True
    assert "was not heard" in caplog.text
    assert time.monotonic() - begun < 1


def test_drain_that_ran_out_of_time_rings_again(relay, monkeypatch):
    for _ in range(2):
        make_contact(make_client())
    launch(1, at=timezone.now())
    seconds = iter([0.0, 0.0, 9.0, 9.0, 9.0, 9.0, 9.0])
    monkeypatch.setattr(tasks, "monotonic", lambda: next(seconds, 9.0))
    tasks.send_due.delay()
    assert len(relay.mails) == 2


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="the flow with processes shows it on a file"
)
@pytest.mark.django_db(transaction=True)
def test_two_campaigns_drained_at_the_same_moment_write_once_to_a_person(settings, monkeypatch):
    monkeypatch.setattr(sending, "BATCH", 1)
    contacts = [make_contact(make_client()) for _ in range(6)]
    # The two mails of one person stand side by side in the ledger.
    for contact in contacts:
        for _ in range(2):
            launch(contact, audience={"client_codes": [contact.client.code]})
    with Sink(delay=0.01) as sink:
        settings.EMAIL_URL = sink.url
        barrier, found = threading.Barrier(3), []

        def work():
            barrier.wait()
            try:
                found.append(drain())
            finally:
                connections.close_all()

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        drain()
        assert sorted(sink.recipients) == sorted(contact.email for contact in contacts)
    assert sorted(states()) == ["sent"] * 6 + ["skipped"] * 6
    assert len(found) == 3
    connection.close()
