"""Background work of surveys: bells without data; the ledger says what is to be done."""

import logging
from time import monotonic, sleep

from celery import Task, shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import RedisError

from bank import stopping
from surveys import campaigns, evidence, reminders, rosters, sending, traces, triggers

# Short enough for a worker to end in peace when it is told to stop.
SECONDS = 4.0
LONGEST_REST = 0.5
INVITE_SECONDS = 20.0
logger = logging.getLogger(__name__)


@shared_task
def send_due() -> None:
    """Send what is due for a few seconds, and ring again if more is waiting."""
    ends = monotonic() + SECONDS
    with stopping.put_off() as told:
        drained = sending.drain(
            clock=timezone.now,
            stop=lambda: told() or monotonic() > ends,
            rest=lambda seconds: sleep(min(seconds, LONGEST_REST)),
        )
    if drained.ended in {"stopped", "limit"}:
        publish(send_due)


@shared_task
def settle_lost() -> None:
    """Take back what silent senders hold."""
    sending.settle_lost(at=timezone.now())


@shared_task
def advance_campaigns() -> None:
    """Start, complete and close campaigns by the clock."""
    campaigns.advance(timezone.now())


@shared_task
def write_invitations() -> None:
    """Write what large launches have left; what is left again waits for the next turn."""
    ends = monotonic() + INVITE_SECONDS
    if rosters.fill(timezone.now(), stop=lambda: monotonic() > ends):
        publish(send_due)


@shared_task
def invite_due() -> None:
    """Ask on the events that have come due; what is left waits for the next minute."""
    ends = monotonic() + INVITE_SECONDS
    if triggers.invite_due(timezone.now(), stop=lambda: monotonic() > ends).asked:
        publish(send_due)


@shared_task
def remind_due() -> None:
    """Queue the reminders whose working days are over."""
    if reminders.plan_due(timezone.now()):
        publish(send_due)


@shared_task
def judge_visits() -> None:
    """Record what left and who came: mails delivered, first openings, clicks."""
    now = timezone.now()
    traces.record_sent(at=now)
    evidence.judge_visits(at=now)


def ring() -> None:
    """Wake the senders once the caller's transaction is committed."""
    transaction.on_commit(lambda: publish(send_due))


def publish(task: "Task[[], None]") -> None:
    """Call a task without arguments; with the broker away the timed sweep does the work."""
    try:
        task.apply_async(retry=False)
    except (BrokerError, RedisError, OSError) as error:
        logger.warning("the bell %s was not heard: %s", task.name, type(error).__name__)
