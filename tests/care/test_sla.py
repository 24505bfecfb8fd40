from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bank import reference, settings, workdays
from care import sla
from tests.factories import NOW

HOURS = settings.DEFAULTS["working_hours"]
NIGHT = [["01:00", "04:00"], ["09:00", "12:00"]]
DAY = timedelta(hours=7)


def office(zone="Asia/Shanghai", hours=HOURS, off=(), makeup=()):
    days = workdays.Calendar(
        frozenset(date.fromisoformat(day) for day in off),
        frozenset(date.fromisoformat(day) for day in makeup),
        frozenset(),
    )
    return sla.Office(days, ZoneInfo(zone), hours)


def local(text, zone="Asia/Shanghai"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def hours(count):
    return timedelta(hours=count)


def test_friday_afternoon_before_a_holiday_monday_is_due_on_tuesday_noon():
    place = office(off=["2026-11-30"])
    assert place.due(local("2026-11-27T16:30"), hours(4)) == local("2026-12-01T12:00")


@pytest.mark.parametrize(
    ("start", "count", "due"),
    [
        ("2026-11-24T11:00", 2, "2026-11-24T14:30"),  # over lunch
        ("2026-11-24T12:30", 1, "2026-11-24T14:30"),  # begun in the lunch
        ("2026-11-24T06:00", 4, "2026-11-24T14:30"),  # before the office opens
        ("2026-11-24T20:00", 4, "2026-11-25T14:30"),  # after it has closed
        ("2026-11-24T09:00", 3, "2026-11-24T12:00"),  # ends with the span, not after lunch
        ("2026-11-28T10:00", 7, "2026-11-30T17:30"),  # a Saturday
        ("2026-11-24T10:00", 14, "2026-11-26T10:00"),
        ("2026-11-24T23:00", 0, "2026-11-24T23:00"),
    ],
)
def test_only_office_hours_count(start, count, due):
    assert office().due(local(start), hours(count)) == local(due)


def test_make_up_saturday_is_worked(db):
    reference.load(at=NOW)
    place = sla.Office(workdays.calendar(), ZoneInfo("Asia/Shanghai"), HOURS)
    assert place.due(local("2026-10-09T17:00"), hours(1)) == local("2026-10-10T09:30")
    # The week of the national day: from the last working day to the first after it.
    assert place.due(local("2026-09-30T17:00"), hours(1)) == local("2026-10-08T09:30")


def test_another_office_keeps_its_own_hours():
    start = local("2026-11-24T17:00")
    there = local("2026-11-24T15:30", "Europe/Berlin")
    assert office("Europe/Berlin").due(start, hours(4)) == there
    assert office().due(start, hours(4)) == local("2026-11-25T14:00")


def test_hour_that_the_spring_skips_is_not_worked():
    place = office("Europe/Berlin", NIGHT, makeup=["2026-03-29"])
    start = local("2026-03-29T00:00", "Europe/Berlin")
    assert place.worked(start, local("2026-03-29T05:00", "Europe/Berlin")) == hours(2)
    assert place.due(start, hours(3)) == local("2026-03-29T10:00", "Europe/Berlin")


def test_hour_that_the_autumn_repeats_is_worked_twice_as_the_wall_says():
    place = office("Europe/Berlin", NIGHT, makeup=["2026-10-25"])
    start = local("2026-10-25T00:00", "Europe/Berlin")
    assert place.worked(start, local("2026-10-25T05:00", "Europe/Berlin")) == hours(4)
    assert place.due(start, hours(4)) == local("2026-10-25T04:00", "Europe/Berlin")


def test_clock_that_starts_in_the_changed_hour_counts_what_passes_not_what_the_wall_shows():
    place = office("Europe/Berlin", NIGHT, makeup=["2026-10-25"])
    start = local("2026-10-25T02:30", "Europe/Berlin")
    assert place.due(start, hours(2)) == local("2026-10-25T03:30", "Europe/Berlin")
    assert place.worked(start, local("2026-10-25T03:30", "Europe/Berlin")) == hours(2)


def test_nothing_is_worked_backwards():
    start = local("2026-11-24T10:00")
    assert office().worked(start, start - hours(3)) == timedelta(0)
    assert office().worked(start, start) == timedelta(0)


def test_close_is_the_end_of_the_tenth_working_day():
    place = office(off=["2026-11-30"])
    assert place.end_of_day(local("2026-11-24T20:00"), 10) == local("2026-12-09T17:30")
    assert place.end_of_day(local("2026-11-28T10:00"), 1) == local("2026-12-01T17:30")


def test_pause_keeps_what_was_left():
    place = office()
    due = local("2026-11-24T16:00")
    since, until = local("2026-11-24T14:00"), local("2026-11-26T11:00")
    assert place.resumed(due, since=since, until=until) == local("2026-11-26T14:30")


def test_pause_gives_no_time_to_what_was_overdue():
    place = office()
    due, since = local("2026-11-24T16:00"), local("2026-11-24T17:00")
    assert place.resumed(due, since=since, until=local("2026-11-26T11:00")) == due
    assert place.resumed(since, since=due, until=due) == since


def test_warning_comes_at_three_quarters_of_the_working_time():
    place = office()
    start, due = local("2026-11-24T09:00"), local("2026-11-24T14:30")
    assert place.warning(start, due) == local("2026-11-24T12:00")
    assert place.used(start, due, at=local("2026-11-24T10:00")) == 0.25
    assert place.used(start, due, at=local("2026-11-24T17:00")) == 1.625


def test_share_of_no_time_at_all_is_none_or_all():
    place, at = office(), local("2026-11-24T12:30")
    assert place.used(at, at, at=at - hours(1)) == 0
    assert place.used(at, at, at=at) == 1


def test_calendar_without_a_working_day_is_an_error():
    place = office(off=[(date(2026, 11, 23) + timedelta(days=n)).isoformat() for n in range(99)])
    with pytest.raises(workdays.NoWorkday):
        place.due(local("2026-11-24T10:00"), hours(1))
    assert place.worked(local("2026-11-24T10:00"), local("2026-11-26T10:00")) == timedelta(0)


starts = st.datetimes(
    min_value=datetime(2025, 1, 1),  # noqa: DTZ001 - the zone comes with the strategy
    max_value=datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
spans = st.integers(min_value=0, max_value=100 * 3600).map(lambda count: timedelta(seconds=count))
zones = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kolkata"])


@given(start=starts, span=spans, zone=zones, shifts=st.sampled_from([HOURS, NIGHT]))
@example(start=datetime(2026, 3, 28, 23, tzinfo=UTC), span=DAY, zone="Europe/Berlin", shifts=NIGHT)
@example(start=datetime(2026, 10, 25, 0, tzinfo=UTC), span=DAY, zone="Europe/Berlin", shifts=NIGHT)
def test_what_is_due_has_been_worked_and_is_never_early(start, span, zone, shifts):
    place = office(zone, shifts, off=["2026-10-01", "2026-10-02"], makeup=["2026-10-25"])
    due = place.due(start, span)
    assert place.worked(start, due) == span
    assert due >= start + span
    assert place.due(start, span + hours(1)) > due


@given(start=starts, gap=st.integers(0, 10**6), span=spans, pause=st.integers(0, 10**6))
def test_a_pause_never_shortens_and_never_lengthens_the_work(start, gap, span, pause):
    place = office()
    due = place.due(start, span)
    since = start + timedelta(seconds=gap)
    until = since + timedelta(seconds=pause)
    moved = place.resumed(due, since=since, until=until)
    assert moved >= due
    if due > since:
        assert place.worked(until, moved) == place.worked(since, due)
