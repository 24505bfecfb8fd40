"""The form of a mail: the parts of a body text, and the MIME message cut at its places.

Quoted-printable is used throughout, since it can be joined from pieces: a soft line break
before and after each value keeps every line short, whatever the value is.
"""

import base64
import quopri
import re
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Self

from django.utils.html import escape
from django.utils.translation import gettext as _

PLACE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")
LINK, OPT_OUT, PRIVACY = "{{survey_link}}", "{{opt_out_link}}", "{{privacy_link}}"
# Begins with its own line break, so that without a manager no empty line is left.
SENDER_LINE = "{{sender_line}}"
SOFT = b"=\n"
CHUNK = 42

_MARKUP = re.compile(r"[&<>\"']")
# Short and without a blank or an equals sign, as links are: quoted, it is the same.
_SAME = re.compile(r"[!-<>-~]{1,120}")

Piece = bytes | str  # bytes stand as they are; a str names a place


@dataclass(frozen=True)
class Line:
    """A line of the footer: a text, or the label of a link and the place of its address."""

    text: str
    place: str = ""


@dataclass(frozen=True)
class Parts:
    """A body text by its parts: the lead, the line before the link, signature and footer."""

    lead: list[list[str]]
    when: str
    signature: list[str]
    footer: list[Line]


def parts(body: str) -> Parts:
    """Take a body text apart; the two links it must have are added where they are missing."""
    text = PLACE.sub(r"{{\1}}", body.replace("\r\n", "\n").replace("\r", "\n"))
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    at_link = _index(blocks, LINK, len(blocks))
    at_foot = _index(blocks, OPT_OUT, len(blocks))
    lead = blocks[: min(at_link, at_foot)]
    when = blocks[at_link] if at_link < min(at_foot, len(blocks)) else []
    signature = [line for block in blocks[at_link + 1 : at_foot] for line in block]
    footer = [line for block in blocks[at_foot:] for line in block if line.strip()]
    if at_foot == len(blocks):
        footer = [_("No more survey mail") + OPT_OUT]
    footer.insert(1, _("Whether and how you answer has no effect on credit decisions."))
    return Parts(
        lead=[[line for line in block if LINK not in line] for block in lead],
        when=" ".join(line.replace(LINK, "") for line in when).strip(" ：:"),
        signature=signature,
        footer=[_line(line) for line in footer],
    )


def plain(parts: Parts, language: str) -> str:
    """The text part: the same words and order, one survey link and one opt-out link."""
    colon = "：" if language == "zh" else ": "
    blocks = ["\n".join(block) for block in parts.lead]
    blocks.append(f"{parts.when}{colon.rstrip()}\n{LINK}" if parts.when else LINK)
    blocks.append("\n".join(parts.signature) + SENDER_LINE)
    footer = [line.text + (colon + line.place if line.place else "") for line in parts.footer]
    blocks.append("\n".join(footer))
    return "\n\n".join(blocks) + "\n"


@dataclass(frozen=True)
class Form:
    """A message in pieces, and the names of the values it needs."""

    subject: tuple[Piece, ...]
    body: tuple[tuple[Piece, bool], ...]
    names: frozenset[str]

    @classmethod
    def cut(cls, subject: str, text: str, html: str, known: Collection[str]) -> Self:
        """Encode the static parts and remember the places; an unknown `{{name}}` stays text."""
        edge = f"=_{secrets.token_hex(12)}"
        body: list[tuple[Piece, bool]] = [(_opening(edge, "plain", first=True), False)]
        body += [(piece, False) for piece in _pieces(text, known, quoted)]
        body.append((_opening(edge, "html", first=False), False))
        body += [(piece, True) for piece in _pieces(html, known, quoted)]
        body.append((f"\n--{edge}--\n".encode(), False))
        head = tuple(_pieces(" ".join(subject.split()), known, lambda part: word(part).encode()))
        names = {piece for piece in head if isinstance(piece, str)}
        names |= {piece for piece, _html in body if isinstance(piece, str)}
        return cls(head, tuple(body), frozenset(names))

    def fill(self, heads: Sequence[tuple[str, str]], words: Mapping[str, str]) -> bytes:
        """Join the message for one person; each value is encoded once, however often it stands."""
        top = "".join([f"{name}: {value}\n" for name, value in heads])
        body: list[Any] = [*self.pieces]
        plain = {name: _value(words[name]) for name in self.names}
        html = {name: _html_value(words[name]) for name in self.names}
        for place, name, is_html in self.places:
            body[place] = html[name] if is_html else plain[name]
        subject = b"\n ".join(self._subject(words))
        return b"".join([top.encode(), b"Subject: ", subject, b"\n", *body])

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The body as it stands, with the names where values go."""
        return tuple(piece for piece, _html in self.body)

    @cached_property
    def places(self) -> list[tuple[int, str, bool]]:
        """Where in the body a name stands."""
        return [
            (number, piece, is_html)
            for number, (piece, is_html) in enumerate(self.body)
            if isinstance(piece, str)
        ]

    def _subject(self, words: Mapping[str, str]) -> list[bytes]:
        """Encoded words only: between two of them a fold adds no blank."""
        return [
            piece if isinstance(piece, bytes) else _word(words[piece]) for piece in self.subject
        ]


def word(text: str) -> str:
    """Header text as encoded words of UTF-8, folded; each holds whole characters."""
    chunks, current = [], b""
    for character in text:
        data = character.encode("utf-8", "replace")
        if len(current) + len(data) > CHUNK:
            chunks.append(current)
            current = b""
        current += data
    chunks.append(current)
    return "\n ".join(f"=?utf-8?b?{base64.b64encode(chunk).decode()}?=" for chunk in chunks)


def quoted(text: str) -> bytes:
    """Quoted-printable; the transport makes its own line ends."""
    data = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")
    return b"\n".join([quopri.encodestring(line) for line in data.split(b"\n")])


@lru_cache(maxsize=4096)
def _word(text: str) -> bytes:
    return word(" ".join(text.split())).encode()


@lru_cache(maxsize=4096)
def _value(text: str) -> bytes:
    """A value between soft line breaks: it joins with what stands before and after it."""
    same = _SAME.fullmatch(text)
    return SOFT + (text.encode() if same else quoted(text)) + SOFT


@lru_cache(maxsize=4096)
def _html_value(text: str) -> bytes:
    return _value(escape(text) if _MARKUP.search(text) else text)


def _pieces(text: str, known: Collection[str], encode: Callable[[str], bytes]) -> list[Piece]:
    found: list[Piece] = []
    done = 0
    for match in PLACE.finditer(text):
        if match[1] not in known:
            continue
        if match.start() > done:
            found.append(encode(text[done : match.start()]))
        found.append(match[1])
        done = match.end()
    if done < len(text):
        found.append(encode(text[done:]))
    return found


def _opening(edge: str, kind: str, *, first: bool) -> bytes:
    lines = []
    if first:
        lines += ["MIME-Version: 1.0", f'Content-Type: multipart/alternative; boundary="{edge}"']
    lines += ["", f"--{edge}", f'Content-Type: text/{kind}; charset="utf-8"']
    lines += ["Content-Transfer-Encoding: quoted-printable", "", ""]
    return "\n".join(lines).encode()


def _index(blocks: list[list[str]], place: str, default: int) -> int:
    for number, block in enumerate(blocks):
        if any(place in line for line in block):
            return number
    return default


def _line(line: str) -> Line:
    """A line that ends in a link becomes its label and the place of the address."""
    for place in (OPT_OUT, PRIVACY):
        if place in line:
            return Line(line.replace(place, "").strip(" ：:"), place)
    return Line(line)
