"""The clock of what we owe a client: it runs in the hours of the office, and only then.

Spans are working time: a `timedelta` of seconds in which the office is open. Instants are aware.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from bank import workdays

NONE = timedelta(0)
# From this share of its time on, an obligation is in danger.
WARNED = 0.75


@dataclass(frozen=True)
class Office:
    """Where the clock hangs: the bank's calendar, the zone of the place, its hours of a day.

    Hours are wall time, such as `[["09:00", "12:00"], ["13:30", "17:30"]]`; an hour that a
    change of clocks skips is not worked, one that it repeats counts once.
    """

    calendar: workdays.Calendar
    zone: tzinfo
    hours: Sequence[Sequence[str]]

    def due(self, start: datetime, span: timedelta) -> datetime:
        """The instant at which so much working time has passed; nothing is due at once."""
        left = span
        if left <= NONE:
            return start
        for opens, closes in self._open_from(start):
            if left <= closes - opens:
                return opens + left
            left -= closes - opens
        raise workdays.NoWorkday(start.isoformat())

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """The working time between two instants; none when the end comes first."""
        # Between two instants of one zone Python counts by the wall, so the end is UTC too.
        end, passed = end.astimezone(UTC), NONE
        if end <= start:
            return passed
        for opens, closes in self._open_from(start):
            if opens >= end:
                break
            passed += min(closes, end) - opens
        return passed

    def end_of_day(self, start: datetime, days: int) -> datetime:
        """The close of business on the n-th working day after the day of `start`."""
        day = self.calendar.add(start.astimezone(self.zone).date(), days)
        return max(closes for _opens, closes in workdays.spans(day, self.zone, self.hours))

    def resumed(self, due: datetime, *, since: datetime, until: datetime) -> datetime:
        """The new due time after a pause: what was left before it is left after it.

        What was overdue when the pause began stays as overdue as it was.
        """
        if due <= since or until <= since:
            return due
        return self.due(until, self.worked(since, due))

    def warning(self, start: datetime, due: datetime) -> datetime:
        """The instant at which three quarters of the working time are used."""
        return self.due(start, self.worked(start, due) * WARNED)

    def used(self, start: datetime, due: datetime, *, at: datetime) -> float:
        """The share of the working time that has passed: from 0, and 1 or more when overdue."""
        given = self.worked(start, due)
        if not given:
            return float(at >= due)
        return self.worked(start, at) / given

    def _open_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The spans in which the office is open, in order, the first cut off at `start`.

        Ends where no working day is within reach: then the calendar is wrong.
        """
        start, day, idle = start.astimezone(UTC), start.astimezone(self.zone).date(), 0
        while idle <= workdays.FARTHEST:
            idle += 1
            if self.calendar.is_workday(day):
                for opens, closes in workdays.spans(day, self.zone, self.hours):
                    if start < closes:
                        idle = 0
                        yield max(opens, start), closes
            day += workdays.DAY
