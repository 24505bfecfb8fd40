"""`run_due`: one pass of every timed work list, in this process and without a broker."""

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from functools import partial
from time import monotonic, sleep
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from bank import stopping
from cxportal import timetable
from surveys import sending

MOST_MAILS = 10_000
# A pass a minute: where a rate holds mail back, the next pass goes on.
SECONDS = 50


class Command(BaseCommand):
    """Does what beat rings for, once, in the order in which one step feeds the next."""

    help = "Do everything that is due now (or at --at), without the broker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the instant to work at."""
        parser.add_argument("--at", type=_instant, default=None, help="an ISO time; default now")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run every list; one that fails does not keep the others from running."""
        fixed: datetime | None = options["at"]

        def clock() -> datetime:
            return fixed or timezone.now()

        own = {"send": partial(self._send, clock, fixed=fixed)}
        failed = [
            name
            for name, work in timetable.steps(clock)
            if not self._done(name, own.get(name, work))
        ]
        if failed:
            raise CommandError(f"Not done: {', '.join(failed)}.")

    def _send(self, clock: Callable[[], datetime], *, fixed: datetime | None) -> sending.Drained:
        """Send until nothing is due; a rate is waited for, though not into the next pass."""
        ends = monotonic() + SECONDS
        waited: list[float] = []

        def rest(seconds: float) -> None:
            waited.append(seconds)
            sleep(min(seconds, 1))

        with stopping.put_off() as told:
            return sending.drain(
                clock=clock,
                limit=MOST_MAILS,
                stop=lambda: told() or (bool(waited) and monotonic() > ends),
                # At a fixed instant no waiting would make the rate allow more.
                rest=None if fixed else rest,
            )

    def _done(self, name: str, work: Callable[[], object]) -> bool:
        """Do one list and print what it says; tell a failure and go on."""
        try:
            self.stdout.write(f"{name}: {work()}")
        except Exception as error:  # noqa: BLE001 - the other lists must still run
            self.stderr.write(f"{name}: {type(error).__name__}: {error}")
            return False
        return True


def _instant(text: str) -> datetime:
    """An ISO time; without an offset it is of the reporting zone."""
    at = datetime.fromisoformat(text)
    return at if timezone.is_aware(at) else timezone.make_aware(at)
