"""Turns of jobs by the clock: each is done once, and one that was missed is caught up once.

Beat may ring twice, late or not at all: what counts is the row of the turn.
"""

from collections.abc import Callable
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import transaction

from bank.models import Slot

# Whoever began a turn so long ago and has not ended it was killed.
STALE = timedelta(hours=2)


def daily(job: str, work: Callable[[], object], *, hour: time, at: datetime) -> bool:
    """Do today's turn of a job if its hour has come and nobody has; say whether it was done.

    Of turns that were missed only the last is caught up: the job sees everything there is.
    """
    due_at = _last(hour, at)
    if not _take(job, due_at, at=at):
        return False
    work()
    Slot.objects.filter(job=job, due_at=due_at).update(done_at=at)
    return True


def _last(hour: time, at: datetime) -> datetime:
    """The last time it was this hour in the bank's zone."""
    day = at.astimezone(settings.ZONE).date()
    due_at = datetime.combine(day, hour, settings.ZONE)
    return (
        due_at if due_at <= at else datetime.combine(day - timedelta(days=1), hour, due_at.tzinfo)
    )


@transaction.atomic
def _take(job: str, due_at: datetime, *, at: datetime) -> bool:
    row, made = Slot.objects.select_for_update().get_or_create(
        job=job, due_at=due_at, defaults={"started_at": at}
    )
    if made:
        return True
    if row.done_at is not None or row.started_at > at - STALE:
        return False
    row.started_at = at
    row.save(update_fields=["started_at"])
    return True
