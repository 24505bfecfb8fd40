"""The audit trail: one line in the transaction of each act, numbered and chained afterwards.

A chained log forks if two writers read the same last row, and a lock held in every act costs
half the submits. So `record` writes the content, and one writer chains what is waiting. The
writer also notes the head of the chain: entries cut off at the end leave it hanging.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction

from bank.models import ApiKey, AuditEntry, Setting, User

FIRST = "0" * 64
LATE = timedelta(seconds=10)
BATCH = 1000
# A row beside the settings; no administrator sees or changes it.
HEAD = "audit_head"
# One prepared statement for all rows: a bulk update of three columns takes ten times as long.
_LINK = "UPDATE bank_auditentry SET number = %s, previous = %s, digest = %s WHERE id = %s"
_LOCK = 7_301_442_019


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: the number of the first broken link, or None when all hold."""

    checked: int
    broken: int | None
    late: int


def record(
    act: str,
    subject: models.Model | str,
    *,
    at: datetime,
    by: User | ApiKey | None = None,
    data: dict[str, Any] | None = None,
    label: str = "",
) -> AuditEntry:
    """Write what happened, in the caller's transaction. `by` None means the clock."""
    kind, key = _subject(subject)
    return AuditEntry.objects.create(
        at=at,
        actor=by if isinstance(by, User) else None,
        actor_label=label or _actor(by),
        act=act,
        subject_type=kind,
        subject_id=key,
        # Dates, decimals and lazy texts become what a reader of the column will see.
        data=json.loads(json.dumps(data or {}, cls=DjangoJSONEncoder)),
    )


def chain() -> int:
    """Number and chain waiting entries in order; return how many. One writer at a time."""
    # Most seconds bring nothing: then not even a transaction is opened.
    if not AuditEntry.objects.filter(number__isnull=True).exists():
        return 0
    with transaction.atomic():
        if not _alone():
            return 0
        number, previous = _end()
        waiting = list(AuditEntry.objects.filter(number__isnull=True).order_by("id")[:BATCH])
        rows: list[tuple[int, str, str, int]] = []
        for entry in waiting:
            entry.number = number = number + 1
            entry.previous = previous
            previous = _digest(entry)
            rows.append((number, entry.previous, previous, entry.pk))
        with connection.cursor() as cursor:
            cursor.executemany(_LINK, rows)
        head = {"number": number, "digest": previous}
        Setting.objects.update_or_create(key=HEAD, defaults={"value": head})
    return len(waiting)


def verify(*, at: datetime) -> Verdict:
    """Chain what waits, then follow the whole chain to the first link that does not hold."""
    late = AuditEntry.objects.filter(number__isnull=True, at__lt=at - LATE).count()
    while chain():
        pass
    last = _end()[0]
    previous, expected = FIRST, 1
    for entry in AuditEntry.objects.filter(number__isnull=False).order_by("number").iterator():
        sound = (
            entry.number == expected
            and entry.previous == previous
            and entry.digest == _digest(entry)
        )
        if not sound:
            return Verdict(expected - 1, expected, late)
        previous, expected = entry.digest, expected + 1
    return Verdict(expected - 1, expected if expected <= last else None, late)


def _end() -> tuple[int, str]:
    """Number and digest of the last link: as noted by the writer, or as found where later.

    Going on from the note leaves a gap where the end was cut off, for `verify` to find.
    """
    note = Setting.objects.filter(key=HEAD).values_list("value", flat=True).first()
    end = (note["number"], note["digest"]) if note is not None else (0, FIRST)
    found = AuditEntry.objects.filter(number__gt=end[0]).order_by("-number").first()
    return end if found is None else (found.number or 0, found.digest)


def _alone() -> bool:
    """Take the writer's lock for this transaction; SQLite's write transaction is one already."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _subject(subject: models.Model | str) -> tuple[str, str]:
    if isinstance(subject, str):
        kind, _separator, key = subject.partition(":")
        return kind, key
    return subject._meta.model_name or "", str(subject.pk)


def _actor(by: User | ApiKey | None) -> str:
    if by is None:
        return "system"
    return by.username if isinstance(by, User) else f"key:{by.prefix}"


def _digest(entry: AuditEntry) -> str:
    content = {
        "number": entry.number,
        "previous": entry.previous,
        "at": entry.at.astimezone(UTC).isoformat(),
        "actor": [entry.actor_id, entry.actor_label],
        "act": entry.act,
        "subject": [entry.subject_type, entry.subject_id],
        "data": entry.data,
    }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
