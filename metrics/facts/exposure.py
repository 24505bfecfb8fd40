"""What is at stake with each client on a day: drawn and undrawn committed, in one currency.

Of each facility that is live on the day the newest balance up to then counts: the larger of limit
and drawn amount, at the newest rate up to then. What is missing or negative counts 0. A facility
in a currency without a rate counts 0 too, and is reported, so that nobody mistakes it for none.
Amounts are brought to whole hundredths, so that sums are exact in any order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from django.db import connection

from bank import settings as bank_settings
from metrics.facts import mergers, tables
from metrics.facts.mergers import Mergers
from metrics.facts.tables import Column, Ids
from metrics.facts.where import Clause

_FLOAT = "double precision"


@dataclass(frozen=True, slots=True)
class Exposure:
    """The exposure of each client on a day, in the reporting currency; `ids` rise.

    `unrated` counts the client's facilities whose currency had no rate on that day.
    """

    day: date
    currency: str
    ids: Ids
    amount: Column
    unrated: Column

    def of(self, client_ids: Ids) -> Column:
        """The amounts of these clients in their order; 0 for who has none."""
        return _pick(self.ids, self.amount, client_ids)

    def unrated_of(self, client_ids: Ids) -> int:
        """How many facilities of these clients have no rate."""
        return int(_pick(self.ids, self.unrated, client_ids).sum())


def at(
    days: Sequence[date],
    *,
    clients: Sequence[int] | None = None,
    known: Mergers | None = None,
) -> dict[date, Exposure]:
    """The exposure of all clients, or of these, on each of these days; one query.

    A merged client's counts under its successor from the day of merging.
    """
    known = mergers.known() if known is None else known
    currency = str(bank_settings.get("reporting_currency"))
    wanted = sorted(set(days))
    found = {}
    for successors, some in _alike(wanted, known):
        statement = _statement(some, currency, successors, clients)
        rows = tables.read(statement.text, statement.params, width=4, many=tables.is_many(clients))
        for place, day in enumerate(some):
            held = rows[rows[:, 0] == place]
            ids = held[:, 1].astype(np.int64)
            found[day] = Exposure(day, currency, ids, held[:, 2] / 100, held[:, 3])
    return found


def _alike(days: Sequence[date], known: Mergers) -> list[tuple[Mapping[int, int], list[date]]]:
    groups: dict[tuple[tuple[int, int], ...], list[date]] = {}
    for day in days:
        groups.setdefault(tuple(sorted(known.on(day).items())), []).append(day)
    return [(dict(held), some) for held, some in groups.items()]


def _statement(
    days: Sequence[date],
    currency: str,
    successors: Mapping[int, int],
    clients: Sequence[int] | None,
) -> Clause:
    key = mergers.key("facility.client_id", successors)
    chosen = "" if clients is None else mergers.chosen("facility.client_id", successors, clients)
    only = f"WHERE {chosen}" if chosen else ""
    amount = """CASE WHEN held.drawn > COALESCE(held."limit", 0) THEN held.drawn
        WHEN held."limit" > 0 THEN held."limit" ELSE 0 END"""
    own = "facility.currency = %s"
    rate = f"CASE WHEN {own} THEN 1 ELSE CAST(rate.rate AS {_FLOAT}) END"
    value = f"ROUND(CAST({amount} AS {_FLOAT}) * ({rate}) * 100)"
    text = f"""
WITH span (slot, day) AS (VALUES {", ".join(f"({place}, %s)" for place in range(len(days)))}),
facility AS (SELECT * FROM clients_facility facility {only}),
held AS (
    SELECT balance.facility_id, balance."limit", balance.drawn, balance.as_of AS starts,
        LEAD(balance.as_of) OVER (PARTITION BY balance.facility_id ORDER BY balance.as_of) AS ends
    FROM clients_facilitybalance balance JOIN facility ON facility.id = balance.facility_id
),
rate AS (
    SELECT currency, rate, as_of AS starts,
        LEAD(as_of) OVER (PARTITION BY currency ORDER BY as_of) AS ends
    FROM clients_exchangerate
)
SELECT CAST(span.slot AS {_FLOAT}), CAST({key} AS {_FLOAT}),
    CAST(COALESCE(SUM({value}), 0) AS {_FLOAT}),
    CAST(COUNT(*) FILTER (WHERE NOT {own} AND rate.rate IS NULL) AS {_FLOAT})
FROM span
JOIN held ON held.starts <= span.day AND (held.ends IS NULL OR held.ends > span.day)
JOIN facility ON facility.id = held.facility_id
    AND (facility.starts_on IS NULL OR facility.starts_on <= span.day)
    AND (facility.ends_on IS NULL OR facility.ends_on >= span.day)
LEFT JOIN rate ON rate.currency = facility.currency AND rate.starts <= span.day
    AND (rate.ends IS NULL OR rate.ends > span.day)
GROUP BY span.slot, {key} ORDER BY span.slot, {key}
"""  # noqa: S608 - the pieces are constants and whole numbers
    return Clause(text, (*(_day(day) for day in days), currency, currency))


def _day(day: date) -> object:
    return connection.ops.adapt_datefield_value(day)


def _pick(ids: Ids, column: Column, wanted: Ids) -> Column:
    if not len(ids):
        return np.zeros(len(wanted))
    places = np.searchsorted(ids, wanted)
    places[places == len(ids)] = 0
    return np.where(ids[places] == wanted, column[places], 0.0)
