"""The way out: several connections to the relay in one process, spoken to side by side.

Nothing here looks at the hold, the breaker or the ledger: the sender asks them before it marks
a message. A message takes EMAIL_TIMEOUT at most up to its body, and as long again for the
verdict: a timeout of each reply alone would let a slow relay outlast the lease, and the mail
would go twice.
"""

import re
import select
import time
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self

from django.conf import settings

from bank import lines, mail
from bank.dialogue import End, Mail, Message, dialogue
from bank.replies import Outcome


class Relay:
    """Up to `width` kept connections, opened when they are needed. Not for several threads."""

    def __init__(self, width: int = 1) -> None:
        self.width = width
        self._address = mail.address(settings.EMAIL_URL)
        self._idle: list[lines.Line] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye on every connection."""
        while self._idle:
            self._idle.pop().quit()

    def send(self, mails: Sequence[Mail]) -> list[Outcome]:
        """Hand over up to `width` messages, each on a connection of its own; never raises."""
        found = {
            place: Outcome("refused", 0, trouble, "address")
            for place, one in enumerate(mails)
            if (trouble := _unusable(one.recipient))
        }
        usable = {place: one for place, one in enumerate(mails) if place not in found}
        stale = self._turn(usable, found)
        if stale:
            # A relay may have closed idle connections. Nothing was sent on them: ask once more.
            self.close()
            self._turn({place: mails[place] for place in stale}, found)
        return [found[place] for place in range(len(mails))]

    def _turn(self, mails: dict[int, Mail], found: dict[int, Outcome]) -> list[int]:
        """Say these messages; return the places of those whose kept connection was dead."""
        kept = len(self._idle)
        talks: dict[int, _Talk] = {}
        closed: lines.Closed | None = None
        for place, one in mails.items():
            if closed is None:
                try:
                    line = self._idle.pop() if self._idle else lines.connect(self._address)
                    talks[place] = _Talk(line, one)
                except lines.Closed as error:
                    # A relay that takes fewer connections than we asked for is used with those.
                    closed, self.width = error, max(len(talks), 1)
            if closed is not None:
                found[place] = closed.outcome
        _converse(list(talks.values()))
        stale = []
        for number, (place, talk) in enumerate(talks.items()):
            found[place] = talk.end.outcome
            if talk.end.is_fit:
                self._idle.append(talk.line)
                continue
            talk.line.close()
            if number < kept and found[place].kind == "relay":
                stale.append(place)
        return stale


class _Talk:
    """One message on one connection, between two replies."""

    def __init__(self, line: lines.Line, one: Mail) -> None:
        self.line, self.end = line, _UNHEARD
        self.over = False
        self._dialogue = dialogue(one, line.extensions)
        self._allow()
        self._step(partial(next, self._dialogue))

    def hear(self) -> None:
        """Answer what the relay has said."""
        try:
            heard = self.line.hear()
        except OSError as error:
            self.lose(error)
            return
        for reply in heard:
            if not self.over:
                self._step(partial(self._dialogue.send, reply))

    def lose(self, error: OSError) -> None:
        """Give up on the connection."""
        self._step(partial(self._dialogue.throw, error))

    def _step(self, step: Callable[[], bytes]) -> None:
        try:
            words = step()
            if isinstance(words, Message):
                self._allow()
            self.line.say(words)
        except StopIteration as done:
            self.over, self.end = True, done.value
        except OSError as error:
            self.lose(error)

    def _allow(self) -> None:
        """Begin a span in which the relay must have answered everything."""
        self.until = time.monotonic() + settings.EMAIL_TIMEOUT
        self.line.sock.settimeout(settings.EMAIL_TIMEOUT)


_UNHEARD = End(Outcome("unknown", 0, "", "body"), is_fit=False)


def _converse(talks: list[_Talk]) -> None:
    """Let every dialogue go on as its replies come, until all are over or out of time."""
    waiting = {talk.line.sock.fileno(): talk for talk in talks if not talk.over}
    poller = select.poll()
    for number in waiting:
        poller.register(number, select.POLLIN)
    while waiting:
        left = min(talk.until for talk in waiting.values()) - time.monotonic()
        for number, _event in poller.poll(max(left, 0) * 1000):
            waiting[number].hear()
        now = time.monotonic()
        for number, talk in list(waiting.items()):
            if not talk.over and talk.until <= now:
                talk.lose(TimeoutError("timed out"))
            if talk.over:
                poller.unregister(number)
                del waiting[number]


def _unusable(recipient: str) -> str:
    """Why no relay should ever see this address, or an empty text."""
    local, _at, domain = recipient.rpartition("@")
    if not local or not domain or not recipient.isascii() or not recipient.isprintable():
        return "not an address that plain SMTP can carry"
    if re.search(r"[\s<>]", recipient):
        return "not an address that plain SMTP can carry"
    if settings.DEMO and not domain.lower().endswith(".example"):
        return "the demonstration writes to .example only"
    return ""
