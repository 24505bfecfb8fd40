"""The relay's log as the memory of a killed sender, and what came of the mails it took."""

from datetime import UTC, datetime, timedelta

import pytest

from bank.models import RelayState
from clients.models import Suppression
from surveys import campaigns, outcomes, queries, reconciling, relaylog, sending
from surveys.models import Delivery, Invitation
from tests.factories import NOW, make_client, make_contact, make_draft

pytestmark = pytest.mark.django_db
LEASE = timedelta(seconds=5)
SECOND = timedelta(seconds=1)


class Log:
    """A log file to which lines are added as Postfix would."""

    def __init__(self, path):
        self.path, self.at = path, NOW - timedelta(minutes=1)
        self.write("postfix/smtpd[1]: connect from cx.bank.example[10.0.0.1]")

    def write(self, text, at=None):
        with self.path.open("a", encoding="utf-8") as log:
            log.write(f"{(at or self.at).isoformat()} relay {text}\n")

    def took(self, delivery, queue="4ABCD1", at=NOW):
        self.write(f"postfix/cleanup[2]: {queue}: message-id={delivery.message_id}", at)
        words = "from=<cx@bank.example>, size=9000, nrcpt=1 (queue active)"
        self.write(f"postfix/qmgr[3]: {queue}: {words}", at)

    def told(self, status, dsn, said, queue="4ABCD1", at=NOW):
        words = f"to=<x@c.example>, relay=mx, delay=1, dsn={dsn}, status={status} ({said})"
        self.write(f"postfix/smtp[4]: {queue}: {words}", at)


@pytest.fixture
def log(tmp_path, settings):
    settings.RELAY_LOG = str(tmp_path / "mail.log")
    return Log(tmp_path / "mail.log")


def launch(count=1):
    for _ in range(count):
        make_contact(make_client())
    campaign = campaigns.launch(make_draft(), at=NOW, by=None)
    return campaign, list(Delivery.objects.order_by("pk"))


def lose(delivery, at=NOW, **fields):
    """A sender marked it at this instant and was killed."""
    Delivery.objects.filter(pk=delivery.pk).update(
        **{"state": "sending", "claimed_by": "h", "lease_until": at + LEASE} | fields
    )


def sweep(at=NOW + 2 * LEASE):
    return sending.settle_lost(at=at)


def states():
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_lost_mail_that_the_relay_took_is_sent_and_goes_no_second_time(log):
    _campaign, [delivery] = launch()
    lose(delivery)
    log.took(delivery)
    assert sweep() == outcomes.Lost(returned=0, unknown=1, requeued=0, found=1)
    assert sweep() == outcomes.Lost(0, 0, 0)
    row, invitation = Delivery.objects.get(), Invitation.objects.get()
    assert (row.state, row.sent_at, row.queue_id) == ("sent", NOW, "4ABCD1")
    assert (invitation.state, invitation.sent_at) == ("invited", NOW)


def test_lost_mail_of_which_the_log_is_silent_goes_again_as_good_as_new(log):
    _campaign, [delivery] = launch()
    lose(delivery)
    # Named and never taken: the connection broke within the message.
    log.write(f"postfix/cleanup[2]: 4ABCD1: message-id={delivery.message_id}", NOW)
    assert sweep(NOW + LEASE) == outcomes.Lost(returned=0, unknown=1, requeued=0)
    assert sweep() == outcomes.Lost(returned=0, unknown=0, requeued=1)
    row = Delivery.objects.get()
    assert (row.state, row.losses) == ("queued", 0)


def test_second_loss_needs_no_person_where_the_log_knows(log):
    _campaign, [first, second] = launch(2)
    lose(first, losses=1)
    lose(second, losses=1)
    log.took(first)
    assert sweep() == outcomes.Lost(returned=0, unknown=2, requeued=1, found=1)
    assert states() == ["sent", "queued"]


def test_log_that_begins_after_the_mail_proves_nothing(log):
    _campaign, [delivery] = launch()
    log.path.write_text("")
    log.write("postfix/smtpd[1]: connect from x", NOW + SECOND)
    lose(delivery)
    assert sweep() == outcomes.Lost(returned=0, unknown=1, requeued=0)
    later = NOW + outcomes.LOG_PATIENCE + 2 * LEASE
    assert sweep(later) == outcomes.Lost(returned=0, unknown=0, requeued=1)
    assert Delivery.objects.get().losses == 1


@pytest.mark.parametrize("path", ["/nonexistent/mail.log", ""])
def test_without_a_readable_log_a_lost_mail_goes_once_more(settings, path):
    settings.RELAY_LOG = path
    _campaign, [delivery] = launch()
    lose(delivery)
    assert sweep() == outcomes.Lost(returned=0, unknown=1, requeued=1)


def test_delivered_and_returned_are_read_and_the_funnel_adds_up(log):
    campaign, deliveries = launch(4)
    for number, delivery in enumerate(deliveries):
        Delivery.objects.filter(pk=delivery.pk).update(state="sent", sent_at=NOW)
        log.took(delivery, f"4ABCD{number}")
    log.told("sent", "2.0.0", "250 2.0.0 Ok: queued as 77", "4ABCD0")
    log.told("bounced", "5.1.1", "host mx said: 550 5.1.1 unknown", "4ABCD1")
    log.told("bounced", "5.7.1", "host mx said: 550 5.7.1 spam", "4ABCD2")
    log.told("deferred", "4.4.1", "connect timed out", "4ABCD3")
    found = reconciling.read(at=NOW + 2 * LEASE)
    assert (found.found, found.delivered, found.bounced) == (0, 1, 2)
    assert states() == ["delivered", "bounced", "bounced", "sent"]
    # Only the address that does not exist is closed.
    assert Suppression.objects.get().reason == "bounced"
    funnel = queries.funnel(campaign)
    assert (funnel.planned, funnel.sent, funnel.delivered) == (4, 4, 2)
    assert Delivery.objects.get(pk=deliveries[1].pk).relay_reply.startswith("5.1.1 host mx")
    assert reconciling.read(at=NOW + 2 * LEASE).bounced == 0


def test_mail_that_expired_in_the_relay_has_come_back_later(log):
    _campaign, [delivery] = launch()
    Delivery.objects.update(state="sent", sent_at=NOW)
    log.took(delivery)
    reconciling.read(at=NOW + 2 * LEASE)
    late = NOW + timedelta(days=5)
    log.told("expired", "4.4.1", "delivery temporarily suspended", at=late)
    assert reconciling.read(at=late + 2 * LEASE).bounced == 1
    assert (states(), Suppression.objects.count()) == (["bounced"], 0)


def test_young_and_unfinished_lines_wait_for_the_next_pass(log):
    _campaign, [delivery] = launch()
    Delivery.objects.update(state="sent", sent_at=NOW)
    log.took(delivery)
    log.told("sent", "2.0.0", "ok")
    with log.path.open("a") as file:
        file.write("2026-")
    assert reconciling.read(at=NOW + SECOND).delivered == 0
    assert reconciling.read(at=NOW + 2 * LEASE).delivered == 1
    assert reconciling.read(at=NOW + 2 * LEASE).delivered == 0


def test_log_that_is_turned_over_is_read_to_its_end_first(log):
    _campaign, [delivery] = launch()
    reconciling.read(at=NOW)
    Delivery.objects.update(state="sent", sent_at=NOW)
    log.took(delivery)
    log.path.rename(log.path.with_name("mail.log.1"))
    log.told("sent", "2.0.0", "ok", at=NOW + SECOND)
    found = reconciling.read(at=NOW + 3 * LEASE)
    assert (found.delivered, found.span.since) == (1, log.at)


def test_log_with_a_hole_is_known_from_its_new_beginning(log):
    reconciling.read(at=NOW)
    log.path.unlink()
    fresh = NOW + SECOND
    # The new file must be another one, even where its place on the disk is the same.
    log.path.with_name("other").write_text("x")
    log.write("postfix/smtpd[1]: connect from x", fresh)
    RelayState.objects.update(log_inode=-1)
    assert reconciling.read(at=NOW + 3 * LEASE).span.since == fresh


def test_number_that_comes_again_belongs_to_the_new_mail(log):
    _campaign, [old, new] = launch(2)
    Delivery.objects.update(state="sent", sent_at=NOW)
    log.took(old)
    reconciling.read(at=NOW + 2 * LEASE)
    later = NOW + timedelta(hours=1)
    log.took(new, at=later)
    log.told("sent", "2.0.0", "ok", at=later)
    reconciling.read(at=later + 2 * LEASE)
    assert states() == ["sent", "delivered"]


@pytest.mark.parametrize(
    ("line", "now", "expected"),
    [
        ("2026-11-24T03:00:00+08:00 x", NOW, datetime(2026, 11, 23, 19, tzinfo=UTC)),
        ("Jan 32 03:00:00 x", NOW, None),
        ("nonsense", NOW, None),
    ],
)
def test_time_of_a_line(line, now, expected):
    assert relaylog.instant(line, now=now) == expected


def test_line_without_a_year_is_of_the_last_one_that_fits():
    now = datetime(2027, 1, 2, tzinfo=UTC)
    assert relaylog.instant("Dec 31 12:00:00 x", now=now).year == 2026
    assert relaylog.instant("Jan  1 12:00:00 x", now=now).year == 2027


def test_lines_of_others_say_nothing():
    lines = [
        "2026-11-24T03:00:00+00:00 r sshd[1]: accepted",
        "2026-11-24T03:00:00+00:00 r postfix/qmgr[1]: 4ABCD1: removed",
        "2026-11-24T03:00:00+00:00 r postfix/smtp[1]: 4ABCD1: to=<a>, dsn=2.0.0, status=odd (x)",
        "x postfix/smtp[1]: 4ABCD1: message-id=<a@b>",
    ]
    assert list(relaylog.entries(lines, now=NOW)) == []
