"""The robustness report of the engagement index, once for each frozen reference (8.9).

The index of a day is computed again under every other choice: percentiles in place of bounds,
equal weights, other half-lives with the references they would have had, each weight moved.
"""

from collections.abc import Iterator
from datetime import date, datetime

import numpy as np
from django.conf import settings
from django.db import transaction

from bank import audit
from metrics import references, storing
from metrics.engaging import scores
from metrics.facts import engagement as facts
from metrics.formulas import engagement, periods
from metrics.formulas.engagement import robustness
from metrics.formulas.engagement.robustness import Agreement
from metrics.formulas.parameters import Engagement, Parameters
from metrics.models import RobustnessReport
from metrics.references import CTR, Reference


def report_missing(*, at: datetime) -> int:
    """Write the report of the newest reference if it has none; return the number of its rows."""
    reference = references.newest()
    if reference is None or RobustnessReport.objects.filter(version=reference.version).exists():
        return 0
    rules = storing.current()
    day = periods.local_date(at, settings.TIME_ZONE)
    found = dict(compare(reference, day, rules))
    with transaction.atomic():
        used = storing.parameters(at=at)
        RobustnessReport.objects.bulk_create(
            (
                RobustnessReport(
                    version=reference.version,
                    variant=variant,
                    day=day,
                    parameter_set=used,
                    clients=one.clients,
                    rank_correlation=one.rank_correlation,
                    moved=one.moved,
                )
                for variant, one in found.items()
            ),
            # Two nights at once: the first report stands.
            ignore_conflicts=True,
        )
        subject = f"reference:{reference.version}"
        audit.record("reference.robustness", subject, at=at, data={"variants": len(found)})
    return len(found)


def compare(reference: Reference, day: date, rules: Parameters) -> Iterator[tuple[str, Agreement]]:
    """The index of everybody on a day, and under each other choice, by the name of the choice."""
    usual = rules.engagement
    table = facts.quantities(day, rules=usual)
    base = scores.of(table, reference, usual)
    ranked = _by_rank(base, reference, usual)
    yield robustness.PERCENTILE, robustness.agreement(base.index.score, ranked, bands=rules.bands)
    for name, other in robustness.alternatives(usual).items():
        found = _otherwise(table, reference, day, other, usual)
        yield name, robustness.agreement(base.index.score, found, bands=rules.bands)


def _otherwise(
    table: facts.Table, reference: Reference, day: date, other: Engagement, usual: Engagement
) -> scores.Floats:
    """The index under other rules; another half-life has other quantities and references."""
    if other.half_life != usual.half_life:
        table = facts.quantities(day, rules=other)
        reference = references.measured(reference.days, other)
    return scores.of(table, reference, other).index.score


def _by_rank(held: scores.Scores, reference: Reference, rules: Engagement) -> scores.Floats:
    """The index with each quantity by its place in the frozen distribution (8.4b)."""
    raw = held.raw | {"depth": held.raw["usage"]}
    places = {
        name: _places(held.table, raw[name], name, reference)
        for name in ("login", "pv", "ctr", "offline", "depth")
    }
    places["usage"] = engagement.usage_score_columns(
        held.table.used.astype(float),
        held.table.held.astype(float),
        places.pop("depth"),
        rules=rules,
    )
    there = {
        name: np.where(held.reasons[name] == "", column, np.nan) for name, column in places.items()
    }
    return engagement.cei_columns(there, rules=rules).score


def _places(
    table: facts.Table, values: scores.Floats, quantity: str, reference: Reference
) -> scores.Floats:
    """The percentiles of one quantity, each client in the distribution of its own group."""
    values = engagement.transformed(values, log=quantity != CTR)
    keys, whose = table.groups()
    found = np.full(len(values), np.nan)
    for number, key in enumerate(keys):
        row = reference.of(quantity, *key)
        if row is not None:
            mine = whose == number
            found[mine] = robustness.percentile_columns(values[mine], row.shape)
    return found
