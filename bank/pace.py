"""The rate: how many mails may leave in a minute, of all processes together.

One instant is kept: until when the mails already granted use up the rate. So a new rate holds
from the next grant on, and no window of a minute ever sees more mails than the rate.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from bank import mail, settings
from bank.models import RelayState

MINUTE = timedelta(minutes=1)
# At once after a silence, as a part of the rate: two seconds' worth.
BURSTS = 30


@dataclass(frozen=True)
class Grant:
    """How many may leave now; with none, when to ask again."""

    count: int
    wait: timedelta = timedelta(0)


def is_limited() -> bool:
    """Whether a rate is set at all; one query."""
    return int(settings.get("mails_per_minute")) < settings.UNLIMITED


def take(wanted: int, *, at: datetime) -> Grant:
    """Use up the rate for up to `wanted` mails."""
    rate = int(settings.get("mails_per_minute"))
    if rate >= settings.UNLIMITED:
        return Grant(wanted)
    step, burst = _step(rate)
    with transaction.atomic():
        row, _made = RelayState.objects.select_for_update().get_or_create(name=mail.relay_name())
        # A lower rate, or a clock set back, must not make anybody wait for hours.
        used = min(max(row.paced_until or at, at), at + MINUTE)
        count = min(wanted, math.floor((burst * step - (used - at)) / step))
        if count < 1:
            return Grant(0, used - at - (burst - 1) * step)
        row.paced_until = used + count * step
        row.save(update_fields=["paced_until"])
    return Grant(count)


def give_back(count: int) -> None:
    """Some of the mails granted did not leave after all."""
    step, _burst = _step(int(settings.get("mails_per_minute")))
    RelayState.objects.filter(name=mail.relay_name()).update(
        paced_until=F("paced_until") - count * step
    )


def _step(rate: int) -> tuple[timedelta, int]:
    """The time each mail uses up, so that a burst and what follows it stay within the rate."""
    burst = max(rate // BURSTS, 1)
    return MINUTE / (rate - burst + 1), burst
