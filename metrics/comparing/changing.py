"""What became of figures since the period before: the difference, its test, and the word."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from bank import scope as scopes
from bank.models import ApiKey, User
from metrics import slicing, windows
from metrics.comparing import testing
from metrics.comparing.telling import (
    NO_DATA,
    OVERLAP,
    RUNNING,
    SERIES_BREAK,
    WITHHELD,
    Change,
    made,
)
from metrics.comparing.testing import OVERLAPPING, PAIRED, Test
from metrics.facts import frames, series
from metrics.formulas import columns
from metrics.formulas import comparing as formulas
from metrics.formulas.parameters import DEFAULT
from metrics.queries import ENGAGEMENT, Figure
from metrics.slicing import cells, engaged
from metrics.slicing.asking import Ask, Span
from metrics.windows import WHOLE

# The test reads the answers of two periods; for an hour its result stands for them.
_HOUR = 60 * 60


def change_of(ask: Ask, fig: Figure, *, viewer: User | ApiKey, at: datetime) -> Change | None:
    """The change of one figure, which is a family of its own."""
    return changes_of(ask, {fig.metric: fig}, viewer=viewer, at=at).get(fig.metric)


def changes_of(
    ask: Ask, figures: Mapping[str, Figure], *, viewer: User | ApiKey, at: datetime
) -> dict[str, Change]:
    """The changes of figures that answer this question, shown on one page."""
    earlier = before(ask.span)
    if earlier is None or not figures:
        return {}
    plain = replace(ask, metrics=tuple(figures), group_by="")
    key = _key(plain, figures, viewer)
    try:
        known: dict[str, Change] | None = cache.get(key)
    except RedisError:
        known = None
    if known is None:
        known = _found(plain, earlier, figures, viewer, at)
        _remember(key, known)
    return known


def _remember(key: str, found: dict[str, Change]) -> None:
    try:
        cache.set(key, found, _HOUR)
    except RedisError:
        return


def _key(ask: Ask, figures: Mapping[str, Figure], viewer: User | ApiKey) -> str:
    """The question, who asks, and the state of the figures it is about."""
    kind = "key" if isinstance(viewer, ApiKey) else "user"
    who = "all" if scopes.sees_all(viewer) else f"{kind}{viewer.pk}"
    state = [(m, str(fig.as_of), fig.n, fig.gate) for m, fig in figures.items()]
    given = sorted(ask.filters.given().items())
    text = repr((ask.span.key, ask.population, given, state))
    return f"change:{who}:{hashlib.sha256(text.encode()).hexdigest()}"


def before(span: Span) -> Span | None:
    """The period before, as long and without a day in common; null where there is none."""
    if span.key == WHOLE:
        return None
    found = windows.before(span.key, span.bounds, zone=settings.TIME_ZONE, free=span.free)
    return Span(*found)


def _found(
    ask: Ask,
    earlier: Span,
    figures: Mapping[str, Figure],
    viewer: User | ApiKey,
    at: datetime,
) -> dict[str, Change]:
    rows = slicing.rows(replace(ask, span=earlier), None, viewer=viewer, at=at)
    held = {row.figure.metric: row.figure for row in rows}
    refused = {metric: _refusal(ask, fig, held.get(metric), at) for metric, fig in figures.items()}
    days = [engaged.day_of(span, at) for span in (earlier, ask.span)]
    if (days[1] - days[0]).days < DEFAULT.engagement.window_days:
        shared = {metric for metric in ENGAGEMENT if metric in refused and not refused[metric]}
        refused |= dict.fromkeys(shared, OVERLAP)
    tested = [metric for metric, reason in refused.items() if not reason]
    spans = (earlier.bounds, ask.span.bounds)
    broken = series.broken(tested, ask.population, spans) if tested else set()
    refused |= dict.fromkeys(broken, SERIES_BREAK)
    tested = [m for m in tested if m not in broken]
    tests = _tests(ask, earlier, figures, held, [m for m in tested if m not in ENGAGEMENT])
    tests |= _moved(ask, earlier, [m for m in tested if m in ENGAGEMENT], at)
    verdicts = dict(zip(tests, formulas.family(list(tests.values())), strict=True))
    return {
        metric: made(
            fig, held.get(metric), refused[metric], tests.get(metric), verdicts.get(metric)
        )
        for metric, fig in figures.items()
    }


def _refusal(ask: Ask, now: Figure, earlier: Figure | None, at: datetime) -> str:
    """Why two figures may not be compared; empty where they may."""
    if not ask.span.key.startswith("rolling") and ask.span.running(at):
        return RUNNING
    if earlier is None or not (earlier.n or earlier.shown) or not (now.n or now.shown):
        return NO_DATA
    return "" if now.shown and earlier.shown else WITHHELD


def _moved(ask: Ask, earlier: Span, metrics: list[str], at: datetime) -> dict[str, Test]:
    """Engagement of the same clients on both days (3.8); components like the index."""
    if not metrics or ask.filters.client is not None:
        return {}
    before, now = (engaged.State(span, at) for span in (earlier, ask.span))
    frame = frames.frame()
    ids = frame.ids[now.eligible(frame) & frame.within(cells.where_of(ask.filters))]
    found = {}
    for metric in metrics:
        moved = columns.mean_change(*(state.values(metric, ids) for state in (before, now)))
        if moved is not None:
            how = PAIRED if moved.paired else OVERLAPPING
            found[metric] = Test(moved.diff, moved.ci.low, moved.ci.high, moved.p_value, how)
    return found


def _tests(
    ask: Ask,
    earlier: Span,
    figures: Mapping[str, Figure],
    held: Mapping[str, Figure],
    metrics: list[str],
) -> dict[str, Test]:
    if not metrics:
        return {}
    of_client = ask.filters.client is not None
    one = two = None
    if not of_client and {"nps", "csat", "ces"} & set(metrics):
        spans, where = [earlier.bounds, ask.span.bounds], cells.where_of(ask.filters)
        cuts = cells.cuts(ask, spans, where=where, frame=frames.frame())
        one, two = (cut.cells[cells.WHOLE].table for cut in cuts)
    found = {}
    for metric in metrics:
        pair: tuple[Any, Any] = held[metric], figures[metric]
        test = testing.over_time(*pair, one, two) if one and two else testing.apart(*pair)
        if test is not None:
            found[metric] = test
    return found
