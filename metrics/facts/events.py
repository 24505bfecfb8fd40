"""The one statement over events: whole-number sums by client, on SQLite and on PostgreSQL.

Each branch gives a client, the number of its pair of sums, the two sums, and how many events
went into them. Weights of days are whole multiples of 2^-36 of an event: sums are exact in any
order, of one client, of a block and of everybody.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import connection

from metrics.facts import mergers
from metrics.formulas import engagement, periods
from metrics.formulas.engagement import GRID
from metrics.formulas.parameters import Engagement
from metrics.formulas.periods import Bounds

Integers = npt.NDArray[np.int64]

# What the pairs hold, in the order of their numbers; points are counted in halves.
PAIRS = (
    ("login", "pv"),
    ("clicks", "messages"),
    ("depth", "uses"),
    ("half_points", "met_on"),
    ("used", "held"),
    ("users", "refused"),
    ("ever", "unused"),
)
# No single event counts for more, whatever its quantity: sums stay within 64 bits.
MOST = 100_000

_STATEMENT = """
WITH day({day}) AS (VALUES {days}),
visit AS (
  SELECT {key} AS client, t.kind AS kind, t.at AS at, d.age AS age, d.weight AS weight,
    {quantity} AS quantity,
    LAG(t.at) OVER same AS at_before, LAG(d.age) OVER same AS age_before
  FROM clients_touchpoint t JOIN day d ON {day_of_at}
  WHERE t.at >= %(start)s AND t.at < %(end)s AND t.kind IN ('login', 'page_view') {only}
  WINDOW same AS (PARTITION BY {key}, t.kind, t.contact_id ORDER BY t.at, t.id)
),
message AS (
  SELECT {key} AS client, t.contact_id AS contact, COUNT(*) AS events,
    SUM(CASE WHEN t.kind = 'message_click' THEN 1 ELSE 0 END) AS clicks,
    SUM(CASE WHEN t.kind = 'message_click' THEN 0 ELSE 1 END) AS messages
  FROM clients_touchpoint t
  WHERE t.at >= %(start)s AND t.at < %(end)s
    AND t.kind IN ('message_click', 'message_delivered') {only}
  GROUP BY 1, 2
),
meeting AS (
  SELECT {key} AS client, d.age AS age, MIN(d.weight) AS weight, COUNT(*) AS events,
    SUM(CASE {points} ELSE 0 END) AS points
  FROM clients_touchpoint t JOIN day d ON {day_of_at}
  WHERE t.at >= %(start)s AND t.at < %(end)s
    AND t.kind IN ('visit', 'meeting', 'call', 'event', 'email_reply') {only}
  GROUP BY 1, 2
),
product_use AS (
  SELECT {key} AS client, t.product_id AS product, t.at AS at, {quantity} AS quantity
  FROM clients_touchpoint t
  WHERE t.at >= %(year)s AND t.at < %(end)s AND t.kind = 'product_use' {only}
  UNION ALL
  SELECT {key}, t.product_id, t.booked_at, 1
  FROM clients_transaction t
  WHERE t.booked_at >= %(year)s AND t.booked_at < %(end)s AND t.kind = 'product_use' {only}
),
owned AS (
  SELECT client, product, CASE WHEN at >= %(start)s THEN 1 ELSE 0 END AS recent
  FROM product_use WHERE product IS NOT NULL
  UNION ALL
  SELECT {key}, c.product_id, 0
  FROM clients_facility t JOIN clients_case c ON c.id = t.case_id
  WHERE (t.starts_on IS NULL OR t.starts_on <= %(day)s)
    AND (t.ends_on IS NULL OR t.ends_on >= %(day)s) {only}
)
SELECT client, 0,
    CAST(SUM(CASE WHEN kind = 'login' AND (age_before IS NULL OR age_before <> age)
      THEN weight ELSE 0 END) AS bigint),
    CAST(SUM(CASE WHEN kind = 'page_view' AND (at_before IS NULL OR {apart} > {repeat})
      THEN weight * quantity ELSE 0 END) AS bigint), COUNT(*)
  FROM visit GROUP BY client
UNION ALL
SELECT client, 1,
    CAST(SUM(CASE WHEN clicks < messages THEN clicks ELSE messages END) AS bigint),
    CAST(SUM(messages) AS bigint), CAST(SUM(events) AS bigint)
  FROM message GROUP BY client
UNION ALL
SELECT u.client, 2, CAST(SUM(d.weight * u.quantity) AS bigint), COUNT(*), COUNT(*)
  FROM product_use u JOIN day d ON {day_of_use}
  WHERE u.at >= %(start)s GROUP BY u.client
UNION ALL
SELECT client, 3,
    CAST(SUM(weight * CASE WHEN points > {cap} THEN {cap} ELSE points END) AS bigint),
    COUNT(*), CAST(SUM(events) AS bigint)
  FROM meeting GROUP BY client
UNION ALL
SELECT o.client, 4, COUNT(DISTINCT CASE WHEN o.recent = 1 THEN o.product END),
    COUNT(DISTINCT o.product), 0
  FROM owned o JOIN clients_product p ON p.id = o.product AND {online}
  GROUP BY o.client
UNION ALL
SELECT {key}, 5, COUNT(*),
    SUM(CASE WHEN EXISTS (SELECT 1 FROM clients_consent s WHERE s.contact_id = t.id
          AND s.at < %(end)s AND s.state = 'no')
        AND NOT EXISTS (SELECT 1 FROM clients_consent s WHERE s.contact_id = t.id
          AND s.at < %(end)s AND s.state <> 'no') THEN 1 ELSE 0 END), 0
  FROM clients_contact t
  WHERE (t.left_on IS NULL OR t.left_on > %(day)s) {only} GROUP BY 1
UNION ALL
SELECT t.client_id, 6, 1, 0, 0
  FROM (SELECT id AS client_id FROM clients_client WHERE online_contract IS NULL) t
  WHERE EXISTS (SELECT 1 FROM clients_touchpoint e WHERE e.client_id = t.client_id
      AND e.at < %(end)s AND e.kind IN ('login', 'page_view')) {only}
"""
_POSTGRESQL = {
    "day": "age, weight",
    "day_of_at": "d.age = %(day)s::date - (t.at AT TIME ZONE %(zone)s)::date",
    "day_of_use": "d.age = %(day)s::date - (u.at AT TIME ZONE %(zone)s)::date",
    "apart": "EXTRACT(EPOCH FROM at - at_before) * 1000000",
    "online": "p.is_online",
}
_SQLITE = {
    # Local time is a call into Python here, for every pair of event and day: compare instants.
    "day": "age, weight, starts, ends",
    "day_of_at": "t.at >= d.starts AND t.at < d.ends",
    "day_of_use": "u.at >= d.starts AND u.at < d.ends",
    "apart": "django_timestamp_diff(at, at_before)",
    "online": "p.is_online = 1",
}


def weights(rules: Engagement) -> list[int]:
    """The weight of an event by its age in days, in units of the grid."""
    return [int(engagement.weight(age, rules=rules) * GRID) for age in range(rules.window_days)]


def sums(
    clients: Integers, day: date, *, rules: Engagement, everybody: bool
) -> dict[str, Integers]:
    """The sums of these clients over the window that ends on the day, in one statement.

    With `everybody` the database reads all events, and the clients are only the rows wanted.
    """
    window = periods.rolling_bounds(day, settings.TIME_ZONE, days=rules.window_days)
    successors = mergers.known().at_end_of(window)
    asked = None if everybody else clients.tolist()
    with connection.cursor() as cursor:
        cursor.execute(statement(asked, successors, rules, day), params(day, window))
        return _columns(clients, cursor.fetchall())


def statement(
    asked: list[int] | None, successors: dict[int, int], rules: Engagement, day: date
) -> str:
    """The text over these clients, or over everybody; `params` are its values."""
    words = _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE
    chosen = "" if asked is None else mergers.chosen("t.client_id", successors, asked)
    return _STATEMENT.format(
        **words,
        only=f"AND {chosen}" if chosen else "",
        days=", ".join(_days(day, rules)),
        key=mergers.key("t.client_id", successors),
        quantity=f"CASE WHEN t.quantity > {MOST} THEN {MOST} ELSE t.quantity END",
        points=" ".join(_points(kind, points, rules) for kind, points in rules.points),
        cap=round(2 * rules.points_per_day),
        repeat=round(1_000_000 * rules.repeat_seconds),
    )


def _days(day: date, rules: Engagement) -> Iterator[str]:
    """A row for each day of the window: age and weight, on SQLite also from when to when."""
    adapted = connection.ops.adapt_datetimefield_value
    for age, weight in enumerate(weights(rules)):
        if connection.vendor == "postgresql":
            yield f"({age}, {weight})"
            continue
        local = (day - timedelta(days=age)).isoformat()
        held = periods.period_bounds(local, settings.TIME_ZONE)
        yield f"({age}, {weight}, '{adapted(held.start)}', '{adapted(held.end)}')"


def _points(kind: str, points: float, rules: Engagement) -> str:
    long_enough = f" AND t.duration_s >= {round(60 * rules.call_minutes)}"
    condition = f"t.kind = '{kind}'{long_enough if kind == 'call' else ''}"
    return f"WHEN {condition} THEN {round(2 * points)}"


def params(day: date, window: Bounds) -> dict[str, Any]:
    """The values of the statement for one day."""
    zone: str = settings.TIME_ZONE
    last = window.end - timedelta(microseconds=1)
    adapted = connection.ops.adapt_datetimefield_value
    return {
        "start": adapted(window.start),
        "end": adapted(window.end),
        "year": adapted(periods.parse("rolling12m", as_of=last, zone=zone).start),
        "day": day.isoformat(),
        "zone": zone,
    }


def _columns(clients: Integers, rows: Sequence[tuple[int, ...]]) -> dict[str, Integers]:
    """Columns in the order of the clients; rows of others are left out."""
    names = [name for pair in PAIRS for name in pair]
    columns: dict[str, Integers] = {
        name: np.zeros(len(clients), dtype=np.int64) for name in (*names, "events")
    }
    if not len(clients) or not rows:
        return columns
    found = np.array(rows, dtype=np.int64)
    place = np.minimum(np.searchsorted(clients, found[:, 0]), len(clients) - 1)
    known = clients[place] == found[:, 0]
    np.add.at(columns["events"], place[known], found[known, 4])
    for number, pair in enumerate(PAIRS):
        chosen = known & (found[:, 1] == number)
        for position, name in enumerate(pair):
            columns[name][place[chosen]] = found[chosen, 2 + position]
    return columns
