"""Engagement of clients who have only answered since it was made today: read, not made again."""

from collections.abc import Sequence

from metrics.engaging.stamps import ROLLING
from metrics.models import Measurement, Scope


def indices(clients: Sequence[int]) -> dict[int, float | None]:
    """The stored index of each of these clients that has a row of it; one query."""
    if not clients:
        return {}
    found = Measurement.objects.filter(
        scope=Scope.CLIENT, scope_id__in=clients, slice="", population="", period=ROLLING
    ).filter(metric="cei")
    return dict(found.values_list("scope_id", "value"))
