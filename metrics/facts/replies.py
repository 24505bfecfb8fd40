"""Standing responses with the valid values of the items that figures are made of."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from metrics.formulas import scores
from metrics.formulas.parameters import DEFAULT
from surveys.models import Answer, Question, Version

NPS = "nps"
COMPOSITE = "csat"
_WEIGHTS = dict(DEFAULT.csat.weights)
DIMENSIONS = tuple(_WEIGHTS)
_COLUMNS = (
    "response__response_id",
    "response__client_id",
    "response__contact_id",
    "response__version__questionnaire__kind",
    "response__invitation__campaign_id",
    "response__submitted_at",
    "response__version__attribution",
    "question__type",
    "question__dimension",
    "question__lo",
    "question__hi",
    "question__reversed",
    "value",
)
_SCALE = (DEFAULT.csat.lo, DEFAULT.csat.hi)


@dataclass(slots=True)
class Reply:
    """One standing response: its client at submission and its valid values by item.

    An item is `nps`, a core dimension of CSAT, or their composite `csat`; what was skipped, is
    not applicable or not defined is absent.
    """

    id: str
    client: int
    contact: int | None
    population: str
    campaign: int | None
    at: datetime
    attributable: bool
    values: dict[str, float] = field(default_factory=dict)

    @property
    def person(self) -> object:
        """Who answered; a response without a contact is its own contact (metrics-spec 1.4)."""
        return self.contact if self.contact is not None else ("", self.id)


def by_client(client_ids: Iterable[int] | None = None) -> Iterator[tuple[int, list[Reply]]]:
    """The replies of each client, clients by number, replies from first to last; one query.

    On one instant the larger response number is the later one, compared here and not by the
    database, whose collation may differ.
    """
    held: list[Reply] = []
    for row in _rows(client_ids):
        if held and held[-1].client != row[1]:
            yield held[0].client, _in_order(held)
            held = []
        if not held or held[-1].id != row[0]:
            held.append(_reply(row[:7]))
        _take(held[-1], row[7:])
    if held:
        yield held[0].client, _in_order(held)


def _rows(client_ids: Iterable[int] | None) -> Iterator[tuple[Any, ...]]:
    found = Answer.objects.filter(
        Q(question__type=Question.Type.NPS)
        | Q(
            question__type=Question.Type.CSAT,
            question__csat_core=True,
            question__dimension__in=DIMENSIONS,
        ),
        response__retracted_at__isnull=True,
        response__is_test=False,
        value__isnull=False,
    )
    if client_ids is not None:
        found = found.filter(response__client__in=list(client_ids))
    rows = found.order_by("response__client_id", "response_id", "id").values_list(*_COLUMNS)
    # A server-side cursor is three trips: worth it for everybody, not for a few.
    return rows.iterator(chunk_size=5000) if client_ids is None else iter(rows)


def _reply(identity: tuple[Any, ...]) -> Reply:
    """A reply without values yet; its single answers are open if that was promised."""
    known, attribution = identity[:-1], identity[-1]
    names = ("id", "client", "contact", "population", "campaign", "at")
    open_ = attribution == Version.Attribution.RELATIONSHIP_TEAM
    return Reply(**dict(zip(names, known, strict=True)), attributable=open_)


def _take(reply: Reply, mark: tuple[Any, ...]) -> None:
    """Keep a value of the scale; another scale is another series and never enters this one."""
    kind, dimension, lo, hi, turned, value = mark
    if kind == Question.Type.NPS:
        item = NPS
    elif (lo, hi) == _SCALE:
        item = dimension
    else:
        return
    if lo <= value <= hi:
        reply.values[item] = lo + hi - value if turned else value


def _in_order(held: list[Reply]) -> list[Reply]:
    """The finished replies of one client, each with its composite where it has one."""
    for reply in held:
        composite = scores.composite(reply.values, _WEIGHTS)
        if composite is not None:
            reply.values[COMPOSITE] = composite
    return sorted(held, key=lambda reply: (reply.at, reply.id))
