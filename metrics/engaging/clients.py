"""The stored rows of single clients: engagement with its components, health, client score."""

from collections.abc import Iterator, Sequence

from metrics import references
from metrics.engaging import healths, keeping, scores
from metrics.engaging.details import Details
from metrics.engaging.healths import Told
from metrics.engaging.scores import Day
from metrics.engaging.stamps import RELATIONAL, ROLLING, YEAR, Series, Today
from metrics.facts.tables import Table
from metrics.formulas import engagement, health, indices
from metrics.formulas.parameters import ENGAGEMENT
from metrics.models import Scope
from metrics.storing import Row

INDEX = "weighted_index"
VERSION = max(engagement.VERSION, indices.VERSION)
HEALTH_VERSION = max(health.VERSION, indices.VERSION)


def rows_of_clients(
    clients: Sequence[int], answered: Table, today: Today, *, kept: frozenset[int] = frozenset()
) -> Iterator[Row]:
    """Every row of these clients as of this day; `answered` are their answers of the year.

    The engagement of those `kept` stands as it was stored today: none of its facts has changed.
    """
    engaged = keeping.indices(sorted(kept))
    changed = [client for client in clients if client not in kept]
    if changed:
        yield from _engagement(changed, engaged, today)
    for client, told in healths.of(sorted(engaged), answered, today).items():
        if client in engaged:
            yield from _health(client, told, engaged[client], today)


def _engagement(
    clients: Sequence[int], engaged: dict[int, float | None], today: Today
) -> Iterator[Row]:
    """The index of each client with its components; notes it in `engaged`."""
    reference = references.newest()
    replaced = references.replaced(reference, today.day) if reference else None
    day = scores.on(
        today.day,
        clients,
        reference=reference,
        replaced=replaced,
        rules=today.rules.engagement,
    )
    details = Details(
        day,
        reference.version if reference else None,
        replaced.version if replaced else None,
    )
    ids = day.now.table.clients.tolist()
    engaged.update(zip(ids, details.index, strict=True))
    yield from rows_of_day(day, details, ROLLING, today)


def rows_of_day(day: Day, details: Details, period: str, today: Today) -> Iterator[Row]:
    """The index and its components of every client of a day, as figures of a period."""
    series = Series("", period, INDEX, VERSION, today.stamp)
    table, bands = day.now.table, today.rules.bands
    for row, (client, n) in enumerate(
        zip(table.clients.tolist(), table.events.tolist(), strict=True)
    ):
        unit, value = (Scope.CLIENT.value, client, ""), details.index[row]
        yield series.row(
            unit,
            "cei",
            value=value,
            label=health.band(value, rules=bands) or "",
            n=n,
            gate=details.gate(row),
            detail=details.of_index(row),
        )
        for name in ENGAGEMENT:
            yield series.row(
                unit,
                f"cei_{name}",
                value=details.scores[name][row],
                n=n,
                gate=details.reasons[name][row],
                detail=details.of_component(name, row),
            )


def _health(client: int, told: Told, engaged: float | None, today: Today) -> Iterator[Row]:
    """Health, and the client score where it is of the year; both under the same gate."""
    series = Series(RELATIONAL, YEAR, INDEX, HEALTH_VERSION, today.stamp)
    unit, bands = (Scope.CLIENT.value, client, ""), today.rules.bands
    yield series.row(
        unit,
        "health",
        value=told.score,
        label=health.band(told.score, rules=bands) or "",
        n=told.n,
        gate=told.gate,
        flags="" if told.fresh else healths.SILENT,
        detail=told.detail,
    )
    said = told.score if told.fresh else None
    found = health.client_score(said, engaged, rules=today.rules.client_score)
    parts = {"health": ("relationship_health", said), "cei": ("cei", engaged)}
    yield series.row(
        unit,
        "client_score",
        value=found.score,
        label=health.band(found.score, rules=bands) or "",
        n=told.n,
        gate=told.gate if found.score is not None else engagement.LOW_COVERAGE,
        detail={
            "coverage": found.coverage,
            "parts": {
                name: {"score": score, "contribution": found.contributions.get(key)}
                for name, (key, score) in parts.items()
            },
        },
    )
