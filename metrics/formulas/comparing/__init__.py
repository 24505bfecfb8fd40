"""Whether figures differ, and what may be said of it (metrics-spec 3.7-3.10).

The module is a package only for its length; callers write `comparing.nps_diff(...)`. Shares
and means are compared in `uncertainty` (5.5).
"""

from metrics.formulas.comparing.families import Tested, Verdict, family, p_adjust
from metrics.formulas.comparing.nps import (
    Homogeneity,
    NpsDifference,
    OverlapDifference,
    PairedDifference,
    nps_diff,
    nps_diff_labels,
    nps_diff_overlap,
    nps_diff_paired,
    nps_homogeneity,
    votes_overlap,
    votes_paired,
)

VERSION = 1

__all__ = [
    "VERSION",
    "Homogeneity",
    "NpsDifference",
    "OverlapDifference",
    "PairedDifference",
    "Tested",
    "Verdict",
    "family",
    "nps_diff",
    "nps_diff_labels",
    "nps_diff_overlap",
    "nps_diff_paired",
    "nps_homogeneity",
    "p_adjust",
    "votes_overlap",
    "votes_paired",
]
