"""Periods in the reporting zone as half-open UTC bounds (metrics-spec 13.1-13.2)."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from metrics.formulas.parameters import DEFAULT

VERSION = 1

Kind = Literal["day", "week", "month", "quarter", "year"]

_ZONE = DEFAULT.periods.zone
_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_WEEK = re.compile(r"(\d{4})-?W(\d\d)", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-?Q([1-4])", re.ASCII)
_YEAR = re.compile(r"(\d{4})", re.ASCII)
_ROLLING_DAYS = re.compile(r"rolling([1-9]\d{0,3})", re.ASCII)
_ROLLING_MONTHS = re.compile(r"rolling([1-9]\d{0,2})m(?::(\d{4})-(\d\d))?", re.ASCII)


class UnknownPeriodError(ValueError):
    """A period that cannot be read, or a calendar date that does not exist."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A half-open span [start, end) of aware UTC instants."""

    start: datetime
    end: datetime

    def holds(self, at: datetime) -> bool:
        """Return whether an aware instant falls into the span."""
        return self.start <= at < self.end


def instant(text: str) -> datetime:
    """Return an ISO 8601 timestamp as an aware UTC instant; ValueError if it is naive (13.1)."""
    return _aware(datetime.fromisoformat(text)).astimezone(UTC)


def local_date(at: datetime, zone: str = _ZONE) -> date:
    """Return the calendar date of an aware instant in an IANA zone; ValueError if naive."""
    return _aware(at).astimezone(ZoneInfo(zone)).date()


def period_key(at: datetime, kind: Kind, zone: str = _ZONE) -> str:
    """Return "2026-Q1", "2026-01", "2026-W01" (ISO 8601), "2026-07-01" or "2026".

    The period is the one of the instant in the reporting zone. ValueError if the instant is
    naive, UnknownPeriodError for another kind. Source: metrics-spec 13.1.
    """
    day = local_date(at, zone)
    week = day.isocalendar()
    keys = {
        "day": day.isoformat(),
        "week": f"{week.year:04d}-W{week.week:02d}",
        "month": f"{day.year:04d}-{day.month:02d}",
        "quarter": f"{day.year:04d}-Q{(day.month + 2) // 3}",
        "year": f"{day.year:04d}",
    }
    if kind not in keys:
        raise UnknownPeriodError(f"unknown kind of period {kind!r}")
    return keys[kind]


def period_bounds(key: str, zone: str = _ZONE) -> Bounds:
    """Return the bounds of a period key; the end of one is the start of the next.

    Days follow the zone's clock (23 and 25 hours where it changes). UnknownPeriodError if the
    key is not a period. Source: metrics-spec 13.1.
    """
    try:
        first, after = _days(key)
    except (ValueError, OverflowError) as error:
        raise UnknownPeriodError(f"unknown period {key!r}") from error
    return _span(first, after, zone)


def rolling_bounds(
    as_of: date, zone: str = _ZONE, *, days: int = DEFAULT.periods.rolling_days
) -> Bounds:
    """Return the bounds of the local calendar days that end on as_of, as_of included (13.2)."""
    if days < 1:
        raise UnknownPeriodError("a rolling window needs at least one day")
    return _span(as_of - timedelta(days=days - 1), as_of + timedelta(days=1), zone)


def parse(text: str, *, as_of: datetime, zone: str = _ZONE) -> Bounds:
    """Return the bounds of a period as the API spells it.

    A period key or "2026Q3"; "rolling90": local days ending on the local day of as_of, which
    is included; "rolling12m": as many calendar months ending on that day;
    "rolling3m:2026-10": whole calendar months ending with that one. UnknownPeriodError for
    anything else, ValueError if as_of is naive. Source: metrics-spec 13.1-13.2.
    """
    today = local_date(as_of, zone)
    if found := _ROLLING_DAYS.fullmatch(text):
        return rolling_bounds(today, zone, days=int(found[1]))
    found = _ROLLING_MONTHS.fullmatch(text)
    if not found:
        return period_bounds(text, zone)
    months = int(found[1])
    if found[2] is None:
        before = _months_later(today, -months)
        return _span(before + timedelta(days=1), today + timedelta(days=1), zone)
    try:
        last = date(int(found[2]), int(found[3]), 1)
    except ValueError as error:
        raise UnknownPeriodError(f"unknown period {text!r}") from error
    return _span(_months_later(last, 1 - months), _months_later(last, 1), zone)


def is_running(bounds: Bounds, *, at: datetime) -> bool:
    """Return whether a period is still "to date", hence not to be tested against others."""
    return bounds.holds(_aware(at))


def _days(key: str) -> tuple[date, date]:
    """Return the first local day of a period and the first one after it."""
    if found := _QUARTER.fullmatch(key):
        first = date(int(found[1]), 3 * int(found[2]) - 2, 1)
        return first, _months_later(first, 3)
    if found := _WEEK.fullmatch(key):
        first = date.fromisocalendar(int(found[1]), int(found[2]), 1)
        return first, first + timedelta(days=7)
    if found := _DAY.fullmatch(key):
        first = date(int(found[1]), int(found[2]), int(found[3]))
        return first, first + timedelta(days=1)
    return _months(key)


def _months(key: str) -> tuple[date, date]:
    if found := _MONTH.fullmatch(key):
        first = date(int(found[1]), int(found[2]), 1)
        return first, _months_later(first, 1)
    if found := _YEAR.fullmatch(key):
        return date(int(found[1]), 1, 1), date(int(found[1]) + 1, 1, 1)
    raise UnknownPeriodError(f"unknown period {key!r}")


def later(day: date, *, months: int) -> date:
    """Return the same day some months later, or that month's last day; earlier for months < 0."""
    return _months_later(day, months)


def _months_later(day: date, months: int) -> date:
    """Return the same day of another month, or its last day where there is no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        raise UnknownPeriodError("a period outside the calendar")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _span(first: date, after: date, zone: str) -> Bounds:
    try:
        return Bounds(_midnight(first, zone), _midnight(after, zone))
    except OverflowError as error:
        raise UnknownPeriodError("a period outside the calendar") from error


def _midnight(day: date, zone: str) -> datetime:
    """Return the instant a local day begins.

    Where the clock skips midnight, the earlier offset names the instant of the change; where
    it passes midnight twice, the first one counts.
    """
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _aware(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError("a timestamp needs an offset")
    return at
