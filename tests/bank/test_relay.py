import time

import pytest
from django.conf import settings as django_settings

from bank import relay as way_out
from bank.dialogue import Mail
from bank.replies import Outcome
from tests.relay import CUT, SILENT, Relay

MESSAGE = b"Subject: hello\r\n\r\nText\r\n"


def hand_over(way, to="p1@client.example", message=MESSAGE):
    (outcome,) = way.send([Mail("cx@bank.example", to, message)])
    return outcome


def send(settings, to="p1@client.example", message=MESSAGE, count=1, **script):
    with Relay(**script) as relay:
        settings.EMAIL_URL = relay.url
        with way_out.Relay() as way:
            outcomes = [hand_over(way, to, message) for _ in range(count)]
    return relay, outcomes


def seen(outcome):
    return outcome.kind, outcome.code, outcome.phase


def test_message_goes_out_unchanged(settings):
    relay, [outcome] = send(settings)
    assert outcome == Outcome("accepted", 250, "queued as 1", "body")
    assert relay.messages == [MESSAGE]
    assert relay.said[0] == "ehlo bank.example"
    assert relay.said[1:3] == ["MAIL FROM:<cx@bank.example>", "RCPT TO:<p1@client.example>"]
    assert relay.said[-1].lower() == "quit"


def test_one_connection_carries_many_messages(settings):
    relay, outcomes = send(settings, count=3)
    assert [outcome.kind for outcome in outcomes] == ["accepted"] * 3
    assert (relay.connections, len(relay.messages)) == (1, 3)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({"GREETING": "554 not you"}, ("relay", 554, "connect")),
        ({"GREETING": CUT}, ("relay", 0, "connect")),
        ({"EHLO": CUT}, ("relay", 0, "connect")),
        ({"MAIL": "550 sender refused"}, ("policy", 550, "mail")),
        ({"MAIL": "451 later"}, ("relay", 451, "mail")),
        ({"MAIL": CUT}, ("relay", 0, "mail")),
        ({"RCPT": "421 going down"}, ("relay", 421, "rcpt")),
        ({"RCPT": "450 grey-listed"}, ("retry", 450, "rcpt")),
        ({"RCPT": "452 4.2.2 mailbox full"}, ("retry", 452, "rcpt")),
        ({"RCPT": "550 5.1.1 no such user"}, ("refused", 550, "rcpt")),
        ({"RCPT": "530 sign in first"}, ("policy", 530, "rcpt")),
        ({"RCPT": "554 no"}, ("policy", 554, "rcpt")),
        ({"RCPT": "550 5.7.1 not from you"}, ("policy", 550, "rcpt")),
        ({"RCPT": "503 bad sequence"}, ("relay", 503, "rcpt")),
        ({"RCPT": CUT}, ("relay", 0, "rcpt")),
        ({"DATA": "451 try again"}, ("retry", 451, "data")),
        ({"DATA": "554 no"}, ("policy", 554, "data")),
        ({"DATA": CUT}, ("relay", 0, "data")),
        ({"BODY": "451 try again"}, ("retry", 451, "body")),
        ({"BODY": "552 too large"}, ("refused", 552, "body")),
        ({"BODY": "554 5.6.0 spam"}, ("refused", 554, "body")),
        ({"BODY": "550 5.7.1 spam"}, ("policy", 550, "body")),
        ({"BODY": "421 going down"}, ("relay", 421, "body")),
        ({"BODY": CUT}, ("unknown", 0, "body")),
        ({"BODY": "garbage"}, ("unknown", 0, "body")),
        ({"BODY": "354 again"}, ("unknown", 354, "body")),
    ],
)
def test_reply_is_judged_by_its_phase(settings, script, expected):
    _relay, [outcome] = send(settings, **script)
    assert seen(outcome) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({"GREETING": SILENT}, ("relay", 0, "connect")),
        ({"RCPT": SILENT}, ("relay", 0, "rcpt")),
        ({"BODY": SILENT}, ("unknown", 0, "body")),
    ],
)
def test_silent_relay_holds_no_longer_than_the_timeout(settings, script, expected):
    settings.EMAIL_TIMEOUT = 0.3
    _relay, [outcome] = send(settings, **script)
    assert seen(outcome) == expected


def test_slow_relay_has_one_timeout_for_all_its_answers_up_to_the_body(settings):
    settings.EMAIL_TIMEOUT = 0.5
    begun = time.monotonic()
    relay, [outcome] = send(settings, pause=0.2)
    assert (outcome.kind, relay.messages) == ("relay", [])
    assert time.monotonic() - begun < 1.0
    assert 2 * django_settings.EMAIL_TIMEOUT < django_settings.SEND_LEASE_SECONDS


def test_nobody_listening_is_the_relays_fault(settings):
    settings.EMAIL_URL = "smtp://127.0.0.1:1"
    with way_out.Relay() as way:
        outcome = hand_over(way)
    assert seen(outcome) == ("relay", 0, "connect")
    assert "refused" in outcome.reply.lower()


def test_refused_recipient_does_not_disturb_the_next(settings):
    relay, outcomes = send(settings, count=3, RCPT=["550 no", "450 later"])
    assert [outcome.kind for outcome in outcomes] == ["refused", "retry", "accepted"]
    assert (relay.connections, relay.said.count("RSET")) == (1, 2)


def test_connection_closed_while_idle_is_opened_again(settings):
    relay, outcomes = send(settings, count=2, MAIL=["250 ok", CUT])
    assert [outcome.kind for outcome in outcomes] == ["accepted", "accepted"]
    assert relay.connections == 2


def test_relay_that_hangs_up_after_a_refusal_or_at_the_end_does_no_harm(settings):
    relay, outcomes = send(settings, count=2, RCPT=["550 no"], RSET=CUT, QUIT=CUT)
    assert [outcome.kind for outcome in outcomes] == ["refused", "accepted"]
    assert relay.connections == 2


def test_unknown_message_is_never_sent_again(settings):
    relay, outcomes = send(settings, count=2, BODY=["250 ok", CUT])
    assert [outcome.kind for outcome in outcomes] == ["accepted", "unknown"]
    assert len(relay.messages) == 2


def test_next_message_after_a_lost_one_opens_a_new_connection(settings):
    relay, outcomes = send(settings, count=2, BODY=[CUT])
    assert [outcome.kind for outcome in outcomes] == ["unknown", "accepted"]
    assert relay.connections == 2


def test_demonstration_writes_to_example_only(settings):
    settings.DEMO = True
    for address in ("a@client.test", "a@example.com", "a@x.example.com"):
        relay, [outcome] = send(settings, to=address)
        assert (seen(outcome), relay.connections) == (("refused", 0, "address"), 0)
    settings.DEMO = False
    assert send(settings, to="a@client.test")[1][0].kind == "accepted"


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example\r\nRCPT TO:<x@y.example>",
        "a b@c.example",
        "a@b.example>",
        "no-at",
        "@b.example",
        "张@b.example",
        "a@b.example\x00",
    ],
)
def test_address_that_would_break_the_dialogue_is_not_said(settings, address):
    settings.DEMO = False
    relay, [outcome] = send(settings, to=address)
    assert (seen(outcome), relay.said) == (("refused", 0, "address"), [])


def test_line_ends_and_dots_cannot_smuggle_a_second_message(settings):
    text = b"Subject: x\r\n\r\nfirst\n.\nMAIL FROM:<evil@x.example>\r.\r..dots"
    relay, [outcome] = send(settings, message=text)
    assert outcome.kind == "accepted"
    expected = b"Subject: x\r\n\r\nfirst\r\n.\r\nMAIL FROM:<evil@x.example>\r\n.\r\n..dots\r\n"
    assert relay.messages == [expected]


def test_eight_bit_text_is_announced(settings):
    relay, _ = send(settings, message="Subject: x\r\n\r\n你好\r\n".encode())
    assert relay.said[1] == "MAIL FROM:<cx@bank.example> BODY=8BITMIME"


def test_reply_is_one_short_printable_line(settings):
    _relay, [outcome] = send(settings, RCPT="550-no\x1b[31m\r\n550 " + "x" * 600)
    assert outcome.reply.startswith("no [31m xxx")
    assert len(outcome.reply) == 300


@pytest.mark.parametrize(
    ("reply", "bad"),
    [
        ("550 no such user", True),
        ("550 5.1.1 no such user", True),
        ("550 5.2.1 disabled", True),
        ("550 5.7.1 blocked by policy", False),
        ("552 over quota", False),
        ("554 refused", False),
        ("450 later", False),
    ],
)
def test_only_the_mailbox_itself_counts_as_a_bad_address(settings, reply, bad):
    assert send(settings, RCPT=reply)[1][0].is_bad_address is bad


def test_content_refused_after_the_message_is_no_bad_address(settings):
    assert send(settings, BODY="550 5.1.1 no")[1][0].is_bad_address is False


def test_user_and_password_of_the_address_are_used(settings):
    with Relay() as relay:
        settings.EMAIL_URL = relay.url.replace("//", "//cx%40bank:se%2Fcret@")
        with way_out.Relay() as way:
            assert hand_over(way).kind == "accepted"
    assert relay.said[1].startswith("AUTH PLAIN")


def test_wrong_password_is_the_relays_matter_and_never_shown(settings):
    with Relay(AUTH="535 5.7.8 no") as relay:
        settings.EMAIL_URL = relay.url.replace("//", "//cx:hunter2secret@")
        with way_out.Relay() as way:
            outcome = hand_over(way)
    assert seen(outcome) == ("policy", 535, "auth")
    assert "hunter2" not in repr(outcome)


def test_relay_without_encryption_gets_no_message_when_tls_is_asked(settings):
    with Relay() as relay:
        settings.EMAIL_URL = relay.url + "?tls=1"
        with way_out.Relay() as way:
            outcome = hand_over(way)
    assert (outcome.kind, outcome.phase, relay.messages) == ("relay", "connect", [])
