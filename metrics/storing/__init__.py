"""From sums to stored figures: build the rows, withhold, and write only what has changed.

`build` makes the rows of one unit, `of_batch` those of many clients; both serve figures on request
too, as `measurement` turns a row into an unsaved `Measurement` that `queries.figure_of` can read.
"""

from metrics.storing.rows import (
    Row,
    Stamp,
    Unit,
    build,
    current,
    forget,
    measurement,
    of_batch,
    parameters,
    row,
    stamp,
)
from metrics.storing.withholding import withhold
from metrics.storing.writing import Target, write

__all__ = [
    "Row",
    "Stamp",
    "Target",
    "Unit",
    "build",
    "current",
    "forget",
    "measurement",
    "of_batch",
    "parameters",
    "row",
    "stamp",
    "withhold",
    "write",
]
