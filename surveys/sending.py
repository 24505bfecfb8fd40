"""One drain of the send ledger: claim, then rounds of mark, send and settle.

A round sends as many mails side by side as there are connections to the relay. The mails of the
round before are settled in the same commit that marks the next ones, and no transaction is open
while the relay is spoken to: a killed sender leaves at most one mail a connection whose outcome
is unknown. Letters are made before they are marked, so that a mark means: handed to the relay.
"""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from uuid import uuid4

from django.db import InterfaceError, OperationalError, connection, transaction

from bank import breaker, mail, pace, settings
from bank.dialogue import Mail
from bank.relay import Relay
from bank.replies import Outcome
from surveys import bounces, campaigns, governance, ledger, letters, outcomes, reconciling, rounds
from surveys.models import Delivery

BATCH = 100
# After a deadlock or a lost connection the commit is tried again: the outcomes are in memory.
PAUSES = (0.05, 0.5, 3.0)
logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Letters = list[tuple[Delivery, Mail]]


@dataclass
class Drained:
    """What one drain did, by the state each delivery ended in, and why it ended."""

    sent: int = 0
    retry: int = 0
    failed: int = 0
    unknown: int = 0
    passed: int = 0
    ended: Literal["empty", "limit", "held", "relay", "paced", "stopped"] = "empty"


@dataclass
class _Drain:
    """The state of one drain: the relay's lines, the letters, and the mails not yet settled."""

    clock: Clock
    stop: Callable[[], bool]
    rest: Callable[[float], object] | None
    relay: Relay
    rules: governance.Book
    standing: breaker.Standing
    holder: str
    press: letters.Press = field(default_factory=letters.Press)
    done: Drained = field(default_factory=Drained)
    open: list[rounds.Sent] = field(default_factory=list)
    paced: bool = False
    probing: bool = False

    def claim(self, limit: int) -> list[Delivery]:
        """Take the next mails: one while the relay is tried out, a round where a rate is set."""
        self.paced = pace.is_limited()
        size = min(self.relay.width if self.paced else BATCH, limit)
        if self.standing.state == "half_open":
            size = 1
        batch = ledger.claim(holder=self.holder, limit=size, at=self.clock())
        if batch and self.standing.state == "half_open" and not self.probing:
            self.probing = breaker.probe(at=self.clock())
            if not self.probing:
                ledger.release(batch, holder=self.holder)
                self.done.ended = "relay"
                return []
        return batch

    def send(self, batch: list[Delivery]) -> None:
        """Send one batch in rounds; what is left when the drain ends goes back to the queue."""
        left, is_over = batch, False
        try:
            while left and self.done.ended == "empty":
                size = self._size(len(left))
                self._round(left[:size])
                left = left[size:]
            self._turn([])
            is_over = self.done.ended == "empty"
        finally:
            if not is_over:
                ledger.release(batch, holder=self.holder)

    def _size(self, wanted: int) -> int:
        """How many may leave side by side now; waits where the rate is used up."""
        wanted = min(wanted, self.relay.width)
        while not self.stop():
            grant = pace.take(wanted, at=self.clock()) if self.paced else pace.Grant(wanted)
            if grant.count:
                return grant.count
            if self.rest is None:
                self.done.ended = "paced"
                return 0
            self.rest(grant.wait.total_seconds())
        self.done.ended = "stopped"
        return 0

    def _round(self, deliveries: list[Delivery]) -> None:
        marked = self._turn(self._letters(deliveries))
        if self.paced and len(marked) < len(deliveries):
            pace.give_back(len(deliveries) - len(marked))
        if not marked:
            return
        found = self.relay.send([letter for _delivery, letter in marked])
        self.open = [(one[0], outcome) for one, outcome in zip(marked, found, strict=True)]
        self._heed(found)

    def _letters(self, deliveries: list[Delivery]) -> Letters:
        """Make the letters; whatever is wrong with one of them must not stop the others."""
        made = []
        for delivery in deliveries:
            try:
                made.append((delivery, self.press.letter(delivery, at=self.clock())))
            except Exception as error:  # noqa: BLE001
                self._count(self._spoil(delivery, error))
        return made

    def _spoil(self, delivery: Delivery, error: Exception) -> str:
        logger.warning("delivery %s cannot be sent: %s", delivery.pk, type(error).__name__)
        return outcomes.spoil(delivery, error, holder=self.holder, at=self.clock())

    def _turn(self, following: Letters) -> Letters:
        """Settle the mails before and mark the next ones in one commit; return those marked."""
        if not following and not self.open:
            return []
        for pause in (*PAUSES, None):  # pragma: no branch - the last turn raises
            try:
                with transaction.atomic():
                    settled = self._settle()
                    marked, spoiled = self._mark([delivery for delivery, _letter in following])
                break
            except (OperationalError, InterfaceError):
                if pause is None:
                    raise
                time.sleep(pause)
                if not connection.in_atomic_block:
                    connection.close_if_unusable_or_obsolete()
        for state in settled + spoiled:
            self._count(state)
        self.done.passed += len(following) - len(marked) - len(spoiled)
        sent, self.open = self.open, []
        self._watch(sent, settled)
        return [one for one in following if one[0].pk in marked]

    def _settle(self) -> list[str]:
        """Write down the outcomes; return the state of each mail."""
        at = self.clock()
        quick = rounds.settle(self.open, holder=self.holder, at=at)
        return [
            Delivery.State.SENT.value
            if delivery.pk in quick
            else outcomes.settle(delivery, outcome, holder=self.holder, at=at)
            for delivery, outcome in self.open
        ]

    def _mark(self, deliveries: list[Delivery]) -> tuple[set[int], list[str]]:
        """Mark by the quick road, else by the ledger one by one; the hold ends the drain.

        Returns the keys of those marked, and the states of those that cannot even be judged.
        """
        if not deliveries:
            return set(), []
        at = self.clock()
        marked = rounds.mark(deliveries, holder=self.holder, rules=self.rules, at=at)
        others = [delivery for delivery in deliveries if delivery.pk not in marked]
        spoiled: list[str] = []
        if others and mail.held():
            self.done.ended = "held"
            return marked, spoiled
        ledger.lock(others)
        for delivery in others:
            try:
                with transaction.atomic():
                    if ledger.mark(delivery, holder=self.holder, rules=self.rules, at=at):
                        marked.add(delivery.pk)
            except (OperationalError, InterfaceError):  # pragma: no cover - the turn tries again
                raise
            except Exception as error:  # noqa: BLE001 - one bad row must not stop the others
                spoiled.append(self._spoil(delivery, error))
        return marked, spoiled

    def _heed(self, found: list[Outcome]) -> None:
        """Hear what the relay says of itself: it works, it is in trouble, it forbids."""
        heard = [outcome for outcome in found if outcome.phase != "address"]
        if heard and all(outcome.is_trouble for outcome in heard):
            breaker.trouble(heard[0], at=self.clock())
            self.done.ended = "relay"
        elif heard and self.standing.errors:
            breaker.recovered(at=self.clock())
            self.standing = breaker.Standing("closed")
        if any(outcome.kind in {"refused", "policy"} for outcome in found):
            # It may be one refusal too many: judged before the next mails leave.
            self._turn([])

    def _watch(self, sent: list[rounds.Sent], states: list[str]) -> None:
        """Pause the campaign that bounces too much, or that the relay forbids."""
        for (delivery, outcome), state in zip(sent, states, strict=True):
            if state == Delivery.State.FAILED:
                bounces.watch(delivery, at=self.clock())
            campaign = delivery.invitation.campaign
            if campaign is not None and outcomes.concerns_campaign(campaign, outcome):
                data = {"phase": outcome.phase, "reply": f"{outcome.code} {outcome.reply}"}
                campaigns.hold(campaign, reason="relay_refused", at=self.clock(), data=data)

    def _count(self, state: str) -> None:
        if state in {"sent", "retry", "failed", "unknown"}:
            setattr(self.done, state, getattr(self.done, state) + 1)


def drain(
    *,
    clock: Clock,
    limit: int = 1000,
    stop: Callable[[], bool] = lambda: False,
    rest: Callable[[float], object] | None = None,
) -> Drained:
    """Send what is due, up to `limit` deliveries, until `stop()`, a hold or the relay's trouble.

    `stop` is asked between two rounds: the current one is finished and settled first. `rest`
    sleeps for some seconds where a rate is set; without it the drain ends when it is used up.
    """
    if mail.held():
        return Drained(ended="held")
    standing = breaker.standing(at=clock())
    if standing.state == "open":
        return Drained(ended="relay")
    holder = f"{os.getpid()}-{uuid4().hex[:12]}"
    with Relay(settings.get("smtp_connections")) as relay:
        run = _Drain(clock, stop, rest, relay, governance.book(), standing, holder)
        taken = 0
        while batch := run.claim(limit - taken):
            taken += len(batch)
            run.send(batch)
            if run.done.ended != "empty":
                break
            if taken >= limit:
                run.done.ended = "limit"
                break
    return run.done


def settle_lost(*, at: datetime) -> outcomes.Lost:
    """Take back what silent senders hold, ask the relay's log, and send again what is lost."""
    lost = outcomes.expire(at=at)
    log = reconciling.read(at=at)
    lost = replace(lost, requeued=outcomes.requeue(at=at, log=log.span), found=log.found)
    if lost.unknown or lost.failed:
        logger.warning("lost mails: %s", lost)
    return lost
