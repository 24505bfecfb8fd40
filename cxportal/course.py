"""Answers over time: one column a day, or a week where the days are too many."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

MOST_DAYS = 62
LEFT, RIGHT, TOP, BASE = 34.0, 636.0, 14.0, 172.0
WEEK = 7


@dataclass(frozen=True)
class Column:
    """The answers from one day on, and those since the beginning."""

    first: date
    last: date
    count: int
    total: int
    x: float
    y: float
    width: float
    height: float
    named: bool

    @property
    def middle(self) -> float:
        """Where its label stands."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True)
class Course:
    """The columns, the marks of the axis, and where the reminder went out."""

    columns: list[Column]
    ticks: list[tuple[float, int]]
    weekly: bool
    reminder: float | None

    @property
    def answers(self) -> int:
        """All answers there are."""
        return self.columns[-1].total


def course(
    answers: Mapping[date, int], *, first: date, last: date, reminder: date | None
) -> Course:
    """Lay the days from the first mail to the last day out; a day without answers is a zero."""
    weekly = (last - first).days >= MOST_DAYS
    step = WEEK if weekly else 1
    days = (max(last, first) - first).days + 1
    number = -(-days // step)
    counts = [0] * number
    for day, count in answers.items():
        counts[min(max((day - first).days // step, 0), number - 1)] += count
    highest = _round_up(max([*counts, 1]))
    wide = (RIGHT - LEFT) / number
    apart = -(-number // 8)
    columns, total = [], 0
    for place, count in enumerate(counts):
        total += count
        height = (BASE - TOP) * count / highest
        starts = first + timedelta(days=place * step)
        columns.append(
            Column(
                first=starts,
                last=min(starts + timedelta(days=step - 1), max(last, first)),
                count=count,
                total=total,
                x=round(LEFT + place * wide + wide * 0.12, 1),
                y=round(BASE - height, 1),
                width=round(wide * 0.76, 1),
                height=round(height, 1),
                named=place % apart == 0,
            )
        )
    ticks = [
        (round(BASE - (BASE - TOP) * value / highest, 1), value)
        for value in sorted({0, highest // 2, highest} if highest > 1 else {0, 1})
    ]
    return Course(columns, ticks, weekly, _place(reminder, first, step, number, wide))


def _place(day: date | None, first: date, step: int, number: int, wide: float) -> float | None:
    """The left edge of the column in which the day lies."""
    if day is None or day < first:
        return None
    place = (day - first).days // step
    return round(LEFT + place * wide, 1) if place < number else None


def _round_up(value: int) -> int:
    """The next round number, so that the marks of the axis are whole."""
    size = 1
    while True:
        for lead in (1, 2, 4, 6, 10):
            if lead * size >= value:
                return lead * size
        size *= 10
