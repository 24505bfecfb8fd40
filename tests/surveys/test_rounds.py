"""Rounds over several connections, and what the relay's trouble and rules do to a drain."""

import os
import signal
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import translation

from bank import breaker, settings, stopping
from clients.models import Suppression
from surveys import campaigns, governance, outcomes, rounds, sending, words
from surveys.models import Campaign, Delivery, Invitation
from tests.factories import NOW, make_client, make_contact, make_draft
from tests.relay import CUT, Relay
from tests.sinks import Sink

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
TOGETHER = "250-relay.example\r\n250-PIPELINING\r\n250 8BITMIME"


def launch(count, **fields):
    for _ in range(count):
        make_contact(make_client())
    return campaigns.launch(make_draft(**fields), at=NOW, by=None)


def drain(at=NOW, **fields):
    return sending.drain(clock=lambda: at, **fields)


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


@pytest.fixture
def relay(settings):
    """A relay by script; tests set its `script` before they drain."""
    with Relay() as made:
        settings.EMAIL_URL = made.url
        yield made


def script(relay, **replies):
    relay.script = {verb: relay._list(reply) for verb, reply in replies.items()}


def connections(number):
    settings.put("smtp_connections", number, at=NOW, by=None)


@pytest.mark.parametrize(("number", "used"), [(1, 1), (4, 4), (16, 6)])
def test_round_goes_over_as_many_connections_as_are_set(relay, number, used):
    connections(number)
    launch(6)
    assert drain() == sending.Drained(sent=6)
    assert (relay.connections, len(relay.messages)) == (used, 6)
    assert states() == ["sent"] * 6


def test_relay_that_takes_commands_together_gets_them_together(relay):
    script(relay, EHLO=TOGETHER, RCPT=["250 ok", "550 5.1.1 nobody", "250 ok", "250 ok"])
    connections(1)
    launch(4)
    assert drain() == sending.Drained(sent=3, failed=1)
    assert (relay.connections, len(relay.messages)) == (1, 4)
    # To the refused one an empty message was ended, since this relay asked for it all the same.
    assert sorted(len(message) > 0 for message in relay.messages) == [False, True, True, True]
    assert Suppression.objects.count() == 1


def test_each_mail_of_a_round_has_its_own_outcome(relay):
    connections(4)
    launch(4)
    script(relay, RCPT=["250 ok", "450 busy", "550 5.1.1 nobody", "550 5.2.2 full"])
    assert drain() == sending.Drained(sent=1, retry=1, failed=2)
    assert sorted(states()) == ["failed", "failed", "retry", "sent"]
    assert Suppression.objects.count() == 1


def test_two_mails_to_one_client_in_a_round_are_judged_one_after_the_other(settings):
    connections(4)
    contact = make_contact(make_client())
    for _ in range(3):
        campaigns.launch(make_draft(), at=NOW, by=None)
    with Sink() as sink:
        settings.EMAIL_URL = sink.url
        assert drain() == sending.Drained(sent=1, passed=2)
        assert sink.recipients == [contact.email]
    assert states() == ["sent", "skipped", "skipped"]


def test_cut_after_the_message_leaves_one_unknown_a_connection(relay):
    connections(4)
    launch(4)
    script(relay, BODY=[CUT, CUT, CUT, CUT])
    assert drain() == sending.Drained(unknown=4)
    assert sending.settle_lost(at=NOW).requeued == 4
    assert drain() == sending.Drained(sent=4)


def test_relay_that_takes_fewer_connections_is_used_with_those(relay):
    connections(4)
    launch(6)
    script(relay, GREETING=["220 hello", "220 hello", "421 too many"])
    found = drain()
    assert (found.sent, found.ended) == (4, "empty")
    assert breaker.standing(at=NOW).errors == 0
    assert sorted(states()) == ["queued"] * 2 + ["sent"] * 4
    assert drain(NOW + 30 * SECOND).sent == 2


def test_relay_that_is_away_opens_the_breaker_and_costs_no_try(settings):
    launch(24)
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    for number in range(6):
        assert drain(NOW + number * SECOND).ended == "relay"
    assert breaker.standing(at=NOW + 6 * SECOND).state == "open"
    assert set(Delivery.objects.values_list("state", "attempt")) == {("queued", 0)}


def test_half_open_breaker_tries_one_mail_and_then_sends_all(relay):
    launch(5)
    for _ in range(breaker.LIMIT):
        breaker.trouble(rounds.Outcome("relay", 0, "away", "connect"), at=NOW)
    assert drain() == sending.Drained(ended="relay")
    later = NOW + breaker.SHORTEST
    relay_is_back = drain(later)
    assert (relay_is_back, breaker.standing(at=later).state) == (
        sending.Drained(sent=5),
        "closed",
    )


def test_only_one_sender_probes(relay):
    launch(2)
    for _ in range(breaker.LIMIT):
        breaker.trouble(rounds.Outcome("relay", 0, "away", "connect"), at=NOW)
    later = NOW + breaker.SHORTEST
    real = breaker.standing(at=later)
    assert breaker.probe(at=later) is True
    assert drain(later) == sending.Drained(ended="relay")
    # One that read the state a moment earlier asks for the probe and is told no.
    Delivery.objects.update(next_try_at=NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(breaker, "standing", lambda *, at: real)
        assert drain(later) == sending.Drained(ended="relay")
    assert states() == ["queued", "queued"]


def test_mail_that_always_troubles_the_relay_does_not_stand_before_the_others(relay):
    connections(1)
    launch(3)
    script(relay, RCPT=[CUT])
    assert drain() == sending.Drained(ended="relay")
    assert drain(NOW + SECOND) == sending.Drained(sent=2)
    assert breaker.standing(at=NOW).errors == 0


@pytest.mark.parametrize(
    ("replies", "phase"),
    [({"MAIL": "554 5.7.1 you may not"}, "mail"), ({"RCPT": "554 refused"}, "rcpt")],
)
def test_rule_of_the_relay_pauses_the_campaign_and_closes_no_address(relay, replies, phase):
    connections(2)
    campaign = launch(5)
    script(relay, **replies)
    found = drain()
    campaign.refresh_from_db()
    assert (found.sent, found.failed, campaign.status) == (0, 0, "paused")
    assert campaign.pause_reason["code"] == "relay_refused"
    assert (campaign.pause_reason["phase"], Suppression.objects.count()) == (phase, 0)
    assert len(relay.messages) == 0
    assert "failed" not in states()
    campaigns.resume(campaign, at=NOW, by=None)
    script(relay)
    assert drain(NOW + timedelta(hours=2)).sent == 5


def test_wrong_password_pauses_the_campaign(relay, settings):
    campaign = launch(2)
    settings.EMAIL_URL = relay.url.replace("//", "//cx:secret@")
    script(relay, AUTH="535 5.7.8 no")
    assert drain().ended == "relay"
    campaign.refresh_from_db()
    assert (campaign.status, campaign.pause_reason["phase"]) == ("paused", "auth")
    assert set(Delivery.objects.values_list("state", "attempt")) == {("queued", 0)}


def test_rule_against_one_recipient_stops_nobody_else_until_it_is_the_third(relay):
    connections(1)
    campaign = launch(6)
    script(relay, RCPT=["250 ok", "550 5.7.1 not to you", "250 ok", *["554 no"] * 3])
    steps = [drain(NOW + number * SECOND, limit=1) for number in range(6)]
    assert [(one.sent, one.retry) for one in steps] == [(1, 0), (0, 1)] * 1 + [(1, 0)] + [
        (0, 1)
    ] * 3
    campaign.refresh_from_db()
    assert (campaign.status, Suppression.objects.count()) == ("paused", 0)


def test_rate_is_kept_and_may_be_changed_while_it_runs(relay):
    settings.put("mails_per_minute", 60, at=NOW, by=None)
    launch(5)
    assert drain() == sending.Drained(sent=2, ended="paced")
    settings.put("mails_per_minute", settings.UNLIMITED, at=NOW, by=None)
    assert drain() == sending.Drained(sent=3)


def test_drain_that_may_rest_goes_on_when_the_rate_allows_it(relay):
    settings.put("mails_per_minute", 60, at=NOW, by=None)
    launch(5)
    clock = [NOW]

    def rest(seconds):
        clock[0] += timedelta(seconds=seconds + 0.001)

    assert sending.drain(clock=lambda: clock[0], rest=rest) == sending.Drained(sent=5)
    assert timedelta(seconds=2) < clock[0] - NOW < timedelta(seconds=5)


def test_what_is_not_marked_uses_up_no_rate(relay):
    settings.put("mails_per_minute", 60, at=NOW, by=None)
    launch(6)
    Invitation.objects.filter(pk__in=Invitation.objects.order_by("pk")[:4]).update(
        state="withdrawn", reason="cancelled"
    )
    assert drain() == sending.Drained(sent=2, passed=4, ended="empty")


@pytest.mark.skipif(connection.vendor == "sqlite", reason="the quick road is PostgreSQL's")
def test_quick_road_steps_aside_for_a_rule_it_does_not_know(relay, monkeypatch):
    launch(2)
    monkeypatch.setattr(rounds, "RULES", rounds.RULES - {"quiet_hours"})
    batch = list(Delivery.objects.all())
    fields = {"holder": "h", "rules": governance.book(), "at": NOW}
    assert rounds.mark(batch, **fields) == set()
    assert drain() == sending.Drained(sent=2)


def test_every_shipped_rule_is_known_to_the_quick_road():
    assert governance.SHIPPED.keys() - rounds.RULES == set()


def test_row_that_kills_its_senders_fails_after_five_and_the_others_go(relay, monkeypatch):
    launch(4)
    poison = Delivery.objects.order_by("pk")[1]
    real = sending.letters.Press.letter

    def letter(self, delivery, *, at):
        if delivery.pk == poison.pk:
            raise SystemExit  # what the row does to its process
        return real(self, delivery, at=at)

    # Nobody gives back what a dead process held.
    monkeypatch.setattr(sending.letters.Press, "letter", letter)
    monkeypatch.setattr(sending.ledger, "release", lambda *args, **fields: None)
    at, deaths = NOW, 0
    for _ in range(12):
        try:
            drain(at)
        except SystemExit:
            deaths += 1
        at += timedelta(seconds=6)
        sending.settle_lost(at=at)
    assert deaths == outcomes.MAX_BUILDS
    assert states() == ["sent", "failed", "sent", "sent"]
    poison.refresh_from_db()
    assert poison.last_error == "5 senders ended while they made this mail"


def test_row_that_cannot_be_judged_fails_after_five_and_the_others_go(relay, monkeypatch):
    launch(3)
    poison = Delivery.objects.order_by("pk")[1]
    monkeypatch.setattr(sending.rounds, "mark", lambda *args, **fields: set())
    real = sending.ledger.judge

    def judge(delivery, **fields):
        if delivery.pk == poison.pk:
            raise ValueError("no such time zone")
        return real(delivery, **fields)

    monkeypatch.setattr(sending.ledger, "judge", judge)
    assert drain() == sending.Drained(sent=2, retry=1)
    for number in range(1, 5):
        drain(NOW + number * timedelta(hours=1))
    poison.refresh_from_db()
    assert (poison.state, poison.last_error) == ("failed", "ValueError: no such time zone")


def test_letter_made_for_an_address_that_was_changed_meanwhile_is_made_anew(relay, monkeypatch):
    launch(1)
    real = sending.ledger.lock

    def lock(deliveries):
        for delivery in deliveries:
            delivery.invitation.contact.__class__.objects.update(email="new@client.example")
        real(deliveries)

    monkeypatch.setattr(sending.ledger, "lock", lock)
    monkeypatch.setattr(sending.rounds, "mark", lambda *args, **fields: set())
    assert drain().sent == 1
    assert "RCPT TO:<new@client.example>" in relay.said


def test_told_to_end_a_process_finishes_its_round_first(relay):
    connections(2)
    launch(6)
    before = signal.getsignal(signal.SIGTERM)
    ended = []
    signal.signal(signal.SIGTERM, lambda *_args: ended.append(1))
    try:
        with stopping.put_off() as told:
            os.kill(os.getpid(), signal.SIGTERM)
            found = drain(stop=told)
            assert ended == []
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (found, ended) == (sending.Drained(ended="stopped"), [1])
    assert states() == ["queued"] * 6


def test_paused_reason_is_told_in_words(relay):
    campaign = launch(1)
    script(relay, MAIL="554 5.7.1 you may not")
    drain()
    row = Campaign.objects.get(pk=campaign.pk)
    assert row.pause_reason["reply"] == "554 5.7.1 you may not"
    with translation.override("en"):
        assert words.pause(row.pause_reason) == (
            "the mail relay refuses our mail (mail): 554 5.7.1 you may not"
        )
