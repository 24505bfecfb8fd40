"""Straight axes: from values to pixels, the shared domain of NPS, one score on its axis."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from bank import formats
from metrics.charts import words
from metrics.queries import Figure

USUAL = (-20, 80)
STEP = 20


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where it is, what it says, how the text is anchored."""

    at: str
    text: str
    anchor: str = "middle"
    zero: bool = False
    text_y: str = ""


@dataclass(frozen=True)
class Axis:
    """One score and its interval on a straight axis."""

    name: str
    ticks: list[Tick]
    low: str
    high: str
    span: str
    value: str


def px(value: float) -> str:
    """A length in SVG: one decimal, a point whatever the language."""
    return f"{value:.1f}"


def between(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """The map of low..high onto start..end; where nothing varies, the middle."""
    if low == high:
        return lambda _value: (start + end) / 2
    return lambda value: start + (value - low) / (high - low) * (end - start)


def domain(figures: Iterable[Figure | None]) -> tuple[int, int]:
    """The axis shared by all these scores: -20 to +80, wider by 20 where an interval needs it."""
    found = [end for fig in figures if fig for end in (fig.low, fig.high) if end is not None]
    low = min([USUAL[0], *(STEP * math.floor(end / STEP) for end in found)])
    high = max([USUAL[1], *(STEP * math.ceil(end / STEP) for end in found)])
    return low, high


def nps_axis(
    fig: Figure, *, shared: tuple[int, int] | None = None, width: int = 520
) -> Axis | None:
    """The interval of one NPS on its axis; None when the figure is withheld."""
    if fig.value is None or fig.low is None or fig.high is None:
        return None
    low, high = shared or domain([fig])
    place = between(low, high, 8, width - 8)
    anchors = {low: "start", high: "end"}
    return Axis(
        name=_("NPS %(score)s, %(interval)s")
        % {"score": words.written(fig), "interval": words.ends(fig)},
        ticks=[
            Tick(px(place(mark)), formats.points(mark, 0), anchors.get(mark, "middle"), mark == 0)
            for mark in range(low, high + 1, STEP)
        ],
        low=px(place(fig.low)),
        high=px(place(fig.high)),
        span=px(place(fig.high) - place(fig.low)),
        value=px(place(fig.value)),
    )
