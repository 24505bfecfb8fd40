"""The Django application `cxportal`, and the admin site with our own door."""

import importlib

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class CxportalConfig(AppConfig):
    """Holds commands, start-up checks and the pages that combine apps; has no models."""

    name = "cxportal"
    default = True

    def ready(self) -> None:
        """Register the start-up checks, which need the models."""
        importlib.import_module("cxportal.checks")


class AdminConfig(admin_apps.AdminConfig):
    """Puts our site in the place of Django's."""

    default = False
    default_site = "cxportal.admin.Site"
