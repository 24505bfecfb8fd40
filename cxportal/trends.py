"""Geometry of the trend: a line with its band, and a column of answers for each month."""

from collections.abc import Sequence
from dataclasses import dataclass

from cxportal import charts


@dataclass(frozen=True)
class TrendPoint:
    """One month of the trend: the rolling score with its interval, and the month's answers."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Dot:
    """Where one month is drawn."""

    x: float
    y: float | None
    label: str
    n: int
    bar_x: float
    bar_y: float
    bar_height: float
    value: float | None
    named: bool


@dataclass(frozen=True)
class Trend:
    """The trend of the rolling score."""

    grid: list[tuple[float, int]]
    dots: list[Dot]
    lines: list[str]
    bands: list[str]


def trend(points: Sequence[TrendPoint], on: charts.Domain) -> Trend:
    """A line with its band; a month without a figure interrupts both."""
    left, right, top, base = 54, 680, 30, 262
    step = (right - left) / max(len(points) - 1, 1)
    most = max([1, *(point.n for point in points)])
    known = [number for number, point in enumerate(points) if point.value is not None]
    dots = []
    for number, point in enumerate(points):
        x, bar = left + number * step, 22 * point.n / most
        dots.append(
            Dot(
                round(x, 1),
                None if point.value is None else on.scale(point.value, base, top),
                point.label,
                point.n,
                round(x - 13, 1),
                round(298 - bar, 1),
                round(bar, 1),
                point.value,
                number in (known[0], known[-1]) if known else False,
            )
        )
    lines, bands = [], []
    for run in _runs(points):
        lines.append(" ".join(f"{dots[number].x},{dots[number].y}" for number in run))
        bands.append(_band(run, points, dots, on))
    return Trend([(on.scale(mark, base, top), mark) for mark in on.ticks()], dots, lines, bands)


def _runs(points: Sequence[TrendPoint]) -> list[list[int]]:
    """Stretches of months that follow each other and have a figure."""
    runs: list[list[int]] = [[]]
    for number, point in enumerate(points):
        if point.value is None:
            runs.append([])
        else:
            runs[-1].append(number)
    return [run for run in runs if run]


def _band(
    run: Sequence[int], points: Sequence[TrendPoint], dots: Sequence[Dot], on: charts.Domain
) -> str:
    """The outline of the interval along one stretch."""
    upper = [(dots[i].x, on.scale(points[i].high or 0, 262, 30)) for i in run]
    lower = [(dots[i].x, on.scale(points[i].low or 0, 262, 30)) for i in reversed(run)]
    return " ".join(f"{x},{y}" for x, y in [*upper, *lower])
