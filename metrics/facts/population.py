"""Which clients there are, where each belongs at present, and how many rows each one has."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection
from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from bank.models import Team
from clients.models import Client, ExchangeRate, Facility, FacilityBalance
from metrics.facts import tables
from metrics.facts.statements import instant
from metrics.facts.tables import Ids, Rows
from metrics.facts.where import numbers
from metrics.formulas.periods import Bounds
from surveys.models import Invitation, Response

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Members:
    """Every client with its place at present; `ids` rise, the other columns follow them.

    `team` is 0 for a client without one. `chains` holds the line upwards of each team, itself
    first; `parents` the tree.
    """

    ids: Ids
    team: npt.NDArray[np.int64]
    segment: npt.NDArray[np.str_]
    active: Mask
    chains: Mapping[int, tuple[int, ...]]
    parents: Mapping[int, int | None]

    def eligible(self, successors: Mapping[int, int]) -> Mask:
        """Clients with status active, but for those that count under a successor."""
        return self.active & ~np.isin(self.ids, np.array(sorted(successors), dtype=np.int64))

    def within(self, team: int) -> Mask:
        """The clients of a team and of all below it."""
        below = [one for one, chain in self.chains.items() if team in chain]
        return np.isin(self.team, np.array(below, dtype=np.int64))

    def teams(self) -> list[int]:
        """Teams that hold a client, themselves or below."""
        held = {int(one) for one in np.unique(self.team)}
        return sorted({above for team in held for above in self.chains.get(team, ())})


@dataclass(frozen=True, slots=True)
class RowCounts:
    """What a client's figures were made from; any change of them changes one of these.

    `responses` counts the standing ones, `revisions` is summed over all, retracted ones too:
    so a retraction lowers the first, and a correction or a repeated import raises the second.
    `invitations` counts those sent plus those opened. `place` is what the figures above the
    client see of it: team, status, segment and successor.
    """

    responses: int = 0
    revisions: int = 0
    invitations: int = 0
    place: str = ""


def members() -> Members:
    """Teams and clients as they are now; two queries."""
    parents: dict[int, int | None] = dict(Team.objects.values_list("id", "parent_id"))
    rows = list(
        Client.objects.order_by("pk").values_list("pk", "team_id", "segment", "status").iterator()
    )
    return Members(
        ids=np.array([row[0] for row in rows], dtype=np.int64),
        team=np.array([row[1] or 0 for row in rows], dtype=np.int64),
        segment=np.array([row[2] for row in rows], dtype=np.str_),
        active=np.array([row[3] == Client.Status.ACTIVE for row in rows], dtype=np.bool_),
        chains={team: _chain(team, parents) for team in parents},
        parents=parents,
    )


@dataclass(frozen=True, slots=True)
class History:
    """The rows of one client by local month: standing responses, revisions, invitations.

    An answer that is added, changed, moved or taken away changes the numbers of its month.
    """

    months: Mapping[str, tuple[int, int, int]]
    place: str

    @property
    def counts(self) -> RowCounts:
        """The same over all months."""
        standing, revisions, asked = (
            sum(held[place] for held in self.months.values()) for place in range(3)
        )
        return RowCounts(standing, revisions, asked, self.place)


def counts() -> dict[int, RowCounts]:
    """The row counts of each client; three queries."""
    invitations = Invitation.objects.filter(sent_at__isnull=False)
    asked = {
        client: sent + opened
        for client, sent, opened in invitations.values_list("client_id").annotate(
            sent=Count("id"), opened=Count("opened_at")
        )
    }
    stands = Q(retracted_at__isnull=True, is_test=False)
    given = {
        client: (standing, revisions)
        for client, standing, revisions in Response.objects.values_list("client_id").annotate(
            standing=Count("id", filter=stands), revisions=Sum("revision")
        )
    }
    return {
        client: RowCounts(*given.get(client, (0, 0)), asked.get(client, 0), place)
        for client, place in places().items()
    }


def places(client_ids: Sequence[int] | None = None) -> dict[int, str]:
    """What the figures above each client see of it: team, status, segment and successor."""
    rows = _some(Client, "pk", client_ids).values_list(
        "pk", "team_id", "status", "segment", "merged_into_id"
    )
    return {client: "/".join(map(str, place)) for client, *place in rows}


def span() -> tuple[datetime | None, datetime | None]:
    """The first and the last instant of what anybody was asked or answered; one query."""
    ends = " UNION ALL ".join(
        f"SELECT MIN({at}) AS first, MAX({at}) AS last FROM {table}"  # noqa: S608
        for at, table in (
            ("submitted_at", "surveys_response"),
            ("sent_at", "surveys_invitation"),
        )
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT MIN(first), MAX(last) FROM ({ends}) ends")  # noqa: S608
        first, last = cursor.fetchone()
    return instant(first), instant(last)


def histories(client_ids: Sequence[int]) -> dict[int, History]:
    """The rows of these clients by month; two queries."""
    found: dict[int, dict[str, tuple[int, int, int]]] = {}
    for month, client, *numbers_ in _by_month(client_ids).astype(np.int64).tolist():
        standing, revisions, asked = numbers_
        key = f"{month // 100:04d}-{month % 100:02d}"
        found.setdefault(client, {})[key] = (standing, revisions, asked)
    return {
        client: History(found.get(client, {}), place)
        for client, place in places(client_ids).items()
    }


def _by_month(client_ids: Sequence[int]) -> Rows:
    """Local month as in 202611, client, and three sums."""
    zone: str = settings.TIME_ZONE
    if connection.vendor == "postgresql":
        month, params = "to_char(at AT TIME ZONE %s, 'YYYYMM')", [zone]
    else:
        held = "django_datetime_trunc('month', at, %s, 'UTC')"
        month, params = f"REPLACE(SUBSTR({held}, 1, 7), '-', '')", [zone]
    some = f"fact.client_id IN ({numbers(client_ids)})"
    sums = ", ".join(
        f"CAST({name} AS double precision)"
        for name in ("month", "client", "SUM(standing)", "SUM(revision)", "SUM(asked)")
    )
    text = f"""
WITH given AS (
    SELECT fact.client_id AS client, fact.submitted_at AS at, fact.revision, 0 AS asked,
        CASE WHEN fact.retracted_at IS NULL AND NOT fact.is_test THEN 1 ELSE 0 END AS standing
    FROM surveys_response fact WHERE {some}
    UNION ALL
    SELECT fact.client_id, fact.sent_at, 0,
        CASE WHEN fact.opened_at IS NULL THEN 1 ELSE 2 END, 0
    FROM surveys_invitation fact WHERE fact.sent_at IS NOT NULL AND {some}
),
placed AS (SELECT {month} AS month, client, standing, revision, asked FROM given)
SELECT {sums} FROM placed GROUP BY month, client ORDER BY client, month
"""  # noqa: S608 - whole numbers and constants
    return tables.read(text, params, width=5, many=tables.is_many(client_ids))


def worth(client_ids: Sequence[int]) -> dict[int, str]:
    """A mark of each client's facilities and of all rates, which changes when they do."""
    rates = ExchangeRate.objects.aggregate(Count("pk"), Sum("rate")).values()
    own = (
        _some(Facility, "client", client_ids)
        .values_list("client_id")
        .annotate(Count("pk"), Min("starts_on"), Max("ends_on"), Min("currency"), Max("currency"))
    )
    held = FacilityBalance.objects.filter(facility__client__in=list(client_ids))
    balances = held.values_list("facility__client_id").annotate(
        Count("pk"), Sum("limit"), Sum("drawn"), Max("as_of")
    )
    found: dict[int, list[object]] = {client: list(rates) for client in client_ids}
    for client, *marks in (*own, *balances):
        found[client] += marks
    return {client: _digest(marks) for client, marks in found.items()}


def spoken(window: Bounds, successors: Mapping[int, int]) -> Ids:
    """The clients with any standing response in a window, by rising number; one query."""
    found = Response.objects.standing().filter(
        submitted_at__gte=window.start, submitted_at__lt=window.end
    )
    ids = found.order_by().values_list("client_id", flat=True).distinct()
    return np.array(sorted({successors.get(client, client) for client in ids}), dtype=np.int64)


def _some(model: Any, field: str, client_ids: Sequence[int] | None) -> QuerySet[Any]:
    """The rows of these clients, or of all."""
    rows: QuerySet[Any] = model.objects.all()
    return rows if client_ids is None else rows.filter(**{f"{field}__in": list(client_ids)})


def _digest(marks: list[object]) -> str:
    return hashlib.sha256("/".join(map(str, marks)).encode()).hexdigest()[:16]


def _chain(team: int, parents: Mapping[int, int | None]) -> tuple[int, ...]:
    """The team and all above it; a circle in the data ends where it closes."""
    chain: list[int] = []
    step: int | None = team
    while step is not None and step not in chain:
        chain.append(step)
        step = parents.get(step)
    return tuple(chain)
