"""The product's own pulse: what beat rings and a worker answers."""

from typing import Any

from celery import shared_task
from celery.signals import heartbeat_sent, worker_ready
from django.utils import timezone

from cxportal import heart


@shared_task
def heartbeat(**kwargs: Any) -> None:
    """Beat lives, for a worker got its message."""
    heart.beat(heart.BEAT, at=timezone.now())


@worker_ready.connect(dispatch_uid="heart-worker-ready")
@heartbeat_sent.connect(dispatch_uid="heart-worker")
def worker_lives(**kwargs: Any) -> None:
    """The worker lives; Celery calls this every other second."""
    heart.beat(heart.WORKER, at=timezone.now())
