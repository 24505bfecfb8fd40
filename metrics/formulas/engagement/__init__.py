"""How engaged a client is: recency, reference, click rates, usage and the index (8).

The module is a package only for its length; callers write `engagement.cei(...)`. Functions
that end in `_columns` do the same for a block of clients, to the last bit.
"""

from metrics.formulas.engagement.changes import ChangeColumns, cei_change_columns
from metrics.formulas.engagement.clicks import (
    Prior,
    ctr_prior_moments,
    ctr_shrunk,
    ctr_shrunk_columns,
    frozen_prior,
)
from metrics.formulas.engagement.decay import GRID, decayed_sum, decayed_sum_columns, weight
from metrics.formulas.engagement.index import (
    LOW_COVERAGE,
    NO_DATA,
    Cei,
    Change,
    Part,
    cei,
    cei_change,
    cei_columns,
    usage_score,
    usage_score_columns,
)
from metrics.formulas.engagement.reference import (
    frozen_bounds,
    norm_minmax,
    norm_minmax_columns,
    norm_percentile,
    norm_z,
    quantile7,
    reference_bounds,
    transformed,
)

VERSION = 1

__all__ = [
    "GRID",
    "LOW_COVERAGE",
    "NO_DATA",
    "VERSION",
    "Cei",
    "Change",
    "ChangeColumns",
    "Part",
    "Prior",
    "cei",
    "cei_change",
    "cei_change_columns",
    "cei_columns",
    "ctr_prior_moments",
    "ctr_shrunk",
    "ctr_shrunk_columns",
    "decayed_sum",
    "decayed_sum_columns",
    "frozen_bounds",
    "frozen_prior",
    "norm_minmax",
    "norm_minmax_columns",
    "norm_percentile",
    "norm_z",
    "quantile7",
    "reference_bounds",
    "transformed",
    "usage_score",
    "usage_score_columns",
    "weight",
]
