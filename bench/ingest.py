"""T1: lists of a thousand touchpoints through the API, against COPY of the same rows."""

import csv
import io
import json
from datetime import timedelta
from itertools import count
from typing import Any

from django.db import connection
from django.utils import timezone

from bank import keys
from bench import pages, people
from bench.measuring import Goal, Line, in_turn, seconds
from clients.models import Contact, Touchpoint

GOAL = Goal("T1", 0.25)
CLIENTS, LISTS, LONG, ROUNDS = 2_000, 100, 1_000, 7
# Every fifth event of a list was reported before.
KNOWN = 5
KINDS = ("login", "page_view", "page_view", "page_view", "product_use", "message_click")
COLUMNS = ("event_id", "client_id", "contact_id", "kind", "at", "quantity", "source")
Event = dict[str, Any]


def measure(scale: float) -> Line:
    """Both sides take lists of their own; what the floor takes is new, checked and finished."""
    persons = people.contacts(CLIENTS, "T1")
    lists = max(5, int(LISTS * scale))
    _key, secret = keys.make("T1", scopes=["ingest"], team=None, at=timezone.now(), by=None)
    numbers = count()
    rows = lists * LONG

    def ours() -> float:
        bodies = [json.dumps(_mixed(persons, numbers)) for _ in range(lists)]
        took = seconds(lambda: [_post(body, secret) for body in bodies])
        _sweep()
        return took / rows

    def theirs() -> float:
        files = [_finished(_events(persons, numbers, LONG), persons) for _ in range(lists)]
        took = seconds(lambda: [_copy(file) for file in files])
        _sweep()
        return took / rows

    a, b = in_turn(ours, theirs, rounds=ROUNDS)
    told = (
        f"touchpoints API, {lists} lists of {LONG}, every {KNOWN}th event known, "
        f"{1 / min(a):.0f} events/s; COPY of as many finished rows {1 / min(b):.0f}/s"
    )
    return Line(GOAL, [y / x for x, y in zip(a, b, strict=True)], told)


def _events(persons: list[Contact], numbers: "count[int]", many: int) -> list[Event]:
    at = timezone.now()
    events = []
    for _ in range(many):
        number = next(numbers)
        person = persons[number * 7919 % len(persons)]
        events.append(
            {
                "event_id": f"bank-log-{number:012d}",
                "client_code": person.client.code,
                "contact_external_id": person.external_id,
                "kind": KINDS[number % len(KINDS)],
                "at": (at - timedelta(seconds=number)).isoformat(),
                "quantity": 1,
                "source": "portal",
            }
        )
    return events


def _mixed(persons: list[Contact], numbers: "count[int]") -> list[Event]:
    """New events and, spread among them, some that were reported before; by COPY, unmeasured."""
    events = _events(persons, numbers, LONG)
    _copy(_finished(events[::KNOWN], persons))
    return events


def _post(body: str, secret: str) -> None:
    status, content = pages.call(
        "POST",
        "/api/v1/touchpoints/",
        body,
        CONTENT_TYPE="application/json",
        HTTP_AUTHORIZATION=f"Bearer {secret}",
    )
    known = LONG // KNOWN
    expected = {"accepted": LONG - known, "duplicates": known, "rejected": []}
    assert (status[:3], json.loads(content)) == ("200", expected), (status, content[:300])


def _finished(events: list[Event], persons: list[Contact]) -> bytes:
    by_number = {person.external_id: person for person in persons}
    file = io.StringIO()
    table = csv.writer(file)
    for event in events:
        person = by_number[event["contact_external_id"]]
        plain = (event[name] for name in ("kind", "at", "quantity", "source"))
        table.writerow([event["event_id"], person.client_id, person.pk, *plain])
    return file.getvalue().encode()


def _copy(finished: bytes) -> None:
    statement = f"COPY clients_touchpoint ({', '.join(COLUMNS)}) FROM STDIN (FORMAT csv)"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(finished)


def _sweep() -> None:
    """Each side finds the table as empty as the other did."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {Touchpoint._meta.db_table} CASCADE")
