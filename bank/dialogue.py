"""What is said to the relay for one message, without a socket: words out, replies in.

A dialogue is a generator. It yields what is to be written, is sent the next reply or thrown the
error that came instead, and returns what became of the message and whether the connection can
carry another one. Where the relay takes it, sender, recipient and DATA go in one write (RFC
2920); the message itself is written only when all three were welcome.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from bank import replies
from bank.replies import Outcome, Phase

# The class of the reply that lets the dialogue go on.
_WELCOME = {"mail": 2, "rcpt": 2, "data": 3}
_CLOSES = 421


@dataclass(frozen=True)
class Mail:
    """One message for one recipient: envelope and bytes."""

    sender: str
    recipient: str
    data: bytes


@dataclass(frozen=True)
class Reply:
    """One reply of the relay, its lines joined; the code is 0 where there was none to read."""

    code: int
    text: str


@dataclass(frozen=True)
class End:
    """What became of the message, and whether the connection is fit for the next one."""

    outcome: Outcome
    is_fit: bool


class Message(bytes):
    """The words that hold the message: from here on, silence means that nobody knows."""


Dialogue = Generator[bytes, Reply, End]


def dialogue(mail: Mail, extensions: frozenset[str]) -> Dialogue:
    """Say one message. `extensions` are those of the relay, in lower case."""
    end = yield from _introduce(mail, extensions)
    if end is None:
        end = yield from _hand_over(mail.data)
    if end.outcome.kind == "accepted" or not end.is_fit:
        return end
    return End(end.outcome, is_fit=(yield from _is_well(b"RSET\r\n")))


def _introduce(mail: Mail, extensions: frozenset[str]) -> Generator[bytes, Reply, End | None]:
    """Name sender and recipient and ask for the message to be heard; None: the relay listens."""
    together = "pipelining" in extensions
    refusal: Outcome | None = None
    for phase, words in _envelope(mail, extensions, together=together):
        try:
            reply = yield words
        except OSError as error:
            return End(refusal or replies.silence(error, phase), is_fit=False)
        if refusal is None and reply.code // 100 != _WELCOME[phase]:
            refusal = replies.judge(reply.code, reply.text, phase)
        if reply.code in {0, _CLOSES}:
            return End(refusal or replies.judge(0, reply.text, phase), is_fit=False)
        if refusal is not None and not together:
            break
    if refusal is None:
        return None
    if reply.code // 100 == _WELCOME["data"]:
        # It wants a message although it refused the recipient: an empty one, to nobody.
        return End(refusal, is_fit=(yield from _is_well(b".\r\n")))
    return End(refusal, is_fit=True)


def _hand_over(data: bytes) -> Generator[bytes, Reply, End]:
    """Write the message and hear the verdict."""
    try:
        reply = yield _message(data)
    except OSError as error:
        return End(replies.silence(error, "body"), is_fit=False)
    if reply.code // 100 == 2:
        return End(Outcome("accepted", reply.code, reply.text, "body"), is_fit=True)
    outcome = replies.judge(reply.code, reply.text, "body")
    return End(outcome, is_fit=outcome.kind != "unknown" and reply.code != _CLOSES)


def _is_well(words: bytes) -> Generator[bytes, Reply, bool]:
    """Say something whose reply matters only as a sign of life."""
    try:
        reply = yield words
    except OSError:
        return False
    return reply.code not in {0, _CLOSES}


def _envelope(
    mail: Mail, extensions: frozenset[str], *, together: bool
) -> Iterator[tuple[Phase, bytes]]:
    """The three commands before the message; together, the first one holds them all."""
    eight_bit = "8bitmime" in extensions and not mail.data.isascii()
    sender = f"MAIL FROM:<{mail.sender}>{' BODY=8BITMIME' if eight_bit else ''}\r\n".encode()
    recipient = f"RCPT TO:<{mail.recipient}>\r\n".encode()
    data = b"DATA\r\n"
    yield "mail", sender + recipient + data if together else sender
    yield "rcpt", b"" if together else recipient
    yield "data", b"" if together else data


def _message(data: bytes) -> Message:
    """The message with unambiguous ends of lines: a bare one lets some relays see a second."""
    lines = b"\r\n".join(data.splitlines())
    stuffed = (b"." if lines.startswith(b".") else b"") + lines.replace(b"\r\n.", b"\r\n..")
    return Message(stuffed + b"\r\n.\r\n")
