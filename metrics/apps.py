"""The Django application `metrics`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MetricsConfig(AppConfig):
    """Names the application in both languages and hangs its bell."""

    name = "metrics"
    verbose_name = _("Metrics")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers, which need the models to be loaded."""
        from metrics import receivers  # noqa: F401, PLC0415
