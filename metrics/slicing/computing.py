"""Figures that no store keeps: from facts, through the same indicators, then the gate."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
from django.conf import settings

from bank.models import ApiKey, User
from metrics import indicators, storing
from metrics.facts import exposure, frames, mergers, requests
from metrics.facts.exposure import Exposure
from metrics.facts.frames import Frame
from metrics.facts.tables import Ids
from metrics.facts.where import Where
from metrics.formulas import periods
from metrics.formulas.parameters import Parameters, Periods
from metrics.indicators import Given
from metrics.models import Scope
from metrics.queries import NO_DATA, Figure, concealed, figure_of
from metrics.slicing import cells, differencing, engaged, gating
from metrics.slicing.asking import OF_ANSWERS, Ask
from metrics.slicing.cells import WHOLE, Cell, Cut, Key
from metrics.slicing.grid import Row
from metrics.slicing.singles import Singles
from metrics.storing import Stamp, Unit

_WEIGHTED = frozenset({"nps_exposure", "coverage_exposure"})


@dataclass(frozen=True)
class Sources:
    """Everything that was read for one question in one window."""

    ask: Ask
    where: Where
    frame: Frame
    answers: Cut
    requests: Cut
    exposure: Exposure | None
    stamp: Stamp
    at: datetime

    @cached_property
    def state(self) -> engaged.State:
        """What is known of the day the period ends with."""
        return engaged.State(self.ask.span, self.at)


def rows(ask: Ask, units: Any, *, viewer: User | ApiKey, at: datetime) -> list[Row]:
    """The rows of the question; `units` are those of a group that the viewer may see."""
    if ask.group_by in OF_ANSWERS and engaged.METRICS.issuperset(ask.metrics):
        return engaged.not_of_answers(ask, at)
    where, frame = cells.where_of(ask.filters), frames.frame()
    found = read(ask, where=where, frame=frame, at=at)
    if ask.group_by == "client" or ask.filters.client is not None:
        return _of_clients(found, units)
    figures = measured(found)
    guarded = _guarded(found, figures, viewer)
    return _rows(found, guarded, _codes(ask, units))


def without(
    ask: Ask, responses: tuple[int, ...], *, viewer: User | ApiKey, at: datetime
) -> Figure:
    """The one figure of the question as it would be without these responses.

    Withheld like any other where it less what the viewer sees one by one would tell a few.
    """
    where, frame = replace(cells.where_of(ask.filters), without=responses), frames.frame()
    found = read(ask, where=where, frame=frame, at=at)
    if ask.filters.client is not None:
        return _of_clients(found, None)[0].figure
    singles = Singles(ask, viewer, ask.span.bounds, where=where, frame=frame)
    return singles.guard(measured(found)[WHOLE][ask.metrics[0]], WHOLE)


def read(ask: Ask, *, where: Where, frame: Frame, at: datetime) -> Sources:
    """The facts behind a question: answers, invitations and what is at stake."""
    window = ask.span.bounds
    (answers,) = cells.cuts(ask, [window], where=where, frame=frame)
    asked_for = any(metric in gating.RATES for metric in ask.metrics) or _of_wave(ask)
    asked = cells.of_requests(ask, window, where=where, frame=frame) if asked_for else answers
    stake = None
    if _WEIGHTED & set(ask.metrics) or len(ask.metrics) > 1:
        day = periods.local_date(min(window.end, at), settings.TIME_ZONE)
        stake = exposure.at([day])[day]
    # The same parameters as those in the store; reading writes none down.
    used = Parameters(periods=Periods(zone=settings.TIME_ZONE)).id
    stamp = Stamp(used, settings.TIME_ZONE, at)
    invited = asked if asked_for else Cut(frame, {})
    return Sources(ask, where, frame, answers, invited, stake, stamp, at)


def measured(found: Sources) -> dict[Key, dict[str, Figure]]:
    """Every metric of every cell, after the thresholds of the gate."""
    merged = mergers.known().at_end_of(found.ask.span.bounds)
    return {
        key: _figures(found, key, _given(found, key, cell, merged))
        for key, cell in _all_cells(found).items()
    }


def _all_cells(found: Sources) -> dict[Key, Cell]:
    """The cells of answers, and those that were only asked."""
    return dict(found.requests.cells) | found.answers.cells


def _given(found: Sources, key: Key, cell: Cell, merged: dict[int, int]) -> Given:
    asked = found.requests.cells.get(key)
    answered = found.answers.cells.get(key)
    more: dict[str, Any] = {"answers": answered.table} if answered else {}
    more |= {"requests": asked.table} if asked else {}
    if _of_wave(found.ask):
        eligible = asked.table.ids if asked else np.zeros(0, dtype=np.int64)
    else:
        frame = found.frame
        kept = frame.active & ~np.isin(frame.ids, np.array(sorted(merged), dtype=np.int64))
        eligible = frame.ids[kept if cell.members is None else kept & cell.members]
    return Given(eligible=eligible, exposure=found.exposure, **more)


def _of_wave(ask: Ask) -> bool:
    return ask.group_by == "campaign" or ask.filters.campaign is not None


def _figures(found: Sources, key: Key, given: Given) -> dict[str, Figure]:
    unit = _unit(found, key)
    made = [figure_of(storing.measurement(row)) for row in storing.build(unit, given, found.stamp)]
    held = {fig.metric: fig for fig in made}
    return {
        metric: _state(found, metric, unit, given.eligible)
        if metric in engaged.METRICS
        else held.get(metric) or _empty(found, metric, unit)
        for metric in found.ask.metrics
    }


def _state(found: Sources, metric: str, unit: Unit, eligible: Ids) -> Figure:
    """A state of the day; it cannot be cut by what only answers have."""
    named = replace(unit, population="")
    if engaged.by_answers(found.ask):
        return found.state.nothing(metric, named, engaged.NOT_OF_ANSWERS)
    return found.state.of_unit(metric, named, eligible)


def _empty(found: Sources, metric: str, unit: Unit) -> Figure:
    """A figure without data."""
    return Figure(
        metric,
        unit.population,
        unit.scope,
        unit.scope_id,
        unit.period,
        slice=unit.slice,
        parameter_set=found.stamp.parameter_set,
        zone=found.stamp.zone,
        as_of=found.at,
        gate=NO_DATA,
    )


def _unit(found: Sources, key: Key) -> Unit:
    """What the cell speaks of: scope and number, and the rest of its name as a part."""
    ask, cell = found.ask, found.answers.cells.get(key)
    named: dict[str, str | int] = ask.filters.given()
    if key != WHOLE:
        named[ask.group_by] = key
    scope, number = Scope.BANK, 0
    if "campaign" in named:
        scope, number = Scope.CAMPAIGN, int(named.pop("campaign"))
    elif "team" in named:
        own = ask.filters.team.pk if ask.filters.team else 0
        scope, number = Scope.TEAM, int(key) if ask.group_by == "team" and key != WHOLE else own
        named.pop("team")
    part = "&".join(f"{name}={value}" for name, value in sorted(named.items()))
    population = (cell.population if cell else "") or ask.population
    return Unit(str(scope), number, population, ask.span.key, part)


def _guarded(
    found: Sources, figures: dict[Key, dict[str, Figure]], viewer: User | ApiKey
) -> dict[Key, dict[str, Figure]]:
    """After what the viewer knows already, and what cells and totals give away together."""
    ask = found.ask
    singles = Singles(ask, viewer, ask.span.bounds, where=found.where, frame=found.frame)
    watch = differencing.Watch(found.ask, found.where, found.frame, found.answers, viewer)
    checked = {
        key: {m: watch.guard(singles.guard(fig, key), key) for m, fig in held.items()}
        for key, held in figures.items()
    }
    for metric in ask.metrics:
        held = {key: one[metric] for key, one in checked.items()}
        for key, fig in _family(found, held).items():
            checked[key][metric] = fig
    watch.keep(checked)
    return checked if watch.awake else _nothing(checked)


def _nothing(figures: dict[Key, dict[str, Figure]]) -> dict[Key, dict[str, Figure]]:
    """What cannot be remembered is not shown."""
    return {
        key: {m: _unremembered(fig) for m, fig in held.items()} for key, held in figures.items()
    }


def _unremembered(fig: Figure) -> Figure:
    told = fig.gate or fig.metric in gating.UNSAID
    return fig if told else concealed(fig, gating.DIFFERENCING)


def _family(found: Sources, held: dict[Key, Figure]) -> dict[Key, Figure]:
    """The cells under their total; teams under the team above them."""
    if not found.ask.group_by:
        return held
    parts = {key: fig for key, fig in held.items() if key != WHOLE}
    if found.ask.group_by != "team":
        return held | dict(
            zip(parts, gating.family(list(parts.values()), held[WHOLE]), strict=True)
        )
    return _tree(found.frame, held)


def _tree(frame: Frame, held: dict[Key, Figure]) -> dict[Key, Figure]:
    """From the root down, so that a team withheld above is no published total below."""
    above: dict[Key, list[Key]] = {}
    for team, chain in sorted(frame.chains.items(), key=lambda pair: len(pair[1])):
        parent: Key = chain[1] if len(chain) > 1 and chain[1] in held else WHOLE
        if team in held:
            above.setdefault(parent, []).append(team)
    held = dict(held)
    for parent, teams in above.items():
        kept = gating.family([held[team] for team in teams], held[parent])
        held |= dict(zip(teams, kept, strict=True))
    return held


def _codes(ask: Ask, units: Any) -> dict[Key, str | int] | None:
    """What the keys of a group are called in an address; only these may be shown."""
    if ask.group_by == "team":
        return dict(units.values_list("pk", "code"))
    if ask.group_by == "campaign":
        return {pk: pk for pk in units.values_list("pk", flat=True)}
    return None


def _rows(
    found: Sources,
    figures: dict[Key, dict[str, Figure]],
    codes: dict[Key, str | int] | None,
) -> list[Row]:
    ask, fixed = found.ask, found.ask.filters.given()
    if not ask.group_by:
        return [Row(fixed, figures[WHOLE][metric]) for metric in ask.metrics]
    order = list(codes) if codes is not None else [key for key in figures if key != WHOLE]
    return [
        Row(fixed | {ask.group_by: codes[key] if codes is not None else key}, held[metric])
        for key in order
        if (held := figures.get(key)) is not None
        for metric in ask.metrics
    ]


def _of_clients(found: Sources, units: Any) -> list[Row]:
    """Each client by itself: it is its own unit (metrics-spec 3.12)."""
    ask, answers = found.ask, found.answers.cells[WHOLE].table
    asked = found.requests.cells[WHOLE].table if found.requests.cells else requests.empty()
    made = {
        (row.scope_id, row.metric): figure_of(storing.measurement(row))
        for batch in indicators.clients.read(answers, asked)
        for row in storing.of_batch(batch, ask.population, ask.span.key, found.stamp)
    }
    one = ask.filters.client
    known: list[tuple[int, str]] = (
        [(one.pk, one.code)] if one is not None else list(units.values_list("pk", "code"))
    )
    fixed = ask.filters.given()
    part = _part(fixed)
    made |= _states_of_clients(found, [pk for pk, _code in known])
    rows = []
    for pk, code in known:
        unit = Unit(str(Scope.CLIENT), pk, ask.population, ask.span.key, part)
        for metric in ask.metrics:
            fig = made.get((pk, metric)) or _empty(found, metric, unit)
            fig = gating.of_scope({metric: fig})[metric]
            rows.append(Row(fixed | {"client": code}, replace(fig, slice=part)))
    return rows


def _states_of_clients(found: Sources, ids: list[int]) -> dict[tuple[int, str], Figure]:
    metrics = [metric for metric in found.ask.metrics if metric in engaged.METRICS]
    if not metrics:
        return {}
    if not engaged.by_answers(found.ask):
        return found.state.of_clients(ids, metrics)
    return {
        (pk, metric): found.state.nothing(
            metric,
            Unit(str(Scope.CLIENT), pk, "", found.ask.span.key),
            engaged.NOT_OF_ANSWERS,
        )
        for pk in ids
        for metric in metrics
    }


def _part(named: Mapping[str, str | int]) -> str:
    """The name of a part, but for what is a unit."""
    kept = {name: value for name, value in named.items() if name not in {"team", "client"}}
    return "&".join(f"{name}={value}" for name, value in sorted(kept.items()))
