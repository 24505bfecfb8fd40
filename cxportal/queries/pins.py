"""Events on the trend: at most three, each with its day and a few words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from bank import formats
from clients.models import Outage
from surveys.models import Version

MOST = 3


@dataclass(frozen=True)
class Event:
    """Something that a reader of a trend must know of."""

    on: date
    words: str


def events(months: list[str]) -> list[Event]:
    """New wordings of the relationship survey and outages of a log, the newest three; two queries.

    A new wording comes first: it breaks the series.
    """
    year, month = (int(piece) for piece in months[0].split("-"))
    begin = datetime(year, month, 1, tzinfo=settings.ZONE)
    found = [*_wordings(begin), *_outages(begin)][:MOST]
    return sorted(found, key=lambda event: event.on)


def _wordings(begin: datetime) -> Iterable[Event]:
    rows = Version.objects.filter(
        questionnaire__kind="relational", number__gt=1, published_at__gte=begin
    )
    for row in rows.select_related("questionnaire").order_by("-published_at")[:MOST]:
        if row.published_at:
            words = _("new wording: %(survey)s") % {"survey": row.questionnaire.title}
            yield Event(timezone.localdate(row.published_at), words)


def _outages(begin: datetime) -> Iterable[Event]:
    """Sources that were away at once are one event."""
    known: set[tuple[datetime, datetime]] = set()
    for row in Outage.objects.filter(ends_at__gte=begin).order_by("-starts_at")[: MOST * 3]:
        if (row.starts_at, row.ends_at) not in known:
            known.add((row.starts_at, row.ends_at))
            last = formats.day(row.ends_at - timedelta(seconds=1))
            words = _("a log was away until %(day)s") % {"day": last}
            yield Event(timezone.localdate(row.starts_at), words)


def place(event: Event, months: list[str]) -> float | None:
    """Where the day lies between the first and the last month's dot, 0 to 1."""
    first = _number(months[0])
    days = (date(event.on.year + event.on.month // 12, event.on.month % 12 + 1, 1) - event.on).days
    whole = 31
    part = event.on.year * 12 + event.on.month - 1 + (1 - days / whole) - 0.5 - first
    last = max(len(months) - 1, 1)
    return min(max(part / last, 0.0), 1.0) if -0.5 <= part <= last + 0.5 else None


def _number(month: str) -> int:
    year, _dash, number = month.partition("-")
    return int(year) * 12 + int(number) - 1
