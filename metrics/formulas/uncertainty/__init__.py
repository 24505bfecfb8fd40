"""How sure a figure is and whether it may be shown: intervals, weights, gates.

The module is a package only for its length; callers write `uncertainty.adjusted_wald(...)`.
"""

from metrics.formulas.uncertainty.gates import (
    Base,
    Decision,
    complementary_suppression,
    differs_enough,
    report_gate,
)
from metrics.formulas.uncertainty.nps import (
    adjusted_wald,
    adjusted_wald_finite,
    bootstrap_exact,
    fpc,
    goodman,
    sample_size,
    sample_size_difference,
    score,
    standard_error,
    standard_error_finite,
    trinomial_t,
    variance,
    wald,
    worst_case,
)
from metrics.formulas.uncertainty.planning import Icc, deff_icc, icc_anova
from metrics.formulas.uncertainty.quantiles import Interval
from metrics.formulas.uncertainty.shares import (
    Difference,
    MeanInterval,
    Test,
    Welch,
    mean_interval,
    newcombe,
    pooled_z,
    welch,
    welch_of,
    wilson,
    wilson_effective,
)
from metrics.formulas.uncertainty.weighted import (
    ClusterMean,
    Kish,
    NpsEstimate,
    cap,
    cluster_mean,
    cluster_nps,
    effective,
    kish,
    label_nps,
)

VERSION = 1

__all__ = [
    "VERSION",
    "Base",
    "ClusterMean",
    "Decision",
    "Difference",
    "Icc",
    "Interval",
    "Kish",
    "MeanInterval",
    "NpsEstimate",
    "Test",
    "Welch",
    "adjusted_wald",
    "adjusted_wald_finite",
    "bootstrap_exact",
    "cap",
    "cluster_mean",
    "cluster_nps",
    "complementary_suppression",
    "deff_icc",
    "differs_enough",
    "effective",
    "fpc",
    "goodman",
    "icc_anova",
    "kish",
    "label_nps",
    "mean_interval",
    "moe",
    "newcombe",
    "pooled_z",
    "report_gate",
    "sample_size",
    "sample_size_difference",
    "score",
    "standard_error",
    "standard_error_finite",
    "trinomial_t",
    "variance",
    "wald",
    "welch",
    "welch_of",
    "wilson",
    "wilson_effective",
    "worst_case",
]


def moe(interval: Interval | None) -> float | None:
    """Return half the width of the reported interval, in its unit (not z SE); null without one.

    Source: metrics-spec 3.5.
    """
    return None if interval is None else interval.half_width
