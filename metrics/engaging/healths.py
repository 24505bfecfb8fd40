"""Relationship health of clients: what they said within a year, under its ceilings (9.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db.models import Q

from clients.models import Freeze
from metrics.engaging.stamps import RELATIONAL, Today, plain
from metrics.facts import answers
from metrics.facts.tables import Slot, Table
from metrics.facts.where import Cut
from metrics.formulas import health, periods
from metrics.formulas.parameters import HEALTH

Floats = npt.NDArray[np.float64]

OPEN_SEVERE_COMPLAINT = "OPEN_SEVERE_COMPLAINT"
UNRESOLVED_DETRACTOR = "UNRESOLVED_DETRACTOR"
SILENT = "SILENT_12M"
LOW_COVERAGE = "LOW_COVERAGE"
MIN_RESPONSES = "MIN_RESPONSES"
SEVERE = "severe"
# What was said before this is not told any more.
OLDEST_MONTHS = 24


@dataclass(frozen=True)
class Told:
    """What one client's answers say: health and what it is made of.

    `fresh` is false where its last answer is older than the year. `gate` is set where few of
    the answers must not be seen one by one.
    """

    score: float | None
    n: int
    fresh: bool
    gate: str
    detail: dict[str, Any]


def of(clients: Sequence[int], answered: Table, today: Today) -> dict[int, Told]:
    """The health of each of these clients that answered within the year, else within two."""
    known = today.known
    longer = periods.parse(
        f"rolling{OLDEST_MONTHS}m", as_of=today.stamp.at, zone=settings.TIME_ZONE
    )
    silent = sorted(set(clients) - set(answered.ids.tolist()))
    codes = _ceilings(clients, today, known.at_end_of(longer))
    found = _told(answered, codes, today)
    if silent:
        cut = Cut(clients=silent, population=RELATIONAL)
        old = answers.many([longer], cut, known=known).get(Slot(0, RELATIONAL))
        found |= _told(old, codes, today, silent=True) if old else {}
    return found


def _ceilings(clients: Sequence[int], today: Today, heirs: dict[int, int]) -> dict[int, set[str]]:
    """The codes of complaints and follow-ups that are open, by client."""
    open_ = Freeze.objects.filter(started_at__lte=today.stamp.at).filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=today.stamp.at),
        Q(reason=Freeze.Reason.OPEN_COMPLAINT, severity=SEVERE)
        | Q(reason=Freeze.Reason.FOLLOW_UP_OPEN),
    )
    wanted = set(clients)
    wanted |= {old for old, new in heirs.items() if new in wanted}
    found: dict[int, set[str]] = {}
    for client, reason in open_.filter(client__in=wanted).values_list("client_id", "reason"):
        complaint = reason == Freeze.Reason.OPEN_COMPLAINT
        code = OPEN_SEVERE_COMPLAINT if complaint else UNRESOLVED_DETRACTOR
        found.setdefault(heirs.get(client, client), set()).add(code)
    return found


def _told(
    table: Table, codes: dict[int, set[str]], today: Today, *, silent: bool = False
) -> dict[int, Told]:
    parts = _parts(table)
    found = health.relationship_health_columns(*parts.values(), rules=today.rules.health)
    scores, coverage = plain(found.score), plain(found.coverage)
    contributions = plain(found.contributions)
    shown = {name: plain(column) for name, column in parts.items()}
    people, gates = _people(table), _gates(table, today)
    made = {}
    for row, client in enumerate(table.ids.tolist()):
        held = codes.get(client, set()) | ({SILENT} if silent else set())
        score, applied = scores[row], ""
        for code, ceiling in health.ceilings(held, rules=today.rules.health):
            if score is not None and ceiling < score:
                score, applied = ceiling, code
        given = zip(HEALTH, contributions[row], strict=True)
        detail = {
            "parts": {
                name: {"score": shown[name][row], "contribution": share} for name, share in given
            },
            "coverage": coverage[row],
            "uncapped": scores[row],
            "ceiling": applied,
            "ceilings": sorted(held),
        }
        gate = gates[row] if score is not None else LOW_COVERAGE
        made[client] = Told(score, people[row], not silent, gate, detail)
    return made


def _parts(table: Table) -> dict[str, Floats]:
    """Trust, satisfaction and loyalty of each client on 0 to 100; NaN where nobody said."""
    recommend = _mean(table["total"] * 10, table["n"])
    renewal = _mean(table["renewal_intention_total"], table["renewal_intention_n"])
    both = np.where(np.isnan(renewal), recommend, (recommend + renewal) / 2)
    return {
        "trust": _mean(table["trust_total"], table["trust_n"]),
        "satisfaction": _mean(table["csat_total"], table["csat_n"]),
        "loyalty": np.where(np.isnan(recommend), renewal, both),
    }


def _mean(total: Floats, n: Floats) -> Floats:
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _people(table: Table) -> list[int]:
    """How many people answered anything of it."""
    counts = [table[name] for name in ("n", "csat_n", "trust_n", "renewal_intention_n")]
    most = np.max(np.stack(counts), axis=0) if len(table) else np.zeros(0)
    return [int(value) for value in most]


def _gates(table: Table, today: Today) -> list[str]:
    """A figure over few answers would tell those that only aggregates may hold."""
    closed = np.maximum(table["n"] - table["open_n"], table["csat_n"] - table["csat_open"])
    few = (closed > 0) & (closed < today.rules.gate.min_resp)
    return [MIN_RESPONSES if one else "" for one in few]
