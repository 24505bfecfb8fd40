"""What a relay's reply means: the phase and the code decide whose fault a refusal is.

| phase | no reply | 4xx | 5xx |
|---|---|---|---|
| connect | relay | relay | relay |
| auth | relay | relay | policy |
| mail | relay | relay | policy |
| rcpt | relay | retry | refused; the mailbox, where the code says so; policy at 554 and 5.7.x |
| data | relay | retry | refused; policy at 554 and 5.7.x |
| body | unknown | retry | refused; policy at 554 and 5.7.x |

421 means everywhere that the relay closes, and a wrong order of commands is never the mail's
fault: both are the relay's trouble. Until the body flows nothing can have arrived.
"""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["accepted", "retry", "refused", "policy", "relay", "unknown"]
Phase = Literal["address", "connect", "auth", "mail", "rcpt", "data", "body"]
# Another order of commands, or a service that closes: no address and no sender is to blame.
TROUBLE = {421, 500, 501, 502, 503, 504}
# The relay wants us to sign in, or otherwise than we did.
SIGN_IN = {530, 534, 535, 538}
LONGEST_REPLY = 300
_ENHANCED = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")
_MAILBOX = re.compile(r"5\.1\.\d+|5\.2\.1$")
_POLICY = re.compile(r"5\.7\.\d+")


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
        return says_no_mailbox(self.reply, self.code)

    @property
    def is_trouble(self) -> bool:
        """Whether the relay took nothing from us, whoever the mail is for."""
        return self.kind == "relay" or (self.kind == "policy" and self.phase in {"auth", "mail"})


def says_no_mailbox(text: str, code: int = 0) -> bool:
    """Whether a 5xx says that there is no such mailbox; the enhanced code has the last word."""
    found = _ENHANCED.search(text)
    if found:
        return _MAILBOX.match(found[0]) is not None
    return code in {550, 551, 553}


def judge(code: int, text: str, phase: Phase) -> Outcome:
    """Read a reply that is not the one hoped for."""
    return Outcome(_kind(code, text, phase), max(code, 0), text, phase)


def silence(error: Exception, phase: Phase) -> Outcome:
    """No reply came: the connection broke, or the patience ended."""
    words = one_line(str(error)) or type(error).__name__
    return Outcome("unknown" if phase == "body" else "relay", 0, words, phase)


def one_line(text: str) -> str:
    """The relay's words on one line, short enough for a row and a log."""
    words = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(words.split())[:LONGEST_REPLY]


def _kind(code: int, text: str, phase: Phase) -> Kind:
    if code // 100 not in {4, 5}:
        return "unknown" if phase == "body" else "relay"
    if code in TROUBLE or phase == "connect":
        return "relay"
    if code // 100 == 4:
        return "relay" if phase in {"auth", "mail"} else "retry"
    if phase in {"auth", "mail"} or code in SIGN_IN or _forbids(code, text):
        return "policy"
    return "refused"


def _forbids(code: int, text: str) -> bool:
    """Whether a rule of the relay refuses, not the mailbox or this one content."""
    found = _ENHANCED.search(text)
    return _POLICY.match(found[0]) is not None if found else code == 554
