"""Which questions the store answers, and its rows for them."""

import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from bank.models import ApiKey, User
from clients.models import Client, Stage
from metrics import queries
from metrics.models import Scope
from metrics.queries import TRANSACTIONAL, Figure
from metrics.slicing import cells, engaged, gating
from metrics.slicing.asking import Ask
from metrics.slicing.grid import Found, Grid, Row, Unit, stored_of
from metrics.slicing.singles import Singles
from metrics.windows import WHOLE, Windows

_MONTH = re.compile(r"\d{4}-\d\d")
_OF_AGGREGATES = re.compile(r"\d{4}(Q\d|-\d\d)|rolling90|rolling12m")
_OF_CLIENTS = re.compile(r"\d{4}Q\d|rolling90|rolling12m")
_OF_STAGES = re.compile(r"\d{4}Q\d|rolling12m")
# The stored units, by what names them; and what each of them is stored cut by.
_UNITS = (frozenset[str](), frozenset({"team"}), frozenset({"campaign"}), frozenset({"client"}))
_PARTS = frozenset({"segment", "stage"})


def holds(ask: Ask, *, at: datetime) -> bool:
    """Whether stored figures answer the question: the unit, the cut and the period are kept."""
    names = ask.filters.names()
    parts = (names & _PARTS) | ({ask.group_by} & _PARTS)
    if ask.span.free or (names - _PARTS) not in _UNITS:
        return False
    if parts and ("campaign" in names or "client" in names or ask.group_by not in {"", *_PARTS}):
        return False
    if ask.group_by and not _fits(ask.group_by, names):
        return False
    if parts and not _states_kept(ask, at):
        return False
    return _kept(ask, parts, at)


def _states_kept(ask: Ask, at: datetime) -> bool:
    """Whether the states of the day are stored by the parts asked for."""
    asked = engaged.METRICS & {*ask.metrics}
    if not asked:
        return True
    return not engaged.by_answers(ask) and all(engaged.kept(m, ask.span, at) for m in asked)


def _fits(group: str, names: frozenset[str]) -> bool:
    """Whether units of this kind are stored beside each other under these filters."""
    if group in _PARTS:
        return True
    return group in {"team", "campaign", "client"} and names <= (
        {"team"} if group in {"team", "client"} else set()
    )


def _kept(ask: Ask, parts: frozenset[str] | set[str], at: datetime) -> bool:
    key = ask.span.key
    if ask.group_by == "client" or ask.filters.client is not None:
        return bool(_OF_CLIENTS.fullmatch(key))
    if "stage" in parts:
        return ask.population == TRANSACTIONAL and bool(_OF_STAGES.fullmatch(key))
    if ask.group_by == "campaign" or ask.filters.campaign is not None:
        return key == WHOLE or bool(_OF_AGGREGATES.fullmatch(key))
    return bool(_OF_AGGREGATES.fullmatch(key)) or key in Windows(at).trend


def rows(ask: Ask, units: Any, *, viewer: User | ApiKey, at: datetime) -> Sequence[Row]:
    """The stored rows; `units` are the teams, campaigns or clients of a group in scope."""
    if ask.group_by in _PARTS or ask.filters.names() & _PARTS:
        return _parts(ask, viewer, at)
    guard = (lambda figures: figures) if ask.group_by == "client" else Guard(ask, viewer)
    grid = partial(
        Grid, metrics=ask.metrics, period=ask.span.key, guard=guard, read=partial(_read, ask, at)
    )
    if ask.group_by == "client":
        return grid(units, unit_of=lambda row: _client(row, ask.population))
    if ask.group_by == "campaign":
        return grid(units, unit_of=_campaign)
    if ask.group_by == "team":
        return grid(units, unit_of=lambda row: _team(row, ask.population))
    return grid([_one(ask)])


def _read(ask: Ask, at: datetime, units: list[Unit]) -> Found:
    """The stored figures; states of a day as the store keeps them of that day, or from facts."""
    found: Found = {}
    for period, metrics in engaged.sources(ask, at).items():
        if period:
            fresh = stored_of(units, metrics, period)
        else:
            fresh = engaged.of_units(engaged.State(ask.span, at), units, metrics)
        for key, held in fresh.items():
            found.setdefault(key, {}).update(engaged.renamed(held, ask.span.key))
    return {key: gating.of_scope(held) for key, held in found.items()}


class Guard:
    """Withholds, of the figures of one page, those a viewer's own knowledge would complete."""

    def __init__(self, ask: Ask, viewer: User | ApiKey) -> None:
        where, window = cells.where_of(ask.filters), ask.span.bounds
        self._singles = Singles(ask, viewer, window, where=where)
        self._group = ask.group_by

    def __call__(self, figures: list[Figure]) -> list[Figure]:
        return [self._singles.guard(fig, self._key(fig)) for fig in figures]

    def _key(self, fig: Figure) -> str | int:
        if self._group in _PARTS:
            return dict(pair.split("=") for pair in fig.slice.split("&"))[self._group]
        return fig.scope_id if self._group else cells.WHOLE


def _parts(ask: Ask, viewer: User | ApiKey, at: datetime) -> list[Row]:
    """Rows of stored slices of the bank or a team."""
    unit, guard = _one(ask), Guard(ask, viewer)
    made = []
    for metric in ask.metrics:
        period = engaged.kept(metric, ask.span, at) if metric in engaged.METRICS else ask.span.key
        stored = queries.parts(
            unit.scope, unit.pk, period=period, metric=metric, population=ask.population
        )
        found = engaged.renamed(stored, ask.span.key)
        empty = Figure(metric, ask.population, unit.scope, unit.pk, ask.span.key)
        fixed = {name: str(getattr(ask.filters, name)) for name in ask.filters.names() & _PARTS}
        if not ask.group_by:
            name = _name(fixed)
            fig = found.get(name) or gating.relabelled(empty, name)
            made.append(Row(ask.filters.given(), *guard([fig])))
            continue
        total = found.get(_name(fixed)) if fixed else _whole(unit, ask, metric, period)
        values = _values(ask.group_by)
        held = [
            found.get(_name(fixed | {ask.group_by: value}))
            or gating.relabelled(empty, _name(fixed | {ask.group_by: value}))
            for value in values
        ]
        shown = gating.family(held, total or empty)
        made += [
            Row(ask.filters.given() | {ask.group_by: value}, fig)
            for value, fig in zip(values, guard(shown), strict=True)
            if fig.n or fig.gate != queries.NO_DATA
        ]
    return made


def _name(parts: dict[str, str]) -> str:
    return "&".join(f"{name}={value}" for name, value in sorted(parts.items()))


def _whole(unit: Unit, ask: Ask, metric: str, period: str) -> Figure:
    found = queries.beside(
        unit.scope, [unit.pk], period=period, metrics=[metric], population=ask.population
    )
    return found[unit.pk][metric]


def _values(group: str) -> list[str]:
    if group == "segment":
        return [str(value) for value in Client.Segment.values]
    codes = Stage.objects.order_by("case_kind", "position").values_list("code", flat=True)
    return list(dict.fromkeys(codes))


def _one(ask: Ask) -> Unit:
    """The one unit that the filters name."""
    filters, kind = ask.filters, ask.population
    if filters.client is not None:
        return _client(filters.client, kind)
    if filters.campaign is not None:
        return _campaign(filters.campaign)
    if filters.team is not None:
        return _team(filters.team, kind)
    return Unit(Scope.BANK, 0, {}, kind)


def _client(row: Any, kind: str) -> Unit:
    return Unit(Scope.CLIENT, row.pk, {"client": row.code}, kind)


def _campaign(row: Any) -> Unit:
    return Unit(Scope.CAMPAIGN, row.pk, {"campaign": row.pk}, row.questionnaire.kind)


def _team(row: Any, kind: str) -> Unit:
    return Unit(Scope.TEAM, row.pk, {"team": row.code}, kind)
