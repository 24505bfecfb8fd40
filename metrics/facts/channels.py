"""Which components of engagement are open to a client, and which are missing and why (8.7)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import numpy.typing as npt
from django.conf import settings

from clients.models import Outage
from metrics.formulas import periods
from metrics.formulas.parameters import Engagement

Words = npt.NDArray[np.object_]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

NO_CONTRACT = "NO_CONTRACT"
SPONSOR_SERVED = "SPONSOR_SERVED"
LOG_OUTAGE = "LOG_OUTAGE"
NO_MESSAGES = "NO_MESSAGES"
NOTHING_HELD = "NOTHING_HELD"
CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"


@dataclass(frozen=True)
class Known:
    """What decides whether a channel is open, a row a client.

    `contract` is 1 for yes, 0 for no, -1 where it was never said; `ever` and `signed_in` say
    whether anybody signed in or looked at a page at all, and within the window.
    """

    contract: Integers
    ever: Flags
    spv: Flags
    users: Integers
    refused: Integers
    signed_in: Flags
    messages: Integers
    held: Integers


def reasons(known: Known, observed: dict[str, float], rules: Engagement) -> dict[str, Words]:
    """By component the reason why it is missing, empty where it is there.

    The first that holds is told: a channel that is not open before a log that was out, and
    both before nothing that could be measured.
    """
    nobody = np.zeros(len(known.users), dtype=bool)
    out = {source: nobody | (1 - share > rules.outage_share) for source, share in observed.items()}
    served = (SPONSOR_SERVED, known.spv & (known.users == 0) & ~known.signed_in)
    unsaid = (known.contract == -1) & ~known.ever & ~known.signed_in
    closed = (NO_CONTRACT, (known.contract == 0) | unsaid)
    refused = (CONSENT_WITHDRAWN, (known.users > 0) & (known.refused == known.users))
    unsent = (NO_MESSAGES, known.messages == 0)
    unheld = (NOTHING_HELD, known.held == 0)
    online = _first([served, closed, (LOG_OUTAGE, out[Outage.Source.ONLINE])])
    return {
        "login": online,
        "pv": online,
        "ctr": _first([served, refused, (LOG_OUTAGE, out[Outage.Source.MAIL]), unsent]),
        "usage": _first([served, (LOG_OUTAGE, out[Outage.Source.PRODUCTS]), unheld]),
        "offline": _first([("", nobody)]),
    }


def _first(told: list[tuple[str, Flags]]) -> Words:
    """In each row the first reason that holds there."""
    found: Words = np.full(len(told[0][1]), "", dtype=object)
    for reason, holds in reversed(told):
        found[holds] = reason
    return found


def observed(day: date, rules: Engagement) -> dict[str, float]:
    """By source the share of the window's weight in which its log was running."""
    zone: str = settings.TIME_ZONE
    window = periods.rolling_bounds(day, zone, days=rules.window_days)
    rows = list(
        Outage.objects.filter(starts_at__lt=window.end, ends_at__gt=window.start)
        .order_by("starts_at", "pk")
        .values_list("source", "starts_at", "ends_at")
    )
    return {
        source: _share([row[1:] for row in rows if row[0] == source], day, zone, rules)
        for source in Outage.Source.values
    }


def _share(
    outages: list[tuple[datetime, datetime]], day: date, zone: str, rules: Engagement
) -> float:
    if not outages:
        return 1.0
    total = kept = 0.0
    for age in range(rules.window_days):
        bounds = periods.rolling_bounds(day - timedelta(days=age), zone, days=1)
        weight = 0.5 ** (age / rules.half_life)
        total += weight
        kept += weight * (1 - _dark(outages, bounds))
    return kept / total


def _dark(outages: list[tuple[datetime, datetime]], bounds: periods.Bounds) -> float:
    """The share of a day that lies in outages, which are in order and may overlap."""
    lost, seen = timedelta(), bounds.start
    for start, end in outages:
        first, last = max(start, seen), min(end, bounds.end)
        if last > first:
            lost += last - first
            seen = last
    return lost / (bounds.end - bounds.start)
