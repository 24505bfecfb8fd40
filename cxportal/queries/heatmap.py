"""The heat map as it is drawn: steps by the rounded value, hatching, and where a cell leads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from bank import formats
from clients.models import Client, Stage
from cxportal.queries.overview import Unit
from metrics import queries
from metrics.formulas.periods import Bounds
from metrics.queries import TRANSACTIONAL, Figure

BREAKS = (70, 80, 85, 90, 95)
FEW, LEAST = 10, 5
_INSTANT = timedelta(seconds=1)
METRIC = "csat_processing_efficiency"


@dataclass(frozen=True)
class Cell:
    """One cell: its figure, its step of colour and whether it is hatched."""

    figure: Figure
    step: str
    few: bool
    value: str
    url: str


@dataclass(frozen=True)
class Row:
    """One stage in every line of business, and over all lines."""

    name: str
    cells: list[Cell]
    total: Cell


@dataclass(frozen=True)
class Map:
    """Stages down, lines across."""

    metric: str
    lines: list[str]
    rows: list[Row]
    totals: list[Cell]
    whole: Cell


def metrics() -> dict[str, str]:
    """What the map may be coloured by."""
    return {
        "csat_response_speed": _("Response speed"),
        METRIC: _("Processing efficiency"),
        "csat_service_attitude": _("Service attitude"),
    }


@dataclass(frozen=True)
class Read:
    """The figures of a map before they are drawn, so that a page can look at all of its own."""

    heat: queries.Heat
    whole: Figure
    names: dict[str, str]

    def figures(self) -> list[Figure]:
        """Every figure of the map."""
        cells = [fig for row in self.heat.rows for fig in (*row.cells, row.total)]
        return [*cells, *self.heat.totals, self.whole]


def read(unit: Unit, period: str, metric: str) -> Read:
    """The figures of a unit from answers about single cases; four queries."""
    found = queries.heat(unit.scope, unit.scope_id, period=period, metric=metric)
    whole = queries.figures(unit.scope, unit.scope_id, period=period, population=TRANSACTIONAL)
    return Read(found, whole[metric], dict(_names()))


def of(found: Read, unit: Unit, bounds: Bounds, seen: Callable[[Figure], Figure]) -> Map:
    """The map as it is drawn, of figures as this viewer may see them."""
    lines, labels = found.heat.lines, dict(Client.Segment.choices)

    def cell(fig: Figure, **where: str) -> Cell:
        return _cell(seen(fig), _url(unit, bounds, where))

    rows = [
        Row(
            found.names.get(row.stage, row.stage),
            [
                cell(fig, stage=row.stage, segment=line)
                for line, fig in zip(lines, row.cells, strict=True)
            ],
            cell(row.total, stage=row.stage),
        )
        for row in found.heat.rows
    ]
    return Map(
        found.heat.metric,
        [str(labels[line]) for line in lines],
        rows,
        [cell(fig, segment=line) for line, fig in zip(lines, found.heat.totals, strict=True)],
        cell(found.whole),
    )


def _names() -> list[tuple[str, str]]:
    stages = Stage.objects.order_by("-case_kind", "-position")
    return [(stage.code, stage.name) for stage in stages]


def _cell(fig: Figure, url: str) -> Cell:
    if fig.value is None:
        return Cell(fig, step="", few=False, value="", url=url)
    percent = int(formats.rounded(fig.value * 100, 0))
    step = 1 + sum(percent >= edge for edge in BREAKS)
    return Cell(fig, f"h{step}", fig.n < FEW, f"{percent}%", url)


def _url(unit: Unit, bounds: Bounds, where: dict[str, str]) -> str:
    """The responses a cell is made of, as far as the viewer may see them."""
    query = {
        **where,
        "kind": TRANSACTIONAL,
        "team": unit.code,
        "from": formats.day(bounds.start),
        "to": formats.day(bounds.end - _INSTANT),
    }
    return urlencode({name: value for name, value in query.items() if value})
