"""Which stored periods an instant falls in, as seen on one day in the reporting zone."""

from datetime import date, datetime

from django.conf import settings

from metrics.formulas import periods

ROLLING = ("rolling90", "rolling12m")
WHOLE = "all"
_MONTHS_OF_TREND = 13


class Windows:
    """The periods as of one instant. All begin and end at local midnight, so a day decides."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.zone: str = settings.TIME_ZONE
        self.today = periods.local_date(at, self.zone)
        self.trend = trend_keys(self.today)
        self._current = [(key, self._bounds(key)) for key in ROLLING]
        self._trend = [(key, self._bounds(key)) for key in self.trend]
        self._known: dict[date, tuple[str, ...]] = {}
        self._known_trend: dict[date, tuple[str, ...]] = {}

    def of(self, moment: datetime) -> tuple[str, ...]:
        """Its month and quarter, and the rolling windows that hold it."""
        day = periods.local_date(moment, self.zone)
        if day not in self._known:
            month = periods.period_key(moment, "month", self.zone)
            quarter = periods.period_key(moment, "quarter", self.zone).replace("-", "")
            rolling = [key for key, bounds in self._current if bounds.holds(moment)]
            self._known[day] = (month, quarter, *rolling)
        return self._known[day]

    def with_trend(self, moment: datetime) -> tuple[str, ...]:
        """The same, and the three-month windows of the last thirteen months that hold it."""
        day = periods.local_date(moment, self.zone)
        if day not in self._known_trend:
            held = [key for key, bounds in self._trend if bounds.holds(moment)]
            self._known_trend[day] = (*self.of(moment), *held)
        return self._known_trend[day]

    def with_whole(self, moment: datetime) -> tuple[str, ...]:
        """The same as `of`, and the whole life, which only a campaign has."""
        return (*self.of(moment), WHOLE)

    def _bounds(self, key: str) -> periods.Bounds:
        return periods.parse(key, as_of=self.at, zone=self.zone)


def trend_keys(today: date) -> list[str]:
    """The keys of the trend, oldest first: three months ending with each of the last 13."""
    last = today.year * 12 + today.month - 1
    months = [divmod(last - back, 12) for back in range(_MONTHS_OF_TREND - 1, -1, -1)]
    return [f"rolling3m:{year:04d}-{month + 1:02d}" for year, month in months]
