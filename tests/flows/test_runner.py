"""The runner: the ready line, refusals in one sentence, and nothing left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.flows.product import ROOT, Product, until

pytestmark = pytest.mark.running


@pytest.fixture(scope="module")
def product():
    """An installation with one client, so that no demo bank is made; not started."""
    one = Product()
    try:
        one.run("migrate", "-v0")
        code = "from clients.models import Client; Client.objects.create(code='R', name_zh='甲')"
        one.run("shell", "-v0", "-c", code)
        yield one
    finally:
        one.end()


@pytest.fixture(autouse=True)
def _stopped(product):
    """A test that fails leaves nothing running for the next."""
    yield
    if product.process is not None and product.process.poll() is None:
        product.stop()


def refusal(product, **environment) -> str:
    """What a start that is refused says."""
    done = subprocess.run(
        [sys.executable, "run.py"],
        cwd=ROOT,
        env=product.environment | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


def test_start_stop_and_start_again(product):
    assert product.start() == (
        f"Ready: http://127.0.0.1:{product.port}/  accounts: {product.state}/accounts.json"
        f"  mail: http://127.0.0.1:{product.port}/demo/mail/"
    )
    health = until(lambda: _all_well(product), 20)
    assert health == {"database": "ok", "broker": "ok", "worker": "ok", "beat": "ok"}
    accounts = (product.state / "accounts.json").read_text()
    pid = product.process.pid
    assert refusal(product) == f"It runs already, as process {pid}.\n"
    assert product.stop(signal.SIGINT) == 0
    assert product.processes() == {}
    starts = [_seconds_to_start(product) for _turn in range(2)]
    product.start()
    # Under ten seconds on a free machine: a few times what one command takes on this one.
    assert min(starts) < 8 * min(_seconds_of_a_command(product) for _turn in range(2)), starts
    assert (product.state / "accounts.json").read_text() == accounts
    assert product.stop(signal.SIGTERM) == 0
    assert product.processes() == {}


def _seconds_to_start(product):
    """Of two, for other work on the machine is not the product's."""
    began = time.monotonic()
    product.start()
    taken = time.monotonic() - began
    product.stop()
    return taken


def _seconds_of_a_command(product):
    began = time.monotonic()
    product.run("verify_audit")
    return time.monotonic() - began


def _all_well(product):
    answer = product.browser()("GET", "/health/ready").json()
    return answer["checks"] if answer["status"] == "ok" else None


def test_next_start_sweeps_what_a_kill_left(product):
    product.start()
    product.process.kill()
    product.process.wait()
    product.process.stdout.close()
    product.start()
    record = json.loads((product.state / "run.json").read_text())
    assert record["pid"] == product.process.pid
    assert product.stop() == 0
    assert product.processes() == {}


def test_part_that_dies_is_started_again(product):
    product.start()
    until(lambda: _all_well(product), 20)
    port = f"127.0.0.1:{product.mail_port}"

    def catchers():
        return [pid for pid, words in product.processes().items() if port in words]

    (victim,) = catchers()
    os.kill(victim, signal.SIGKILL)
    assert until(lambda: [pid for pid in catchers() if pid != victim], 10)
    assert product.stop() == 0
    log = (product.state / "log").read_text()
    told = [line for line in log.splitlines() if "started again" in line]
    assert told == ["mail ended with -9: started again."]


def test_taken_port_is_named(product):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        busy = str(other.getsockname()[1])
        for variable in ("PORT", "MAIL_PORT"):
            assert refusal(product, **{variable: busy}) == (
                f"Port {busy} is taken by another program; name a free one with {variable}=…\n"
            )


def test_folder_that_cannot_be_written_is_named(product):
    assert refusal(product, STATE_DIR="/proc/cx").startswith("STATE_DIR /proc/cx is not writable")
    long = f"{product.state}/{'x' * 90}"
    assert refusal(product, STATE_DIR=long).startswith("STATE_DIR is too long: ")


def test_production_without_safe_settings_is_refused(product):
    assert refusal(product, DEMO="0", SECRET_KEY="").startswith("SECRET_KEY is needed")
    said = refusal(
        product,
        DEMO="0",
        SECRET_KEY="x7Q-" + "wJk29dLpZ" * 8,
        ALLOWED_HOSTS="cx.bank.example",
        PUBLIC_BASE_URL="https://cx.bank.example",
    )
    assert "cxportal.E003" in said
    assert "cxportal.E005" in said
    assert said.endswith("It was not started: the reason stands above.\n")
    assert "Traceback" not in said
