"""A web server's log in the combined format: page views of people, one row a view."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from clients import machines
from clients.imports.reporting import Unreadable

HEADER = ["event_id", "at", "address", "user", "path", "http_status", "bytes", "referrer", "agent"]
_LINE = re.compile(
    r"(?P<address>\S+) \S+ (?P<user>.+?) \[(?P<at>[^\]]+)\] "
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<bytes>\S+) '
    r'"(?P<referrer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)".*'
)
_TIME = re.compile(r"(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
        start=1,
    )
}
_PARTS_OF_A_PAGE = frozenset(
    (
        *("avif", "bmp", "css", "eot", "gif", "ico", "jpeg", "jpg", "js", "map", "mp3", "mp4"),
        *("otf", "png", "svg", "ttf", "webm", "webp", "woff", "woff2"),
    )
)
_LONGEST = 32_767
_NOT_CHANGED = 304  # the browser shows the page it has kept

BROKEN = _("not in the combined log format")
MACHINE = _("crawlers, scripts and others that are no browser")
ROBOT = _("addresses that asked for robots.txt")
METHOD = _("no page is fetched: HEAD, POST and others")
STATUS = _("refused, failed or sent elsewhere")
PART = _("pictures, scripts and other parts of a page")
_REASONS = (BROKEN, MACHINE, ROBOT, METHOD, STATUS, PART)


@dataclass(frozen=True)
class Entry:
    """One line, understood."""

    number: int
    text: str
    address: str
    user: str
    at: datetime
    method: str
    path: str
    status: int
    bytes: str
    referrer: str
    agent: str


@dataclass(frozen=True)
class Views:
    """The rows that remain, and how many lines were left out for which reason."""

    rows: list[tuple[int, list[object]]]
    left_out: tuple[tuple[str | Promise, int], ...]


def read(text: str, *, most: int) -> Views:
    """Take the page views of people out of a log.

    Lines are left out in the order of the reasons above, each for the first that fits it. The
    number of a view is made from its line and how often the file has had the same line before,
    so that the same log, or one that overlaps it, gives the same numbers.
    """
    entries, gone = _entries(text.split("\n"))
    robots = {entry.address for entry in entries if _page(entry.path) == "/robots.txt"}
    before: Counter[str] = Counter()
    rows: list[tuple[int, list[object]]] = []
    for entry in entries:
        before[entry.text] += 1
        reason = _reason(entry, robots)
        if reason is not None:
            gone[_REASONS.index(reason)] += 1
            continue
        rows.append((entry.number, _row(entry, before[entry.text])))
        if len(rows) > most:
            raise Unreadable(_("The file has more than %(most)s rows."), most=most)
    left_out = ((reason, gone[place]) for place, reason in enumerate(_REASONS) if gone[place])
    return Views(rows, tuple(left_out))


def _entries(lines: list[str]) -> tuple[list[Entry], Counter[int]]:
    found, gone = [], Counter[int]()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        entry = _entry(number, line.rstrip("\r"))
        if entry is None:
            gone[_REASONS.index(BROKEN)] += 1
        else:
            found.append(entry)
    if not found or gone[_REASONS.index(BROKEN)] > len(found):
        raise Unreadable(_("This is no log of a web server in the combined format."))
    return found, gone


def _entry(number: int, line: str) -> Entry | None:
    match = _LINE.fullmatch(line) if len(line) <= _LONGEST else None
    at = _moment(match["at"]) if match else None
    if match is None or at is None:
        return None
    method, _space, target = match["request"].partition(" ")
    return Entry(
        number=number,
        text=line,
        address=match["address"],
        user="" if match["user"] == "-" else match["user"],
        at=at,
        method=method,
        path=target.rpartition(" HTTP/")[0] or target,
        status=int(match["status"]),
        bytes="" if match["bytes"] == "-" else match["bytes"],
        referrer="" if match["referrer"] == "-" else match["referrer"],
        agent="" if match["agent"] == "-" else match["agent"],
    )


def _moment(text: str) -> datetime | None:
    match = _TIME.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return None
    offset = timedelta(hours=int(match[8]), minutes=int(match[9]))
    hour, minute, second = map(int, match.group(4, 5, 6))
    try:
        zone = timezone(-offset if match[7] == "-" else offset)
        day = date(int(match[3]), _MONTHS[match[2]], int(match[1]))
        return datetime.combine(day, time(hour, minute, second), zone)
    except ValueError:
        return None


def _reason(entry: Entry, robots: Iterable[str]) -> str | Promise | None:
    """Why a line is no view of a page by a person, if it is none."""
    if machines.is_machine(entry.agent):
        return MACHINE
    if entry.address in robots:
        return ROBOT
    if entry.method != "GET":
        return METHOD
    if not 200 <= entry.status < 300 and entry.status != _NOT_CHANGED:
        return STATUS
    name = _page(entry.path).rpartition("/")[2]
    if name.rpartition(".")[2].lower() in _PARTS_OF_A_PAGE:
        return PART
    return None


def _page(path: str) -> str:
    return path.partition("?")[0].partition("#")[0]


def _row(entry: Entry, ordinal: int) -> list[object]:
    digest = hashlib.sha256(f"{entry.text}\n{ordinal}".encode()).hexdigest()
    return [
        f"log:{digest[:40]}",
        entry.at,
        entry.address,
        entry.user,
        entry.path,
        entry.status,
        entry.bytes,
        entry.referrer,
        entry.agent,
    ]
