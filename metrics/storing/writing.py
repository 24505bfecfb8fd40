"""Brings stored figures to what was made; an unchanged row is not written again.

An unchanged figure keeps its instant, unless it is of a rolling window, whose day it tells. A
figure of a period that was over and has changed is restated: marked, with the value it had.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from metrics.facts import tables
from metrics.formulas import periods
from metrics.models import Measurement
from metrics.storing.rows import Row, measurement

RESTATED = "RESTATED"
FROM = "restated_from"
_FEW, _CHUNK = 500, 5_000
_STAGE = "fresh_figures"
_TODAY = "rolling90"
_KEY = ("scope", "scope_id", "slice", "population", "period", "metric")
_RESTING = "scope_id = ANY(%s) AND metric LIKE 'cei%%' AND period LIKE '%%Q%%'"
_ENGAGED = f"scope_id = ANY(%s) AND metric LIKE 'cei%%' AND period = '{_TODAY}'"
_CONTENT = tuple(name for name in Row._fields if name not in (*_KEY, "as_of"))


@dataclass(frozen=True, slots=True)
class Target:
    """The stored rows that are brought in line: of a scope, of some units, of some periods.

    `closed` are the keys of periods that are over. Null means every unit, or every period. Of
    the units in `resting` the engagement of quarters stands as it is, of those in `engaged` that
    of today.
    """

    scope: str
    closed: frozenset[str]
    ids: Sequence[int] | None = None
    periods: Sequence[str] | None = None
    resting: Sequence[int] = ()
    engaged: Sequence[int] = ()

    def stored(self) -> QuerySet[Measurement]:
        """The rows as they stand."""
        found = Measurement.objects.filter(scope=self.scope)
        if self.ids is not None:
            found = found.filter(scope_id__in=list(self.ids))
        if self.periods is not None:
            found = found.filter(period__in=list(self.periods))
        if self.resting:
            found = found.exclude(
                scope_id__in=list(self.resting), metric__startswith="cei", period__contains="Q"
            )
        if self.engaged:
            found = found.exclude(
                scope_id__in=list(self.engaged), metric__startswith="cei", period=_TODAY
            )
        return found


def write(target: Target, made: Iterable[Row], *, at: datetime) -> int:
    """Store these rows and delete the others of the target; return how many rows changed."""
    if connection.vendor == "postgresql":
        return _merged(target, made, at)
    return _compared(target, list(made), at)


def _compared(target: Target, made: list[Row], at: datetime) -> int:
    """One row after the other, for databases without COPY."""
    columns = ("pk", *_KEY, *_CONTENT, "as_of", "restated_at")
    stored = {tuple(row[name] for name in _KEY): row for row in target.stored().values(*columns)}
    wanted = {row[: len(_KEY)]: row for row in made}
    gone = [row["pk"] for key, row in stored.items() if key not in wanted]
    changed = []
    for key, row in wanted.items():
        fresh, old = measurement(row), stored.get(key)
        if old is None or _differs(old, fresh, at):
            _restate(old, fresh, target, at)
            changed.append(fresh)
    if gone:
        Measurement.objects.filter(pk__in=gone).delete()
    Measurement.objects.bulk_create(
        changed,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=list(_KEY),
        update_fields=[*_CONTENT, "as_of", "restated_at"],
    )
    return len(gone) + len(changed)


def _differs(old: dict[str, Any], fresh: Measurement, at: datetime) -> bool:
    bare = old | {
        "flags": " ".join(flag for flag in old["flags"].split() if flag != RESTATED),
        "detail": {name: held for name, held in old["detail"].items() if name != FROM},
    }
    if any(bare[name] != getattr(fresh, name) for name in _CONTENT):
        return True
    return fresh.period.startswith("rolling") and old["as_of"] < midnight(at, fresh.zone)


def _restate(old: dict[str, Any] | None, fresh: Measurement, target: Target, at: datetime) -> None:
    """Mark a figure of a period that was over, and keep the mark it had."""
    if old is None:
        return
    now = fresh.period in target.closed and old["value"] != fresh.value
    if now or old["restated_at"] is not None:
        fresh.restated_at = at if now else old["restated_at"]
        fresh.flags = f"{fresh.flags} {RESTATED}".strip()
        fresh.detail[FROM] = old["value"] if now else old["detail"].get(FROM)


def midnight(at: datetime, zone: str) -> datetime:
    """When the local day of an instant began."""
    return datetime.combine(periods.local_date(at, zone), time(), ZoneInfo(zone))


def _merged(target: Target, made: Iterable[Row], at: datetime) -> int:
    """All rows in one statement: from a list, or from a temporary table filled by COPY."""
    rows = iter(made)
    few = list(islice(rows, _CHUNK))
    with connection.cursor() as cursor:
        if len(few) <= _FEW:
            source, params = _listed(few)
        else:
            source, params = _copied(cursor, few, rows), []
        stored, wanted = _stored(target)
        moments: list[Any] = [midnight(at, settings.TIME_ZONE), list(target.closed), at]
        if source == _STAGE:
            # Many against many, again whatever the statistics say.
            cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_statement(source, stored), [*wanted, *params, *moments])
        changed = int(cursor.fetchone()[0])
        if source == _STAGE:
            cursor.execute("SET LOCAL enable_nestloop = on")
        return changed


def _stored(target: Target) -> tuple[str, list[Any]]:
    """The condition of `Target.stored` in SQL, with its values."""
    stored = "scope = %s"
    wanted: list[Any] = [target.scope]
    for column, some in (("scope_id", target.ids), ("period", target.periods)):
        if some is not None:
            stored += f" AND {column} = ANY(%s)"
            wanted.append(list(some))
    if target.ids:
        # The index by itself, whatever the statistics of a table that has just grown say.
        stored += " AND scope_id BETWEEN %s AND %s"
        wanted += [min(target.ids), max(target.ids)]
    if target.resting:
        stored += f" AND NOT ({_RESTING})"
        wanted.append(list(target.resting))
    if target.engaged:
        stored += f" AND NOT ({_ENGAGED})"
        wanted.append(list(target.engaged))
    return stored, wanted


def _listed(rows: list[Row]) -> tuple[str, list[Any]]:
    """Few rows as a parameter."""
    shape = ", ".join(f'"{name}" {kind}' for name, kind in _types().items())
    plain = [
        row._asdict() | {"as_of": row.as_of.isoformat(), "detail": json.loads(row.detail)}
        for row in rows
    ]
    return f"jsonb_to_recordset(%s::jsonb) AS listed({shape})", [json.dumps(plain)]


def _copied(cursor: Any, first: list[Row], more: Iterator[Row]) -> str:
    """Many rows in a temporary table that ends with the transaction.

    They come in pieces: making the next ones may need the connection itself.
    """
    shape = ", ".join(f'"{name}" {kind}' for name, kind in _types().items())
    cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {_STAGE} ({shape}) ON COMMIT DROP")
    cursor.execute(f"TRUNCATE {_STAGE}")
    tables.without_compiling(cursor)
    piece = first
    while piece:
        with cursor.cursor.copy(f"COPY {_STAGE} FROM STDIN") as stream:
            for row in piece:
                stream.write_row(row)
        piece = list(islice(more, _CHUNK))
    return _STAGE


@cache
def _types() -> dict[str, str]:
    fields = (Measurement._meta.get_field(name) for name in Row._fields)
    return {field.name: str(field.db_type(connection)) for field in fields}


def _statement(source: str, stored: str) -> str:
    """Delete what is gone, write what is new or differs, and count both."""
    names = ", ".join(f'"{name}"' for name in Row._fields if name not in ("flags", "detail"))
    same_key = " AND ".join(f'old."{name}" = fresh."{name}"' for name in _KEY)
    bare = {
        "flags": f"TRIM(REPLACE(old.flags, '{RESTATED}', ''))",
        "detail": f"old.detail - '{FROM}'",
    }
    before = ", ".join(bare.get(name, f'old."{name}"') for name in _CONTENT)
    after = ", ".join(f'fresh."{name}"' for name in _CONTENT)
    sets = ", ".join(
        f'"{name}" = EXCLUDED."{name}"' for name in (*_CONTENT, "as_of", "restated_at")
    )
    picked = ", ".join(f'"{name}"' for name in Row._fields if name not in ("flags", "detail"))
    return f"""
WITH old AS MATERIALIZED (SELECT * FROM metrics_measurement WHERE {stored}),
fresh AS {"NOT" if source == _STAGE else ""} MATERIALIZED (SELECT * FROM {source}),
gone AS (
    DELETE FROM metrics_measurement WHERE id IN (
        SELECT old.id FROM old WHERE NOT EXISTS (SELECT 1 FROM fresh WHERE {same_key})
    ) RETURNING 1
),
changed AS (
    SELECT fresh.*, old.restated_at, old.detail -> '{FROM}' AS was, old.value AS previous,
        old.id IS NOT NULL AND fresh.period = ANY(due.closed)
            AND old.value IS DISTINCT FROM fresh.value AS restated
    FROM fresh LEFT JOIN old ON {same_key}
    CROSS JOIN (SELECT %s::timestamptz AS today, %s::text[] AS closed) due
    WHERE old.id IS NULL OR ({before}) IS DISTINCT FROM ({after})
        OR (fresh.period LIKE 'rolling%%' AND old.as_of < due.today)
),
put AS (
    INSERT INTO metrics_measurement ({names}, flags, detail, restated_at)
    SELECT {picked},
        CASE WHEN restated OR restated_at IS NOT NULL
            THEN TRIM(flags || ' {RESTATED}') ELSE flags END,
        CASE WHEN restated THEN detail || jsonb_build_object('{FROM}', previous)
            WHEN restated_at IS NOT NULL THEN detail || jsonb_build_object('{FROM}', was)
            ELSE detail END,
        CASE WHEN restated THEN %s ELSE restated_at END
    FROM changed
    ON CONFLICT ({", ".join(_KEY)}) DO UPDATE SET {sets} RETURNING 1
)
SELECT (SELECT COUNT(*) FROM gone) + (SELECT COUNT(*) FROM put)
"""  # noqa: S608 - names of columns and constants
