"""Which stored periods there are, and which of them a month touches, as seen on one day."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

from django.conf import settings

from metrics.formulas import periods
from metrics.formulas.periods import Bounds

ROLLING = ("rolling90", "rolling12m")
WHOLE = "all"
EVERYTHING = "*"
_MONTHS_OF_TREND = 13
_LENGTH_OF_TREND = 3
_ALL = Bounds(datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


class Windows:
    """The periods as of one instant. All begin and end at local midnight, so a day decides."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.zone: str = settings.TIME_ZONE
        self.today = periods.local_date(at, self.zone)
        self.trend = trend_keys(self.today)
        self._bounds: dict[str, Bounds] = {WHOLE: _ALL}

    def bounds(self, key: str) -> Bounds:
        """First and last instant of a period, or of the whole life of a campaign."""
        if key not in self._bounds:
            self._bounds[key] = periods.parse(key, as_of=self.at, zone=self.zone)
        return self._bounds[key]

    def hull(self, keys: Iterable[str]) -> Bounds:
        """From the first to the last instant of these periods, whole lives apart."""
        held = [self.bounds(key) for key in keys if key != WHOLE] or [_ALL]
        return Bounds(min(one.start for one in held), max(one.end for one in held))

    def last_day(self, key: str) -> date:
        """The day at whose end exposure counts: the last of the period, or today while it runs."""
        end = self.bounds(key).end - timedelta(microseconds=1)
        return min(periods.local_date(end, self.zone), self.today)

    def closed(self, keys: Iterable[str]) -> frozenset[str]:
        """Those that are over; the first day after the end still belongs to closing them."""
        begun = self.bounds(self.today.isoformat()).start
        return frozenset(key for key in keys if self.bounds(key).end < begun)

    def of_clients(self, first: datetime | None, last: datetime | None) -> list[str]:
        """The periods of a client's figures: quarters between two instants, rolling windows."""
        return [*self.quarters(first, last), *ROLLING]

    def of_units(self, first: datetime | None, last: datetime | None) -> list[str]:
        """The periods of the figures above it."""
        months = self.months(first, last)
        return [*months, *self.quarters(first, last), *ROLLING, *self.trend, WHOLE]

    def months(self, first: datetime | None, last: datetime | None) -> list[str]:
        """The months from that of one instant to that of another."""
        if first is None or last is None:
            return []
        start, end = (periods.local_date(at, self.zone) for at in (first, last))
        return list(_months(start, end))

    def quarters(self, first: datetime | None, last: datetime | None) -> list[str]:
        """The quarters from that of one instant to that of another."""
        return list(dict.fromkeys(map(_quarter, self.months(first, last))))

    def touched_by(self, month: str) -> set[str]:
        """The periods above a client that hold an instant of this month."""
        own = self.bounds(month)
        rolling = (*ROLLING, *self.trend)
        held = {key for key in rolling if _overlap(self.bounds(key), own)}
        return {month, _quarter(month), WHOLE} | held


def trend_keys(today: date) -> list[str]:
    """The keys of the trend, oldest first: three months ending with each of the last 13."""
    months = _months(_back(today, _MONTHS_OF_TREND - 1), today)
    return [f"rolling{_LENGTH_OF_TREND}m:{month}" for month in months]


def _back(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, 1)


def _months(start: date, end: date) -> Iterator[str]:
    for number in range(start.year * 12 + start.month, end.year * 12 + end.month + 1):
        year, month = divmod(number - 1, 12)
        yield f"{year:04d}-{month + 1:02d}"


def _quarter(month: str) -> str:
    return f"{month[:4]}Q{(int(month[5:]) + 2) // 3}"


def _overlap(one: Bounds, other: Bounds) -> bool:
    return one.start < other.end and other.start < one.end
