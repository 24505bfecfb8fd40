"""The overview: which unit a viewer looks at, in which period, and the charts of its figures."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from bank import scope
from bank.models import Role, Team, User
from clients.models import Client
from cxportal import charts
from metrics import queries, slicing
from metrics.formulas import periods
from metrics.queries import ENGAGEMENT, Figure
from metrics.slicing import engaged
from metrics.slicing.asking import Filters, Span

DIMENSIONS = ("response_speed", "processing_efficiency", "service_attitude")
ALIASES = {"": "rolling12m", "12m": "rolling12m", "90d": "rolling90"}
_KEY = re.compile(r"rolling12m|rolling90|\d{4}Q[1-4]|\d{4}-(0[1-9]|1[0-2])")


class Unknown(Exception):
    """There is no such period, or no such team for this viewer."""


@dataclass(frozen=True)
class Unit:
    """The bank or a team, as one selectable unit of the overview."""

    scope: str
    scope_id: int
    name: str
    code: str
    team: Team | None


@dataclass(frozen=True)
class TeamRow:
    """One team beside the others."""

    team: Team
    figure: Figure
    whisker: charts.Whisker | None


def period_of(text: str) -> str:
    """The key of a period as the address gives it; raises `Unknown`."""
    key = ALIASES.get(text, text)
    if not _KEY.fullmatch(key):
        raise Unknown(text)
    return key


def bounds(key: str, at: datetime) -> periods.Bounds:
    """First and last instant of the period, as of now."""
    try:
        return periods.parse(key, as_of=at, zone=settings.TIME_ZONE)
    except ValueError as error:
        raise Unknown(key) from error


def line_of(text: str) -> str:
    """The line of business asked for; anything unknown raises `Unknown`."""
    if text and text not in Client.Segment.values:
        raise Unknown(text)
    return text


def teams(viewer: User) -> list[Team]:
    """Teams whose figures this viewer may choose; a manager the own team, as a whole."""
    if viewer.role == Role.RELATIONSHIP_MANAGER and not viewer.is_superuser:
        return [viewer.team] if viewer.team else []
    return list(scope.teams_of(viewer).order_by("code"))


def units(viewer: User, known: Sequence[Team]) -> list[Unit]:
    """What the selection offers; the bank as a whole is everybody's."""
    bank = Unit("bank", 0, _("Whole bank"), "", None)
    return [bank, *(Unit("team", team.pk, team.name, team.code, team) for team in known)]


def unit_of(viewer: User, code: str | None, offered: Sequence[Unit]) -> Unit:
    """The unit asked for, else where the viewer belongs; raises `Unknown` out of scope."""
    if code is None:
        if scope.sees_all(viewer):
            return offered[0]
        own = [unit for unit in offered if unit.scope_id == viewer.team_id]
        return own[0] if own else offered[0]
    for unit in offered:
        if unit.code == code:
            return unit
    raise Unknown(code)


def dimensions() -> list[tuple[str, str]]:
    """The three core dimensions of satisfaction: metric and label."""
    labels = (_("Response speed"), _("Processing efficiency"), _("Service attitude"))
    return [(f"csat_{name}", label) for name, label in zip(DIMENSIONS, labels, strict=True)]


def stored_periods(unit: Unit) -> list[str]:
    """Months and quarters for which this unit has figures, newest first."""
    keys = queries.periods(unit.scope, unit.scope_id, "nps_respondent")
    return [key for key in reversed(keys) if re.fullmatch(r"\d{4}(Q\d|-\d\d)", key)]


@dataclass(frozen=True)
class Course:
    """Thirteen months: rolling values by metric, and what each single month holds."""

    months: list[str]
    rolling: dict[str, list[Figure]]
    monthly: dict[str, list[Figure]]

    def figures(self) -> list[Figure]:
        """Every figure of it."""
        held = [*self.rolling.values(), *self.monthly.values()]
        return [fig for figures in held for fig in figures]

    def seen(self, see: Callable[[Figure], Figure]) -> "Course":
        """The same with every figure as somebody may see it."""
        return Course(
            self.months,
            {name: [see(fig) for fig in figures] for name, figures in self.rolling.items()},
            {name: [see(fig) for fig in figures] for name, figures in self.monthly.items()},
        )


ROLLING, MONTHLY = ("nps", "csat"), ("nps_respondent", "response_rate")


def course(unit: Unit, at: datetime, *, part: str = "") -> Course:
    """The last thirteen months of a unit or of one line in it; one query."""
    months = _months(at)
    keys = [f"rolling3m:{month}" for month in months]
    found = queries.courses(
        unit.scope, unit.scope_id, (*ROLLING, *MONTHLY), periods=[*keys, *months], part=part
    )
    return Course(
        months,
        {metric: found[metric][: len(months)] for metric in ROLLING},
        {metric: found[metric][len(months) :] for metric in MONTHLY},
    )


def _months(at: datetime) -> list[str]:
    today = periods.local_date(at, settings.TIME_ZONE)
    last = today.year * 12 + today.month - 1
    return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(last - 12, last + 1)]


def beside(unit: Unit, known: Sequence[Team], period: str, *, part: str = "") -> dict[int, Figure]:
    """The score of each team right under the unit; one query, none where there is no team."""
    under = _under(unit, known)
    if not under:
        return {}
    ids = [team.pk for team in under]
    found = queries.beside("team", ids, period=period, metrics=["nps"], part=part)
    return {pk: row["nps"] for pk, row in found.items()}


def _under(unit: Unit, known: Sequence[Team]) -> list[Team]:
    """Teams that do not contain each other; a head office that holds all is passed over."""
    if unit.team:
        return [team for team in known if team.parent_id == unit.scope_id]
    inside = {team.pk for team in known}
    top = [team for team in known if team.parent_id not in inside]
    if len(top) != 1:
        return top
    return [team for team in known if team.parent_id == top[0].pk]


def team_rows(
    known: Sequence[Team], found: dict[int, Figure], on: charts.Domain, whole: float | None
) -> list[TeamRow]:
    """Teams with a figure by score, those withheld after them; teams never asked are left out."""
    rows = [
        TeamRow(team, found[team.pk], _whisker(found[team.pk], on, whole))
        for team in known
        if team.pk in found and found[team.pk].n
    ]
    return sorted(rows, key=lambda row: (row.figure.value is None, -(row.figure.value or 0)))


def _whisker(fig: Figure, on: charts.Domain, whole: float | None) -> charts.Whisker | None:
    if fig.value is None or fig.low is None or fig.high is None:
        return None
    return charts.whisker(fig.value, fig.low, fig.high, on, reference=whole)


def shared_domain(figures: Sequence[Figure]) -> charts.Domain:
    """One axis for hero, trend and teams, so that they can be compared by eye."""
    return charts.domain([end for fig in figures for end in (fig.low, fig.high)])


STATES = (*ENGAGEMENT, engaged.SILENCE)


def figures(unit: Unit, line: str, span: Span, *, viewer: User, at: datetime) -> dict[str, Figure]:
    """Every figure of a period; engagement and silence as of its last day.

    A day that the store does not keep, such as the end of a month, is read from the facts.
    """
    key, part = (unit.scope, unit.scope_id), f"segment={line}" if line else ""
    stored = queries.figures(*key, period=span.key, part=part)
    kept = {metric: engaged.kept(metric, span, at) for metric in STATES}
    found = {m: fig for m, fig in stored.items() if kept.get(m, span.key) == span.key}
    for period in {*kept.values()} - {"", span.key}:
        held = queries.figures(*key, period=period, part=part)
        found |= {metric: held[metric] for metric in STATES if kept[metric] == period}
    missing = tuple(metric for metric in STATES if metric not in found)
    if missing:
        filters = Filters(team=unit.team, segment=line)
        rows = slicing.rows(
            slicing.Ask(missing, span, queries.RELATIONAL, filters), None, viewer=viewer, at=at
        )
        found |= {row.figure.metric: row.figure for row in rows}
    return found
