"""Turns of a job by the clock: once each, and only the last of those that were missed."""

from datetime import UTC, datetime, time, timedelta

import pytest

from bank import slots
from bank.models import Slot

pytestmark = pytest.mark.django_db
NIGHT = time(2, 10)
# Ten past two in Shanghai.
DUE = datetime(2026, 11, 23, 18, 10, tzinfo=UTC)


@pytest.fixture
def job():
    """A job that notes when it is done; rung by `ring`."""

    class Job:
        done: list[datetime] = []

        def ring(self, at):
            return slots.daily("job", lambda: self.done.append(at), hour=NIGHT, at=at)

    made = Job()
    made.done = []
    return made


def test_turn_is_done_once_however_often_it_is_rung(job):
    moments = [DUE + timedelta(minutes=minutes) for minutes in (0, 0, 10, 600, 1439)]
    assert [job.ring(at) for at in moments] == [True, False, False, False, False]
    assert job.ring(DUE + timedelta(days=1))
    assert job.done == [DUE, DUE + timedelta(days=1)]


def test_turns_that_were_missed_are_caught_up_once(job):
    job.ring(DUE)
    late = DUE + timedelta(days=4, hours=7)
    assert [job.ring(late), job.ring(late + timedelta(minutes=10))] == [True, False]
    assert list(Slot.objects.order_by("due_at").values_list("due_at", flat=True)) == [
        DUE,
        DUE + timedelta(days=4),
    ]


def test_clock_that_jumps_back_does_nothing_twice(job):
    job.ring(DUE + timedelta(minutes=30))
    assert not job.ring(DUE + timedelta(minutes=90))
    assert not job.ring(DUE + timedelta(minutes=30))
    assert job.done == [DUE + timedelta(minutes=30)]


def test_turn_of_a_killed_worker_is_begun_again_after_two_hours(job):
    def fail():
        raise SystemExit

    with pytest.raises(SystemExit):
        slots.daily("job", fail, hour=NIGHT, at=DUE)
    assert not job.ring(DUE + timedelta(hours=1))
    assert job.ring(DUE + timedelta(hours=2))
    assert not job.ring(DUE + timedelta(hours=2))
