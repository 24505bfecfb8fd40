"""The Django application `cxportal`."""

from django.apps import AppConfig


class CxportalConfig(AppConfig):
    """Holds commands, start-up checks and the pages that combine apps; has no models."""

    name = "cxportal"
