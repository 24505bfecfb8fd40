"""What a page, a file or an interface may read of figures; every figure has passed the gate.

The module is a package only for its length; callers write `queries.figures(...)`.
"""

from metrics.queries.gated import (
    METRICS,
    RELATIONAL,
    Course,
    Figure,
    Rows,
    beside,
    client_means,
    course,
    figures,
    rows,
    trend,
)
from metrics.queries.stale import stale_clients
from metrics.queries.voices import LowScore, low_scores

__all__ = [
    "METRICS",
    "RELATIONAL",
    "Course",
    "Figure",
    "LowScore",
    "Rows",
    "beside",
    "client_means",
    "course",
    "figures",
    "low_scores",
    "rows",
    "stale_clients",
    "trend",
]
