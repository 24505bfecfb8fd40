"""Edges of clocks and zones: each mail goes once, and not before its hour where the person is."""

from datetime import UTC, datetime, timedelta

import pytest

from cxportal import reference
from surveys import campaigns, governance, sending
from surveys.models import Delivery
from tests.factories import make_client, make_contact, make_draft, make_mailed_version
from tests.sinks import Sink

pytestmark = pytest.mark.django_db


@pytest.fixture
def relay(settings):
    with Sink() as sink:
        settings.EMAIL_URL = sink.url
        yield sink


def launch(at, **fields):
    fields = {"at": at, "closes_at": at + timedelta(days=14)} | fields
    return campaigns.launch(make_draft(make_mailed_version(), **fields), at=at, by=None)


def drain(*moments):
    """One drain at each of these moments of a clock that may jump."""
    for at in moments:
        sending.settle_lost(at=at)
        sending.drain(clock=lambda at=at: at)


HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
EDGES = {
    "leap day": datetime(2028, 2, 29, 2, 0, tzinfo=UTC),
    "last second of the year": datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC),
    "clocks go forward in Berlin": datetime(2027, 3, 28, 1, 0, tzinfo=UTC),
    "clocks go back in Berlin": datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
}


@pytest.mark.parametrize("at", EDGES.values(), ids=EDGES.keys())
def test_clock_that_jumps_an_hour_either_way_sends_nothing_twice(relay, at):
    contact = make_contact(make_client(), time_zone="Europe/Berlin")
    launch(at)
    drain(at, at + HOUR, at - HOUR, at + SECOND, at, at + 2 * HOUR)
    assert relay.recipients == [contact.email]
    assert Delivery.objects.get().sent_at == at


def test_mail_that_is_due_later_waits_for_a_clock_that_was_set_back(relay):
    contact = make_contact(make_client())
    at = EDGES["last second of the year"]
    launch(at)
    drain(at - HOUR)
    assert relay.recipients == []
    drain(at, at - HOUR)
    assert relay.recipients == [contact.email]


@pytest.mark.parametrize(
    ("windows", "at", "expected"),
    [
        # 02:30 does not exist on this day: the window opens with the change.
        ([["02:30", "05:00"]], "2027-03-28T00:00+00:00", "2027-03-28T01:30+00:00"),
        # A window that the change swallows whole is none; the next day has it.
        ([["02:10", "02:50"]], "2027-03-28T01:00+00:00", "2027-03-28T01:10+00:00"),
        # 02:30 occurs twice: the first time counts.
        ([["02:30", "05:00"]], "2026-10-25T00:00+00:00", "2026-10-25T00:30+00:00"),
    ],
)
def test_window_that_a_change_of_clocks_meets_gives_one_moment(windows, at, expected):
    rules = governance.book()
    calendar = rules.calendar
    works = type(calendar)(
        calendar.off,
        calendar.makeup | {datetime.fromisoformat(at).date()},
        calendar.provisional,
    )
    found = works.next_send(datetime.fromisoformat(at), "Europe/Berlin", windows)
    assert found == datetime.fromisoformat(expected)
    assert works.next_send(found, "Europe/Berlin", windows) == found


def test_last_evening_of_the_year_waits_for_the_first_working_day(relay):
    reference.load(datetime(2026, 12, 1, tzinfo=UTC))
    make_contact(make_client(), external_id="HERE")
    launch(EDGES["last second of the year"], send_window=True)
    due = Delivery.objects.get().next_try_at
    assert due >= datetime(2027, 1, 4, 1, 30, tzinfo=UTC)
    drain(due - SECOND)
    assert relay.recipients == []
    drain(due, due, due + HOUR)
    assert len(relay.recipients) == 1
