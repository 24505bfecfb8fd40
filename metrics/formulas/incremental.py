"""Figures kept up event by event, equal to a full recomputation (metrics-spec 14)."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from metrics.formulas import answers
from metrics.formulas.answers import Counts

VERSION = 1

Kind = Literal["add", "replace", "retract"]

_NO_COUNTS = Counts()
_CLASSES = {-1: Counts(d=1), 0: Counts(s=1), 1: Counts(p=1), None: _NO_COUNTS}


class Running:
    """D, S and P of one period, segment and client, kept up by response id in constant time.

    Merging two that share no id is adding their counts.
    """

    def __init__(self) -> None:
        self._held: dict[str, Counts] = {}
        self._gone: set[str] = set()
        self._d = self._s = self._p = 0

    @property
    def counts(self) -> Counts:
        """Return the counts of what stands, answers of 0 and up."""
        return Counts(self._d, self._s, self._p)

    def add(self, response_id: str, raw: object) -> None:
        """Count an answer; the same id again, or one retracted before, has no effect (1.4)."""
        if response_id not in self._held:
            self.replace(response_id, raw)

    def replace(self, response_id: str, raw: object) -> None:
        """Put an answer in place of the one held under the id; none of a retracted id."""
        if response_id not in self._gone:
            self._put(response_id, _CLASSES[answers.codes([raw])[0]])

    def retract(self, response_id: str) -> None:
        """Take an id out for good, even if its answer has yet to come."""
        self._put(response_id, _NO_COUNTS)
        self._gone.add(response_id)

    def _put(self, response_id: str, new: Counts) -> None:
        old = self._held.get(response_id, _NO_COUNTS)
        self._held[response_id] = new
        self._d += new.d - old.d
        self._s += new.s - old.s
        self._p += new.p - old.p


def replay(events: Iterable[Sequence[object]]) -> Counts:
    """Return the counts after a log of ("add" or "replace", id, raw) and ("retract", id).

    Replaying it twice, or events of different ids in another order, changes nothing. An answer
    that is not valid holds its id and counts nothing. ValueError for another kind. Source:
    metrics-spec 14.1.
    """
    running = Running()
    for kind, response_id, *raw in events:
        if kind == "retract":
            running.retract(str(response_id))
        elif kind == "add":
            running.add(str(response_id), *raw)
        elif kind == "replace":
            running.replace(str(response_id), *raw)
        else:
            raise ValueError(f"unknown kind of event {kind!r}")
    return running.counts


@dataclass(frozen=True, slots=True)
class Moments:
    """How many values, their mean, and the sum of squares about it (their unit, squared)."""

    n: int = 0
    mean: float = 0.0
    m2: float = 0.0

    def __post_init__(self) -> None:
        if self.n < 0 or self.m2 < 0:
            raise ValueError("a number of values and a sum of squares must be 0 or more")

    def variance(self, *, ddof: int = 1) -> float | None:
        """Return m2/(n - ddof), 0 and up; null unless n > ddof."""
        return self.m2 / (self.n - ddof) if self.n > ddof else None


def moments(values: Iterable[float | None]) -> Moments:
    """Return the moments of the values that are there (metrics-spec 14.2)."""
    kept = answers.finite(values)
    if not kept:
        return Moments()
    mean = math.fsum(kept) / len(kept)
    return Moments(len(kept), mean, math.fsum((x - mean) ** 2 for x in kept))


def welford_merge(a: Moments, b: Moments) -> Moments:
    """Return the moments of two buckets together, by Chan's formula; an empty one is neutral.

    After a retraction a bucket is computed anew: there is no way back. Source: metrics-spec
    14.2.
    """
    if a.n == 0 or b.n == 0:
        return b if a.n == 0 else a
    n = a.n + b.n
    delta = b.mean - a.mean
    return Moments(
        n=n,
        mean=(a.n * a.mean + b.n * b.mean) / n,
        m2=a.m2 + b.m2 + delta * delta * a.n * b.n / n,
    )
