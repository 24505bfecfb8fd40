"""Geometry of the charts: numbers in, coordinates out; the templates draw them as SVG."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor

GROUPS = (("d", 0, 6), ("n", 7, 8), ("p", 9, 10))
STEP = 20


@dataclass(frozen=True)
class Domain:
    """The ends of the score axis, shared by every chart of one page."""

    low: int = -20
    high: int = 80

    def ticks(self) -> list[int]:
        """The marks of the axis, every twenty points."""
        return list(range(self.low, self.high + 1, STEP))

    def scale(self, value: float, start: float, end: float) -> float:
        """Where a value lies between two coordinates."""
        part = (value - self.low) / (self.high - self.low)
        return round(start + part * (end - start), 1)


def domain(values: Iterable[float | None]) -> Domain:
    """The usual axis, widened in steps of twenty until every value lies on it."""
    known = [value for value in values if value is not None]
    low = min([-20, *(STEP * floor(value / STEP) for value in known)])
    high = max([80, *(STEP * ceil(value / STEP) for value in known)])
    return Domain(max(low, -100), min(high, 100))


@dataclass(frozen=True)
class Tick:
    """One mark of an axis."""

    x: float
    value: int
    anchor: str = "middle"
    named: bool = True


@dataclass(frozen=True)
class Axis:
    """A score with its interval on a line."""

    ticks: list[Tick]
    at: float
    low: float
    high: float
    width: float
    before: float | None = None


def axis(
    value: float,
    low: float,
    high: float,
    on: Domain,
    *,
    before: float | None = None,
    width: int = 520,
) -> Axis:
    """The hero's axis with dot and whisker, and a triangle for the period before."""
    start, end = 8, width - 8
    marks = on.ticks()
    ticks = [
        Tick(
            on.scale(mark, start, end),
            mark,
            "start" if mark == marks[0] else "end" if mark == marks[-1] else "middle",
        )
        for mark in marks
    ]
    left, right = on.scale(low, start, end), on.scale(high, start, end)
    return Axis(
        ticks,
        on.scale(value, start, end),
        left,
        right,
        round(right - left, 1),
        None if before is None else on.scale(before, start, end),
    )


@dataclass(frozen=True)
class Whisker:
    """One team's score on the shared axis."""

    ticks: list[Tick]
    at: float
    low: float
    width: float
    reference: float | None


def whisker(
    value: float, low: float, high: float, on: Domain, *, reference: float | None
) -> Whisker:
    """A row of the team table: dot, interval, and the whole as a dashed line."""
    start, end = 10, 156
    left, right = on.scale(low, start, end), on.scale(high, start, end)
    return Whisker(
        whisker_ticks(on),
        on.scale(value, start, end),
        left,
        round(right - left, 1),
        None if reference is None else on.scale(reference, start, end),
    )


def whisker_ticks(on: Domain) -> list[Tick]:
    """The marks of the team table; on a wide axis only every second has room for its number."""
    marks = on.ticks()
    apart = 1 if len(marks) <= 6 else 2
    return [
        Tick(on.scale(mark, 10, 156), mark, named=mark % (STEP * apart) == 0) for mark in marks
    ]


@dataclass(frozen=True)
class Part:
    """One group of the stacked bar."""

    group: str
    x: float
    width: float
    middle: float
    label_x: float
    anchor: str
    count: int
    share: float
    roomy: bool


def stacked(counts: Sequence[int], *, width: int = 520) -> list[Part]:
    """Detractors, passives, promoters from left to right; a share inside where there is room."""
    total = sum(counts)
    if not total:
        return []
    gap, x, parts = 2, 0.0, []
    room = width - 2 * gap
    for (group, *_), anchor, count in zip(GROUPS, ("start", "middle", "end"), counts, strict=True):
        wide = room * count / total
        middle = x + wide / 2
        # The middle words must not run into those of its neighbours.
        label = {"start": 0.0, "middle": min(max(middle, 160), width - 170), "end": width}[anchor]
        parts.append(
            Part(
                group,
                round(x, 1),
                round(wide, 1),
                round(middle, 1),
                round(label, 1),
                anchor,
                count,
                count / total,
                count / total >= 0.08,
            )
        )
        x += wide + gap
    return parts


@dataclass(frozen=True)
class Column:
    """One score of the histogram."""

    score: int
    group: str
    count: int
    x: float
    middle: float
    y: float
    height: float
    width: float
    label_y: float


@dataclass(frozen=True)
class Bracket:
    """The name of a score group under its columns."""

    group: str
    first: int
    last: int
    count: int
    x: float
    width: float
    label_x: float
    anchor: str


@dataclass(frozen=True)
class Histogram:
    """Answers by score from 0 to 10."""

    columns: list[Column]
    brackets: list[Bracket]


def histogram(counts: Sequence[int]) -> Histogram:
    """Counts on columns; a zero keeps a stub so that it reads as zero."""
    left, base, top, step = 4, 252, 34, 332 / 11
    highest = max(counts) or 1
    columns = []
    for score, count in enumerate(counts):
        height = (base - top) * count / highest
        x = left + score * step
        group = next(name for name, low, high in GROUPS if low <= score <= high)
        columns.append(
            Column(
                score,
                group,
                count,
                round(x + 2.5, 1),
                round(x + step / 2, 1),
                round(base - max(height, 1.5), 1),
                round(max(height, 1.5), 1),
                round(step - 5, 1),
                round(base - height - 7, 1),
            )
        )
    brackets = []
    for group, low, high in GROUPS:
        x1, x2 = left + low * step + 3, left + (high + 1) * step - 3
        brackets.append(
            Bracket(
                group,
                low,
                high,
                sum(counts[low : high + 1]),
                round(x1, 1),
                round(x2 - x1, 1),
                # The last words end with their bracket: large counts would run into the others.
                round(x2 if group == "p" else (x1 + x2) / 2, 1),
                "end" if group == "p" else "middle",
            )
        )
    return Histogram(columns, brackets)


@dataclass(frozen=True)
class Mark:
    """One rating of one person on the time axis; no score means asked without an answer."""

    score: int | None
    group: str
    x: float
    left: float
    radius: int


def mark(score: int | None, part: float) -> Mark:
    """Circle for promoters, rounded for passives, square for detractors, dashed for silence."""
    x = 146 + max(0.0, min(part, 1.0)) * (662 - 146)
    group = (
        "" if score is None else next(name for name, low, high in GROUPS if low <= score <= high)
    )
    radius = {"p": 13, "n": 8, "d": 2, "": 11}[group]
    return Mark(score, group, round(x, 1), round(x - 13, 1), radius)


@dataclass(frozen=True)
class Bar:
    """One week of a small column chart; `away` says that a log recorded nothing in it."""

    x: float
    y: float
    width: float
    height: float
    away: bool


def bars(counts: Sequence[int], away: Sequence[bool], *, width: int = 520) -> list[Bar]:
    """Columns on a scale of their own; a zero keeps a stub so that it reads as zero."""
    base, top, step = 44, 6, width / max(len(counts), 1)
    highest = max([1, *counts])
    drawn = []
    for number, (count, gone) in enumerate(zip(counts, away, strict=True)):
        height = max((base - top) * count / highest, 1.5)
        drawn.append(
            Bar(
                round(number * step + 1.5, 1),
                round(base - height, 1),
                round(step - 3, 1),
                round(height, 1),
                gone,
            )
        )
    return drawn
