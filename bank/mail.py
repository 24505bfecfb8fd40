"""The way out: one SMTP connection, what a reply means, and the hold on all mail.

The phase of a failure decides whose fault it is: until the recipient is named, the relay's or
ours; at the recipient, the address's; once the message bytes flow, a silence means unknown.
"""

import re
import smtplib
import ssl
import time
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings as configuration
from django.core.exceptions import ImproperlyConfigured

from bank import settings
from bank.models import ApiKey, User

Kind = Literal["accepted", "retry", "refused", "relay", "unknown"]
Phase = Literal["address", "connect", "mail", "rcpt", "data", "body"]
# The relay wants other credentials or another order of commands; no address is to blame.
OURS = {421, 503, 530, 534, 535, 538}
BAD_ADDRESS = re.compile(r"5\.1\.\d+|5\.2\.1\b")
POLICY = re.compile(r"\b5\.\d+\.\d+")
LONGEST_REPLY = 300
_NEWLINE = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class Outcome:
    """What became of one message. `code` is 0 when no reply came."""

    kind: Kind
    code: int
    reply: str
    phase: Phase

    @property
    def is_bad_address(self) -> bool:
        """Whether the refusal is about the mailbox itself, not a policy or the content."""
        if self.kind != "refused" or self.phase != "rcpt":
            return False
        if POLICY.search(self.reply):
            return BAD_ADDRESS.search(self.reply) is not None
        return self.code in {550, 551, 553}


@dataclass(frozen=True)
class Address:
    """Where the relay listens, and who we are to it."""

    host: str
    port: int
    user: str
    password: str
    tls: bool


def held() -> bool:
    """Whether no mail may leave now."""
    return bool(settings.get("mail_held"))


def hold(*, at: datetime, by: User | ApiKey | None) -> None:
    """Stop every outgoing mail until released; twice is once."""
    settings.put("mail_held", value=True, at=at, by=by)


def release(*, at: datetime, by: User | ApiKey | None) -> None:
    """Let mail go out again; what waited goes by its own rules."""
    settings.put("mail_held", value=False, at=at, by=by)


def address(url: str) -> Address:
    """Read `smtp://user:password@host:port?tls=1`; the message never repeats the password."""
    try:
        parts = urlsplit(url)
        port = parts.port or 25
    except ValueError as error:
        raise ImproperlyConfigured("EMAIL_URL has no valid port.") from error
    query = parse_qs(parts.query, keep_blank_values=True)
    tls = query.pop("tls", ["0"])[-1]
    if parts.scheme != "smtp" or not parts.hostname or query or tls not in {"0", "1"}:
        raise ImproperlyConfigured(
            "EMAIL_URL must look like smtp://user:password@host:port?tls=1."
        )
    return Address(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls == "1",
    )


class Relay:
    """One kept connection to the relay, opened at the first message. Not for several threads.

    It does not look at the hold: the sender asks `held()` when it marks a message. A message
    takes EMAIL_TIMEOUT at most up to its body, and as long again for the verdict: a timeout of
    each reply alone would let a slow relay outlast the lease, and the mail would go twice.
    """

    def __init__(self) -> None:
        self._address = address(configuration.EMAIL_URL)
        self._smtp: smtplib.SMTP | None = None
        self._until = 0.0

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
        """Say goodbye if the relay still listens."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            smtp.quit()
        except OSError:
            smtp.close()

    def send(self, sender: str, recipient: str, message: bytes) -> Outcome:
        """Hand over one message to one recipient and say what became of it; never raises."""
        trouble = _unusable(recipient)
        if trouble:
            return Outcome("refused", 0, trouble, "address")
        kept = self._smtp is not None
        self._allow()
        outcome = self._try(sender, recipient, message)
        # A relay may have closed an idle connection; nothing was sent yet, so ask once more.
        if kept and outcome.kind == "relay" and self._smtp is None:
            outcome = self._try(sender, recipient, message)
        return outcome

    def _try(self, sender: str, recipient: str, message: bytes) -> Outcome:
        phase: Phase = "connect"
        try:
            smtp = self._smtp or self._connect()
            phase = "mail"
            self._hurry(smtp)
            code, reply = smtp.mail(sender, _options(smtp, message))
            if code // 100 != 2:
                return self._refused("relay", code, reply, phase)
            phase = "rcpt"
            self._hurry(smtp)
            code, reply = smtp.rcpt(recipient)
            if code // 100 != 2:
                return self._refused(_class(code), code, reply, phase)
            phase = "data"
            self._hurry(smtp)
            smtp.putcmd("data")
            code, reply = smtp.getreply()
            if code != 354:
                return self._refused(_class(code), code, reply, phase)
            phase = "body"
            self._allow()
            self._hurry(smtp)
            code, reply = _deliver(smtp, message)
        except (OSError, ValueError) as error:
            return self._lost(error, phase)
        return self._settled(code, reply)

    def _connect(self) -> smtplib.SMTP:
        """Open, encrypt and sign in as the address says; raises OSError when any step fails."""
        where = self._address
        smtp = smtplib.SMTP(
            where.host,
            where.port,
            local_hostname=configuration.MAIL_FROM.rpartition("@")[2] or "localhost",
            timeout=self._left(),
        )
        try:
            self._hurry(smtp)
            smtp.ehlo_or_helo_if_needed()
            self._hurry(smtp)
            if where.tls:
                smtp.starttls(context=ssl.create_default_context())
                self._hurry(smtp)
            if where.user:
                smtp.login(where.user, where.password)
        except (OSError, ValueError):
            smtp.close()
            raise
        self._smtp = smtp
        return smtp

    def _allow(self) -> None:
        """Begin a span in which the relay must have answered everything."""
        self._until = time.monotonic() + configuration.EMAIL_TIMEOUT

    def _left(self) -> float:
        return max(self._until - time.monotonic(), 0.01)

    def _hurry(self, smtp: smtplib.SMTP) -> None:
        """Wait for the next reply no longer than the rest of the span."""
        if smtp.sock is not None:
            smtp.sock.settimeout(self._left())

    def _settled(self, code: int, reply: bytes) -> Outcome:
        """Read the reply to the whole message; a reply that says nothing leaves it unknown."""
        if code // 100 == 2:
            return Outcome("accepted", code, _text(reply), "body")
        if code // 100 in {4, 5}:
            return self._refused(_class(code), code, reply, "body")
        self._drop()
        return Outcome("unknown", max(code, 0), _text(reply), "body")

    def _refused(self, kind: Kind, code: int, reply: bytes, phase: Phase) -> Outcome:
        """Note a refusal and make the connection fit for the next message."""
        try:
            if self._smtp is None or code in {421, -1} or not self._reset(self._smtp):
                self._drop()
        except OSError:
            self._drop()
        return Outcome(kind, max(code, 0), _text(reply), phase)

    def _reset(self, smtp: smtplib.SMTP) -> bool:
        self._hurry(smtp)
        return bool(smtp.rset()[0] == 250)

    def _lost(self, error: Exception, phase: Phase) -> Outcome:
        self._drop()
        code, reply = 0, str(error).encode()
        if isinstance(error, smtplib.SMTPResponseException):
            code = error.smtp_code if error.smtp_code > 0 else 0
            reply = error.smtp_error if isinstance(error.smtp_error, bytes) else reply
        kind: Kind = "unknown" if phase == "body" else "relay"
        return Outcome(kind, code, _text(reply) or type(error).__name__, phase)

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()


def _class(code: int) -> Kind:
    """Whose fault a negative reply is, once the recipient has been named."""
    if code in OURS or code // 100 not in {4, 5}:
        return "relay"
    return "retry" if code // 100 == 4 else "refused"


def _deliver(smtp: smtplib.SMTP, message: bytes) -> tuple[int, bytes]:
    """Send the message bytes with unambiguous line ends, and wait for the verdict."""
    # A bare line feed lets some relays see a second message: all ends become CRLF.
    lines = _NEWLINE.sub(b"\r\n", message)
    lines = re.sub(rb"(?m)^\.", b"..", lines)
    smtp.send(lines + (b".\r\n" if lines.endswith(b"\r\n") else b"\r\n.\r\n"))
    return smtp.getreply()


def _options(smtp: smtplib.SMTP, message: bytes) -> list[str]:
    if message.isascii() or not smtp.has_extn("8bitmime"):
        return []
    return ["BODY=8BITMIME"]


def _unusable(recipient: str) -> str:
    """Why no relay should ever see this address, or an empty text."""
    local, _at, domain = recipient.rpartition("@")
    if not local or not domain or not recipient.isascii() or not recipient.isprintable():
        return "not an address that plain SMTP can carry"
    if re.search(r"[\s<>]", recipient):
        return "not an address that plain SMTP can carry"
    if configuration.DEMO and not domain.lower().endswith(".example"):
        return "the demonstration writes to .example only"
    return ""


def _text(reply: bytes) -> str:
    """The relay's words on one line, short enough for a row and a log."""
    words = reply.decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:LONGEST_REPLY]
