"""What became of figures since the period before: the difference, its test, and the word."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from bank import scope as scopes
from bank.models import ApiKey, Team, User
from clients.models import Client
from metrics import slicing
from metrics.comparing import testing
from metrics.comparing.testing import Test
from metrics.facts import frames, series
from metrics.formulas import comparing as formulas
from metrics.formulas import periods
from metrics.formulas.periods import Bounds
from metrics.models import Scope
from metrics.queries import RELATIONAL, Figure
from metrics.slicing import cells
from metrics.slicing.asking import Ask, Filters, Span, named_span
from metrics.windows import WHOLE
from surveys.models import Campaign

CHANGED, NOT_DISTINGUISHABLE = "changed", "not_distinguishable"
RUNNING, SERIES_BREAK, WITHHELD, NO_DATA = "RUNNING", "SERIES_BREAK", "WITHHELD", "NO_DATA"
NO_TEST = "NO_TEST"
# The test reads the answers of two periods; for an hour its result stands for them.
_HOUR = 60 * 60


@dataclass(frozen=True)
class Change:
    """The figure less that of the period before, in the unit of the metric.

    With a `reason` nothing may be said: the period is running, the series broke, one of the two
    is withheld or empty, or there is no interval to test by.
    """

    metric: str
    before: Figure | None
    diff: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    verdict: str = ""
    reason: str = ""
    method: str = ""

    @property
    def up(self) -> bool | None:
        """Whether it rose; null where it did not move or is not known."""
        return None if not self.diff else self.diff > 0


def changes(
    unit: tuple[str, int],
    *,
    period: str,
    figures: Mapping[str, Figure],
    viewer: User | ApiKey,
    at: datetime,
    population: str = RELATIONAL,
) -> dict[str, Change]:
    """The changes of these figures of a stored unit, corrected together; ask once a page."""
    span = named_span(period, at=at, zone=settings.TIME_ZONE)
    ask = Ask(tuple(figures), span, population, _filters(*unit))
    return changes_of(ask, figures, viewer=viewer, at=at)


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
    zone = settings.TIME_ZONE
    first = periods.local_date(span.bounds.start, zone)
    after = periods.local_date(span.bounds.end, zone)
    if span.key == WHOLE:
        return None
    months = 0 if span.free else _months(span.key)
    start = _months_back(first, months) if months else first - (after - first)
    key = _named(span, start, first)
    edge = periods.period_bounds(start.isoformat(), zone).start
    return Span(key, Bounds(edge, span.bounds.start))


def _months(key: str) -> int:
    """How many months a named period has; 0 where it is counted in days."""
    if key == "rolling12m":
        return 12
    if "Q" in key or key.startswith("rolling3m"):
        return 3
    return 1 if re.fullmatch(r"\d{4}-\d\d", key) else 0


def _named(span: Span, start: date, first: date) -> str:
    """A quarter and a month have names under which they are stored; other spans their days."""
    if not span.free and "Q" in span.key:
        return f"{start.year:04d}Q{(start.month + 2) // 3}"
    if not span.free and _months(span.key) == 1:
        return f"{start.year:04d}-{start.month:02d}"
    return f"{start.isoformat()}/{first.isoformat()}"


def _months_back(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = (date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month + 1, min(day.day, last))


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
    tested = [metric for metric, reason in refused.items() if not reason]
    windows = (earlier.bounds, ask.span.bounds)
    broken = series.broken(tested, ask.population, windows) if tested else set()
    refused |= dict.fromkeys(broken, SERIES_BREAK)
    tests = _tests(ask, earlier, figures, held, [m for m in tested if m not in broken])
    verdicts = dict(zip(tests, formulas.family(list(tests.values())), strict=True))
    return {
        metric: _change(
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
        windows, where = [earlier.bounds, ask.span.bounds], cells.where_of(ask.filters)
        cuts = cells.cuts(ask, windows, where=where, frame=frames.frame())
        one, two = (cut.cells[cells.WHOLE].table for cut in cuts)
    found = {}
    for metric in metrics:
        pair: tuple[Any, Any] = held[metric], figures[metric]
        test = testing.over_time(*pair, one, two) if one and two else testing.apart(*pair)
        if test is not None:
            found[metric] = test
    return found


def _change(
    now: Figure,
    earlier: Figure | None,
    reason: str,
    test: Test | None,
    verdict: formulas.Verdict | None,
) -> Change:
    if reason or test is None or verdict is None:
        return Change(
            now.metric, earlier, reason=reason or NO_TEST, diff=_plain(now, earlier, reason)
        )
    tested = test.p_value is not None
    changed = verdict.word == "changed"
    return Change(
        now.metric,
        earlier,
        now.value - earlier.value
        if earlier and now.value is not None and earlier.value is not None
        else test.diff,
        test.low,
        test.high,
        test.p_value,
        verdict.p_adjusted,
        (CHANGED if changed else NOT_DISTINGUISHABLE) if tested else "",
        "" if tested else NO_TEST,
        test.method,
    )


def _plain(now: Figure, earlier: Figure | None, reason: str) -> float | None:
    """A difference without a test; none across a break or against a part of a period."""
    if reason in {SERIES_BREAK, RUNNING} or earlier is None:
        return None
    return None if now.value is None or earlier.value is None else now.value - earlier.value


def _filters(scope: str, pk: int) -> Filters:
    """The filters that name a stored unit."""
    if scope == Scope.TEAM:
        return Filters(team=Team.objects.get(pk=pk))
    if scope == Scope.CAMPAIGN:
        return Filters(campaign=Campaign.objects.select_related("questionnaire").get(pk=pk))
    return Filters(client=Client.objects.get(pk=pk)) if scope == Scope.CLIENT else Filters()
