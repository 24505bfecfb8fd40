"""From pools to stored measurements: build, withhold, and write only what has changed."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings

from bank import settings as own
from metrics import indicators
from metrics.facts.pools import Pool
from metrics.formulas import periods, uncertainty
from metrics.formulas.parameters import DEFAULT, Parameters, Periods
from metrics.indicators import Indicator, Reading
from metrics.models import Measurement, ParameterSet

_IDENTITY = ("scope_id", "slice", "population", "period", "metric")
_CONTENT = (
    "value",
    "low",
    "high",
    "label",
    "n",
    "clients",
    "eligible",
    "coverage",
    "method",
    "version",
    "parameter_set",
    "zone",
    "gate",
    "flags",
    "detail",
)


@dataclass(frozen=True)
class Unit:
    """What a pool is of: scope and number, population and period."""

    scope: str
    scope_id: int
    population: str
    period: str


def current() -> Parameters:
    """The parameters in force: those shipped, the bank's own weights, the reporting zone."""
    weights = tuple(own.get("cei_weights").items())
    return Parameters(
        engagement=replace(DEFAULT.engagement, weights=weights),
        periods=Periods(zone=settings.TIME_ZONE),
    )


def parameters(*, at: datetime) -> str:
    """The id of the parameters in force, whose values are kept with their first use."""
    used = current()
    ParameterSet.objects.get_or_create(key=used.id, defaults={"values": asdict(used)})
    return used.id


def build(
    unit: Unit, pool: Pool, *, eligible: int | None, parameter_set: str, at: datetime
) -> list[Measurement]:
    """The measurements of one pool; a metric without any data makes none."""
    made = []
    for indicator in indicators.INDICATORS:
        reading = indicator.read(pool) if unit.scope in indicator.scopes else None
        if reading is not None:
            row = _measurement(unit, indicator, reading, eligible)
            row.parameter_set, row.zone, row.as_of = parameter_set, settings.TIME_ZONE, at
            made.append(row)
    return made


def _measurement(
    unit: Unit, indicator: Indicator, reading: Reading, eligible: int | None
) -> Measurement:
    verdict = indicator.decide(reading, unit.scope)
    base, coverage = _coverage(reading, eligible)
    return Measurement(
        metric=indicator.metric,
        population=unit.population,
        scope=unit.scope,
        scope_id=unit.scope_id,
        period=unit.period,
        value=reading.value,
        low=reading.low,
        high=reading.high,
        label=reading.label,
        n=reading.n,
        clients=reading.clients,
        eligible=base,
        coverage=coverage,
        method=indicator.method,
        version=indicator.version,
        gate=" ".join(verdict.reasons),
        flags=" ".join(verdict.flags),
        detail=reading.detail,
    )


def _coverage(reading: Reading, eligible: int | None) -> tuple[int | None, float | None]:
    """Base and coverage; a rate is its own base, and one client has none."""
    if reading.eligible is not None or eligible is None:
        return reading.eligible, None
    # Clients that answered and are no longer active belong to the base of this period.
    base = eligible + reading.outside
    return base, reading.clients / base if base else None


def withhold_complements(
    teams: list[Measurement], totals: Iterable[Measurement], parents: Mapping[int, int | None]
) -> None:
    """Withhold a second team where one alone could be found by subtraction (metrics-spec 3.12).

    `totals` are the figures of the bank; the total over sister teams is their parent's figure,
    and clients that sit in the parent itself are one cell more.
    """
    published = {(0, *_slice(row)): row for row in totals}
    published |= {(row.scope_id, *_slice(row)): row for row in teams}
    cells: dict[tuple[int, str, str, str], list[Measurement]] = {}
    for row in teams:
        cells.setdefault((parents.get(row.scope_id) or 0, *_slice(row)), []).append(row)
    # From the root down, so that a team withheld above no longer counts as a published total.
    for key in sorted(cells, key=lambda key: _depth(key[0], parents)):
        total = published.get(key)
        if total is not None and not total.gate:
            _withhold(cells[key], total)


def _withhold(rows: list[Measurement], total: Measurement) -> None:
    rest = _size(total) - sum(_size(row) for row in rows)
    threshold = DEFAULT.gate.min_resp
    if rest >= threshold:
        return
    # A cell that any rule withholds counts as small, whichever rule it was.
    counts = [min(_size(row), threshold - 1) if row.gate else _size(row) for row in rows]
    for position in uncertainty.complementary_suppression([*counts, max(rest, 0)]):
        if position < len(rows) and not rows[position].gate:
            rows[position].gate, rows[position].flags = indicators.COMPLEMENTARY, ""


def _size(row: Measurement) -> int:
    """What the gate judges: the answers, or for a rate everybody who was asked."""
    return (row.eligible or 0) if row.metric in indicators.RATES else row.n


def _slice(row: Measurement) -> tuple[str, str, str]:
    return row.population, row.period, row.metric


def _depth(team: int, parents: Mapping[int, int | None]) -> int:
    depth, seen = 0, {team}
    step = parents.get(team)
    while step is not None and step not in seen:
        seen.add(step)
        depth, step = depth + 1, parents.get(step)
    return depth + 1 if team else 0


def store(scope: str, scope_ids: Iterable[int] | None, made: list[Measurement]) -> int:
    """Bring the stored figures of these units to what was made; return how many rows changed.

    An unchanged figure keeps its instant, unless it is of a rolling window, whose day it tells.
    Figures of periods that have become empty are deleted.
    """
    found = Measurement.objects.filter(scope=scope).values("pk", *_IDENTITY, *_CONTENT, "as_of")
    if scope_ids is not None:
        rows = iter(found.filter(scope_id__in=list(scope_ids)))
    else:
        rows = found.iterator(chunk_size=5000)
    stored = {tuple(row[name] for name in _IDENTITY): row for row in rows}
    wanted = {tuple(getattr(row, name) for name in _IDENTITY): row for row in made}
    gone = [row["pk"] for key, row in stored.items() if key not in wanted]
    changed = [row for key, row in wanted.items() if not _same(stored.get(key), row)]
    if gone:
        Measurement.objects.filter(pk__in=gone).delete()
    Measurement.objects.bulk_create(
        changed,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["scope", "scope_id", "slice", "population", "period", "metric"],
        update_fields=[*_CONTENT, "as_of"],
    )
    return len(gone) + len(changed)


def _same(old: dict[str, Any] | None, new: Measurement) -> bool:
    if old is None or any(old[name] != getattr(new, name) for name in _CONTENT):
        return False
    if not new.period.startswith("rolling"):
        return True
    zone = settings.TIME_ZONE
    return periods.local_date(old["as_of"], zone) == periods.local_date(new.as_of, zone)
