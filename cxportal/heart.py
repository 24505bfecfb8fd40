"""Signs of life of the worker and of beat, kept in the cache: they need no history."""

from datetime import datetime, timedelta

from django.core.cache import cache
from redis.exceptions import RedisError

WORKER, BEAT = "heart:worker", "heart:beat"
LATE = timedelta(seconds=20)


def beat(part: str, *, at: datetime) -> None:
    """Note that a part lives; without the broker there is nowhere to note it, and no need."""
    try:
        cache.set(part, at, timeout=3600)
    except (RedisError, OSError):
        return


def states(*, at: datetime) -> dict[str, str]:
    """Whether broker, worker and beat are `ok`, `down`, or `unknown` without the one before.

    What beat starts is seen only where a worker does it, so a dead worker hides beat.
    """
    try:
        seen = cache.get_many([WORKER, BEAT])
    except (RedisError, OSError):
        return {"broker": "down", "worker": "unknown", "beat": "unknown"}
    worker = "ok" if _fresh(seen.get(WORKER), at) else "down"
    beating = "ok" if _fresh(seen.get(BEAT), at) else "down"
    return {"broker": "ok", "worker": worker, "beat": beating if worker == "ok" else "unknown"}


def _fresh(seen: datetime | None, at: datetime) -> bool:
    return seen is not None and at - seen < LATE
