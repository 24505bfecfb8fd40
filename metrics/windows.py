"""Which stored periods there are, and which of them a month touches, as seen on one day."""

import re
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

    def before(self, key: str) -> str:
        """The period before a stored one, named; empty where it is not compared with any."""
        if key == WHOLE or key in self.trend:
            return ""
        name, bounds = before(key, self.bounds(key), zone=self.zone)
        self._bounds[name] = bounds
        return name

    def with_followers(self, keys: Iterable[str], known: Iterable[str]) -> set[str]:
        """These periods, and those known ones whose change since the period before tells them."""
        held = set(keys)
        return held | {key for key in known if self.before(key) in held}

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

    def runs(self, key: str) -> bool:
        """Whether a period with a begin and an end of its own is still "to date"."""
        return not key.startswith("rolling") and self.bounds(key).end > self.at

    def of_clients(self, months: Iterable[str]) -> list[str]:
        """The periods of a client's figures: the quarters of these months, rolling windows."""
        return [*_quarters(months), *ROLLING]

    def of_units(self, first: datetime | None, last: datetime | None) -> list[str]:
        """The periods of the figures above it."""
        months = self.months(first, last)
        return [*months, *_quarters(months), *ROLLING, *self.trend, WHOLE]

    def months(self, first: datetime | None, last: datetime | None) -> list[str]:
        """The months from that of one instant to that of another."""
        if first is None or last is None:
            return []
        start, end = (periods.local_date(at, self.zone) for at in (first, last))
        return list(_months(start, end))

    def closed_quarters(self, first: date) -> list[str]:
        """The quarters from that of a day on whose last day is over, oldest first."""
        return list(dict.fromkeys(map(_quarter, _months(first, self.today))))[:-1]

    def touched_by(self, month: str) -> set[str]:
        """The periods above a client that hold an instant of this month."""
        own = self.bounds(month)
        rolling = (*ROLLING, *self.trend)
        held = {key for key in rolling if _overlap(self._compared(key), own)}
        return {month, _quarter(month), WHOLE} | held

    def _compared(self, key: str) -> Bounds:
        """From the begin of the period before, where a change is told, to the end."""
        earlier = self.before(key)
        return self.hull([earlier, key] if earlier else [key])


def before(key: str, bounds: Bounds, *, zone: str, free: bool = False) -> tuple[str, Bounds]:
    """The period before, as long and without a day in common: its name and its instants."""
    first, after = (periods.local_date(end, zone) for end in (bounds.start, bounds.end))
    months = 0 if free else months_of(key)
    start = periods.later(first, months=-months) if months else first - (after - first)
    edge = periods.period_bounds(start.isoformat(), zone).start
    return _named("" if free else key, start, first), Bounds(edge, bounds.start)


def months_of(key: str) -> int:
    """How many months a named period has; 0 where it is counted in days."""
    if key == "rolling12m":
        return 12
    if "Q" in key or key.startswith("rolling3m"):
        return 3
    return 1 if re.fullmatch(r"\d{4}-\d\d", key) else 0


def _named(key: str, start: date, first: date) -> str:
    """A quarter and a month have names under which they are stored; other spans their days."""
    if "Q" in key:
        return f"{start.year:04d}Q{(start.month + 2) // 3}"
    if months_of(key) == 1:
        return f"{start.year:04d}-{start.month:02d}"
    return f"{start.isoformat()}/{first.isoformat()}"


def days(key: str, *, zone: str) -> Bounds:
    """The instants of days named as in `before`: the first, and the one after the last."""
    first, after = key.split("/")
    ends = (periods.period_bounds(day, zone).start for day in (first, after))
    return Bounds(*ends)


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


def _quarters(months: Iterable[str]) -> list[str]:
    return sorted({_quarter(month) for month in months})


def _quarter(month: str) -> str:
    return f"{month[:4]}Q{(int(month[5:]) + 2) // 3}"


def _overlap(one: Bounds, other: Bounds) -> bool:
    return one.start < other.end and other.start < one.end
