"""Suspicious answers of one figure: how many, which a viewer may see, the figure without them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from bank import scope
from bank.models import User
from metrics import explaining, slicing
from metrics.facts import suspicion
from metrics.facts.exclusions import NPS
from metrics.formulas.parameters import DEFAULT
from metrics.queries import Figure, concealed
from metrics.slicing import cells, gating
from metrics.slicing.asking import Ask
from surveys import attribution
from surveys.models import Response


@dataclass(frozen=True)
class Suspicion:
    """What the page shows; `without` is null where the figure itself is withheld."""

    count: int
    hidden: int
    least: int
    minutes: int
    seen: Sequence[Response]
    without: Figure | None


def build(ask: Ask, fig: Figure, *, viewer: User, at: datetime) -> Suspicion | None:
    """The suspicious answers behind a figure of the willingness to recommend, if there are any."""
    if explaining.item_of(fig.metric) != NPS:
        return None
    where = cells.where_of(ask.filters)
    sent = suspicion.suspects(ask.span.bounds, fig.population, where)
    if not sent:
        return None
    keys = tuple(one.response for one in sent)
    seen = list(_seen(keys, viewer))
    return Suspicion(
        count=len(keys),
        hidden=len(keys) - len(seen),
        least=suspicion.LEAST,
        minutes=int(suspicion.WITHIN.total_seconds() // 60),
        seen=seen,
        without=None if fig.gate else _without(ask, keys, seen, viewer, at),
    )


def _seen(keys: tuple[int, ...], viewer: User) -> QuerySet[Response]:
    """Those that this viewer may see one by one, in order of time."""
    mine = Response.objects.filter(
        scope.clients_of(viewer, "client__"), attribution.may_see(viewer), pk__in=keys
    )
    return mine.select_related("client", "client__manager").order_by("submitted_at", "pk")


def _without(
    ask: Ask, keys: tuple[int, ...], seen: Sequence[Response], viewer: User, at: datetime
) -> Figure:
    """The figure without them; withheld where the difference would tell of a few unseen ones."""
    found = slicing.without(ask, keys, viewer=viewer, at=at)
    hidden = Response.objects.filter(pk__in=set(keys) - {one.pk for one in seen})
    clients = set(hidden.values_list("client", flat=True))
    n = len(keys) - len(seen)
    few = n < DEFAULT.gate.min_resp or len(clients) < DEFAULT.gate.min_clients
    if found.gate or not n or not few:
        return found
    return concealed(found, gating.DIFFERENCING)
