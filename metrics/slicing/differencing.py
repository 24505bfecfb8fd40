"""No figure that an earlier one, or a published one, nearly repeats (metrics-spec 3.12)."""

from datetime import datetime, timedelta

import numpy as np
from django.conf import settings

from bank.models import ApiKey, User
from metrics.facts import answers
from metrics.facts.frames import Frame
from metrics.facts.tables import Table
from metrics.facts.where import EVERYTHING, Where
from metrics.facts.where import Cut as Asked
from metrics.formulas import periods
from metrics.formulas.parameters import DEFAULT
from metrics.formulas.periods import Bounds
from metrics.queries import Figure, concealed
from metrics.slicing import cells, gating, sketches
from metrics.slicing.asking import Ask
from metrics.slicing.cells import Cut, Key
from metrics.slicing.memory import Memory
from metrics.slicing.singles import column
from metrics.slicing.sketches import Sketch

_LEAST = DEFAULT.gate.min_resp


class Watch:
    """Compares each cell of a question with what is published and what the viewer has seen."""

    def __init__(
        self, ask: Ask, where: Where, frame: Frame, found: Cut, viewer: User | ApiKey
    ) -> None:
        self._ask, self._found, self._frame = ask, found, frame
        self._memories = {
            metric: Memory(viewer, metric, ask.population)
            for metric in ask.metrics
            if column(metric)
        }
        self._published = _published(ask, frame) if self._memories else []
        self._strips = _strips(ask, where, frame) if self._memories else []

    @property
    def awake(self) -> bool:
        """Whether everything that is shown could be remembered."""
        return all(memory.awake for memory in self._memories.values())

    def guard(self, fig: Figure, key: Key) -> Figure:
        """The figure of a cell, withheld where it less another one would tell a few answers."""
        memory = self._memories.get(fig.metric)
        if fig.gate or memory is None:
            return fig
        name = column(fig.metric)
        near = self._at_an_edge(key, name)
        if not near:
            known = [_sketch(table, fig.metric) for table in self._published]
            near = memory.too_near(self._sketch(key, fig.metric), known)
        return concealed(fig, gating.DIFFERENCING) if near else fig

    def keep(self, figures: dict[Key, dict[str, Figure]]) -> None:
        """Remember what is shown, before it is."""
        for key, held in figures.items():
            for metric, fig in held.items():
                if metric in self._memories and not fig.gate:
                    self._memories[metric].note(self._sketch(key, metric))
        for memory in self._memories.values():
            memory.keep()

    def _sketch(self, key: Key, metric: str) -> Sketch:
        return _sketch(self._found.cells[key].table, metric)

    def _at_an_edge(self, key: Key, name: str) -> bool:
        """Whether the span ends a few answers away from one that is published."""
        sizes = [cut.cells[key].table.count(name) for cut in self._strips if key in cut.cells]
        return any(0 < size < _LEAST for size in sizes)


def _sketch(table: Table, metric: str) -> Sketch:
    name = column(metric)
    stem = name.removesuffix("n")
    kinds = ["d", "s", "p", "total"] if name == "n" else [name, f"{stem}total", f"{stem}squares"]
    content = np.column_stack([np.ascontiguousarray(table[one]).view(np.int64) for one in kinds])
    return sketches.sketch(table.ids, table[name].astype(np.int64), content)


def _published(ask: Ask, frame: Frame) -> list[Table]:
    """The sets whose figures everybody is shown: the bank, its teams, its lines of business."""
    (table,) = [
        answers.many([ask.span.bounds], Asked(EVERYTHING, None, ask.population or None)).get(
            cells.slot(0, ask.population)
        )
        or answers.empty()
    ]
    masks = [np.isin(frame.team, frame.teams_below(team)) for team in frame.chains]
    held = frame.values["segment"]
    masks += [held == value for value in np.unique(held) if value]
    return [table, *(table.of(frame.ids[mask]) for mask in masks)]


def _strips(ask: Ask, where: Where, frame: Frame) -> list[Cut]:
    """The days between each end of a free span and the next end of a published period."""
    if not ask.span.free:
        return []
    windows = []
    for end in (ask.span.bounds.start, ask.span.bounds.end):
        before, after = _around(end)
        windows += [Bounds(one, other) for one, other in ((before, end), (end, after))]
    windows = [window for window in windows if window.start < window.end]
    return cells.cuts(ask, windows, where=where, frame=frame) if windows else []


def _around(end: datetime) -> tuple[datetime, datetime]:
    """The month's edges around an instant; both are the instant itself where it is one."""
    zone = settings.TIME_ZONE
    held = periods.period_bounds(periods.period_key(end, "month", zone), zone)
    before = periods.period_bounds(
        periods.period_key(end - timedelta(seconds=1), "month", zone), zone
    )
    return (end, end) if before.end == end else (held.start, held.end)
