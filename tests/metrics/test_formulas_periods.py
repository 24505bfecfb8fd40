"""Periods where clocks change, and the spelling of the API."""

from datetime import UTC, date, datetime, timedelta

import pytest

from metrics.formulas import periods
from metrics.formulas.periods import UnknownPeriodError

AS_OF = datetime(2026, 10, 31, 16, 30, tzinfo=UTC)  # 1 November, 00:30, in Shanghai


def span(bounds):
    return tuple(f"{at:%Y-%m-%dT%H:%MZ}" for at in (bounds.start, bounds.end))


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2026-03-29", "Europe/Berlin", 23),
        ("2026-10-25", "Europe/Berlin", 25),
        ("1986-05-04", "Asia/Shanghai", 23),
        ("1986-09-14", "Asia/Shanghai", 25),
        ("2018-11-04", "America/Sao_Paulo", 23),
        ("2018-02-17", "America/Sao_Paulo", 25),
        ("2018-11-04", "America/Havana", 25),
        ("2011-12-30", "Pacific/Apia", 0),
    ],
)
def test_days_follow_the_clock_of_the_zone(day, zone, hours):
    bounds = periods.period_bounds(day, zone)
    assert bounds.end - bounds.start == timedelta(hours=hours)


def test_shanghai_had_summer_time():
    bounds = periods.period_bounds("1987-Q3", "Asia/Shanghai")
    assert span(bounds) == ("1987-06-30T15:00Z", "1987-09-30T16:00Z")
    assert periods.period_key(bounds.start, "month") == "1987-07"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026Q3", ("2026-06-30T16:00Z", "2026-09-30T16:00Z")),
        ("2026-Q3", ("2026-06-30T16:00Z", "2026-09-30T16:00Z")),
        ("2026-10", ("2026-09-30T16:00Z", "2026-10-31T16:00Z")),
        ("2026-W01", ("2025-12-28T16:00Z", "2026-01-04T16:00Z")),
        ("2026", ("2025-12-31T16:00Z", "2026-12-31T16:00Z")),
        ("2026-10-31", ("2026-10-30T16:00Z", "2026-10-31T16:00Z")),
        ("rolling90", ("2026-08-03T16:00Z", "2026-11-01T16:00Z")),
        ("rolling12m", ("2025-11-01T16:00Z", "2026-11-01T16:00Z")),
        ("rolling3m:2026-10", ("2026-07-31T16:00Z", "2026-10-31T16:00Z")),
        ("rolling3m:2026-01", ("2025-10-31T16:00Z", "2026-01-31T16:00Z")),
        ("rolling12m:2026-10", ("2025-10-31T16:00Z", "2026-10-31T16:00Z")),
    ],
)
def test_parse_reads_the_spelling_of_the_api(text, expected):
    assert span(periods.parse(text, as_of=AS_OF)) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026Q5", "2026-13", "2026-00", "2025-W53", "2026-02-29", "0000", "0001", "9999"),
        *("rolling0", "rolling", "rolling90d", "rolling0m", "rolling3m:2026-13", "rolling3m:"),
        *("２０２６Q3", "2026q3", " 2026Q3", "2026Q3\n", "9999-Q4", "9999-W52", "9999-12-31"),
        *("0001-01-01", "rolling900m:0010-01"),
    ],
)
def test_parse_refuses_what_is_no_period(text):
    with pytest.raises(UnknownPeriodError):
        periods.parse(text, as_of=AS_OF)


@pytest.mark.parametrize(
    ("as_of", "first"),
    [
        (date(2028, 2, 29), date(2027, 3, 1)),
        (date(2027, 2, 28), date(2026, 3, 1)),
        (date(2029, 2, 28), date(2028, 2, 29)),
        (date(2026, 3, 31), date(2025, 4, 1)),
        (date(2026, 12, 31), date(2026, 1, 1)),
    ],
)
def test_a_rolling_year_starts_the_day_after_its_anniversary(as_of, first):
    noon = datetime(as_of.year, as_of.month, as_of.day, 12, tzinfo=UTC)
    bounds = periods.parse("rolling12m", as_of=noon, zone="UTC")
    assert bounds.start.date() == first
    assert bounds.end.date() == as_of + timedelta(days=1)


def test_naive_timestamps_are_refused():
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    for call in (
        lambda: periods.instant("2026-01-01T00:00:00"),
        lambda: periods.local_date(naive),
        lambda: periods.parse("2026", as_of=naive),
        lambda: periods.is_running(periods.period_bounds("2026"), at=naive),
    ):
        with pytest.raises(ValueError, match="offset"):
            call()


def test_unknown_kinds_and_empty_windows_are_refused():
    with pytest.raises(UnknownPeriodError):
        periods.period_key(AS_OF, "decade")
    with pytest.raises(UnknownPeriodError):
        periods.rolling_bounds(date(2026, 1, 1), days=0)


def test_a_year_is_a_kind_and_a_period_runs_until_its_end():
    assert periods.period_key(AS_OF, "year") == "2026"
    october = periods.period_bounds("2026-10")
    assert not periods.is_running(october, at=october.end)
    assert periods.is_running(october, at=october.end - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("day", "months", "found"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-11-24", -12, "2025-11-24"),
    ],
)
def test_some_months_later_is_the_same_day_or_the_last(day, months, found):
    assert periods.later(date.fromisoformat(day), months=months) == date.fromisoformat(found)
