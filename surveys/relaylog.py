"""The log of a relay such as Postfix, line by line: which mail it took, and what came of it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Event = Literal["named", "taken", "sent", "bounced"]

_LINE = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT\S+|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) \S+ "
    r"postfix[\w./-]*\[\d+\]: (?P<queue>[0-9A-Za-z]{5,32}): (?P<words>.*)"
)
_NAMED = re.compile(r"message-id=(<[^<>\s]{1,118}>)")
_VERDICT = re.compile(
    r"to=<.*, dsn=(?P<dsn>[245]\.\d+\.\d+), status=(?P<status>\w+) \((?P<said>.*)\)"
)
_TAKEN = re.compile(r"from=<.*\(queue active\)$")
_STATUS: dict[str, Event] = {
    "sent": "sent",
    "bounced": "bounced",
    "expired": "bounced",
    "deferred": "taken",
}
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Entry:
    """One thing the log says of the mail with this queue id; `said` ends a bounce's story."""

    at: datetime
    queue: str
    event: Event
    message_id: str = ""
    said: str = ""


def entries(lines: Iterable[str], *, now: datetime) -> Iterator[Entry]:
    """What the lines say, in their order; lines of other programs and kinds are left out."""
    for line in lines:
        found = _LINE.match(line)
        at = instant(line, now=now)
        if found is None or at is None:
            continue
        entry = _entry(at, found["queue"], found["words"])
        if entry is not None:
            yield entry


def instant(line: str, *, now: datetime) -> datetime | None:
    """When a line was written: ISO, or the old form without a year in the machine's own zone."""
    try:
        if line[:4].isdecimal():
            return datetime.fromisoformat(line.split(" ", 1)[0]).astimezone(now.tzinfo)
        written = datetime.strptime(f"{now.year} {line[:15]}", "%Y %b %d %H:%M:%S").astimezone()
    except (ValueError, OverflowError):
        return None
    # A line of December that is read in January.
    return written if written <= now + _DAY else written.replace(year=now.year - 1)


def _entry(at: datetime, queue: str, words: str) -> Entry | None:
    named = _NAMED.match(words)
    if named:
        return Entry(at, queue, "named", message_id=named[1])
    if _TAKEN.match(words):
        return Entry(at, queue, "taken")
    verdict = _VERDICT.match(words)
    if verdict and verdict["status"] in _STATUS:
        event = _STATUS[verdict["status"]]
        return Entry(at, queue, event, said=f"{verdict['dsn']} {verdict['said']}")
    return None
