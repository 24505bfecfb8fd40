"""Everything that happens by the clock, in the order in which one step feeds the next.

Beat rings the tasks; `run_due` calls the acts themselves. An act that is not in this list happens
in neither.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Timed:
    """What beat rings every so many seconds, and the acts it stands for, by their short names.

    Without a task it is a second turn that only a single pass needs.
    """

    acts: Mapping[str, str]
    task: str = ""
    every: float = 0


TIMETABLE = (
    Timed({"campaigns": "surveys.campaigns.advance"}, "surveys.tasks.advance_campaigns", 15),
    Timed({"write": "surveys.rosters.fill"}, "surveys.tasks.write_invitations", 10),
    Timed({"invite": "surveys.triggers.invite_due"}, "surveys.tasks.invite_due", 60),
    Timed({"remind": "surveys.reminders.plan_due"}, "surveys.tasks.remind_due", 60),
    Timed({"settle": "surveys.sending.settle_lost"}, "surveys.tasks.settle_lost", 30),
    Timed({"send": "surveys.sending.drain"}, "surveys.tasks.send_due", 5),
    # What has sent its last mail goes on at once.
    Timed({"close": "surveys.campaigns.advance"}),
    Timed(
        {
            "delivered": "surveys.traces.record_sent",
            "visits": "surveys.evidence.judge_visits",
        },
        "surveys.tasks.judge_visits",
        15,
    ),
    Timed({"refresh": "metrics.recompute.refresh_stale"}, "metrics.tasks.refresh_stale", 60),
    # Rung often, done once a night: a night without beat is caught up in the morning.
    Timed({"nightly": "metrics.recompute.refresh_nightly"}, "metrics.tasks.refresh_all", 600),
    Timed(
        {"robustness": "metrics.engaging.robustness.report_missing"},
        "metrics.tasks.report_robustness",
        600,
    ),
    Timed({"audit": "bank.audit.chain"}, "bank.tasks.chain_audit", 1),
)


def beat() -> dict[str, dict[str, Any]]:
    """The schedule as Celery reads it; a bell that nobody has heard in time is not kept."""
    return {
        timed.task.rpartition(".")[2].replace("_", "-"): {
            "task": timed.task,
            "schedule": timed.every,
            "options": {"expires": timed.every},
        }
        for timed in TIMETABLE
        if timed.task
    }


def steps(clock: Callable[[], datetime]) -> Iterator[tuple[str, Callable[[], object]]]:
    """Each act by its short name, to be called without arguments; they ask this clock."""
    for timed in TIMETABLE:
        for name, path in timed.acts.items():
            yield name, _bound(import_string(path), clock)


def _bound(act: Callable[..., object], clock: Callable[[], datetime]) -> Callable[[], object]:
    wanted = inspect.signature(act).parameters

    def call() -> object:
        given: dict[str, Any] = {}
        if "clock" in wanted:
            given["clock"] = clock
        if "at" in wanted:
            given["at"] = clock()
        return act(**given)

    return call
