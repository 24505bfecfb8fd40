"""The breaker: after several failures of the relay in a row, the queue waits for it to recover.

Its state is a row, so that every process and page sees the same. Open, nobody sends and no mail
uses up a try. When the time is over one sender tries one mail: if the relay takes it, everybody
goes on; if not, the wait doubles.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db import transaction

from bank import audit, mail
from bank.models import RelayState
from bank.replies import Outcome

LIMIT = 5
SHORTEST, LONGEST = timedelta(seconds=30), timedelta(minutes=10)
# A prober that died is replaced after so long.
PROBE = timedelta(minutes=1)


@dataclass(frozen=True)
class Standing:
    """How the relay stands: `closed` all may send, `open` nobody, `half_open` one may try."""

    state: Literal["closed", "open", "half_open"]
    errors: int = 0
    last_error: str = ""
    failed_at: datetime | None = None
    until: datetime | None = None


def standing(*, at: datetime) -> Standing:
    """What the breaker says at this instant; one query."""
    row = RelayState.objects.filter(name=mail.relay_name()).first()
    if row is None:
        return Standing("closed")
    facts = (row.errors, row.last_error, row.failed_at)
    if row.errors < LIMIT:
        return Standing("closed", *facts)
    until = max(filter(None, (row.open_until, row.probe_until)), default=at)
    return Standing("open" if until > at else "half_open", *facts, until)


def probe(*, at: datetime) -> bool:
    """Let one sender try the relay; only the first who asks in a half-open moment hears yes."""
    with transaction.atomic():
        row = _row()
        if row.errors < LIMIT or (row.open_until or at) > at or (row.probe_until or at) > at:
            return False
        row.probe_until = at + PROBE
        row.save(update_fields=["probe_until"])
    return True


def trouble(outcome: Outcome, *, at: datetime) -> None:
    """The relay took nothing; from the fifth time in a row on the queue waits, longer each time.

    Who began before the breaker opened and fails late makes the wait no longer.
    """
    with transaction.atomic():
        row = _row()
        row.failed_at = at
        row.last_error = f"{outcome.phase}: {outcome.code or ''} {outcome.reply}".replace(
            "  ", " "
        )
        if row.open_until is None or row.open_until <= at:
            row.errors += 1
            if row.errors >= LIMIT:
                row.open_until = at + min(SHORTEST * 2 ** min(row.errors - LIMIT, 8), LONGEST)
                row.probe_until = None
        row.save()
        if row.errors == LIMIT:
            audit.record("relay.open", row, at=at, data={"error": row.last_error})


def recovered(*, at: datetime) -> None:
    """The relay works: what was counted is forgotten, and everybody may send."""
    with transaction.atomic():
        row = _row()
        if not row.errors:
            return
        was_open = row.errors >= LIMIT
        row.errors, row.open_until, row.probe_until = 0, None, None
        row.save(update_fields=["errors", "open_until", "probe_until"])
        if was_open:
            audit.record("relay.close", row, at=at)


def _row() -> RelayState:
    """The row of the relay, locked; in a transaction."""
    row, _made = RelayState.objects.select_for_update().get_or_create(name=mail.relay_name())
    return row
