"""What each client is, as columns: place, line, size and industry, and whether it is active."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db.models import F

from bank.models import Team
from clients.models import Client
from metrics.facts.where import Where

Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Frame:
    """All clients by rising number; `values` holds a word for each, empty where unknown."""

    ids: Ids
    active: Mask
    team: Ids
    values: dict[str, npt.NDArray[np.str_]]
    # The day since which each is a client, by number; 0 where it was never said.
    since: Ids
    chains: dict[int, tuple[int, ...]]

    def within(self, where: Where) -> Mask:
        """The clients that a cut through clients leaves."""
        kept = np.ones(len(self.ids), dtype=bool)
        for name in ("segment", "size"):
            if getattr(where, name) is not None:
                kept &= self.values[name] == getattr(where, name)
        if where.industry is not None:
            name = "industry" if where.industry.isalpha() else "division"
            kept &= self.values[name] == where.industry
        if where.team is not None:
            kept &= np.isin(self.team, self.teams_below(where.team))
        if where.clients is not None:
            kept &= np.isin(self.ids, where.clients)
        return kept

    def teams_below(self, team: int) -> list[int]:
        """The team and all under it."""
        return [one for one, chain in self.chains.items() if team in chain]


def frame() -> Frame:
    """The clients as they are now; two queries."""
    rows = list(
        Client.objects.order_by("pk").values_list(
            "pk",
            "status",
            "team_id",
            "segment",
            "size",
            F("industry__section"),
            F("industry__code"),
            "internal_rating",
            "since",
        )
    )
    words = ("segment", "size", "industry", "division", "rating")
    columns = list(zip(*rows, strict=True)) or [()] * 9
    return Frame(
        np.array(columns[0], dtype=np.int64),
        np.array([status == Client.Status.ACTIVE for status in columns[1]], dtype=bool),
        np.array([team or 0 for team in columns[2]], dtype=np.int64),
        {
            name: np.array([value or "" for value in column], dtype=np.str_)
            for name, column in zip(words, columns[3:8], strict=True)
        },
        np.array([since.toordinal() if since else 0 for since in columns[8]], dtype=np.int64),
        chains(),
    )


def chains() -> dict[int, tuple[int, ...]]:
    """Each team with the line upwards, itself first; one query."""
    parents: dict[int, int | None] = dict(Team.objects.values_list("pk", "parent_id"))
    return {team: _chain(team, parents) for team in parents}


def _chain(team: int, parents: dict[int, int | None]) -> tuple[int, ...]:
    """The team and all above it; a circle in the data ends where it closes."""
    chain: list[int] = []
    step: int | None = team
    while step is not None and step not in chain:
        chain.append(step)
        step = parents.get(step)
    return tuple(chain)
