"""The Django application `care`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CareConfig(AppConfig):
    """Names the application in both languages."""

    name = "care"
    verbose_name = _("Follow-ups")
    default_auto_field = "django.db.models.BigAutoField"
