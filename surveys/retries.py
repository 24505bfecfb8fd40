"""When a mail is tried again: by what the relay said, with a wait that grows, for two days.

| the relay says | waits |
|---|---|
| busy, grey-listing: 431, 432, 442, 447, 450-452 | 10 s, 30 s, 1, 5, 15 min, then slowly |
| any other 4xx of the recipient or the content | 1, 5, 15, 30 min, 1, 2 h, then every 4 h |
| a rule of its own (554, 5.7.x) | slowly: a person may put it right |
| nothing at all, or the relay is in trouble | half a minute, and no try is counted |
| 5xx | never |
"""

from datetime import datetime, timedelta

from bank.replies import Outcome

QUICK = {431, 432, 442, 447, 450, 451, 452}
_MINUTE = 60
_SLOW = tuple(_MINUTE * minutes for minutes in (1, 5, 15, 30, 60, 120, *[240] * 10))
_QUICK = (10, 30, *(_MINUTE * minutes for minutes in (1, 5, 15)), *_SLOW[3:])
# For the relay's own trouble: others go first meanwhile, so that no mail blocks them for ever.
PUT_OFF = timedelta(seconds=30)
# A letter that cannot be made.
_UNMADE = (2, 4, 8, 16)


def again(number: int, outcome: Outcome, *, row: int, at: datetime) -> datetime | None:
    """When to try after so many tries; None after the last one."""
    quick = outcome.kind == "retry" and outcome.code in QUICK
    waits = _QUICK if quick else _SLOW
    if number > len(waits):
        return None
    return at + timedelta(seconds=waits[number - 1] * _spread(row))


def unmade(number: int, *, at: datetime) -> datetime:
    """When to try to make a letter again; `number` says how often it was tried."""
    return at + timedelta(minutes=_UNMADE[min(number, len(_UNMADE)) - 1])


def _spread(row: int) -> float:
    """From 0.8 to 1.2, by the number of the row: what was refused together comes apart."""
    return 0.8 + row * 7919 % 401 / 1000
