"""From replies to sums: one bucket per client and period, many buckets in one pool.

Of the answers of one person to one item the last in the period counts. A pool keeps sums only,
so that it is as small for a bank as for a team.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from metrics.facts.replies import COMPOSITE, DIMENSIONS, NPS, Reply
from metrics.facts.requests import Request
from metrics.formulas import scores
from metrics.formulas.parameters import DEFAULT

K = TypeVar("K", bound=Hashable)
ITEMS = (NPS, *DIMENSIONS, COMPOSITE)
_TOP_FROM = DEFAULT.csat.hi - 1


@dataclass(slots=True)
class Bucket:
    """What counts of one client in one period: by item, the last value of each person."""

    client: int
    held: dict[str, dict[object, tuple[float, bool]]] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    label: scores.Label | None = None

    def values(self, item: str) -> list[float]:
        """The values of an item, one per person."""
        return [value for value, _open in self.held.get(item, {}).values()]

    def attributable(self) -> list[float]:
        """The recommend scores whose givers agreed to be named to the relationship team."""
        return [value for value, open_ in self.held.get(NPS, {}).values() if open_]


def sort(
    client: int,
    replies: Iterable[Reply],
    requests: Iterable[Request],
    keys_of: Callable[[Reply | Request], Iterable[K]],
) -> dict[K, Bucket]:
    """The buckets of one client; replies come in order of time, so the last one stands."""
    found: dict[K, Bucket] = {}
    for reply in replies:
        for key in keys_of(reply):
            held = found.setdefault(key, Bucket(client)).held
            for item, value in reply.values.items():
                held.setdefault(item, {})[reply.person] = (value, reply.attributable)
    for request in requests:
        for key in keys_of(request):
            found.setdefault(key, Bucket(client)).outcomes[request.outcome] += 1
    for bucket in found.values():
        mean = scores.client_mean((value, None) for value in bucket.values(NPS))
        bucket.label = scores.client_label(mean)
    return found


@dataclass(slots=True)
class Tally:
    """The base of one item: answers, clients, the most of one client, clients not eligible.

    `closed` counts the answers that were not promised to the relationship team.
    """

    n: int = 0
    clients: int = 0
    most: int = 0
    outside: int = 0
    closed: int = 0

    def merge(self, other: "Tally") -> None:
        """Add the base of other clients."""
        self.n += other.n
        self.clients += other.clients
        self.most = max(self.most, other.most)
        self.outside += other.outside
        self.closed += other.closed


@dataclass(slots=True)
class Pool:
    """The sums of many clients, each of them taken in once."""

    histogram: list[int] = field(default_factory=lambda: [0] * 11)
    votes: Counter[str] = field(default_factory=Counter)
    tallies: dict[str, Tally] = field(default_factory=lambda: {item: Tally() for item in ITEMS})
    top: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    composites: list[tuple[int, float]] = field(default_factory=list)
    attributable: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    invited: int = 0
    usable: int = 0

    def add(self, bucket: Bucket, *, eligible: bool) -> None:
        """Take in one client; `eligible` says whether it belongs to the base of coverage."""
        for item, held in bucket.held.items():
            self._count(item, bucket.values(item), eligible=eligible)
            self.tallies[item].closed += sum(not open_ for _value, open_ in held.values())
        self._vote(bucket)
        self.composites += [(bucket.client, value) for value in bucket.values(COMPOSITE)]
        self.attributable += bucket.attributable()
        if bucket.outcomes:
            self.outcomes += bucket.outcomes
            self.invited += 1
            self.usable += bool(bucket.outcomes["i"] + bucket.outcomes["p"])

    def merge(self, other: "Pool") -> None:
        """Take in the clients of another pool, which holds none of this one's."""
        self.histogram = [a + b for a, b in zip(self.histogram, other.histogram, strict=True)]
        for item, tally in self.tallies.items():
            tally.merge(other.tallies[item])
        for mine, theirs in (
            (self.votes, other.votes),
            (self.top, other.top),
            (self.total, other.total),
            (self.outcomes, other.outcomes),
        ):
            mine.update(theirs)
        self.composites += other.composites
        self.attributable += other.attributable
        self.invited += other.invited
        self.usable += other.usable

    def _count(self, item: str, values: list[float], *, eligible: bool) -> None:
        tally = self.tallies[item]
        tally.n += len(values)
        tally.clients += 1
        tally.most = max(tally.most, len(values))
        tally.outside += not eligible
        if item in DIMENSIONS:
            self.top[item] += sum(value >= _TOP_FROM for value in values)
            self.total[item] += int(sum(values))

    def _vote(self, bucket: Bucket) -> None:
        for value in bucket.values(NPS):
            self.histogram[int(value)] += 1
        if bucket.label is not None:
            self.votes[bucket.label] += 1
