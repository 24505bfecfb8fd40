"""Curves over time: the trend with its band and columns, and the small curve of a card."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from bank import formats
from metrics.charts import scales, words
from metrics.charts.scales import Tick, px
from metrics.queries import Figure

LEFT, RIGHT, TOP, BASE, HEIGHT = 40, 694, 30, 262, 318
_COLUMN = 22
Place = Callable[[float], float]


@dataclass(frozen=True)
class Dot:
    """One month: its dot where there is one, its column of answers, its row of the table."""

    x: str
    month: str
    n: str
    column_x: str
    column_y: str
    column_height: str
    y: str = ""
    unfinished: bool = False
    text: str = ""
    text_x: str = ""
    text_y: str = ""
    value: str = ""
    interval: str = ""


@dataclass(frozen=True)
class Trend:
    """A rolling value with its band; lines break where nothing may be shown."""

    name: str
    ticks: list[Tick]
    dots: list[Dot]
    bands: list[str]
    lines: list[str]
    unfinished: str = ""


@dataclass(frozen=True)
class Sparkline:
    """A small curve on its own scale, with its first and last value in words."""

    name: str
    line: str
    area: str
    first: str
    last: str
    first_month: str
    last_month: str


def sparkline(
    figures: Sequence[Figure], *, width: int = 240, height: int = 64
) -> Sparkline | None:
    """The values that may be shown, first to last, on a scale of their own."""
    kept = [(i, fig.value) for i, fig in enumerate(figures) if fig.value is not None]
    if len(kept) < 2:
        return None
    values = [value for _i, value in kept]
    x = scales.between(kept[0][0], kept[-1][0], 4, width - 8)
    y = scales.between(min(values), max(values), height - 8, 10)
    line = " ".join(f"{px(x(i))},{px(y(value))}" for i, value in kept)
    first, last = figures[kept[0][0]], figures[kept[-1][0]]
    said = {"first": words.written(first), "last": words.written(last)}
    return Sparkline(
        name=_("From %(first)s to %(last)s") % said,
        line=line,
        area=f"4,{height} {line} {width - 8},{height}",
        first=said["first"],
        last=said["last"],
        first_month=words.month(first.period),
        last_month=words.month(last.period),
    )


def trend(
    figures: Sequence[Figure],
    *,
    counts: Sequence[int] | None = None,
    unfinished: bool = True,
    shared: tuple[int, int] | None = None,
) -> Trend | None:
    """A value over months with its band; `counts` are the answers of each month alone.

    With `unfinished` the last month is not over: an open dot and a dashed segment.
    """
    shown = [fig for fig in figures if fig.value is not None]
    if not shown or len(figures) < 2:
        return None
    x = scales.between(0, len(figures) - 1, LEFT + 14, RIGHT - 14)
    ticks, y = _levels(figures, shared)
    runs = _runs(figures)
    solid, dashed = _lines(runs, figures, x, y, unfinished=unfinished)
    said = {"first": words.written(shown[0]), "last": words.written(shown[-1])}
    return Trend(
        name=_("Three-month rolling value, from %(first)s to %(last)s") % said,
        ticks=ticks,
        dots=_dots(figures, counts or [fig.n for fig in figures], x, y, unfinished=unfinished),
        bands=[_band(run, figures, x, y) for run in runs if len(run) > 1],
        lines=solid,
        unfinished=dashed,
    )


def _levels(figures: Sequence[Figure], shared: tuple[int, int] | None) -> tuple[list[Tick], Place]:
    """The horizontal lines, and the height of a value: points, or parts of 100."""
    if figures[0].metric.startswith("nps"):
        low, high = shared or scales.domain(figures)
        y, factor, write = scales.between(low, high, BASE, TOP), 1.0, formats.points
    else:
        factor = 1.0 if figures[0].metric == "csat" else 100.0
        found = [factor * fig.low for fig in figures if fig.low is not None]
        low, high = min(80, 20 * math.floor(min(found, default=0) / 20)), 100
        y, write = scales.between(low, high, BASE, TOP), formats.number
    step = 20 if high - low <= 120 else 40
    ticks = [
        Tick(px(y(mark)), write(mark, 0), "end", mark == 0, px(y(mark) + 4))
        for mark in range(low, high + 1, step)
    ]
    return ticks, lambda value: y(factor * value)


def _runs(figures: Sequence[Figure]) -> list[list[int]]:
    """Positions that follow each other without a gap and have value and interval."""
    runs: list[list[int]] = [[]]
    for i, fig in enumerate(figures):
        if fig.value is not None and fig.low is not None and fig.high is not None:
            runs[-1].append(i)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _band(run: list[int], figures: Sequence[Figure], x: Place, y: Place) -> str:
    upper = [f"{px(x(i))},{px(y(figures[i].high or 0.0))}" for i in run]
    lower = [f"{px(x(i))},{px(y(figures[i].low or 0.0))}" for i in reversed(run)]
    return " ".join(upper + lower)


def _lines(
    runs: list[list[int]], figures: Sequence[Figure], x: Place, y: Place, *, unfinished: bool
) -> tuple[list[str], str]:
    """The solid lines, and the dashed segment that leads to a month that is not over."""
    points = [[f"{px(x(i))},{px(y(figures[i].value or 0.0))}" for i in run] for run in runs]
    dashed = ""
    if unfinished and runs[-1:] and runs[-1][-1] == len(figures) - 1 and len(runs[-1]) > 1:
        dashed = " ".join(points[-1][-2:])
        points[-1] = points[-1][:-1]
    return [" ".join(run) for run in points if len(run) > 1], dashed


def _dots(
    figures: Sequence[Figure], counts: Sequence[int], x: Place, y: Place, *, unfinished: bool
) -> list[Dot]:
    most = max(counts) or 1
    shown = [i for i, fig in enumerate(figures) if fig.value is not None]
    last = len(figures) - 1
    dots = []
    for i, (fig, count) in enumerate(zip(figures, counts, strict=True)):
        tall = _COLUMN * count / most
        named = i in (shown[0], shown[-1])
        place = y(fig.value) if fig.value is not None else 0.0
        dots.append(
            Dot(
                x=px(x(i)),
                month=words.month(fig.period) + ("*" if unfinished and i == last else ""),
                n=formats.number(count),
                column_x=px(x(i) - 13),
                column_y=px(HEIGHT - 20 - tall),
                column_height=px(tall),
                y=px(place) if fig.value is not None else "",
                unfinished=unfinished and i == last,
                text=words.written(fig) if named else "",
                text_x=px(x(i) + (10 if i == shown[-1] else 8)),
                text_y=px(place + (4.5 if i == shown[-1] else 18)),
                value=words.written(fig),
                interval=words.ends(fig),
            )
        )
    return dots
