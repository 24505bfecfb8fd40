"""Answers that a relationship manager may have given: many clients', at once, one address.

They count like all others. Whoever reads a figure is only told of them.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Count

from clients import machines
from metrics.facts import exclusions
from metrics.facts.where import Where
from metrics.formulas.parameters import DEFAULT
from metrics.formulas.periods import Bounds
from surveys.models import Hit, Version

LEAST = DEFAULT.suspicion.least
WITHIN = timedelta(minutes=DEFAULT.suspicion.minutes)
_RESPONSE = "invitation__responses__"
_MANAGER = f"{_RESPONSE}client__manager"


@dataclass(frozen=True, slots=True, order=True)
class Sent:
    """One response as it came in: for whose client, from where, when."""

    manager: int
    address: str
    at: datetime
    response: int


def suspects(
    window: Bounds,
    population: str,
    where: Where,
    *,
    least: int = LEAST,
    within: timedelta = WITHIN,
) -> list[Sent]:
    """The suspicious responses of a figure, in order of manager, address and time; three queries.

    A burst is looked for among all responses of the window; those outside the cut are left out.
    """
    found = list(_bursts(_sent(window, population, least), least, within))
    held = exclusions.received(window, population, where).standing()
    inside = set(held.filter(pk__in=[one.response for one in found]).values_list("pk", flat=True))
    return [one for one in found if one.response in inside]


def _sent(window: Bounds, population: str, least: int) -> list[Sent]:
    """What people sent in, where one address did so often enough for one manager's clients.

    Where nobody is to be named, no address leads from a person to an answer.
    """
    hits = (
        Hit.objects.filter(
            method="POST",
            page=Hit.Page.SURVEY,
            address__isnull=False,
            **{
                f"{_RESPONSE}retracted_at__isnull": True,
                f"{_RESPONSE}is_test": False,
                f"{_RESPONSE}submitted_at__gte": window.start,
                f"{_RESPONSE}submitted_at__lt": window.end,
                f"{_RESPONSE}version__questionnaire__kind": population,
                f"{_MANAGER}__isnull": False,
            },
        )
        .exclude(agent="")
        .exclude(agent__iregex=machines.NAMES)
        .exclude(invitation__version__attribution=Version.Attribution.ANONYMOUS_OPTIONAL)
        .order_by()
    )
    often = hits.values_list(_MANAGER, "address").annotate(
        responses=Count(f"{_RESPONSE}pk", distinct=True)
    )
    pairs = {(manager, address) for manager, address, n in often if n >= least}
    rows = hits.filter(address__in={address for _manager, address in pairs}).values_list(
        _MANAGER, "address", f"{_RESPONSE}submitted_at", f"{_RESPONSE}pk"
    )
    return sorted(Sent(*row) for row in set(rows) if (row[0], row[1]) in pairs)


def _bursts(rows: Iterable[Sent], least: int, within: timedelta) -> Iterator[Sent]:
    """Those of whom at least so many lie within the span, each once."""
    for _pair, group in groupby(rows, key=lambda one: (one.manager, one.address)):
        waiting: deque[Sent] = deque()
        told: set[Sent] = set()
        for one in group:
            waiting.append(one)
            while one.at - waiting[0].at > within:
                waiting.popleft()
            if len(waiting) >= least:
                yield from (held for held in waiting if held not in told)
                told.update(waiting)
