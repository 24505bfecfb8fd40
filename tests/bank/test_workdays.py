from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bank import reference, settings, workdays
from bank.models import Holiday
from tests.factories import NOW

SHANGHAI = ZoneInfo("Asia/Shanghai")
WINDOWS = settings.DEFAULTS["send_windows"]


@pytest.fixture
def calendar(db):
    reference.load(at=NOW)
    return workdays.calendar()


def plain(off=(), makeup=()):
    return workdays.Calendar(frozenset(off), frozenset(makeup), frozenset())


def local(text, zone="Asia/Shanghai"):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def test_calendar_is_one_query(db, django_assert_num_queries):
    reference.load(at=NOW)
    with django_assert_num_queries(1):
        workdays.calendar()


# The shifted days of 2024-2026 as the State Council announced them: facts, not our arithmetic.
@pytest.mark.parametrize(
    "day",
    [
        "2024-02-04",
        "2024-02-18",
        "2024-04-07",
        "2024-04-28",
        "2024-05-11",
        "2024-09-14",
        "2024-09-29",
        "2024-10-12",
        "2025-01-26",
        "2025-02-08",
        "2025-04-27",
        "2025-09-28",
        "2025-10-11",
        "2026-01-04",
        "2026-02-14",
        "2026-02-28",
        "2026-05-09",
        "2026-09-20",
        "2026-10-10",
    ],
)
def test_make_up_day_is_a_workday_though_a_weekend(calendar, day):
    on = date.fromisoformat(day)
    assert on.weekday() >= 5
    assert calendar.is_workday(on)


@pytest.mark.parametrize(
    "day",
    [
        "2024-02-12",
        "2024-05-03",
        "2024-10-07",
        "2025-01-28",
        "2025-02-04",
        "2025-10-08",
        "2026-01-02",
        "2026-02-16",
        "2026-02-23",
        "2026-05-05",
        "2026-09-25",
        "2026-10-07",
    ],
)
def test_holiday_is_no_workday_though_a_weekday(calendar, day):
    on = date.fromisoformat(day)
    assert on.weekday() < 5
    assert not calendar.is_workday(on)


def test_years_have_the_official_number_of_workdays(calendar):
    counted = {
        year: calendar.between(date(year - 1, 12, 31), date(year, 12, 31))
        for year in (2024, 2025, 2026)
    }
    # Weekdays less the days off on weekdays plus the make-up days, from the official notices.
    assert counted == {2024: 251, 2025: 248, 2026: 248}


def test_year_without_a_calendar_is_monday_to_friday_and_says_so(calendar):
    assert calendar.knows(2026)
    assert not calendar.knows(2030)
    assert calendar.is_workday(date(2030, 1, 1))
    assert not calendar.is_workday(date(2030, 1, 5))


def test_provisional_year_counts_its_days_but_is_not_final(calendar):
    assert not calendar.is_workday(date(2027, 2, 8))
    assert not calendar.knows(2027)


def test_add_steps_over_holidays_and_make_up_days(calendar):
    eve = date(2026, 9, 30)
    assert calendar.add(eve, 1) == date(2026, 10, 8)
    assert calendar.add(eve, 3) == date(2026, 10, 10)  # a Saturday that is worked
    assert calendar.add(date(2026, 10, 8), -1) == eve
    assert calendar.add(date(2026, 10, 3), 0) == date(2026, 10, 3)


def test_between_and_add_are_inverse_on_workdays(calendar):
    start = date(2026, 9, 18)
    for count in range(-30, 31):
        end = calendar.add(start, count)
        assert calendar.between(start, end) == count


def test_calendar_without_workdays_is_an_error_not_a_loop():
    never = plain(off=[date(2026, 1, 1) + timedelta(days=n) for n in range(400)])
    with pytest.raises(workdays.NoWorkday):
        never.add(date(2026, 1, 1), 1)
    with pytest.raises(workdays.NoWorkday):
        never.next_send(local("2026-01-01T00:00"), SHANGHAI, WINDOWS)
    with pytest.raises(workdays.NoWorkday):
        plain().next_send(NOW, SHANGHAI, [])


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-24T09:29:59", "2026-11-24T09:30:00"),
        ("2026-11-24T09:30:00", "2026-11-24T09:30:00"),
        ("2026-11-24T10:59:59", "2026-11-24T10:59:59"),
        ("2026-11-24T11:00:00", "2026-11-24T14:30:00"),
        ("2026-11-24T16:30:00", "2026-11-25T09:30:00"),
        ("2026-11-27T20:00:00", "2026-11-30T09:30:00"),
        ("2026-09-30T17:00:00", "2026-10-08T09:30:00"),
        ("2026-10-10T10:00:00", "2026-10-10T10:00:00"),
        ("2026-12-31T23:59:59", "2027-01-04T09:30:00"),
    ],
)
def test_next_send_waits_for_the_window_of_a_workday(calendar, at, expected):
    assert calendar.next_send(local(at), SHANGHAI, WINDOWS) == local(expected)


def test_next_send_counts_where_the_recipient_lives(calendar):
    # Tuesday 10:00 in Shanghai is 02:00 in London and Monday evening in New York.
    at = local("2026-11-24T10:00")
    assert calendar.next_send(at, "Europe/London", WINDOWS) == local(
        "2026-11-24T09:30", "Europe/London"
    )
    assert calendar.next_send(at, "America/New_York", WINDOWS) == local(
        "2026-11-24T09:30", "America/New_York"
    )


def test_next_send_takes_the_recipients_date_for_the_holiday():
    holiday = plain(off=[date(2026, 11, 24)])
    # 01:00 on the 25th in Shanghai is still the holiday in New York.
    at = local("2026-11-25T01:00")
    assert holiday.next_send(at, "America/New_York", [["00:00", "23:59"]]) == local(
        "2026-11-25T00:00", "America/New_York"
    )


@pytest.mark.parametrize("zone", ["", "Mars/Base", "../etc/passwd"])
def test_unknown_zone_falls_back_to_the_banks(calendar, zone):
    at = local("2026-11-24T12:00")
    assert calendar.next_send(at, zone, WINDOWS) == local("2026-11-24T14:30")


def test_window_that_the_clocks_skip_moves_by_the_change():
    # Sunday 2027-03-28: Berlin goes from 02:00 to 03:00.
    sunday = plain(makeup=[date(2027, 3, 28)])
    at = datetime(2027, 3, 28, 0, 0, tzinfo=UTC)
    found = sunday.next_send(at, "Europe/Berlin", [["02:15", "02:45"]])
    assert found == datetime(2027, 3, 28, 1, 15, tzinfo=UTC)


def test_window_swallowed_by_the_clocks_waits_for_the_next_day():
    sunday = plain(makeup=[date(2027, 3, 28)])
    at = datetime(2027, 3, 28, 0, 0, tzinfo=UTC)
    found = sunday.next_send(at, "Europe/Berlin", [["02:30", "03:10"]])
    assert found == local("2027-03-29T02:30", "Europe/Berlin")


def test_hour_that_occurs_twice_gives_one_window():
    # Sunday 2026-10-25: Berlin has 02:00 to 03:00 twice.
    sunday = plain(makeup=[date(2026, 10, 25)])
    windows = [["02:15", "02:45"]]
    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
    assert sunday.next_send(first - timedelta(hours=1), "Europe/Berlin", windows) == first
    again = first + timedelta(hours=1)
    assert sunday.next_send(again, "Europe/Berlin", windows) == local(
        "2026-10-26T02:15", "Europe/Berlin"
    )


def test_holiday_row_of_an_administrator_acts(db):
    Holiday.objects.create(date=date(2026, 11, 24), kind="off")
    assert not workdays.calendar().is_workday(date(2026, 11, 24))


def test_time_spent_inside_windows_goes_on_where_the_next_one_opens():
    calendar = workdays.Calendar(frozenset(), frozenset(), frozenset())
    friday = datetime(2026, 11, 27, 8, tzinfo=UTC)  # 16:00 in Shanghai, half an hour is left
    monday = datetime(2026, 11, 30, 1, 30, tzinfo=UTC)

    def spent(minutes):
        return calendar.spent(friday, timedelta(minutes=minutes), "Asia/Shanghai", WINDOWS)

    assert spent(0) == friday
    assert spent(30) == friday + timedelta(minutes=30)
    assert spent(31) == monday + timedelta(minutes=1)
    assert spent(30 + 90 + 5) == datetime(2026, 11, 30, 6, 35, tzinfo=UTC)
    with pytest.raises(workdays.NoWorkday):
        spent(10**6)
