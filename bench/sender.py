"""One sending process: `python -m bench.sender drain|plain|work [COUNT]`.

It says that it is ready and starts at a line on its standard input.
"""

# ruff: noqa: E402 - Django is set up before its models can be read

import smtplib
import sys
import time
from urllib.parse import urlsplit

import django

django.setup()

from django.conf import settings
from django.utils import timezone

from bench import people
from surveys import letters, sending
from surveys.models import Delivery

SENDER = "cx@bank.example"


def drain() -> None:
    """The product: drain the ledger until it is empty."""
    _go()
    sending.drain(clock=timezone.now, limit=1_000_000)


def work() -> None:
    """The product, until killed."""
    _go()
    while True:
        sending.drain(clock=timezone.now)
        time.sleep(0.02)


def plain() -> None:
    """The floor: finished bytes through one kept connection, and nothing written down."""
    rows = Delivery.objects.select_related("invitation__contact", "invitation__client__manager")
    message = letters.Press().letter(rows.order_by("pk")[0], at=people.AT).data
    where = urlsplit(settings.EMAIL_URL)
    recipients = [f"p{number}@s1.example" for number in range(int(sys.argv[2]))]
    _go()
    with smtplib.SMTP(where.hostname or "", where.port or 25) as smtp:
        for recipient in recipients:
            smtp.sendmail(SENDER, recipient, message)


def _go() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()


if __name__ == "__main__":
    {"drain": drain, "plain": plain, "work": work}[sys.argv[1]]()
