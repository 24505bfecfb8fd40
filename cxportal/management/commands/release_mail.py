"""`release_mail`: let mail go out again."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from bank import mail


class Command(BaseCommand):
    """Takes the hold off."""

    help = "Let mail go out again."

    def handle(self, *args: Any, **options: Any) -> None:
        """Release all mail; twice is once."""
        mail.release(at=timezone.now(), by=None)
        self.stdout.write("Mail goes out again.")
