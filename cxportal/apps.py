"""The Django application `cxportal`."""

import importlib

from django.apps import AppConfig


class CxportalConfig(AppConfig):
    """Holds commands, start-up checks and the pages that combine apps; has no models."""

    name = "cxportal"

    def ready(self) -> None:
        """Register the start-up checks, which need the models."""
        importlib.import_module("cxportal.checks")
