"""Chance that is the same on every machine: each object draws from a stream of its own."""

import hashlib
import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """What is to be generated: how much, from which seed, as of which day."""

    size: str
    seed: int
    as_of: date
    # Added to the score stream alone when a planted truth missed its tolerance.
    suffix: str = ""

    @property
    def numbers(self) -> "Numbers":
        """The counts of this size."""
        return SIZES[self.size]

    def stream(self, kind: str, ordinal: int | str) -> Random:
        """The stream of one object; never `hash()`, the clock or the order of a set."""
        digest = _digest(f"{self.seed}/{kind}/{ordinal}")
        return Random(int.from_bytes(digest, "big"))  # noqa: S311 - invented data, no secret

    def scores(self, ordinal: int | str) -> Random:
        """The stream of the scores: the only one that is redrawn."""
        return self.stream(f"score{self.suffix}", ordinal)

    def uuid(self, kind: str, ordinal: int | str) -> uuid.UUID:
        """A number that is the same at each run."""
        return uuid.UUID(bytes=_digest(f"{self.seed}/uuid/{kind}/{ordinal}"), version=4)

    @property
    def now(self) -> datetime:
        """10:00 of the as-of day in Shanghai: nothing generated is later."""
        return instant(self.as_of, time(10, 0))


@dataclass(frozen=True)
class Numbers:
    """The counts of one size."""

    clients: int
    projects: int
    managers: int
    zeros: int


SIZES = {
    "small": Numbers(clients=120, projects=8, managers=12, zeros=3),
    "medium": Numbers(clients=5_000, projects=300, managers=160, zeros=60),
    "large": Numbers(clients=100_000, projects=4_000, managers=2_400, zeros=1_200),
}


def instant(day: date, at: time) -> datetime:
    """A local time of Shanghai as an aware instant."""
    return datetime.combine(day, at, tzinfo=ZONE)


def office_time(dice: Random, day: date) -> datetime:
    """An instant in the office hours of a day."""
    hour = dice.choice((9, 10, 10, 11, 14, 14, 15, 16, 17))
    return instant(day, time(hour, dice.randrange(60), dice.randrange(60)))


def send_time(dice: Random, day: date) -> datetime:
    """An instant at which mail may leave: 09:30 to 11:00 or 14:30 to 16:30."""
    minute = dice.randrange(9 * 60 + 30, 12 * 60 + 59)
    minute += 0 if minute < 11 * 60 else 3 * 60 + 30
    return instant(day, time(minute // 60, minute % 60, dice.randrange(60)))


def weighted(dice: Random, choices: Sequence[tuple[T, float]]) -> T:
    """One of several things by their weights."""
    mark = dice.random() * sum(weight for _thing, weight in choices)
    for thing, weight in choices:
        mark -= weight
        if mark < 0:
            return thing
    return choices[-1][0]


def poisson(dice: Random, mean: float) -> int:
    """A count by Knuth's method; the means here are small."""
    limit, count, product = math.exp(-mean), 0, dice.random()
    while product > limit:
        count += 1
        product *= dice.random()
    return count


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
