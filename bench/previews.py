"""C1: the preview of a large campaign, against reading its contacts as plain objects."""

import time
from datetime import timedelta

from bench import people
from bench.measuring import Goal, Line, in_turn
from clients.models import Contact
from surveys import campaigns

GOAL = Goal("C1", 3, at_least=False)
CONTACTS = 50_000


def measure(scale: float) -> Line:
    """Select, judge and place everybody of a segment; the other side only reads them."""
    people.contacts(max(1_000, int(CONTACTS * scale)), "C1")
    draft = campaigns.plan(
        "C1",
        questionnaire=people.version().questionnaire,
        audience={"segment": "corporate"},
        send_at=None,
        closes_at=people.AT + timedelta(days=60),
        send_window=True,
        at=people.AT,
        by=None,
        weeks=4,
        team_places=100_000,
    )

    def previewed() -> float:
        started = time.perf_counter()
        campaigns.preflight(draft, at=people.AT)
        return time.perf_counter() - started

    def read() -> float:
        started = time.perf_counter()
        list(Contact.objects.select_related("client"))
        return time.perf_counter() - started

    ours, plain = in_turn(previewed, read, rounds=5)
    count = Contact.objects.count()
    a, b = sorted(ours)[2], sorted(plain)[2]
    told = f"preview of {count} contacts in {a:.2f} s; reading them {b:.2f} s"
    return Line(GOAL, [x / y for x, y in zip(ours, plain, strict=True)], told)
