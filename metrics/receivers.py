"""Hears that an answer or a fact was committed and rings the sweep, at most once a second.

A bell only shortens the wait: with cache or broker away it is dropped, and the sweep of the
minute finds the client by its counts.
"""

import logging
from typing import Any

from django.core.cache import cache
from django.dispatch import receiver
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from clients.signals import facts_changed
from metrics import tasks
from surveys import signals

logger = logging.getLogger(__name__)
_AWAY = (OperationalError, RedisError, OSError)
_QUIET_SECONDS = 1


@receiver(facts_changed, dispatch_uid="metrics.ring_after_facts")
@receiver(signals.response_submitted, dispatch_uid="metrics.ring_refresh")
def ring_refresh(**_event: Any) -> None:
    """Ring at once; within the quiet second ring once at its end, so that no answer waits."""
    try:
        if cache.add("metrics:ring", 1, timeout=_QUIET_SECONDS):
            tasks.refresh_stale.apply_async(retry=False)
        elif cache.add("metrics:ring:trailing", 1, timeout=_QUIET_SECONDS):
            tasks.refresh_stale.apply_async(countdown=_QUIET_SECONDS, retry=False)
    except _AWAY as error:
        logger.warning("bell of the figures not rung: %s", error)
