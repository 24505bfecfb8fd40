"""The bell after an answer: at once, at most once a second, never in the way of answering."""

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from kombu.exceptions import OperationalError

from metrics import queries, receivers, tasks
from metrics.models import Measurement
from surveys.signals import response_submitted
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch):
    """The rings that reached the broker, each with its delay."""
    cache.clear()
    heard = []

    def apply_async(**options):
        heard.append(options.get("countdown", 0))

    monkeypatch.setattr(tasks.refresh_stale, "apply_async", apply_async)
    return heard


def test_answer_refreshes_the_figures_of_its_client():
    cache.clear()
    row = factories.make_scores(
        factories.make_scored_version(), factories.make_client(), {"nps": 4}
    )
    response_submitted.send(sender=None, response_id=row.pk)
    found = queries.figures("client", row.client_id, period="all")
    assert found["recommend_mean"].gate == "NO_DATA"
    assert Measurement.objects.get(metric="recommend_mean", period="2026Q4").value == 4


def test_many_answers_in_one_second_ring_once_at_once_and_once_at_the_end(rung):
    for _number in range(20):
        response_submitted.send(sender=None, response_id=1)
    assert rung == [0, 1]


def test_next_second_rings_again(rung):
    response_submitted.send(sender=None, response_id=1)
    cache.clear()
    response_submitted.send(sender=None, response_id=2)
    assert rung == [0, 0]


def test_broker_that_is_away_is_noted_and_does_no_harm(rung, monkeypatch, caplog):
    def refuse(**_options):
        raise OperationalError("connection refused")

    monkeypatch.setattr(tasks.refresh_stale, "apply_async", refuse)
    response_submitted.send(sender=None, response_id=1)
    assert [record.message for record in caplog.records if record.name == receivers.__name__] == [
        "bell of the figures not rung: connection refused"
    ]


def test_cache_that_is_away_is_noted_and_does_no_harm(rung, settings, caplog):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nowhere/broker.sock",
        }
    }
    response_submitted.send(sender=None, response_id=1)
    assert rung == []
    assert "bell of the figures not rung" in caplog.text


def test_sweep_of_the_minute_and_the_night_are_scheduled(settings):
    plan = {name: entry["task"] for name, entry in settings.CELERY_BEAT_SCHEDULE.items()}
    assert plan["refresh-stale"] == tasks.refresh_stale.name
    assert plan["refresh-all"] == tasks.refresh_all.name


def test_nightly_task_recomputes_everything():
    factories.make_scores(factories.make_scored_version(), factories.make_client(), {"nps": 4})
    tasks.refresh_all.delay()
    assert Measurement.objects.filter(scope="bank", metric="nps").exists()


@pytest.mark.parametrize("options", [{}, {"all": True}])
def test_command_recomputes_and_says_how_many(options, capsys):
    factories.make_scores(factories.make_scored_version(), factories.make_client(), {"nps": 4})
    call_command("recompute", **options)
    assert " 1 " in capsys.readouterr().out
    assert Measurement.objects.filter(scope="bank", metric="nps").exists()


def test_command_recomputes_one_client_and_refuses_an_unknown_code(capsys):
    company = factories.make_client("C-1")
    factories.make_scores(factories.make_scored_version(), company, {"nps": 4})
    call_command("recompute", client="C-1")
    assert Measurement.objects.filter(scope="client", scope_id=company.pk).exists()
    with pytest.raises(CommandError, match="C-2"):
        call_command("recompute", client="C-2")
