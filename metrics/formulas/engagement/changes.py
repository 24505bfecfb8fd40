"""Why the index of each client of a block changed (metrics-spec 8.8)."""

from dataclasses import dataclass

import numpy as np

from metrics.formulas.indices import Column, IndexColumns

VERSION = 1


@dataclass(frozen=True, slots=True)
class ChangeColumns:
    """After minus before, one row a client; `behaviour` and `weight` one column a component.

    NaN where either index is missing.
    """

    change: Column
    behaviour: Column
    weight: Column


def cei_change_columns(
    before: IndexColumns, after: IndexColumns, scores_before: Column, scores_after: Column
) -> ChangeColumns:
    """Return what `cei_change` returns, for a block: w-bar ds and s-bar dw by component.

    Rows are the same clients on both sides, columns the components in the order of the index;
    a component missing on one side takes that side's index as its score. Bit for bit the same
    as the single form. Source: metrics-spec 8.8.
    """
    w1, w2 = (np.nan_to_num(side.effective_weights) for side in (before, after))
    s1 = np.where(np.isnan(scores_before), before.score[:, None], scores_before)
    s2 = np.where(np.isnan(scores_after), after.score[:, None], scores_after)
    change = after.score - before.score
    known = ~np.isnan(change)[:, None]
    return ChangeColumns(
        change=change,
        behaviour=np.where(known, (w1 + w2) / 2 * (s2 - s1), np.nan),
        weight=np.where(known, (s1 + s2) / 2 * (w2 - w1), np.nan),
    )
