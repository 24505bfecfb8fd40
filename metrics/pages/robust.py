"""What the page of the engagement index says of choices that could have been made otherwise."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Max
from django.utils.translation import gettext as _

from bank import formats
from metrics import words
from metrics.formulas.engagement import robustness
from metrics.formulas.parameters import ENGAGEMENT
from metrics.models import RobustnessReport


@dataclass(frozen=True)
class Line:
    """One other choice: how many clients were compared, and what it would do to them."""

    label: str
    clients: str
    rank_correlation: str
    moved: str
    share: str


@dataclass(frozen=True)
class Told:
    """The report of one reference."""

    version: int
    day: date
    parameter_set: str
    lines: list[Line]


def told() -> Told | None:
    """The newest report, in the order in which the choices are named; one query."""
    newest = RobustnessReport.objects.values_list(Max("version"))
    rows = list(RobustnessReport.objects.filter(version__in=newest))
    if not rows:
        return None
    named = _labels()
    order = {variant: place for place, variant in enumerate(named)}
    rows.sort(key=lambda row: (order.get(row.variant, len(order)), row.variant))
    lines = [
        Line(
            named.get(row.variant, row.variant),
            formats.number(row.clients),
            formats.number(row.rank_correlation, 3),
            formats.number(row.moved),
            formats.share(row.moved / row.clients if row.clients else None),
        )
        for row in rows
    ]
    return Told(rows[0].version, rows[0].day, rows[0].parameter_set, lines)


def _labels() -> dict[str, str]:
    found = {
        robustness.PERCENTILE: _("Places in the reference instead of bounds"),
        robustness.EQUAL_WEIGHTS: _("Equal weights"),
    }
    for days in robustness.HALF_LIVES:
        found[f"half_life_{days:.0f}"] = _("Half-life of %(days)d days") % {"days": days}
    metrics = words.metrics()
    for name in ENGAGEMENT:
        part = metrics[f"cei_{name}"]
        found[f"{name}_plus_5"] = _("%(part)s weighs 5 points more") % {"part": part}
        found[f"{name}_minus_5"] = _("%(part)s weighs 5 points less") % {"part": part}
    return found
