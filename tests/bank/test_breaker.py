"""The breaker: several failures in a row make everybody wait, one probe lets everybody go on."""

from datetime import timedelta

import pytest

from bank import breaker
from bank.models import AuditEntry
from bank.replies import Outcome
from tests.factories import NOW

pytestmark = pytest.mark.django_db
AWAY = Outcome("relay", 0, "connection refused", "connect")


def fail(times, at=NOW):
    for _ in range(times):
        breaker.trouble(AWAY, at=at)


def state(at=NOW):
    return breaker.standing(at=at).state


def test_relay_without_failures_lets_everybody_send():
    assert breaker.standing(at=NOW) == breaker.Standing("closed")
    breaker.recovered(at=NOW)
    assert state() == "closed"


def test_fifth_failure_in_a_row_opens_for_half_a_minute():
    fail(4)
    assert (state(), breaker.probe(at=NOW)) == ("closed", False)
    fail(1)
    found = breaker.standing(at=NOW)
    assert (found.state, found.errors, found.failed_at) == ("open", 5, NOW)
    assert found.last_error == "connect: connection refused"
    assert found.until == NOW + timedelta(seconds=30)
    assert state(NOW + timedelta(seconds=30)) == "half_open"


def test_success_in_between_begins_the_count_anew():
    fail(4)
    breaker.recovered(at=NOW)
    fail(4)
    assert state() == "closed"
    assert not AuditEntry.objects.filter(act__startswith="relay.").exists()


def test_one_sender_probes_and_another_when_it_has_died():
    fail(5)
    later = NOW + timedelta(seconds=30)
    assert [breaker.probe(at=later), breaker.probe(at=later)] == [True, False]
    assert state(later) == "open"
    assert breaker.probe(at=later + breaker.PROBE) is True


def test_failed_probe_doubles_the_wait_up_to_ten_minutes():
    fail(5)
    at, waits = NOW, []
    for _ in range(8):
        at = breaker.standing(at=at).until
        assert breaker.probe(at=at) is True
        fail(1, at)
        waits.append((breaker.standing(at=at).until - at).total_seconds())
    assert waits == [60, 120, 240, 480, 600, 600, 600, 600]


def test_late_failures_of_others_do_not_lengthen_the_wait():
    fail(9)
    assert breaker.standing(at=NOW).until == NOW + timedelta(seconds=30)


def test_recovery_closes_and_both_turns_are_on_record():
    fail(5)
    breaker.recovered(at=NOW)
    breaker.recovered(at=NOW)
    assert state() == "closed"
    acts = AuditEntry.objects.order_by("pk").values_list("act", flat=True)
    assert list(acts) == ["relay.open", "relay.close"]


def test_another_relay_has_a_breaker_of_its_own(settings):
    fail(5)
    settings.EMAIL_URL = "smtp://other.example:26"
    assert state() == "closed"
