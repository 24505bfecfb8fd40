"""The settings of a flow whose workers hear a broker: as in tests, but nothing is eager."""

import os

from tests.settings import *  # noqa: F403

CELERY_TASK_ALWAYS_EAGER = False
CELERY_BROKER_URL = os.environ["BROKER_URL"]
# A day of the beat in a minute: what rings every five seconds rings every second.
CELERY_BEAT_SCHEDULE = {
    name: {**entry, "schedule": min(entry["schedule"], 1)}
    for name, entry in CELERY_BEAT_SCHEDULE.items()  # noqa: F405
    if not hasattr(entry["schedule"], "hour")
}
