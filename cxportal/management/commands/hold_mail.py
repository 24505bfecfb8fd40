"""`hold_mail`: stop every outgoing mail."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from bank import mail


class Command(BaseCommand):
    """Sets the hold in the database; a restore script calls it before anything starts."""

    help = "Stop every outgoing mail."

    def handle(self, *args: Any, **options: Any) -> None:
        """Hold all mail; twice is once."""
        mail.hold(at=timezone.now(), by=None)
        self.stdout.write("All mail is held. release_mail lets it go.")
