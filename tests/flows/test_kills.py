"""Senders that are killed: nobody is lost, and an extra copy is the same mail again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
MAILS, SENDERS, KILLS = 500, 2, 5
PATIENCE = 180


class House:
    """A database, a relay and processes of its own, outside the test's transaction."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "mails.jsonl"
        self.log.touch()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.database, self.name = database(folder)
        self.running: list[subprocess.Popen] = []
        self.environment = os.environ | {
            "DATABASE_URL": self.database,
            "STATE_DIR": str(folder),
            "EMAIL_URL": f"smtp://127.0.0.1:{self.port}",
            # No broker: whatever happens, happens by the ledger alone.
            "BROKER_URL": "redis://127.0.0.1:1",
            "LOG_LEVEL": "ERROR",
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
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

    def close(self) -> None:
        self.kill(list(self.running))
        if self.name:
            with psycopg.connect(maintenance(), autocommit=True) as connection:
                connection.execute(f'DROP DATABASE "{self.name}" WITH (FORCE)')


def maintenance() -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path="/postgres").geturl()


def database(folder: Path) -> tuple[str, str]:
    """A new database on the server the tests run on, else a file."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        return f"sqlite:///{folder / 'db.sqlite3'}", ""
    name = f"kills_{os.getpid()}_{time.monotonic_ns()}"
    with psycopg.connect(maintenance(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return urlsplit(url)._replace(path=f"/{name}").geturl(), name


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


def test_five_kills_of_all_senders_lose_nobody_and_repeat_only_the_same_mail(house):
    house.act("plan", str(MAILS))
    house.start("sink", str(house.port), str(house.log))
    house.start("sweep")
    for number in range(1, KILLS + 1):
        senders = house.start("send", times=SENDERS)
        goal = number * MAILS // (KILLS + 1)
        house.wait(lambda goal=goal: len(house.mails()) >= goal)
        house.kill(senders)
    house.start("send", times=SENDERS)
    # Asking the ledger takes a process each time: first wait until the relay has nearly all.
    house.wait(lambda: len(house.mails()) >= MAILS - SENDERS * KILLS)

    def settled():
        return all(
            state in {"sent", "skipped"} or (state == "unknown" and losses > 1)
            for _to, _id, state, _reason, losses in house.ledger()
        )

    house.wait(settled)
    lost_twice = sum(row[2] == "unknown" for row in house.ledger())
    house.act("decide")
    house.wait(settled)
    mails, ledger = house.mails(), house.ledger()
    sent = {row[0]: row[1] for row in ledger if row[2] == "sent"}
    assert len(sent) == MAILS
    assert [row[3] for row in ledger if row[2] == "skipped"] == ["no_consent"]
    # To the unit: who is in the ledger as sent is in the relay's log, and nobody else.
    assert {(to, number) for to, number, _link in mails} == set(sent.items())
    assert len({(to, link) for to, _number, link in mails}) == MAILS
    assert len(mails) - MAILS <= SENDERS * KILLS + lost_twice


def test_one_pass_of_every_list_sends_without_a_broker(house):
    house.act("plan", "3")
    house.start("sink", str(house.port), str(house.log))
    house.run("manage.py", "run_due")
    assert len(house.mails()) == 3
    house.run("manage.py", "run_due")
    assert sorted(row[2] for row in house.ledger()) == ["sent"] * 3 + ["skipped"]
    assert len(house.mails()) == 3
