"""`update_catalogues`: bring the translations up to the messages in use."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from cxportal import catalogues


class Command(BaseCommand):
    """Adds new messages without a text and drops those no longer in use."""

    help = "Bring locale/*/LC_MESSAGES/django.po up to the messages in code and templates."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the Chinese catalogue; English is what the code says."""
        self.stdout.write(str(catalogues.update(settings.BASE_DIR, "zh_Hans")))
