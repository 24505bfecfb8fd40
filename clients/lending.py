"""Acts about rates and outages: facts of many clients at once."""

from collections.abc import Iterable
from datetime import datetime

from clients import changes
from clients.models import Client, Facility


def note_currencies(currencies: Iterable[str], *, at: datetime) -> None:
    """A rate has changed: so has the exposure of every client who owes in that currency."""
    owing = Facility.objects.filter(currency__in=set(currencies))
    changes.note(owing.order_by().values_list("client", flat=True).distinct(), at=at)


def note_outage(*, at: datetime) -> None:
    """A time without a log has changed: what it hides is missing for every client."""
    changes.note(Client.objects.values_list("pk", flat=True), at=at)
