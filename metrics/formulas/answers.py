"""From what was typed or delivered to valid, coded, counted answers (metrics-spec 1.2-1.4, 3)."""

import math
import numbers
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

VERSION = 1

NPS_LO, NPS_HI = 0, 10
PROMOTER_FROM, PASSIVE_FROM = 9, 7

NO_EXPERIENCE = frozenset(
    {
        "n/a",
        "na",
        "n.a.",
        "not applicable",
        "no experience",
        "不适用",
        "不了解",
        "-",
        "–",
        "—",
        "——",
    }
)
_UNSIGNED = re.compile(r"[0-9]+(?:\.0+)?")
_SIGNED = re.compile(r"-?[0-9]+(?:\.0+)?")

NOT_CLIENTS = frozenset({"test", "preview", "staff", "staff_preview"})
RETRACTION = "retract"


class Status(StrEnum):
    """What became of one typed answer."""

    OK = "ok"
    SKIPPED = "skipped"
    NA = "na"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class Answer:
    """A parsed answer; `value` is null unless the status is ok."""

    status: Status
    value: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Answers of one item by status; `values` are the valid ones in the order given."""

    ok: int
    skipped: int
    na: int
    invalid: int
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Counts:
    """Detractors 0..6, passives 7..8 and promoters 9..10 (metrics-spec 3)."""

    d: int = 0
    s: int = 0
    p: int = 0

    def __post_init__(self) -> None:
        if min(self.d, self.s, self.p) < 0:
            raise ValueError("counts of answers cannot be negative")

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.d + other.d, self.s + other.s, self.p + other.p)

    @property
    def n(self) -> int:
        """Return the number of valid answers."""
        return self.d + self.s + self.p

    @property
    def mean(self) -> float | None:
        """Return the mean of the codes -1/0/+1, in -1..1; null without answers."""
        return (self.p - self.d) / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivered row of the response log: an answer, a retraction or a test."""

    response_id: str
    client_id: str | None
    contact_id: str | None
    submitted_at: datetime
    question: str = "nps"
    survey_type: str = ""
    kind: str = "answer"


def parse(raw: object, *, lo: int = NPS_LO, hi: int = NPS_HI) -> Answer:
    """Return the status of a raw answer and, if ok, its whole value in lo..hi.

    Text is folded by NFKC, trimmed and lower-cased. Null, blank and NaN are skipped; the words
    for "no experience" are na; all else that is not a whole number of the scale is invalid,
    never rounded and never clipped. Source: metrics-spec 1.2.
    """
    if raw is None:
        return Answer(Status.SKIPPED)
    if isinstance(raw, str):
        return _parse_text(raw, lo, hi)
    if isinstance(raw, bool) or not isinstance(raw, (numbers.Real, Decimal)):
        return Answer(Status.INVALID)
    number = raw if isinstance(raw, (int, float, Decimal)) else float(raw)
    if number != number:  # only NaN differs from itself
        return Answer(Status.SKIPPED)
    whole = lo <= number <= hi and number == math.floor(number)
    return Answer(Status.OK, math.floor(number)) if whole else Answer(Status.INVALID)


def _parse_text(raw: str, lo: int, hi: int) -> Answer:
    text = unicodedata.normalize("NFKC", raw).strip().lower()
    if not text:
        return Answer(Status.SKIPPED)
    if text in NO_EXPERIENCE:
        return Answer(Status.NA)
    pattern = _SIGNED if lo < 0 else _UNSIGNED
    if not pattern.fullmatch(text):
        return Answer(Status.INVALID)
    value = int(Decimal(text))
    return Answer(Status.OK, value) if lo <= value <= hi else Answer(Status.INVALID)


def tally(raws: Iterable[object], *, lo: int = NPS_LO, hi: int = NPS_HI) -> Tally:
    """Return how many answers of an item have each status, and the valid values.

    Counts are answers, 0 and up; an empty input gives zeros. Source: metrics-spec 1.2.
    """
    parsed = [parse(raw, lo=lo, hi=hi) for raw in raws]
    by_status = {status: sum(a.status is status for a in parsed) for status in Status}
    return Tally(
        ok=by_status[Status.OK],
        skipped=by_status[Status.SKIPPED],
        na=by_status[Status.NA],
        invalid=by_status[Status.INVALID],
        values=tuple(a.value for a in parsed if a.value is not None),
    )


def valid(raws: Iterable[object], *, lo: int = NPS_LO, hi: int = NPS_HI) -> list[int]:
    """Return the valid values of an item, in the order given (metrics-spec 1.2)."""
    return list(tally(raws, lo=lo, hi=hi).values)


def finite(values: Iterable[float | None]) -> list[float]:
    """Return the numbers that are there: null, NaN and infinities are left out."""
    return [float(x) for x in values if x is not None and math.isfinite(x)]


def reverse(x: float | None, *, lo: float, hi: float) -> float | None:
    """Return lo + hi - x, the score of a reversed item, in lo..hi.

    Null if x is missing or off the scale. Source: metrics-spec 1.3.
    """
    return None if x is None or not lo <= x <= hi else lo + hi - x


def rescale(x: float | None, *, lo: float, hi: float) -> float | None:
    """Return 100 (x - lo)/(hi - lo), in 0..100; reverse before rescaling.

    Null if x is missing or off the scale, or if the scale has no width. Source:
    metrics-spec 1.3.
    """
    if x is None or hi <= lo or not lo <= x <= hi:
        return None
    return 100.0 * (x - lo) / (hi - lo)


def code(score: int) -> int:
    """Return -1 for 0..6, 0 for 7..8 and +1 for 9..10 (metrics-spec 3.2)."""
    if score >= PROMOTER_FROM:
        return 1
    return 0 if score >= PASSIVE_FROM else -1


def codes(raws: Iterable[object]) -> list[int | None]:
    """Return the code of each raw recommend answer; null where it is not valid."""
    parsed = (parse(raw) for raw in raws)
    return [None if a.value is None else code(a.value) for a in parsed]


def count(raws: Iterable[object]) -> Counts:
    """Return D, S and P over the valid recommend answers (metrics-spec 3).

    Skipped, "no experience" and invalid answers are in none of the three.
    """
    found = codes(raws)
    return Counts(d=found.count(-1), s=found.count(0), p=found.count(1))


def dedupe(
    rows: Sequence[Delivery], *, policy: Literal["last", "first"] = "last"
) -> list[Delivery]:
    """Return the rows that count, one per contact, client, survey type and item, by id.

    The rows are those of one period. A response id delivered twice is one answer, a retracted
    id is gone for good in whatever order the rows came, tests and previews never count. Of the
    answers of one contact the last instant wins (or the first), on a tie the larger (smaller)
    id; a response without a contact is its own contact. Raises ValueError on a naive timestamp
    or an unknown policy. Source: metrics-spec 1.4.
    """
    if policy not in ("last", "first"):
        raise ValueError(f"unknown policy {policy!r}")
    if any(row.submitted_at.utcoffset() is None for row in rows):
        raise ValueError("submitted_at needs an offset")
    chosen: dict[tuple[object, ...], Delivery] = {}
    for row in _standing(rows):
        held = chosen.setdefault(_unit(row), row)
        later = (row.submitted_at, row.response_id) > (held.submitted_at, held.response_id)
        if row is not held and later == (policy == "last"):
            chosen[_unit(row)] = row
    return sorted(chosen.values(), key=lambda row: row.response_id)


def _standing(rows: Sequence[Delivery]) -> Iterable[Delivery]:
    retracted = {row.response_id for row in rows if row.kind == RETRACTION}
    first: dict[str, Delivery] = {}
    for row in rows:
        if row.kind not in NOT_CLIENTS and row.response_id not in retracted:
            first.setdefault(row.response_id, row)
    return first.values()


def _unit(row: Delivery) -> tuple[object, ...]:
    contact = (row.contact_id,) if row.contact_id else ("", row.response_id)
    return (row.survey_type, row.question, row.client_id, *contact)
