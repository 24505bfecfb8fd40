"""`seed_demo`: the invented bank, the same on every machine for one size, seed and day."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from cxportal import demo

DEFAULT_SEED = 20_261_124


class Command(BaseCommand):
    """Generate the demo bank, or remove it."""

    help = "Generate the invented demo bank (or remove it with --flush)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare size, seed, day and removal."""
        parser.add_argument("--size", choices=["small", "medium", "large"], default="small")
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
        parser.add_argument("--as-of", type=date.fromisoformat, default=None)
        parser.add_argument("--flush", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse outside demo mode; print what was made."""
        if not settings.DEMO:
            raise CommandError("seed_demo is refused when DEMO=0.")
        now = timezone.now()
        if options["flush"]:
            self.stdout.write(f"Removed {demo.flush(at=now)} demo rows.")
            return
        try:
            done = demo.seed(
                size=options["size"],
                number=options["seed"],
                as_of=options["as_of"] or timezone.localdate(),
                at=now,
            )
        except demo.NotEmpty as error:
            raise CommandError(str(error)) from error
        rows = ", ".join(f"{count} {name}" for name, count in done.rows.items())
        state = "Generated" if done.made else "Already here"
        self.stdout.write(f"{state}: {rows}.")
        if done.suffix:
            self.stdout.write(f"Score stream redrawn with suffix {done.suffix}.")
        for truth in done.missed:
            self.stdout.write(f"Planted truth not shown: {truth}.")
