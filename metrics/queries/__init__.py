"""What a page, a file or an interface may read of figures; every figure has passed the gate.

The module is a package only for its length; callers write `queries.figures(...)`.
"""

from metrics.queries.gated import (
    DIMENSIONS,
    ENGAGEMENT,
    METRICS,
    NO_DATA,
    RELATIONAL,
    UNASKED,
    Figure,
    beside,
    client_means,
    concealed,
    courses,
    figure_of,
    figures,
    parts,
    periods,
    several,
    trend,
)
from metrics.queries.heat import TRANSACTIONAL, Heat, HeatRow, heat
from metrics.queries.stale import stale_clients

__all__ = [
    "DIMENSIONS",
    "ENGAGEMENT",
    "METRICS",
    "NO_DATA",
    "RELATIONAL",
    "TRANSACTIONAL",
    "UNASKED",
    "Figure",
    "Heat",
    "HeatRow",
    "beside",
    "client_means",
    "concealed",
    "courses",
    "figure_of",
    "figures",
    "heat",
    "parts",
    "periods",
    "several",
    "stale_clients",
    "trend",
]
