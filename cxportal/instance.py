"""One start per state folder: the lock, the record of who runs, and what a kill left behind.

Only SIGKILL leaves orphans. Each process of a start carries a mark in its environment, which
nobody else can have by chance, so the next start ends exactly those; a number alone names
nobody, because the system uses numbers again.
"""

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MARK = "CXPORTAL_RUN"
_PAUSE = 0.05
_PATIENCE = 30


class Refused(Exception):
    """What keeps the product from running, as one sentence for the person at the terminal."""


@dataclass
class Instance:
    """This start: where it keeps its state, the mark of its processes, and its lock."""

    state: Path
    mark: str
    lock: int


def take(state: Path, mark: str, *, stopping: Callable[[], bool]) -> Instance:
    """Take the state folder for this start, after ending what a killed start left there."""
    lock = os.open(state / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and not stopping():
        before = _record(state)
        held = not _try(lock)
        if held and _lives(before) and not before.get("stopping"):
            raise Refused(f"It runs already, as process {before['pid']}.")
        if not _lives(before):
            sweep(str(before.get("mark", "")))
        if not held:
            instance = Instance(state, mark, lock)
            note(instance, stopping=False)
            return instance
        time.sleep(_PAUSE)
    raise Refused(f"Another start holds {state}; what it started has not ended.")


def note(instance: Instance, *, stopping: bool) -> None:
    """Write down who runs here, for the next start."""
    me = os.getpid()
    record = {"pid": me, "began": _began(me), "mark": instance.mark, "stopping": stopping}
    fresh = instance.state / "run.json.new"
    fresh.write_text(json.dumps(record), encoding="ascii")
    fresh.replace(instance.state / "run.json")


def leave(instance: Instance) -> None:
    """End whatever still carries the mark, and give the folder back."""
    sweep(instance.mark)
    (instance.state / "run.json").unlink(missing_ok=True)
    os.close(instance.lock)


def marked(mark: str) -> list[int]:
    """Every other process that carries this mark (Linux; elsewhere none is seen)."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for folder in Path("/proc").glob("[0-9]*") if mark else ():
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]


def sweep(mark: str) -> None:
    """End every process of a start, softly first."""
    for signum in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + 3
        for pid in marked(mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signum)
        while marked(mark) and time.monotonic() < deadline:
            time.sleep(_PAUSE)


def _try(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _record(state: Path) -> dict[str, Any]:
    try:
        found = json.loads((state / "run.json").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _began(pid: int) -> str:
    """When a process began, in the kernel's own count; empty where there is no /proc."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1")
    except OSError:
        return ""
    return line.rpartition(")")[2].split()[19]


def _lives(record: dict[str, Any]) -> bool:
    pid = record.get("pid")
    if not isinstance(pid, int):
        return False
    if _began(os.getpid()):
        return bool(record.get("began")) and _began(pid) == record["began"]
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
