"""Engagement of clients who have only answered since it was made today: read, not made again."""

import json
from collections.abc import Iterator, Sequence

from metrics.engaging.stamps import ROLLING
from metrics.models import Measurement, Scope
from metrics.storing import Row


def rows(clients: Sequence[int], engaged: dict[int, float | None]) -> Iterator[Row]:
    """The stored rows of these clients; notes the index of each in `engaged`; one query."""
    if not clients:
        return
    found = Measurement.objects.filter(
        scope=Scope.CLIENT, scope_id__in=clients, slice="", population="", period=ROLLING
    ).filter(metric__startswith="cei")
    for values in found.values_list(*Row._fields):
        row = Row._make((*values[:-1], json.dumps(values[-1])))
        if row.metric == "cei":
            engaged[row.scope_id] = row.value
        yield row
