"""S1, S2: the send loop with its ledger, against smtplib with finished bytes and no ledger."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from django.db import connection

from bank import settings
from bench import people
from bench.measuring import Goal, Line, in_turn
from surveys.models import Delivery, Invitation

PLAIN, ROUNDS = Goal("S1", 0.35), Goal("S2", 0.75)
PROCESSES = 2
MAILS = 20_000


def one(scale: float) -> Line:
    """One connection a process, on both sides."""
    return _measure(PLAIN, scale, connections=1)


def four(scale: float) -> Line:
    """Four connections a process against one: the rounds pay for the ledger."""
    return _measure(ROUNDS, scale, connections=4)


def _measure(goal: Goal, scale: float, *, connections: int) -> Line:
    """The same number of mails from two processes."""
    count = max(600, int(MAILS * scale))
    Delivery.objects.all().delete()
    people.campaign(people.contacts(count, goal.code))
    use(connections)
    with relay() as name:
        a, b = in_turn(
            lambda: count / _drained(),
            lambda: count / _seconds("plain", str(count // PROCESSES)),
            rounds=5,
        )
    unsent = Delivery.objects.exclude(state=Delivery.State.SENT).count()
    told = (
        f"send loop {PROCESSES}x{connections} against prebuilt smtplib; "
        f"{sorted(a)[2]:.0f}/s of {sorted(b)[2]:.0f}/s; sink {name}"
    )
    faults = [f"{unsent} mails not sent"] if unsent else []
    return Line(goal, [x / y for x, y in zip(a, b, strict=True)], told, faults)


def use(connections: int) -> None:
    """Let each process have so many connections."""
    settings.put("smtp_connections", connections, at=people.AT, by=None)


@contextlib.contextmanager
def relay(log: str = "") -> Iterator[str]:
    """A sink on a free port, the best one at hand, as the relay of every process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    found = None if log else shutil.which("smtp-sink", path=path)
    if found:
        # It refuses to be root.
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        process = subprocess.Popen([found, *user, f"127.0.0.1:{port}", "100"])
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
