"""What is given of a unit: the sums of its clients, who is eligible, what is at stake."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from metrics.facts import answers as answered
from metrics.facts import requests as asked
from metrics.facts.exposure import Exposure
from metrics.facts.tables import Column, Ids, Table
from metrics.formulas import uncertainty
from metrics.formulas.parameters import DEFAULT, Parameters

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Given:
    """One unit in one window and population.

    `eligible` are the clients that coverage is measured against, by rising number; clients that
    answered and are not among them are added to the base. Without exposure there is none of the
    figures weighted by it.
    """

    answers: Table = field(default_factory=answered.empty)
    requests: Table = field(default_factory=asked.empty)
    eligible: Ids = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    exposure: Exposure | None = None
    rules: Parameters = DEFAULT

    @cached_property
    def inside(self) -> Mask:
        """Which clients with answers are eligible."""
        return np.isin(self.answers.ids, self.eligible, assume_unique=True)

    @cached_property
    def weights(self) -> Column:
        """The exposure of each client with answers; 0 for none."""
        if self.exposure is None:
            return np.zeros(len(self.answers))
        return self.exposure.of(self.answers.ids)

    @cached_property
    def at_stake(self) -> float:
        """The exposure of all eligible clients."""
        return 0.0 if self.exposure is None else float(self.exposure.of(self.eligible).sum())

    def base(self, counts: Column) -> uncertainty.Base:
        """What the gate judges of an item, from the answers of each client."""
        n = float(counts.sum())
        most = float(counts.max()) / n if n else None
        return uncertainty.Base(int(n), int((counts > 0).sum()), max_client_share=most)

    def covered(self, chosen: Mask) -> dict[str, Any]:
        """Eligible clients and the coverage of clients and exposure by these with answers."""
        outside = chosen & ~self.inside
        eligible = len(self.eligible) + int(outside.sum())
        stake = self.at_stake + float(self.weights[outside].sum())
        share = float(self.weights[chosen].sum()) / stake if stake else None
        return {
            "eligible": eligible,
            "coverage": int(chosen.sum()) / eligible if eligible else None,
            "coverage_exposure": share,
        }
