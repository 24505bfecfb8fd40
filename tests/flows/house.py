"""A bank of its own for a flow: a database, a relay, and processes outside any transaction."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).parents[2]
PATIENCE = 180


class House:
    """A database, a relay and processes of its own, outside the test's transaction."""

    def __init__(self, folder: Path, *, like: "House | None" = None, server: str = "") -> None:
        self.folder = folder
        self.log = folder / "mails.jsonl"
        self.log.touch()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.server = server or os.environ.get("DATABASE_URL", "")
        self.database, self.name = database(folder, self.server, like)
        self.running: list[subprocess.Popen] = []
        self.environment = os.environ | {
            "DATABASE_URL": self.database,
            "STATE_DIR": str(folder),
            "EMAIL_URL": f"smtp://127.0.0.1:{self.port}",
            # No broker: whatever happens, happens by the ledger alone.
            "BROKER_URL": "redis://127.0.0.1:1",
            "LOG_LEVEL": "ERROR",
            "PATIENCE": "5",
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        if like is None:
            self.run("manage.py", "migrate", "-v0")

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def act(self, *command: str) -> str:
        return self.run("tests/flows/driver.py", *command)

    def start(self, *command: str, times: int = 1) -> list[subprocess.Popen]:
        """Start processes of one kind and wait until they work."""
        started = [
            subprocess.Popen(
                [sys.executable, "tests/flows/driver.py", *command],
                cwd=ROOT,
                env=self.environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(times)
        ]
        self.running += started
        for process in started:
            assert process.stdout.readline() == "ready\n"
        return started

    def kill(self, processes: list[subprocess.Popen]) -> None:
        for process in processes:
            process.send_signal(signal.SIGKILL)
        for process in processes:
            process.wait()
            process.stdout.close()
            self.running.remove(process)

    def mails(self) -> list[tuple[str, str, str]]:
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [tuple(json.loads(line)) for line in lines]

    def ledger(self) -> list[list]:
        return json.loads(self.act("report"))

    def wait(self, done) -> None:
        ends = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < ends, "it takes too long"
            time.sleep(0.05)

    def finish(self, seconds: float = 60) -> dict:
        """Wait until every mail is decided, whatever its wait would be; return what is stored."""
        return json.loads(self.act("finish", str(seconds)))

    def spawn(self, *words: str, environment: dict[str, str]) -> subprocess.Popen:
        """Start a program of the product, such as a worker; what it says goes to a file."""
        with (self.folder / "processes.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env=self.environment | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def end(self, process: subprocess.Popen, signum: int = signal.SIGTERM) -> int:
        """Tell a spawned program to stop, and wait until it has."""
        process.send_signal(signum)
        self.running.remove(process)
        return process.wait(timeout=60)

    def close(self) -> None:
        for process in self.running:
            if process.stdout is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.kill([process for process in self.running if process.stdout is not None])
        if self.name:
            sql(self.server, f'DROP DATABASE "{self.name}" WITH (FORCE)')


def sql(server: str, statement: str) -> None:
    """Run one statement in the server's own database."""
    address = urlsplit(server)._replace(path="/postgres").geturl()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)


def database(folder: Path, server: str, like: House | None) -> tuple[str, str]:
    """A new database on the server, else a file; empty, or a copy of another house's."""
    if not server.startswith("postgres"):
        path = folder / "db.sqlite3"
        if like is not None:
            shutil.copy(like.folder / "db.sqlite3", path)
        return f"sqlite:///{path}", ""
    name = f"flow_{os.getpid()}_{time.monotonic_ns()}"
    template = f' TEMPLATE "{like.name}"' if like is not None else ""
    sql(server, f'CREATE DATABASE "{name}"{template}')
    return urlsplit(server)._replace(path=f"/{name}").geturl(), name
