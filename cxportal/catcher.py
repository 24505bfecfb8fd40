"""What the mail catcher has stored, read from its Maildir: names, headers and texts."""

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

LARGEST = 2_000_000
_NAME = re.compile(r"(\d{1,12})\.M(\d{1,6})P[A-Za-z0-9.:,=_+-]{1,200}")


@dataclass(frozen=True)
class Caught:
    """One mail: its file name is its key."""

    name: str
    at: datetime
    subject: str
    sender: str
    recipient: str
    headers: list[tuple[str, str]]
    text: str
    html: str


def names(folder: Path) -> list[str]:
    """The keys of all mails, newest first; only names are read, so a long list is cheap."""
    found = [
        path.name
        for part in ("new", "cur")
        for path in ((folder / part).iterdir() if (folder / part).is_dir() else ())
        if _NAME.fullmatch(path.name)
    ]
    return sorted(found, key=_order, reverse=True)


def read(folder: Path, name: str) -> Caught | None:
    """One mail by its key; None when there is none, or when the key is not one."""
    if not _NAME.fullmatch(name):
        return None
    for part in ("new", "cur"):
        path = folder / part / name
        if path.is_file():
            with path.open("rb") as file:
                return _caught(name, file.read(LARGEST))
    return None


def _order(name: str) -> tuple[int, int, str]:
    match = _NAME.fullmatch(name)
    return (int(match[1]), int(match[2]), name) if match else (0, 0, name)


def _caught(name: str, content: bytes) -> Caught:
    message = email.message_from_bytes(content, policy=email.policy.default)
    return Caught(
        name=name,
        at=datetime.fromtimestamp(_order(name)[0], tz=UTC),
        subject=str(message.get("Subject", "")),
        sender=str(message.get("From", "")),
        recipient=str(message.get("To", "")),
        headers=[(key, str(value)) for key, value in message.items()],
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    """The text of one form; bytes that are not what they claim are shown as they can be."""
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError):
        return bytes(part.get_payload(decode=True) or b"").decode("utf-8", "replace")
