"""The list of all indicators of one unit in one period."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from bank.models import User
from metrics import comparing, queries, slicing, words
from metrics.comparing import Change
from metrics.pages import choices
from metrics.queries import DIMENSIONS, ENGAGEMENT, Figure
from metrics.slicing.asking import Ask


@dataclass(frozen=True)
class Line:
    """One indicator: its name, figure, and what it did since the period before."""

    name: str
    figure: Figure
    change: Change | None


@dataclass(frozen=True)
class Listing:
    """The indicators in groups, and the form above them."""

    ask: Ask
    fields: list[choices.Field]
    groups: list[tuple[str, list[Line]]]
    of_clients: list[tuple[str, str]]


def build(ask: Ask, given: Mapping[str, str], *, viewer: User, at: datetime) -> Listing:
    """Every indicator of the unit that the filters name."""
    plain = replace(ask, group_by="")
    rows = slicing.rows(plain, None, viewer=viewer, at=at)
    found = {row.figure.metric: row.figure for row in rows}
    changes = comparing.changes_of(plain, found, viewer=viewer, at=at)
    names = words.metrics()
    made = [
        (title, [Line(names[m], found[m], changes.get(m)) for m in metrics if m in found])
        for title, metrics in _groups()
    ]
    alone = [name for name in queries.METRICS["client"] if name not in queries.METRICS["bank"]]
    return Listing(
        ask,
        choices.fields(given, viewer, queries.periods("bank", 0, "nps"))[:-1],
        [(title, lines) for title, lines in made if lines],
        [(name, names[name]) for name in alone],
    )


def _groups() -> list[tuple[str, tuple[str, ...]]]:
    return [
        (_("Recommendation"), ("nps", "nps_exposure", "nps_respondent")),
        (_("Satisfaction"), ("csat", *DIMENSIONS, "ces")),
        (_("Engagement"), ENGAGEMENT),
        (
            _("Who answers"),
            ("response_rate", "client_response_rate", "coverage_exposure", "silent_exposure"),
        ),
    ]
