"""Health: what is asked, what each answer means, and that an outage answers fast."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from cxportal import heart, tasks


@pytest.fixture(autouse=True)
def _quiet():
    cache.clear()


def test_live_asks_nobody(client):  # no mark: a query would fail the test
    answer = client.get("/health/live")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"


@pytest.mark.django_db
def test_ready_is_ok_while_worker_and_beat_are_seen(client):
    tasks.worker_lives()
    tasks.heartbeat.delay()
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    checks = {"database": "ok", "broker": "ok", "worker": "ok", "beat": "ok"}
    assert answer.json() == {"status": "ok", "checks": checks}
    assert answer.headers["Cache-Control"].startswith("max-age=0")


@pytest.mark.django_db
def test_ready_is_degraded_without_a_worker_and_does_not_judge_beat(client):
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    checks = {"database": "ok", "broker": "ok", "worker": "down", "beat": "unknown"}
    assert answer.json() == {"status": "degraded", "checks": checks}


@pytest.mark.django_db
def test_ready_is_degraded_when_beat_is_late(client):
    now = timezone.now()
    heart.beat(heart.WORKER, at=now)
    heart.beat(heart.BEAT, at=now - timedelta(minutes=1))
    assert client.get("/health/ready").json()["checks"]["beat"] == "down"


@pytest.mark.django_db
def test_ready_is_degraded_without_a_broker(client, settings, tmp_path):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"unix://{tmp_path}/nobody.sock?db=1",
        }
    }
    tasks.worker_lives()
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    checks = {"database": "ok", "broker": "down", "worker": "unknown", "beat": "unknown"}
    assert answer.json() == {"status": "degraded", "checks": checks}


@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
def test_health_offers_reading_only(client, address):
    assert client.post(address).status_code == 405
