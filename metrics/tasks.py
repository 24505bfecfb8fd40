"""Background work of measuring: the sweep over stale clients, and everything at night."""

from celery import shared_task
from django.utils import timezone

from metrics import recompute
from metrics.engaging import robustness


@shared_task(name="metrics.tasks.refresh_stale")
def refresh_stale() -> None:
    """Refresh whoever is stale; rung after an answer, and each minute in any case."""
    recompute.refresh_stale(at=timezone.now())


@shared_task(name="metrics.tasks.refresh_all")
def refresh_all() -> None:
    """Recompute everything once a night, for what no count shows."""
    recompute.refresh_nightly(at=timezone.now())


@shared_task(name="metrics.tasks.report_robustness")
def report_robustness() -> None:
    """Tell what other choices would do to the engagement index, once for each reference."""
    robustness.report_missing(at=timezone.now())
