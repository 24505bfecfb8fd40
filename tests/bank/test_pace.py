"""The rate: no minute sees more mails than it allows, and a change holds at once."""

from datetime import timedelta

import pytest

from bank import pace, settings
from bank.models import RelayState
from tests.factories import NOW

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def rate(number):
    settings.put("mails_per_minute", number, at=NOW, by=None)


def granted(seconds, wanted=1, start=NOW):
    """How many leave at each second when asked for as often as it is given."""
    found = []
    for second in range(seconds):
        at, count = start + second * SECOND, 0
        while grant := pace.take(wanted, at=at).count:
            count += grant
        found.append(count)
    return found


def test_without_a_rate_everything_is_granted_and_nothing_written():
    assert (pace.is_limited(), pace.take(100, at=NOW)) == (False, pace.Grant(100))
    assert RelayState.objects.count() == 0


@pytest.mark.parametrize("number", [1, 7, 60, 100])
def test_no_minute_sees_more_than_the_rate_and_little_less(number):
    rate(number)
    found = granted(240)
    minutes = [sum(found[start : start + 60]) for start in range(180)]
    assert number - 1 <= max(minutes) <= number
    assert sum(found[60:]) >= 0.9 * number * 3 - 1
    assert pace.is_limited() is True


def test_used_up_rate_says_when_to_ask_again():
    rate(1)
    assert pace.take(4, at=NOW) == pace.Grant(1)
    later = NOW + 20 * SECOND
    assert pace.take(4, at=later) == pace.Grant(0, 40 * SECOND)
    assert pace.take(4, at=later + 40 * SECOND) == pace.Grant(1)


def test_new_rate_holds_for_the_next_grant():
    rate(1)
    assert granted(2) == [1, 0]
    rate(60)
    assert sum(granted(60, start=NOW + 60 * SECOND)) > 50


def test_lower_rate_makes_nobody_wait_longer_than_a_minute():
    rate(600)
    granted(30)
    rate(1)
    assert pace.take(1, at=NOW + 30 * SECOND).wait <= 60 * SECOND


def test_what_is_given_back_may_be_used_again():
    rate(60)
    assert pace.take(2, at=NOW).count == 2
    assert pace.take(2, at=NOW).count == 0
    pace.give_back(2)
    assert pace.take(2, at=NOW).count == 2


@pytest.mark.parametrize("value", [0, -1, 60_001, 1.5, True, "fast", None])
def test_rate_that_makes_no_sense_is_refused_with_a_sentence(value):
    with pytest.raises(settings.Invalid, match="60000"):
        rate(value)


@pytest.mark.parametrize("value", [0, 17, "4"])
def test_number_of_connections_is_from_1_to_16(value):
    with pytest.raises(settings.Invalid, match="16"):
        settings.put("smtp_connections", value, at=NOW, by=None)
