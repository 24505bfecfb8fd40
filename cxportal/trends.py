"""Geometry of the trend: a line with its band, and a column of answers for each month."""

from collections.abc import Sequence
from dataclasses import dataclass, field

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
class Pin:
    """An event: an amber mark on a dashed line, with its words."""

    x: float
    y: int
    text_x: float
    anchor: str
    words: str


# From the middle on, words stand left of their pin; a line of text needs this much.
_TURN, _LINE = 0.5, 14


@dataclass(frozen=True)
class Trend:
    """The trend of the rolling score."""

    grid: list[tuple[float, int]]
    dots: list[Dot]
    lines: list[str]
    bands: list[str]
    # The segment to the month that is not over yet.
    running: str = ""
    before: float | None = None
    before_y: float | None = None
    pins: list[Pin] = field(default_factory=list)


def trend(
    points: Sequence[TrendPoint],
    on: charts.Domain,
    *,
    before: float | None = None,
    pins: Sequence[tuple[float, str]] = (),
) -> Trend:
    """A line with its band; a month without a figure interrupts both.

    `before` is the value of the period before, drawn across. Each pin is a place between the
    first month and the last, 0 to 1, with its words.
    """
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
    lines, bands, running = [], [], ""
    across = None if before is None else on.scale(before, base, top)
    for run in _runs(points):
        bands.append(_band(run, points, dots, on))
        whole = run[:-1] if len(run) > 1 and run[-1] == len(points) - 1 else run
        lines.append(_line(whole, dots))
        if whole != run:
            running = _line(run[-2:], dots)
    return Trend(
        [(on.scale(mark, base, top), mark) for mark in on.ticks()],
        dots,
        lines,
        bands,
        running,
        across,
        _apart(across, dots[-1].y if dots else None),
        _pins(pins, left, right),
    )


def _apart(across: float | None, last: float | None) -> float | None:
    """Where the words of the period before stand: clear of the newest value."""
    if across is None or last is None or abs(across - last) >= _LINE:
        return across
    return round(last + (_LINE if across >= last else -_LINE), 1)


def _line(run: Sequence[int], dots: Sequence[Dot]) -> str:
    return " ".join(f"{dots[number].x},{dots[number].y}" for number in run)


def _pins(pins: Sequence[tuple[float, str]], left: float, right: float) -> list[Pin]:
    """From left to right; words turn to the left in the right half, and do not overlap."""
    placed = []
    for number, (part, words) in enumerate(sorted(pins)):
        x = round(left + part * (right - left), 1)
        flip = part > _TURN
        y = 12 + 14 * number
        placed.append(
            Pin(x, y, round(x - 9 if flip else x + 9, 1), "end" if flip else "start", words)
        )
    return placed


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


@dataclass(frozen=True)
class Spark:
    """A small line on a scale of its own, with its first and last value."""

    line: str
    area: str
    first: tuple[str, float]
    last: tuple[str, float]


def spark(labels: Sequence[str], values: Sequence[float | None]) -> Spark | None:
    """The stretch that ends with the newest value; nothing for fewer than three points."""
    known: list[tuple[int, float]] = []
    for number in range(len(values) - 1, -1, -1):
        value = values[number]
        if value is None:
            if known:
                break
            continue
        known.insert(0, (number, value))
    if len(known) < 3:
        return None
    low, high = min(value for _n, value in known), max(value for _n, value in known)
    step, room = 228 / (len(known) - 1), (high - low) or 1
    spots = [
        (round(4 + place * step, 1), round(52 - 40 * (value - low) / room, 1))
        for place, (_number, value) in enumerate(known)
    ]
    line = " ".join(f"{x},{y}" for x, y in spots)
    area = f"4,64 {line} {spots[-1][0]},64"
    ends = [(labels[number], value) for number, value in (known[0], known[-1])]
    return Spark(line, area, ends[0], ends[1])
