"""`verify_audit`: follow the audit chain to its first broken link."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from bank import audit


class Command(BaseCommand):
    """Checks the audit trail; exit 1 with the number of the first broken link."""

    help = "Check that no audit entry was changed or removed."

    def handle(self, *args: Any, **options: Any) -> None:
        """Chain what waits, then check all."""
        verdict = audit.verify(at=timezone.now())
        if verdict.late:
            self.stderr.write(
                f"Warning: {verdict.late} entries had waited more than 10 seconds to be chained."
            )
        if verdict.broken is not None:
            self.stdout.write(
                f"Broken at entry {verdict.broken}; {verdict.checked} before it hold."
            )
            sys.exit(1)
        self.stdout.write(f"{verdict.checked} entries hold.")
