"""What a page, a file or an interface may read of figures; every figure has passed the gate.

The module is a package only for its length; callers write `queries.figures(...)`.
"""

from metrics.queries.gated import (
    METRICS,
    RELATIONAL,
    Figure,
    beside,
    client_means,
    figure_of,
    figures,
    periods,
    trend,
)
from metrics.queries.stale import stale_clients

__all__ = [
    "METRICS",
    "RELATIONAL",
    "Figure",
    "beside",
    "client_means",
    "figure_of",
    "figures",
    "periods",
    "stale_clients",
    "trend",
]
