"""The answers that a viewer sees one by one, counted like the figures that hold them."""

from dataclasses import replace

from bank import scope
from bank.models import ApiKey, User
from clients.models import Client
from metrics.facts import frames
from metrics.facts.frames import Frame
from metrics.facts.tables import Table
from metrics.facts.where import Where
from metrics.formulas.periods import Bounds
from metrics.queries import DIMENSIONS, Figure
from metrics.slicing import cells, gating
from metrics.slicing.asking import Ask
from metrics.slicing.cells import Key
from surveys import attribution
from surveys.models import Version


def column(metric: str) -> str:
    """The column that counts the answers a metric is made of; empty for what no answer tells."""
    if metric.startswith("nps"):
        return "n"
    if metric in DIMENSIONS:
        return f"{metric.removeprefix('csat_')}_n"
    return f"{metric}_n" if metric in {"csat", "ces"} else ""


class Singles:
    """What one viewer sees one by one of the cells of a question, read once when first needed.

    Who sees everything needs no guard: nothing is left to find by subtraction.
    """

    def __init__(
        self,
        ask: Ask,
        viewer: User | ApiKey,
        window: Bounds,
        *,
        where: Where,
        frame: Frame | None = None,
    ) -> None:
        self._ask, self._viewer, self._window = ask, viewer, window
        self._where, self._frame = where, frame
        self._held: dict[Key, Table] | None = None

    def guard(self, fig: Figure, key: Key) -> Figure:
        """The figure of a cell, withheld where it would tell the few answers not seen singly."""
        name = column(fig.metric)
        if fig.gate or not name or scope.sees_all(self._viewer):
            return fig
        table = self._tables().get(key)
        return gating.for_viewer(fig, {fig.metric: table.count(name) if table else 0})

    def _tables(self) -> dict[Key, Table]:
        if self._held is None:
            mine = Client.objects.visible_to(self._viewer).values_list("pk", flat=True)
            (cut,) = cells.cuts(
                self._ask,
                [self._window],
                where=replace(self._where, promises=promises(self._viewer)),
                frame=self._frame or frames.frame(),
                clients=list(mine),
            )
            self._held = {key: cell.table for key, cell in cut.cells.items()}
        return self._held


def promises(viewer: User | ApiKey) -> tuple[str, ...]:
    """The promises under which this viewer sees single answers, as `attribution` has it."""
    if isinstance(viewer, ApiKey):
        return (str(Version.Attribution.RELATIONSHIP_TEAM),)
    return tuple(str(promise) for promise in attribution.OPEN)
