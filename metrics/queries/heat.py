"""The heat map: what each stage of a case is like for each line of business."""

from dataclasses import dataclass

from clients.models import Client, Stage
from metrics.models import Scope
from metrics.queries.gated import Figure, parts

TRANSACTIONAL = "transactional"


@dataclass(frozen=True)
class HeatRow:
    """One stage: its figure in each line, in the order of `Heat.lines`, and over all lines."""

    stage: str
    cells: list[Figure]
    total: Figure


@dataclass(frozen=True)
class Heat:
    """Stages down, lines across; a cell without answers is a figure that says NO_DATA."""

    metric: str
    lines: list[str]
    rows: list[HeatRow]
    totals: list[Figure]


def heat(
    scope: str = Scope.BANK,
    scope_id: int = 0,
    *,
    period: str,
    metric: str = "csat",
    population: str = TRANSACTIONAL,
) -> Heat:
    """The stored stage by segment figures of a unit, stages in the order of a case; two queries.

    Stages that nobody in the unit has answered about are left out.
    """
    found = parts(scope, scope_id, period=period, metric=metric, population=population)
    lines = [str(line) for line in Client.Segment.values]

    def cell(name: str) -> Figure:
        empty = Figure(metric, population, scope, scope_id, period, slice=name)
        return found.get(name, empty)

    known = dict.fromkeys(
        Stage.objects.order_by("case_kind", "position").values_list("code", flat=True)
    )
    rows = [
        HeatRow(
            stage,
            [cell(f"segment={line}&stage={stage}") for line in lines],
            cell(f"stage={stage}"),
        )
        for stage in known
        if f"stage={stage}" in found
    ]
    return Heat(metric, lines, rows, [cell(f"segment={line}") for line in lines])
