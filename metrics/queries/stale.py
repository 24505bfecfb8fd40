"""The work list of measuring: whose figures do not know the newest rows."""

from datetime import date, datetime

from django.conf import settings

from metrics.facts import population
from metrics.formulas import periods
from metrics.models import ClientState


def stale_clients(*, at: datetime) -> list[int]:
    """The work list: clients whose rows, place or day differ from what their figures know, or
    of whom a change of other facts was noted.

    By count and never by time: an answer stamped before, but committed after, a refresh would
    otherwise be missed for ever.
    """
    today = periods.local_date(at, settings.TIME_ZONE)
    counted = population.counts()
    states = {state.client_id: state for state in ClientState.objects.all()}
    return sorted(
        client
        for client in counted.keys() | states.keys()
        if _is_stale(states.get(client), counted.get(client, population.RowCounts()), today)
    )


def _is_stale(state: ClientState | None, now: population.RowCounts, today: date) -> bool:
    if state is None or state.noted:
        return True
    known = population.RowCounts(state.responses, state.revisions, state.invitations, state.place)
    return known != now or state.as_of != today
