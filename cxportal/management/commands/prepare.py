"""What `make run` does before anything serves."""

import hashlib
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand
from django.utils import timezone

from clients.models import Client
from cxportal import accounts, catalogues


class Command(BaseCommand):
    """Brings database, catalogues, static files, reference data and the demo up to date."""

    help = "Bring everything up to date before the product starts; may run at any time."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Do each step that is due, and say which one takes its time."""
        if not settings.DEMO:
            call_command("check", deploy=True, fail_level="WARNING")
        call_command("migrate", interactive=False, verbosity=0)
        catalogues.compile_all(settings.BASE_DIR / "locale")
        self._collect()
        if "load_reference" in get_commands():
            call_command("load_reference", verbosity=0)
        if settings.DEMO:
            self._seed()

    def _collect(self) -> None:
        """Static files, when one of them or a package has changed."""
        stamp = Path(settings.STATIC_ROOT) / ".digest"
        digest = _static_digest()
        if stamp.exists() and stamp.read_text(encoding="ascii") == digest:
            return
        self.stderr.write("Collecting static files …")
        call_command("collectstatic", interactive=False, verbosity=0, clear=False)
        stamp.write_text(digest, encoding="ascii")

    def _seed(self) -> None:
        """The demo bank when there is no client yet, and passwords for its named people."""
        if "seed_demo" in get_commands() and not Client.objects.exists():
            self.stderr.write("Making the demo bank …")
            call_command("seed_demo", size="small", stdout=self.stderr)
        accounts.ensure(at=timezone.now())


def _static_digest() -> str:
    """A digest of our static files and of the locked packages that bring theirs."""
    found = hashlib.sha256((settings.BASE_DIR / "requirements.txt").read_bytes())
    for path in sorted((settings.BASE_DIR / "static").rglob("*")):
        if path.is_file():
            found.update(str(path).encode() + path.read_bytes())
    return found.hexdigest()
