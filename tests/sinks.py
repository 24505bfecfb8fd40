"""A relay for tests: it answers as told and keeps what it accepted."""

import socket
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

Answer = Callable[[str], str | None]


class Sink:
    """Use as a context; `rcpt` and `data` may answer an address with a refusal."""

    def __init__(
        self, *, delay: float = 0, rcpt: Answer | None = None, data: Answer | None = None
    ) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []
        self.before: Callable[[str], object] = lambda recipient: None
        self._delay, self._rcpt, self._data = delay, rcpt, data
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port: int = probe.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        """The value of EMAIL_URL for this sink."""
        return f"smtp://127.0.0.1:{self._port}"

    @property
    def recipients(self) -> list[str]:
        """Who got a mail, in order."""
        return [recipient for recipient, _mail in self.mails]

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        refusal = self._rcpt(address) if self._rcpt else None
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        recipient = envelope.rcpt_tos[0]
        self.before(recipient)
        time.sleep(self._delay)
        refusal = self._data(recipient) if self._data else None
        if refusal == "hang up":
            server.transport.abort()
        elif refusal:
            return refusal
        content = envelope.original_content or b""
        self.mails.append((recipient, message_from_bytes(content, policy=policy.default)))
        return "250 queued as 42"
