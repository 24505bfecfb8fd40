"""Changes kept beside stored figures: made with them, read again by a page.

What is kept is the test of one figure; the page that shows several corrects them together. Whether
a period still runs is for the page to say: what is kept must not depend on the hour.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings

from metrics.comparing import testing
from metrics.comparing.telling import NO_DATA, RUNNING, SERIES_BREAK, WITHHELD, Change, made
from metrics.comparing.testing import Test
from metrics.facts.tables import Table
from metrics.formulas import comparing as formulas
from metrics.formulas import periods
from metrics.queries import DIMENSIONS, Figure

METRICS = (
    *("nps", "nps_exposure", "csat", *DIMENSIONS),
    *("response_rate", "client_response_rate"),
)
CHANGE = "change"
_NUMBERS = ("value", "low", "high")


def kept(
    now: Figure, earlier: Figure, tables: Sequence[Table], *, broken: bool
) -> dict[str, Any] | None:
    """What is stored with a figure that may be shown; null where there is nothing to tell."""
    if not now.shown or not (earlier.n or earlier.shown):
        return None
    before = {"period": earlier.period, "n": earlier.n, "clients": earlier.clients}
    if not earlier.shown:
        return {"before": before | {"gate": earlier.gate}}
    before |= {name: getattr(earlier, name) for name in _NUMBERS}
    if broken:
        return {"before": before, "reason": SERIES_BREAK}
    test = testing.over_time(earlier, now, tables[0], tables[1])
    if test is None:
        return {"before": before}
    found = {"diff": test.diff, "low": test.low, "high": test.high, "p": test.p_value}
    return {"before": before, "test": found | {"method": test.method}}


def before_of(fig: Figure) -> Figure | None:
    """The figure of the period before, as it was kept; null where none was."""
    held = fig.detail.get(CHANGE)
    if not held:
        return None
    told = dict.fromkeys(_NUMBERS) | {"gate": ""} | held["before"]
    return replace(fig, **told, label="", detail={}, flags="", restated_at=None)


def kept_changes(
    figures: Mapping[str, Figure], *, see: Callable[[Figure], Figure], at: datetime
) -> dict[str, Change]:
    """The changes of figures of one unit and period, corrected together; no query.

    `see` gives a figure of the period before as the viewer may see it.
    """
    running = any(_is_running(fig.period, at) for fig in figures.values())
    earlier = {metric: before_of(fig) for metric, fig in figures.items()}
    seen = {metric: see(fig) if fig else None for metric, fig in earlier.items()}
    refused = {
        metric: RUNNING if running else _refusal(fig, seen[metric])
        for metric, fig in figures.items()
    }
    tests = {
        metric: test
        for metric, fig in figures.items()
        if not refused[metric] and (test := _test(fig)) is not None
    }
    verdicts = dict(zip(tests, formulas.family(list(tests.values())), strict=True))
    return {
        metric: made(fig, seen[metric], refused[metric], tests.get(metric), verdicts.get(metric))
        for metric, fig in figures.items()
    }


def _is_running(key: str, at: datetime) -> bool:
    if key.startswith("rolling"):
        return False
    bounds = periods.parse(key, as_of=at, zone=settings.TIME_ZONE)
    return periods.is_running(bounds, at=at)


def _refusal(now: Figure, earlier: Figure | None) -> str:
    """Why two figures may not be compared; empty where they may."""
    if not now.shown:
        return WITHHELD if now.n else NO_DATA
    if earlier is None:
        return NO_DATA
    return str(now.detail[CHANGE].get("reason", "")) if earlier.shown else WITHHELD


def _test(fig: Figure) -> Test | None:
    held = fig.detail[CHANGE].get("test")
    if held is None:
        return None
    return Test(held["diff"], held["low"], held["high"], held["p"], held["method"])
