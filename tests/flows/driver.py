"""What the processes of a flow do: `python driver.py ACT [ARGUMENT]`, on the database given."""

# ruff: noqa: E402, T201 - Django is set up before its models can be read; the parent reads us

import asyncio
import json
import os
import sys
import time
from collections import Counter
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import django
from aiosmtpd.controller import Controller

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.utils import timezone

from bank import settings
from bank.models import AuditEntry, RelayState
from clients import consent
from clients.models import Contact, Suppression
from surveys import campaigns, ledger, sending
from surveys.models import Campaign, Delivery
from tests import factories

LATENCY = 0.02


def plan(count: str, connections: str = "4") -> None:
    """Launch one campaign to so many people, of whom one more opts out before it is sent."""
    settings.put("smtp_connections", int(connections), at=timezone.now(), by=None)
    for _ in range(int(count) + 1):
        factories.make_contact(factories.make_client())
    now = timezone.now()
    fields = {"at": now, "closes_at": now + timedelta(days=14)}
    campaigns.launch(factories.make_draft(**fields), at=now, by=None)
    consent.opt_out(Contact.objects.order_by("-pk")[0], at=now)


def send() -> None:
    """Drain the ledger again and again, until killed."""
    print("ready", flush=True)
    while True:
        sending.drain(clock=timezone.now)
        time.sleep(0.05)


def sweep() -> None:
    """Take back what killed senders held, again and again."""
    print("ready", flush=True)
    while True:
        sending.settle_lost(at=timezone.now())
        time.sleep(0.3)


def decide() -> None:
    """A person sends once more what was lost twice."""
    person = factories.make_user("person", "administrator")
    for delivery in Delivery.objects.filter(state="unknown", losses__gt=1):
        ledger.send_again(delivery, at=timezone.now(), by=person)


def report() -> None:
    """Print every delivery of the ledger."""
    print(json.dumps(_rows()))


def finish(seconds: str) -> None:
    """Let the time fly for what waits, take back what is lost, until all is decided; tell all."""
    ends = time.monotonic() + float(seconds)
    open_ = Delivery.objects.exclude(state__in=["sent", "skipped", "failed"])
    while open_.exclude(state="unknown", losses__gt=1).exists() and time.monotonic() < ends:
        now = timezone.now()
        sending.settle_lost(at=now)
        Delivery.objects.filter(state__in=["retry", "queued"]).update(next_try_at=now)
        RelayState.objects.update(open_until=now, probe_until=None)
        if not open_.exclude(invitation__campaign__status="paused").exists():
            break
        time.sleep(0.2)
    told = {
        "ledger": _rows(),
        "campaigns": list(Campaign.objects.values_list("status", flat=True)),
        "bounced": Suppression.objects.filter(reason="bounced").count(),
        "acts": Counter(AuditEntry.objects.values_list("act", flat=True)),
    }
    print(json.dumps(told))


def resume() -> None:
    """A person lets every campaign go on."""
    for campaign in Campaign.objects.filter(status="paused"):
        campaigns.resume(campaign, at=timezone.now(), by=None)


def _rows() -> list[tuple]:
    names = ("invitation__contact__email", "message_id", "state", "reason", "losses")
    return list(Delivery.objects.order_by("pk").values_list(*names))


class Log:
    """Takes every mail after a pause, and writes it down before it says so."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
        await asyncio.sleep(LATENCY)
        mail = message_from_bytes(envelope.original_content, policy=policy.default)
        text = mail.get_body(("plain",)).get_content()
        link = next(line for line in text.splitlines() if "/s/" in line)
        row = [envelope.rcpt_tos[0], mail["Message-ID"], link]
        with self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")
        return "250 OK"


def sink(port: str, path: str) -> None:
    """Be the relay."""
    controller = Controller(Log(path), hostname="127.0.0.1", port=int(port))
    controller.start()
    print("ready", flush=True)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
