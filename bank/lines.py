"""One connection to the relay: opened at one go, then spoken to in turns with others."""

import smtplib
import socket
import ssl
import time

from django.conf import settings

from bank import replies
from bank.dialogue import Reply
from bank.mail import Address
from bank.replies import Outcome, Phase

# More words than any reply has: who talks on and on is no relay.
MOST_WORDS = 65_536


class Closed(Exception):
    """No connection could be opened; `outcome` says what came instead."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.reply)
        self.outcome = outcome


class Line:
    """An open connection, encrypted and signed in as the relay's address says."""

    def __init__(self, smtp: smtplib.SMTP, sock: socket.socket) -> None:
        self._smtp, self.sock = smtp, sock
        self.extensions = frozenset(smtp.esmtp_features)
        self._heard = b""
        self._lines: list[str] = []

    def close(self) -> None:
        """Hang up."""
        self._smtp.close()

    def quit(self) -> None:
        """Say goodbye if the relay still listens."""
        try:
            self._smtp.quit()
        except OSError:
            self._smtp.close()

    def say(self, words: bytes) -> None:
        """Write; raises OSError."""
        if words:
            self.sock.sendall(words)

    def hear(self) -> list[Reply]:
        """Read what has come and return the replies that are complete; raises OSError."""
        *lines, self._heard = (self._heard + self._read()).split(b"\n")
        if len(self._heard) + len(self._lines) > MOST_WORDS:
            raise OSError("a reply without an end")
        found = []
        for line in lines:
            text = line.decode("utf-8", "replace").rstrip("\r")
            self._lines.append(text)
            if text[3:4] != "-" or not text[:3].isdecimal():
                found.append(_reply(self._lines))
                self._lines = []
        return found

    def _read(self) -> bytes:
        data = self.sock.recv(MOST_WORDS)
        if not data:
            raise ConnectionResetError("connection closed")
        # What is decrypted already would wake nobody who waits for the socket.
        while isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            data += self.sock.recv(MOST_WORDS)
        return data


def connect(where: Address) -> Line:
    """Open, encrypt and sign in, all within EMAIL_TIMEOUT; raises Closed."""
    until = time.monotonic() + settings.EMAIL_TIMEOUT
    phase: Phase = "connect"
    smtp = None
    try:
        smtp = smtplib.SMTP(
            where.host,
            where.port,
            local_hostname=settings.MAIL_FROM.rpartition("@")[2] or "localhost",
            timeout=settings.EMAIL_TIMEOUT,
        )
        sock = _hurried(smtp, until)
        smtp.ehlo_or_helo_if_needed()
        if where.tls:
            smtp.starttls(context=ssl.create_default_context())
            sock = _hurried(smtp, until)
            smtp.ehlo()
        if where.user:
            phase = "auth"
            smtp.login(where.user, where.password)
    except (OSError, ValueError) as error:
        if smtp is not None:
            smtp.close()
        raise Closed(_failure(error, phase)) from error
    return Line(smtp, sock)


def _hurried(smtp: smtplib.SMTP, until: float) -> socket.socket:
    """Let the next replies come no later than the span allows."""
    if smtp.sock is None:
        raise ConnectionResetError("connection closed")
    smtp.sock.settimeout(max(until - time.monotonic(), 0.01))
    return smtp.sock


def _failure(error: Exception, phase: Phase) -> Outcome:
    """What an opening that failed means; the password is in no word of it."""
    if not isinstance(error, smtplib.SMTPResponseException):
        return replies.silence(error, phase)
    said = error.smtp_error
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return replies.judge(error.smtp_code, replies.one_line(text), phase)


def _reply(lines: list[str]) -> Reply:
    code = lines[-1][:3]
    text = replies.one_line(" ".join(line[4:] for line in lines))
    return Reply(int(code), text) if code.isdecimal() else Reply(0, replies.one_line(lines[-1]))
