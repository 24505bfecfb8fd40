"""Engagement on the last days of quarters that are over, kept with each client.

The index is that of a day, over the 90 days that end on it. A quarter that is over is measured
once, and again when a fact of the client, the reference or the parameters change: a new day
changes nothing in it.
"""

from collections.abc import Iterator, Sequence
from datetime import date

from metrics import references
from metrics.engaging import clients, scores
from metrics.engaging.details import Details
from metrics.engaging.scores import Day
from metrics.engaging.stamps import Today
from metrics.models import Measurement, Scope
from metrics.storing import Row, Stamp
from metrics.windows import Windows

# As many as a course shows.
MOST = 12
Values = dict[tuple[int, str], float | None]


def quarters(windows: Windows) -> list[str]:
    """The quarters kept, oldest first, from the first one of a reference on; one query."""
    first = references.first_day()
    return windows.closed_quarters(first)[-MOST:] if first else []


def mark(windows: Windows, stamp: Stamp) -> str:
    """What tells that the quarters of a client were made of what is known now."""
    newest = windows.closed_quarters(date(windows.today.year - 1, 1, 1))[-1]
    return f"{newest} {stamp.parameter_set}"


def on(day: date, ids: Sequence[int] | None, today: Today) -> Day | None:
    """Any day by itself, of these clients or of all; null before anything was usual."""
    first = references.first_day()
    if first is None or day < first:
        return None
    rules = today.rules.engagement
    return scores.alone(day, ids, reference=references.newest(), rules=rules)


def rows_of(day: Day, period: str, today: Today) -> Iterator[Row]:
    """The index and its components of each client of a day, as figures of a period."""
    return clients.rows_of_day(day, Details(day, None, None), period, today)


class Past:
    """The quarters of some clients that are measured in one run, and what that changed."""

    def __init__(self, reopened: Sequence[int], windows: Windows, stamp: Stamp) -> None:
        self._ids, self._windows = sorted(reopened), windows
        self.mark = mark(windows, stamp)
        self.keys = quarters(windows) if reopened else []
        self._before = _values(self._ids, self.keys) if self.keys else {}

    def resting(self, ids: Sequence[int]) -> list[int]:
        """Those of these clients whose quarters stand as they are."""
        return sorted(set(ids) - set(self._ids))

    def rows(self, today: Today) -> Iterator[Row]:
        """The index and its components at the end of each quarter."""
        reference = references.newest() if self.keys else None
        for key in self.keys:
            day = scores.alone(
                self._windows.last_day(key),
                self._ids,
                reference=reference,
                rules=today.rules.engagement,
            )
            details = Details(day, reference.version if reference else None, None)
            yield from clients.rows_of_day(day, details, key, today)

    def moved(self) -> set[str]:
        """The quarters in which the index of one of them is not what it was; after writing."""
        now = _values(self._ids, self.keys) if self.keys else {}
        keys = now.keys() | self._before.keys()
        return {pair[1] for pair in keys if now.get(pair) != self._before.get(pair)}


def _values(ids: Sequence[int], keys: Sequence[str]) -> Values:
    """The index of these clients in these quarters as it is stored; one query."""
    found = Measurement.objects.filter(
        scope=Scope.CLIENT, scope_id__in=ids, slice="", population="", period__in=keys
    ).filter(metric="cei")
    return {(row[0], row[1]): row[2] for row in found.values_list("scope_id", "period", "value")}
