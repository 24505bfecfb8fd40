"""One drain of the send ledger: claim, then mark, send and settle, one mail after the other.

No transaction is open while the relay is spoken to. Each mail is settled in the same commit
that marks the next one, so a killed sender leaves at most one mail whose outcome is unknown.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import uuid4

from django.db import OperationalError, transaction

from bank import mail
from surveys import bounces, governance, ledger, letters, rounds
from surveys.models import Delivery

BATCH = 100
# A deadlock or a lost connection: the outcome is kept in memory and written again.
TRIES = 3
logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]


@dataclass
class Drained:
    """What one drain did, by the state each delivery ended in, and why it ended."""

    sent: int = 0
    retry: int = 0
    failed: int = 0
    unknown: int = 0
    passed: int = 0
    ended: Literal["empty", "limit", "held", "relay", "stopped"] = "empty"


@dataclass
class _Drain:
    """The state of one drain: the relay's line, the letters, and the mail not yet settled."""

    clock: Clock
    relay: mail.Relay
    rules: governance.Book
    holder: str
    press: letters.Press = field(default_factory=letters.Press)
    done: Drained = field(default_factory=Drained)
    open: tuple[Delivery, mail.Outcome] | None = None

    def one(self, delivery: Delivery) -> bool:
        """Mark, send; False when the relay or the hold ends the drain."""
        if not self._turn(delivery):
            return self.done.ended != "held"
        try:
            letter = self.press.letter(delivery, at=self.clock())
        # Whatever is wrong with this one mail must not stop the others.
        except Exception as error:  # noqa: BLE001
            self._count(ledger.spoil(delivery, error, holder=self.holder, at=self.clock()))
            logger.warning("delivery %s cannot be written: %s", delivery.pk, type(error).__name__)
            return True
        outcome = self.relay.send(letter.sender, letter.recipient, letter.data)
        self.open = delivery, outcome
        if outcome.kind == "refused":
            # A bounce may be one too many: judged before the next mail leaves.
            self.settle()
        return outcome.kind != "relay"

    def settle(self) -> None:
        """Write down the last mail of a batch."""
        self._turn(None)

    def _turn(self, following: Delivery | None) -> bool:
        """Settle the mail before and mark the next one in one commit."""
        tries = 0
        while True:
            try:
                with transaction.atomic():
                    state = self._settle_open()
                    marked = following is not None and self._mark(following)
                break
            except OperationalError:
                tries += 1
                if tries == TRIES:
                    raise
        if self.open is not None:
            self._count(state)
            if state == Delivery.State.FAILED:
                bounces.watch(self.open[0], at=self.clock())
            self.open = None
        if following is not None and not marked:
            self.done.passed += 1
        return marked

    def _settle_open(self) -> str:
        if self.open is None:
            return ""
        delivery, outcome = self.open
        at = self.clock()
        if rounds.settle(delivery, outcome, holder=self.holder, at=at):
            return Delivery.State.SENT.value
        return ledger.settle(delivery, outcome, holder=self.holder, at=at)

    def _mark(self, delivery: Delivery) -> bool:
        at = self.clock()
        if rounds.mark(delivery, holder=self.holder, rules=self.rules, at=at):
            return True
        if mail.held():
            self.done.ended = "held"
            return False
        return ledger.mark(delivery, holder=self.holder, rules=self.rules, at=at)

    def _count(self, state: str) -> None:
        if state in {"sent", "retry", "failed", "unknown"}:
            setattr(self.done, state, getattr(self.done, state) + 1)


def drain(*, clock: Clock, limit: int = 1000, stop: Callable[[], bool] = lambda: False) -> Drained:
    """Send what is due, up to `limit` deliveries, until `stop()`, a hold or the relay's trouble.

    `stop` is asked between two mails: the current one is finished and settled first.
    """
    if mail.held():
        return Drained(ended="held")
    holder = f"{os.getpid()}-{uuid4().hex[:12]}"
    taken = 0
    with mail.Relay() as relay:
        run = _Drain(clock, relay, governance.book(), holder)
        while True:
            batch = ledger.claim(holder=holder, limit=min(BATCH, limit - taken), at=clock())
            if not batch:
                break
            taken += len(batch)
            _send(run, batch, stop=stop)
            if run.done.ended != "empty":
                break
            if taken >= limit:
                run.done.ended = "limit"
                break
    return run.done


def settle_lost(*, at: datetime) -> ledger.Lost:
    """Take back what silent senders hold; see the ledger for what happens to each."""
    lost = ledger.settle_lost(at=at)
    if lost.unknown:
        logger.warning("%s mails had no outcome, %s go once more", lost.unknown, lost.requeued)
    return lost


def _send(run: _Drain, batch: list[Delivery], *, stop: Callable[[], bool]) -> None:
    """Send one batch; what is left when the drain ends early goes back to the queue."""
    left = list(batch)
    try:
        while left and run.done.ended == "empty":
            if stop():
                run.done.ended = "stopped"
            elif run.one(left[0]):
                left.pop(0)
            elif run.done.ended == "empty":
                run.done.ended = "relay"
                left.pop(0)
    finally:
        run.settle()
        ledger.release(left, holder=run.holder)
