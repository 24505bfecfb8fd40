"""What the relay's own log says of our mails: the memory that a killed sender has lost.

The log is read where RELAY_LOG names one, once by whoever comes first, from where the last pass
ended. Lines younger than a lease are left for the next pass: their mails may still be in the
hands of a sender. A mail that the log says was taken is sent; what became of it afterwards is
delivered or bounced.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from bank import mail, replies
from bank.models import RelayState
from clients import consent
from surveys import bounces, outcomes, relaylog
from surveys.models import Delivery
from surveys.relaylog import Entry

State = Delivery.State
# A pass reads no more than this; the next one goes on.
MOST_BYTES = 16 * 1024 * 1024
_LOST = Q(state=State.UNKNOWN) | Q(state__in=[State.QUEUED, State.RETRY], losses__gt=0)


@dataclass
class Read:
    """What one pass found: lost mails that were sent, mails delivered, mails that came back."""

    found: int = 0
    delivered: int = 0
    bounced: int = 0
    span: outcomes.Span | None = None
    returned: list[tuple[Delivery, datetime]] = field(default_factory=list)


def read(*, at: datetime) -> Read:
    """Read on in the log and settle by it; nothing where there is none or it cannot be read."""
    if not settings.RELAY_LOG:
        return Read()
    done = Read()
    try:
        with transaction.atomic():
            name = mail.relay_name()
            row, _made = RelayState.objects.select_for_update().get_or_create(name=name)
            _judge(_entries(row, at=at), done)
            row.save()
    except OSError as error:
        outcomes.logger.warning("the relay's log cannot be read: %s", error)
        return done
    if row.log_from is not None and row.log_until is not None:
        done.span = outcomes.Span(row.log_from, row.log_until)
    for delivery, moment in done.returned:
        bounces.watch(delivery, at=moment)
    return done


def _entries(row: RelayState, *, at: datetime) -> list[Entry]:
    """The entries that are new and old enough; `row` remembers the place. Raises OSError."""
    path = Path(settings.RELAY_LOG)
    until = at - timedelta(seconds=settings.SEND_LEASE_SECONDS)
    lines: list[str] = []
    with path.open("rb") as log:
        inode, size = _identity(log)
        if row.log_inode != inode or size < row.log_offset:
            lines += _rest_of_old(row, path)
            if not lines and row.log_inode is not None:
                # Lines may be missing in between: what is known begins anew.
                row.log_from = None
            row.log_inode, row.log_offset = inode, 0
        log.seek(row.log_offset)
        new, is_whole = _complete(log.read(MOST_BYTES), until, now=at)
        row.log_offset += sum(len(line) for line in new)
        lines += [line.decode("utf-8", "replace") for line in new]
    if row.log_from is None:
        times = (relaylog.instant(line, now=at) for line in lines)
        row.log_from = next((time for time in times if time is not None), until)
    if is_whole:
        row.log_until = until
    return list(relaylog.entries(lines, now=at))


def _rest_of_old(row: RelayState, path: Path) -> list[str]:
    """What stands in the file that was the log until it was turned over."""
    old = path.with_name(f"{path.name}.1")
    if row.log_inode is None or not old.exists():
        return []
    with old.open("rb") as log:
        if _identity(log)[0] != row.log_inode:
            return []
        log.seek(row.log_offset)
        return log.read(MOST_BYTES).decode("utf-8", "replace").splitlines()


def _complete(data: bytes, until: datetime, *, now: datetime) -> tuple[list[bytes], bool]:
    """The lines that are whole and not too young, and whether nothing older is left."""
    found: list[bytes] = []
    for line in data.splitlines(keepends=True):
        written = relaylog.instant(line.decode("utf-8", "replace"), now=now)
        if not line.endswith(b"\n") or (written is not None and written > until):
            return found, True
        found.append(line)
    return found, len(data) < MOST_BYTES


def _identity(log: BinaryIO) -> tuple[int, int]:
    facts = os.fstat(log.fileno())
    return facts.st_ino, facts.st_size


def _judge(entries: Iterable[Entry], done: Read) -> None:
    """Settle the mails of which the log speaks, in its order."""
    told = list(entries)
    _name([entry for entry in told if entry.event == "named"])
    rest = [entry for entry in told if entry.event != "named"]
    ours = Delivery.objects.select_related("invitation__contact", "invitation__campaign")
    found = {
        delivery.queue_id: delivery
        for delivery in ours.filter(queue_id__in={entry.queue for entry in rest})
    }
    for entry in rest:
        if entry.queue in found:
            _settle(found[entry.queue], entry, done)


def _name(entries: list[Entry]) -> None:
    """Note the relay's numbers of our mails; a number may come again for another mail."""
    numbers = {entry.message_id: entry.queue for entry in entries}
    mails = Delivery.objects.filter(message_id__in=numbers)
    queues = {entry.queue for entry in entries}
    Delivery.objects.filter(queue_id__in=queues).exclude(message_id__in=numbers).update(
        queue_id=""
    )
    for delivery in mails.only("message_id", "queue_id"):
        delivery.queue_id = numbers[delivery.message_id]
        delivery.save(update_fields=["queue_id"])


def _settle(delivery: Delivery, entry: Entry, done: Read) -> None:
    row = Delivery.objects.filter(pk=delivery.pk)
    lost = row.filter(_LOST).update(
        state=State.SENT, sent_at=entry.at, settled_at=entry.at, lease_until=None, last_error=""
    )
    if lost:
        done.found += 1
        outcomes.invited(delivery, at=entry.at)
    if entry.event == "sent":
        done.delivered += row.filter(state=State.SENT).update(
            state=State.DELIVERED, settled_at=entry.at
        )
    elif entry.event == "bounced" and row.filter(state=State.SENT).update(
        state=State.BOUNCED, settled_at=entry.at, relay_reply=entry.said[: outcomes.ERROR_LENGTH]
    ):
        done.bounced += 1
        done.returned.append((delivery, entry.at))
        if replies.says_no_mailbox(entry.said) and not delivery.invitation.is_test:
            consent.bounce(delivery.invitation.contact, at=entry.at)
