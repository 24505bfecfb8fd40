"""Axes, whiskers and lines of the indicator pages, in the unit of the metric."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor

from metrics import wording
from metrics.comparing import Course
from metrics.queries import Figure


@dataclass(frozen=True)
class Tick:
    """One mark of an axis with its words."""

    at: float
    text: str


class Axis:
    """A scale in the unit of a metric; widened in whole steps until every end lies on it."""

    def __init__(self, metric: str, values: Iterable[float | None]) -> None:
        unit = wording.unit(metric)
        floor_, ceiling = unit.axis
        known = [value for value in values if value is not None] or [floor_, ceiling]
        step = unit.step
        self.low = max(floor_, step * floor(min(known) / step))
        self.high = min(ceiling, step * ceil(max(known) / step))
        if self.high <= self.low:
            self.low, self.high = max(floor_, self.low - step), min(ceiling, self.high + step)
        self._step, self._write = step, unit.value

    def place(self, value: float, start: float, end: float) -> float:
        """Where a value lies between two coordinates."""
        part = (value - self.low) / (self.high - self.low)
        return round(start + min(max(part, 0.0), 1.0) * (end - start), 1)

    def ticks(self, start: float, end: float) -> list[Tick]:
        """The marks, one a step, at most seven."""
        count = round((self.high - self.low) / self._step)
        apart = max(1, ceil(count / 6))
        marks = [self.low + self._step * i for i in range(0, count + 1, apart)]
        return [Tick(self.place(mark, start, end), self._text(mark)) for mark in marks]

    def _text(self, mark: float) -> str:
        return self._write(mark, 0) if self._write.__name__ != "_one_digit" else f"{mark:g}"


LEFT, RIGHT, ROW, HEAD = 190, 700, 30, 26


@dataclass(frozen=True)
class Whisker:
    """One row of the interval chart; without a value only its words."""

    y: float
    text_y: float
    label: str
    at: float | None = None
    low: float = 0.0
    width: float = 0.0


@dataclass(frozen=True)
class Intervals:
    """Dots with their intervals on one axis."""

    height: int
    ticks: list[Tick]
    rows: list[Whisker]
    reference: float | None


def intervals(rows: Sequence[tuple[str, Figure]], whole: Figure) -> Intervals:
    """The slices one under the other, the whole as a dashed line."""
    ends = [end for _label, fig in rows for end in (fig.value, fig.low, fig.high)]
    axis = Axis(whole.metric, [*ends, whole.value])
    drawn = []
    for number, (label, fig) in enumerate(rows):
        y = HEAD + ROW * number + ROW / 2
        drawn.append(_whisker(label, fig, axis, y))
    reference = None if whole.value is None else axis.place(whole.value, LEFT, RIGHT)
    return Intervals(HEAD + ROW * len(rows) + 6, axis.ticks(LEFT, RIGHT), drawn, reference)


def _whisker(label: str, fig: Figure, axis: Axis, y: float) -> Whisker:
    name = label if len(label) <= 24 else f"{label[:23]}…"
    if fig.value is None:
        return Whisker(y, y + 4, name)
    at = axis.place(fig.value, LEFT, RIGHT)
    low = at if fig.low is None else axis.place(fig.low, LEFT, RIGHT)
    high = at if fig.high is None else axis.place(fig.high, LEFT, RIGHT)
    return Whisker(y, y + 4, name, at, low, round(high - low, 1))


WIDE, TOP, BASE, FIRST, LAST = 760, 24, 230, 70, 720


@dataclass(frozen=True)
class Point:
    """One period of the trend."""

    x: float
    label: str
    y: float | None
    low: float | None
    high: float | None
    open: bool
    signal: bool


@dataclass(frozen=True)
class Trend:
    """Disjoint periods with their intervals; a gap breaks the line."""

    ticks: list[Tick]
    points: list[Point]
    lines: list[str]
    mean: float | None
    limits: list[float]


def trend(course: Course) -> Trend:
    """A dot with its interval for each period; the control chart's mean and limits."""
    figures, chart = course.figures, course.control
    edges = [chart.mean, chart.lower, chart.upper] if chart else []
    ends = [end for fig in figures for end in (fig.value, fig.low, fig.high)]
    axis = Axis(figures[0].metric, [*ends, *edges])
    step = (LAST - FIRST) / max(len(figures) - 1, 1)

    def y(value: float | None) -> float | None:
        return None if value is None else axis.place(value, BASE, TOP)

    points = [
        Point(
            round(FIRST + step * number, 1),
            fig.period,
            y(fig.value),
            y(fig.low),
            y(fig.high),
            open=fig.period == course.running,
            signal=chart is not None and fig.period in chart.signals,
        )
        for number, fig in enumerate(figures)
    ]
    limits = [axis.place(end, BASE, TOP) for end in (chart.lower, chart.upper)] if chart else []
    mean = axis.place(chart.mean, BASE, TOP) if chart else None
    return Trend(axis.ticks(BASE, TOP), points, _lines(points), mean, limits)


def _lines(points: Sequence[Point]) -> list[str]:
    """Stretches of periods that follow each other and have a figure."""
    runs: list[list[Point]] = [[]]
    for point in points:
        if point.y is None:
            runs.append([])
        else:
            runs[-1].append(point)
    return [" ".join(f"{p.x},{p.y}" for p in run) for run in runs if len(run) > 1]
