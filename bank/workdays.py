"""Banking days, and the next moment at which a mail may leave."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings

from bank.models import Holiday

DAY = timedelta(days=1)
SATURDAY = 5
# The longest stretch without a working day is a fortnight; more is an error in the calendar.
FARTHEST = 60


class NoWorkday(ValueError):
    """The calendar has no working day, or no window, within reach."""


@dataclass(frozen=True)
class Calendar:
    """The bank's days off and make-up working days, read once."""

    off: frozenset[date]
    makeup: frozenset[date]
    provisional: frozenset[int]

    def knows(self, year: int) -> bool:
        """Whether the calendar of this year is loaded and final; otherwise Monday to Friday,
        less the days off known so far, is the best there is."""
        loaded = any(day.year == year for day in self.off)
        return loaded and year not in self.provisional

    def is_workday(self, day: date) -> bool:
        """Whether the bank works on this day."""
        if day in self.makeup:
            return True
        return day.weekday() < SATURDAY and day not in self.off

    def add(self, day: date, count: int) -> date:
        """The `count`-th working day after the day, or before it when negative; 0 is the day."""
        step = DAY if count > 0 else -DAY
        left, idle = abs(count), 0
        while left:
            day += step
            idle = 0 if self.is_workday(day) else idle + 1
            left -= idle == 0
            if idle > FARTHEST:
                raise NoWorkday(day.isoformat())
        return day

    def between(self, start: date, end: date) -> int:
        """Working days after `start` up to and with `end`, so that `add` gives `end` back."""
        if end < start:
            return -sum(self.is_workday(end + n * DAY) for n in range((start - end).days))
        return sum(self.is_workday(start + n * DAY) for n in range(1, (end - start).days + 1))

    def next_send(
        self, at: datetime, zone: str | tzinfo, windows: Sequence[Sequence[str]]
    ) -> datetime:
        """The moment itself inside a window of a working day, else the next window's start.

        Windows are wall time where the recipient lives. A start that a change of clocks skips
        moves by the change; a time that occurs twice counts the first time only.
        """
        here = zone_of(zone)
        first = at.astimezone(here).date()
        for number in range(FARTHEST):
            day = first + number * DAY
            if not self.is_workday(day):
                continue
            for opens, closes in spans(day, here, windows):
                if at < closes:
                    return max(at, opens)
        raise NoWorkday(at.isoformat())

    def spent(
        self, at: datetime, span: timedelta, zone: str | tzinfo, windows: Sequence[Sequence[str]]
    ) -> datetime:
        """The moment at which so much time inside the windows of working days has passed."""
        here = zone_of(zone)
        first = at.astimezone(here).date()
        left = span
        for number in range(FARTHEST):
            day = first + number * DAY
            if not self.is_workday(day):
                continue
            for opens, closes in spans(day, here, windows):
                begins = max(at, opens)
                if begins + left <= closes:
                    return begins + left
                left -= max(closes - begins, timedelta())
        raise NoWorkday(at.isoformat())


def calendar() -> Calendar:
    """Read the whole calendar in one query."""
    rows = list(Holiday.objects.values_list("date", "kind", "provisional"))
    return Calendar(
        off=frozenset(day for day, kind, _ in rows if kind == Holiday.Kind.OFF),
        makeup=frozenset(day for day, kind, _ in rows if kind == Holiday.Kind.WORKDAY),
        provisional=frozenset(day.year for day, _, provisional in rows if provisional),
    )


def zone_of(zone: str | tzinfo) -> tzinfo:
    """The zone of this name; the bank's own when the name is empty or unknown."""
    if isinstance(zone, tzinfo):
        return zone
    try:
        return ZoneInfo(zone) if zone else settings.ZONE
    # A wrong name in an imported contact must not stop the mails of all others.
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return settings.ZONE


def spans(
    day: date, zone: tzinfo, windows: Sequence[Sequence[str]]
) -> Iterator[tuple[datetime, datetime]]:
    """The day's windows as instants, in order, without those a change of clocks has swallowed."""
    for start, end in windows:
        opens = datetime.combine(day, time.fromisoformat(start), zone).astimezone(UTC)
        closes = datetime.combine(day, time.fromisoformat(end), zone).astimezone(UTC)
        if opens < closes:
            yield opens, closes
