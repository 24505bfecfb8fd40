"""Raw quantities of engagement as columns, one row a client (metrics-spec 8.1-8.6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from django.db.models import Q

from clients.models import Client
from metrics.facts import channels, events
from metrics.formulas.engagement import GRID
from metrics.formulas.parameters import DEFAULT, Engagement

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Words = npt.NDArray[np.object_]
Cells = tuple[int, str, str, str, bool | None]


@dataclass(frozen=True)
class Table:
    """One row a client, by rising number.

    `login`, `pv`, `depth` and `offline` are decayed sums; what an outage of a log took from a
    component that is still there is put back in proportion to the weight of its days. `reasons`
    says by component why it is missing; an empty word means that it is there. `events` counts
    what was seen in the window.
    """

    clients: Integers
    segment: Words
    size: Words
    users: Integers
    login: Floats
    pv: Floats
    clicks: Integers
    messages: Integers
    used: Integers
    held: Integers
    depth: Floats
    offline: Floats
    events: Integers
    reasons: dict[str, Words]

    def __len__(self) -> int:
        return len(self.clients)

    def groups(self) -> tuple[list[tuple[str, str]], npt.NDArray[np.intp]]:
        """The pairs of segment and size class there are, and which one each client is of."""
        pairs = list(zip(self.segment.tolist(), self.size.tolist(), strict=True))
        keys = sorted(set(pairs))
        place = {key: number for number, key in enumerate(keys)}
        return keys, np.array([place[pair] for pair in pairs], dtype=np.intp)

    def per_user(self, component: str) -> Floats:
        """Logins or page views for each authorised user; a client without one counts as one."""
        sums: Floats = getattr(self, component)
        return sums / np.maximum(self.users, 1)


def quantities(
    day: date,
    clients: Sequence[int] | None = None,
    *,
    rules: Engagement = DEFAULT.engagement,
) -> Table:
    """The window that ends on this local day, of these clients or of everybody not closed.

    Who is no client yet on that day has no row, nor has one merged into another by then: it
    counts under its successor. Events dated after the day have not happened yet.
    """
    rows = _clients(day, clients)
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    sums = events.sums(ids, day, rules=rules, everybody=clients is None)
    observed = channels.observed(day, rules)
    return Table(
        clients=ids,
        segment=_words(row[1] for row in rows),
        size=_words(row[2] or "" for row in rows),
        users=sums["users"],
        login=_complete(sums["login"], observed["online"]),
        pv=_complete(sums["pv"], observed["online"]),
        clicks=sums["clicks"],
        messages=sums["messages"],
        used=sums["used"],
        held=sums["held"],
        depth=_complete(sums["depth"], observed["products"]),
        offline=sums["half_points"] / (2 * GRID),
        events=sums["events"],
        reasons=channels.reasons(_known(rows, sums), observed, rules),
    )


def _clients(day: date, clients: Sequence[int] | None) -> list[Cells]:
    found = Client.objects.exclude(status=Client.Status.CLOSED)
    if clients is not None:
        found = found.filter(pk__in=clients)
    counted = found.filter(
        Q(merged_on__isnull=True) | Q(merged_on__gt=day), Q(since__isnull=True) | Q(since__lte=day)
    )
    columns = ("pk", "segment", "size", "kind", "online_contract")
    return list(counted.order_by("pk").values_list(*columns))


def _known(rows: list[Cells], sums: dict[str, Integers]) -> channels.Known:
    contract = [-1 if row[4] is None else int(row[4]) for row in rows]
    return channels.Known(
        contract=np.array(contract, dtype=np.int64),
        ever=sums["ever"] > 0,
        spv=np.array([row[3] == Client.Kind.SPV for row in rows], dtype=bool),
        users=sums["users"],
        refused=sums["refused"],
        signed_in=(sums["login"] > 0) | (sums["pv"] > 0),
        messages=sums["messages"],
        held=sums["held"],
    )


def _complete(sums: Integers, observed: float) -> Floats:
    """Decayed sums in events, as if the log had run all the time."""
    found = sums / GRID
    return found / observed if 0 < observed < 1 else found


def _words(values: Iterable[str]) -> Words:
    return np.array(list(values), dtype=object)
