"""The command `load_reference`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clients import shapes
from cxportal import reference


class Command(BaseCommand):
    """Loads the reference data; as often as one likes."""

    help = "Load products, questionnaires, industries, provinces and the case model."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Load all files, or name the file and path of the first fault."""
        try:
            reference.load(timezone.now())
        except shapes.Wrong as error:
            raise CommandError(str(error)) from error
        self.stdout.write("Reference data loaded.")
