"""Sets of answers, small enough to remember and good enough to tell when two nearly agree.

A set is a fixed number of buckets by client: how many answers fell into each, and a mark of
what they were. Sets that differ in few answers differ in few buckets; equal sets in none. The
distance never exceeds the true number of answers by which two sets differ.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BUCKETS = 256
Ints = npt.NDArray[np.int64]
_ONE = np.uint64(0xBF58476D1CE4E5B9)
_TWO = np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Sketch:
    """One set of answers: sizes and marks by bucket."""

    sizes: npt.NDArray[np.int64]
    marks: npt.NDArray[np.uint64]

    def dumped(self) -> bytes:
        """The set as bytes."""
        return self.sizes.tobytes() + self.marks.tobytes()


def loaded(raw: bytes) -> Sketch:
    """The set of these bytes."""
    half = len(raw) // 2
    return Sketch(np.frombuffer(raw[:half], np.int64), np.frombuffer(raw[half:], np.uint64))


def sketch(clients: Ints, n: Ints, content: Ints) -> Sketch:
    """The set of `n` answers of each client; `content` tells, row by row, what they were."""
    held = n > 0
    keys = clients[held].astype(np.uint64)
    where = (_mixed(keys) % np.uint64(BUCKETS)).astype(np.intp)
    sizes = np.zeros(BUCKETS, np.int64)
    np.add.at(sizes, where, n[held])
    mark = keys
    for column in content[held].T:
        mark = _mixed(mark ^ column.astype(np.uint64))
    marks = np.zeros(BUCKETS, np.uint64)
    np.bitwise_xor.at(marks, where, _mixed(mark))
    return Sketch(sizes, marks)


def apart(one: Sketch, other: Sketch) -> int:
    """By how many answers the two sets differ at least; 0 means that they are the same."""
    gap = np.abs(one.sizes - other.sizes)
    # The same number of other answers: at least one went and one came.
    swapped = (one.marks != other.marks) & (gap == 0)
    return int(gap.sum() + 2 * swapped.sum())


def _mixed(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread the bits (splitmix64)."""
    with np.errstate(over="ignore"):
        x = x + _STEP
        x = (x ^ (x >> np.uint64(30))) * _ONE
        x = (x ^ (x >> np.uint64(27))) * _TWO
    return x ^ (x >> np.uint64(31))
