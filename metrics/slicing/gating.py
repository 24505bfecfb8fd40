"""The gate over a whole cut: what its cells and totals would give away together (3.12)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from metrics.formulas import uncertainty
from metrics.formulas.parameters import DEFAULT
from metrics.indicators import OPEN_REASONS
from metrics.models import Scope
from metrics.queries import ENGAGEMENT, METRICS, Figure, concealed

COMPLEMENTARY = "COMPLEMENTARY"
DIFFERENCING = "DIFFERENCING"
# One client has no vote among clients: its own figures are its mean and its label.
NOT_OF_ONE_CLIENT = "NOT_OF_ONE_CLIENT"
# A rate tells who was asked and who answered, but nothing of any answer.
RATES = frozenset({"response_rate", "client_response_rate", "coverage_exposure"})
# What is made of records and not of answers: nobody's word can be found by subtraction.
UNSAID = RATES | {"silent_exposure", *ENGAGEMENT}
_OF_ALL = RATES | {"silent_exposure"}
LEAST = DEFAULT.gate.min_resp


def size(fig: Figure) -> int:
    """What the gate judges: the answers, or for a rate everybody who was asked."""
    return (fig.eligible or 0) if fig.metric in _OF_ALL else fig.n


def family(cells: Sequence[Figure], total: Figure) -> list[Figure]:
    """The cells of one cut, with as many withheld as it needs that none follows from the rest.

    What the total holds beyond the cells counts as one cell more, which nobody sees.
    """
    if total.gate:
        return list(cells)
    rest = max(size(total) - sum(size(cell) for cell in cells), 0)
    # A cell that any rule withholds counts as small, whichever rule it was.
    counts = [min(size(cell), LEAST - 1) if _secret(cell) else size(cell) for cell in cells]
    if rest >= LEAST:
        return list(cells)
    hidden = set(uncertainty.complementary_suppression([*counts, rest]))
    return [
        concealed(cell, COMPLEMENTARY) if place in hidden and not cell.gate else cell
        for place, cell in enumerate(cells)
    ]


def _secret(cell: Figure) -> bool:
    return bool(cell.gate) and cell.gate not in OPEN_REASONS


def for_viewer(fig: Figure, singles: Mapping[str, int]) -> Figure:
    """The figure, withheld where it less the answers the viewer sees one by one tells a few.

    `singles` counts these answers by metric.
    """
    if fig.gate or fig.metric in UNSAID or fig.metric not in singles:
        return fig
    unseen = fig.n - singles[fig.metric]
    return concealed(fig, COMPLEMENTARY) if 0 < unseen < LEAST else fig


def of_scope(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """The same, where one client has no such figure with that as the reason."""
    return {
        name: concealed(fig, NOT_OF_ONE_CLIENT)
        if fig.scope == Scope.CLIENT and name not in METRICS[Scope.CLIENT]
        else fig
        for name, fig in figures.items()
    }


def relabelled(fig: Figure, part: str) -> Figure:
    """The same figure as that of a named slice."""
    return replace(fig, slice=part)
