"""The course of a figure over disjoint quarters: gaps, control chart, trend (13.2-13.6)."""

from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings

from metrics import queries
from metrics.formulas import periods, trends
from metrics.queries import Figure
from metrics.slicing import engaged, stored
from metrics.slicing.asking import Ask, named_span

_QUARTERS = 12


@dataclass(frozen=True)
class Control:
    """The mean of the quarters and its limits; `signals` are the periods outside."""

    mean: float
    lower: float
    upper: float
    signals: frozenset[str]


@dataclass(frozen=True)
class Course:
    """Quarters from old to new, the running one last; `word` only where a trend may be named."""

    figures: list[Figure]
    running: str
    n: int
    control: Control | None
    word: str
    p_value: float | None
    slope: float | None

    @property
    def drawn(self) -> bool:
        """Whether there is anything to draw."""
        return sum(fig.value is not None for fig in self.figures) > 1


def course(ask: Ask, whole: Figure, *, at: datetime) -> Course | None:
    """The stored quarters of the unit asked for; null where its quarters are not kept."""
    keys = _keys(at)
    zone = settings.TIME_ZONE
    running = named_span(keys[-1], at=at, zone=zone)
    plain = replace(ask, group_by="", span=running)
    if whole.metric == engaged.SILENCE or not stored.holds(plain, at=at):
        return None
    states = whole.metric in engaged.METRICS
    kept = engaged.kept(whole.metric, running, at) if states else keys[-1]
    figures = queries.trend(
        whole.scope,
        whole.scope_id,
        whole.metric,
        population=whole.population,
        periods=[*keys[:-1], kept],
        part=whole.slice,
    )
    figures[-1] = replace(figures[-1], period=keys[-1])
    complete = figures[:-1]
    values = [fig.value for fig in complete]
    bounds = [periods.period_bounds(fig.period, zone) for fig in complete]
    found = trends.trend(list(zip(bounds, values, strict=True)))
    return Course(
        figures,
        keys[-1],
        found.n,
        _control(complete, trends.xmr(values)),
        found.word or "",
        found.test.p_value if found.test else None,
        found.slope,
    )


def _control(figures: list[Figure], chart: trends.Chart | None) -> Control | None:
    if chart is None:
        return None
    signals = frozenset(figures[place].period for place in chart.signals)
    return Control(chart.mean, chart.lcl, chart.ucl, signals)


def _keys(at: datetime) -> list[str]:
    """The last twelve quarters and the running one, oldest first."""
    today = periods.local_date(at, settings.TIME_ZONE)
    last = today.year * 4 + (today.month - 1) // 3
    steps = (divmod(last - back, 4) for back in range(_QUARTERS, -1, -1))
    return [f"{year:04d}Q{quarter + 1}" for year, quarter in steps]
