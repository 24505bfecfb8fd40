"""S1: the send loop with its ledger, against smtplib with finished bytes and no ledger."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from django.db import connection

from bench import people
from bench.measuring import Goal, Line, in_turn
from surveys.models import Delivery, Invitation

GOAL = Goal("S1", 0.35)
PROCESSES = 2
MAILS = 20_000


def measure(scale: float) -> Line:
    """The same number of mails from two processes with one connection each."""
    count = max(600, int(MAILS * scale))
    people.campaign(people.contacts(count, "S1"))
    with relay() as name:
        a, b = in_turn(
            lambda: count / _drained(),
            lambda: count / _seconds("plain", str(count // PROCESSES)),
            rounds=5,
        )
    unsent = Delivery.objects.exclude(state=Delivery.State.SENT).count()
    told = (
        f"send loop {PROCESSES}x1 against prebuilt smtplib; "
        f"{sorted(a)[2]:.0f}/s of {sorted(b)[2]:.0f}/s; sink {name}"
    )
    faults = [f"{unsent} mails not sent"] if unsent else []
    return Line(GOAL, [x / y for x, y in zip(a, b, strict=True)], told, faults)


@contextlib.contextmanager
def relay(log: str = "") -> Iterator[str]:
    """A sink on a free port, the best one at hand, as the relay of every process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
    found = None if log else shutil.which("smtp-sink")
    if found:
        process = subprocess.Popen([found, f"127.0.0.1:{port}", "100"])
        time.sleep(0.5)
    else:
        process = start("bench.sink", str(port), *filter(None, [log]))
    try:
        yield "smtp-sink" if found else "asyncio of our own"
    finally:
        process.kill()
        process.wait()


def start(*module: str) -> subprocess.Popen[str]:
    """Start one of our processes and wait until it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def fresh() -> None:
    """Every mail waits again, as after the launch; the tables are swept."""
    Delivery.objects.update(
        state=Delivery.State.QUEUED, claimed_by="", sent_at=None, lease_until=None, attempt=0
    )
    Invitation.objects.update(state=Invitation.State.PLANNED, sent_at=None)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE surveys_delivery, surveys_invitation")


def _drained() -> float:
    fresh()
    return _seconds("drain")


def _seconds(*command: str) -> float:
    senders = [start("bench.sender", *command) for _ in range(PROCESSES)]
    begun = time.perf_counter()
    for sender in senders:
        assert sender.stdin is not None
        sender.stdin.write("go\n")
        sender.stdin.flush()
    for sender in senders:
        assert sender.wait() == 0
    return time.perf_counter() - begun
