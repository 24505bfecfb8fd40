"""The Django application `bank`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BankConfig(AppConfig):
    """Names the application in both languages."""

    name = "bank"
    verbose_name = _("Bank")
    default_auto_field = "django.db.models.BigAutoField"
