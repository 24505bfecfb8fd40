"""What became of the mean engagement of a unit since the period before (metrics-spec 3.8, 13.2).

Two days are compared only where their windows of 90 days share none. Nearly all clients are
seen on both days, so they are compared with themselves.
"""

from typing import Any

import numpy as np

from metrics.engaging.stamps import Floats
from metrics.formulas import columns, uncertainty
from metrics.formulas.parameters import Parameters

CHANGE, PAIRED, OVERLAP = "change", "paired", "overlap"


def change(name: str, before: Floats, now: Floats, rules: Parameters) -> dict[str, Any]:
    """What is kept with a mean; empty without a value before.

    The columns have a row a client, NaN where it has no index. `name` is of the period before.
    """
    known = before[~np.isnan(before)].tolist()
    found = uncertainty.mean_interval(known)
    if found is None:
        return {}
    told: dict[str, Any] = {"period": name, "n": found.n, "clients": found.n}
    gate = closed(found.n, rules)
    if gate:
        return {CHANGE: {"before": told | {"gate": gate}}}
    ends = found.ci.clipped(0, 100) if found.ci else None
    told |= {"value": found.mean}
    told |= {"low": ends.low if ends else None, "high": ends.high if ends else None}
    return {CHANGE: {"before": told} | _test(before, now)}


def _test(before: Floats, now: Floats) -> dict[str, Any]:
    moved = columns.mean_change(before, now)
    if moved is None:
        return {}
    ends = {"low": moved.ci.low, "high": moved.ci.high}
    method = PAIRED if moved.paired else OVERLAP
    return {"test": {"diff": moved.diff, **ends, "p": moved.p_value, "method": method}}


def closed(n: int, rules: Parameters) -> str:
    """Why the mean over so many clients may not be shown; each of them is one answer."""
    verdict = uncertainty.report_gate(uncertainty.Base(n, n), rules=rules.gate)
    return " ".join(reason for reason in verdict.reasons if reason != "MIN_RESPONSES")
