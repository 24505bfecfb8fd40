"""Stored figures as one viewer may see them: less what that viewer knows, nothing is told."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

import numpy as np
from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from bank import scope
from bank.models import ApiKey, User
from clients.models import Client
from metrics import windows
from metrics.facts import answers, frames
from metrics.facts.tables import Ids, Slot, Table
from metrics.facts.where import By, Cut, Where
from metrics.formulas import periods
from metrics.formulas.periods import Bounds
from metrics.models import Scope
from metrics.queries import Figure, concealed
from metrics.slicing import gating
from metrics.slicing.asking import whole_life
from metrics.slicing.singles import column, promises
from metrics.windows import WHOLE

_UNITS = frozenset({str(Scope.BANK), str(Scope.TEAM), str(Scope.CAMPAIGN)})
Read = dict[Slot, Table]
# A client with its team and line of business.
Place = tuple[int, int | None, str]
Name = tuple[str, int, str, str, str, str]
_HOUR = 60 * 60


def for_viewer(figures: Sequence[Figure], *, viewer: User | ApiKey, at: datetime) -> list[Figure]:
    """The figures of one page, those withheld that less the viewer's own answers tell a few.

    One read for the bank, its teams and lines of business, and one more each for stages and
    campaigns where there are some; none for who sees everything, or within an hour after.
    """
    judged = [fig for fig in figures if _is_judged(fig)]
    if scope.sees_all(viewer) or not judged:
        return list(figures)
    mine = Client.objects.visible_to(viewer).order_by("pk")
    places = list(mine.values_list("pk", "team_id", "segment"))
    hidden = _remembered(judged, places, viewer, at)
    return [
        concealed(fig, gating.COMPLEMENTARY) if _name(fig) in hidden else fig for fig in figures
    ]


def _remembered(
    judged: list[Figure], places: Sequence[Place], viewer: User | ApiKey, at: datetime
) -> frozenset[Name]:
    """The figures to withhold; for an hour a verdict on the same figures and clients stands."""
    day = periods.local_date(at, settings.TIME_ZONE)
    state = [(*_name(fig), fig.n, str(fig.as_of)) for fig in judged]
    text = repr((type(viewer).__name__, viewer.pk, day, places, state))
    key = f"guard:{hashlib.sha256(text.encode()).hexdigest()}"
    try:
        hidden: frozenset[Name] | None = cache.get(key)
        if hidden is None:
            hidden = _hidden(judged, places, viewer, at)
            cache.set(key, hidden, _HOUR)
    except RedisError:
        return _hidden(judged, places, viewer, at)
    return hidden


def _hidden(
    judged: list[Figure], places: Sequence[Place], viewer: User | ApiKey, at: datetime
) -> frozenset[Name]:
    known = Known(sorted({fig.period for fig in judged}), places, viewer, at)
    return frozenset(_name(fig) for fig in judged if known.guard(fig).gate)


def _name(fig: Figure) -> Name:
    """What tells a figure from all others."""
    return fig.scope, fig.scope_id, fig.slice, fig.population, fig.period, fig.metric


def _is_judged(fig: Figure) -> bool:
    return not fig.gate and fig.scope in _UNITS and bool(column(fig.metric))


class Known:
    """What a viewer sees one by one in some periods, read as far as it is needed."""

    def __init__(
        self, keys: Sequence[str], places: Sequence[Place], viewer: User | ApiKey, at: datetime
    ) -> None:
        self._place = {key: place for place, key in enumerate(keys)}
        self._windows = [_bounds(key, at) for key in keys]
        self._places, self._where = places, Where(promises=promises(viewer))
        self._reads: dict[str, Read] = {}
        self._inside: dict[tuple[int | None, str | None], Ids] = {}

    def guard(self, fig: Figure) -> Figure:
        """The figure, withheld where it would tell the few answers not seen."""
        return gating.for_viewer(fig, {fig.metric: self._seen(fig)})

    def _seen(self, fig: Figure) -> int:
        pairs = dict(pair.split("=") for pair in fig.slice.split("&") if pair)
        by: By = ""
        part: int | str = ""
        if "stage" in pairs:
            by, part = "stage", pairs["stage"]
        elif fig.scope == Scope.CAMPAIGN:
            by, part = "campaign", fig.scope_id
        table = self._read(by).get(Slot(self._place[fig.period], fig.population, part))
        if table is None:
            return 0
        if fig.scope == Scope.TEAM or "segment" in pairs:
            team = fig.scope_id if fig.scope == Scope.TEAM else None
            table = table.of(self._within(team, pairs.get("segment")))
        return table.count(column(fig.metric))

    def _within(self, team: int | None, segment: str | None) -> Ids:
        """The viewer's clients in a team or a line of business."""
        if (team, segment) not in self._inside:
            below = set(self._below.get(team or 0, ()))
            kept = [
                pk
                for pk, place, line in self._places
                if (team is None or place in below) and segment in (None, line)
            ]
            self._inside[team, segment] = np.array(kept, dtype=np.int64)
        return self._inside[team, segment]

    @cached_property
    def _below(self) -> dict[int, list[int]]:
        """Each team with all under it; one query."""
        found: dict[int, list[int]] = {}
        for team, chain in frames.chains().items():
            for above in chain:
                found.setdefault(above, []).append(team)
        return found

    def _read(self, by: By) -> Read:
        if by not in self._reads:
            cut = Cut(self._where, [pk for pk, _team, _line in self._places], None, by)
            self._reads[by] = answers.many(self._windows, cut)
        return self._reads[by]


def _bounds(key: str, at: datetime) -> Bounds:
    """The instants of a stored period, or of the days before one."""
    if key == WHOLE:
        return whole_life(at)
    if "/" in key:
        return windows.days(key, zone=settings.TIME_ZONE)
    return periods.parse(key, as_of=at, zone=settings.TIME_ZONE)
