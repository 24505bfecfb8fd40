"""The frozen reference of the engagement index: read it, freeze a new one (metrics-spec 8.3, 8.5).

A reference holds what was usual in each segment and size class on the last days of four
quarters in a row. A group of too few clients has none of its own and is measured by the
segment's, else by the bank's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from bank import audit
from bank.models import ApiKey, User
from clients import changes
from metrics import storing
from metrics.facts import engagement as facts
from metrics.facts.engagement import Table
from metrics.formulas import engagement, periods
from metrics.formulas.parameters import Engagement
from metrics.models import ReferenceDistribution

Floats = npt.NDArray[np.float64]
Key = tuple[str, str]

_Quantity = ReferenceDistribution.Quantity
CTR = _Quantity.CTR.value
# Counts are compared on the scale of log1p, the click rate as it is.
COUNTS = tuple(one.value for one in _Quantity if one != _Quantity.CTR)
COMPONENT = {name: "usage" if name == "depth" else name for name in _Quantity.values}
_STEPS = np.linspace(0, 1, 201)


class NotPossible(Exception):
    """No reference can be frozen now; the text says why, for people."""


class Usual(NamedTuple):
    """What is usual for each client of a table; not a number where there is no reference."""

    low: Floats
    high: Floats
    prior: Floats
    strength: Floats
    group: list[str]


@dataclass(frozen=True)
class Reference:
    """One frozen version."""

    version: int
    rows: dict[tuple[str, str, str], ReferenceDistribution]

    @property
    def frozen_at(self) -> datetime:
        """When it was frozen."""
        return next(iter(self.rows.values())).frozen_at

    @property
    def days(self) -> list[date]:
        """The last days of the quarters it is made of."""
        row = next(iter(self.rows.values()))
        return [date.fromisoformat(day) for day in row.quarters]

    def of(self, quantity: str, segment: str, size: str) -> ReferenceDistribution | None:
        """The row of a group, else that of its segment, else that of the bank."""
        for key in ((segment, size), (segment, ""), ("", "")):
            if (row := self.rows.get((quantity, *key))) is not None:
                return row
        return None

    def usual(self, quantity: str, table: Table) -> Usual:
        """The bounds by which each client of the table is measured."""
        keys, place = table.groups()
        found = [self.of(quantity, *key) for key in keys]
        values = np.array([_numbers(row) for row in found], dtype=float).reshape(-1, 4)
        names = [f"{row.segment}/{row.size}".strip("/") if row else "" for row in found]
        low, high, prior, strength = values[place].T
        return Usual(low, high, prior, strength, [names[one] for one in place])


def _numbers(row: ReferenceDistribution | None) -> list[float]:
    held = (row.low, row.high, row.prior, row.strength) if row else (None,) * 4
    return [np.nan if value is None else value for value in held]


def first_day() -> date | None:
    """The first of the days that the oldest reference is made of: before it nothing was usual."""
    oldest = ReferenceDistribution.objects.order_by("version").values_list("quarters", flat=True)
    held = oldest.first()
    return date.fromisoformat(held[0]) if held else None


def newest() -> Reference | None:
    """The reference in force."""
    return _version(ReferenceDistribution.objects.aggregate(last=Max("version"))["last"])


def replaced(reference: Reference, day: date) -> Reference | None:
    """The version before, for one quarter beside the new one: the bridge between both."""
    frozen = periods.local_date(reference.frozen_at, settings.TIME_ZONE)
    return _version(reference.version - 1) if day < periods.later(frozen, months=3) else None


def _version(version: int | None) -> Reference | None:
    if not version:
        return None
    rows = ReferenceDistribution.objects.filter(version=version)
    found = {(row.quantity, row.segment, row.size): row for row in rows}
    return Reference(version, found) if found else None


def rebase(*, at: datetime, by: User | ApiKey | None, force: bool = False) -> Reference:
    """Freeze a new reference from the last four whole quarters.

    At most once a year unless forced. The version before stays; every client's index is due.
    """
    rules = storing.current().engagement
    with transaction.atomic():
        before = newest()
        if before is not None and not force:
            _check_age(before, at)
        days = quarter_ends(at, rules.reference_quarters)
        tables = [facts.quantities(day, rules=rules) for day in days]
        _check_history(days, tables)
        version = before.version + 1 if before else 1
        rows = list(_frozen(_pooled(tables), rules))
        if not rows:
            raise NotPossible(_too_few(tables, rules))
        _stamp(rows, version, days, at)
        made = ReferenceDistribution.objects.bulk_create(rows)
        everybody = sorted({client for table in tables for client in table.clients.tolist()})
        changes.note(everybody, at=at)
        told = {"version": version, "quarters": [day.isoformat() for day in days], "force": force}
        audit.record("reference.rebase", f"reference:{version}", at=at, by=by, data=told)
    return Reference(version, {(row.quantity, row.segment, row.size): row for row in made})


def measured(days: Sequence[date], rules: Engagement) -> Reference:
    """What was usual on these days under other rules; nothing is stored, and it has no version."""
    tables = [facts.quantities(day, rules=rules) for day in days]
    rows = list(_frozen(_pooled(tables), rules))
    return Reference(0, {(row.quantity, row.segment, row.size): row for row in rows})


def quarter_ends(at: datetime, quarters: int) -> list[date]:
    """The last days of the whole quarters before this instant, oldest first."""
    found: list[date] = []
    key = periods.period_key(at, "quarter", settings.TIME_ZONE)
    while len(found) < quarters:
        start = periods.period_bounds(key, settings.TIME_ZONE).start
        last = start - timedelta(microseconds=1)
        found.insert(0, periods.local_date(last, settings.TIME_ZONE))
        key = periods.period_key(last, "quarter", settings.TIME_ZONE)
    return found


def _check_age(before: Reference, at: datetime) -> None:
    frozen = periods.local_date(before.frozen_at, settings.TIME_ZONE)
    until = periods.later(frozen, months=12)
    if periods.local_date(at, settings.TIME_ZONE) < until:
        raise NotPossible(
            _("The reference of %(day)s holds until %(until)s. Force a new one if it must be.")
            % {"day": frozen.isoformat(), "until": until.isoformat()}
        )


def _check_history(days: Sequence[date], tables: Sequence[Table]) -> None:
    empty = [day for day, table in zip(days, tables, strict=True) if not table.events.any()]
    if empty:
        raise NotPossible(
            _(
                "A reference needs events in each of %(quarters)s quarters in a row;"
                " the 90 days up to %(day)s have none."
            )
            % {"quarters": len(days), "day": empty[0].isoformat()}
        )


def _too_few(tables: Sequence[Table], rules: Engagement) -> str:
    found = len({client for table in tables for client in table.clients.tolist()})
    return _(
        "A reference needs at least %(least)s clients whose channels are open; of %(all)s"
        " clients there are fewer."
    ) % {"least": rules.min_clients, "all": found}


@dataclass(frozen=True)
class _Pool:
    """The rows of all quarters one after another; `there` by component."""

    clients: npt.NDArray[np.int64]
    keys: npt.NDArray[np.object_]
    values: dict[str, Floats]
    there: dict[str, npt.NDArray[np.bool_]]

    def at(self, key: Key, quantity: str) -> npt.NDArray[np.bool_]:
        """The rows of a group that have this quantity."""
        segment, size = key
        rows = self.there[COMPONENT[quantity]].copy()
        if segment:
            rows &= self.keys[:, 0] == segment
        if size:
            rows &= self.keys[:, 1] == size
        return rows

    def groups(self) -> list[Key]:
        """The bank, each segment, and each size class of it."""
        pairs = {(segment, size) for segment, size in self.keys.tolist()}
        return sorted({("", ""), *pairs, *((segment, "") for segment, _size in pairs)})


def _pooled(tables: Sequence[Table]) -> _Pool:
    def joined(values: Iterator[npt.NDArray[np.float64]]) -> Floats:
        return np.concatenate([np.asarray(one, dtype=float) for one in values])

    names = ("clicks", "messages", "depth", "offline")
    values = {name: joined(getattr(table, name) for table in tables) for name in names}
    for name in ("login", "pv"):
        values[name] = joined(table.per_user(name) for table in tables)
    keys = [pair for table in tables for pair in zip(table.segment, table.size, strict=True)]
    return _Pool(
        clients=np.concatenate([table.clients for table in tables]),
        keys=np.array(keys, dtype=object).reshape(-1, 2),
        values=values,
        there={
            name: np.concatenate([table.reasons[name] == "" for table in tables])
            for name in tables[0].reasons
        },
    )


def _frozen(pool: _Pool, rules: Engagement) -> Iterator[ReferenceDistribution]:
    for key in pool.groups():
        for quantity in _Quantity.values:
            rows = pool.at(key, quantity)
            clients = len(np.unique(pool.clients[rows]))
            if clients < rules.min_clients:
                continue
            row = ReferenceDistribution(
                quantity=quantity, segment=key[0], size=key[1], clients=clients
            )
            if quantity == CTR:
                values = _rates(pool, rows, row, rules)
            else:
                values = engagement.transformed(pool.values[quantity][rows], log=True)
            bounds = engagement.frozen_bounds(quantity, values, log=False, rules=rules)
            row.low, row.high = bounds.low, bounds.high
            row.shape = [float(value) for value in np.quantile(values, _STEPS)]
            yield row


def _rates(
    pool: _Pool, rows: npt.NDArray[np.bool_], row: ReferenceDistribution, rules: Engagement
) -> Floats:
    """Click rates of each quarter drawn towards the usual one, which is that of whole clients."""
    clicks, messages = pool.values["clicks"][rows], pool.values["messages"][rows]
    _clients, whose = np.unique(pool.clients[rows], return_inverse=True)
    prior = engagement.frozen_prior(
        np.bincount(whose, weights=clicks).tolist(),
        np.bincount(whose, weights=messages).tolist(),
        rules=rules,
    )
    row.prior, row.strength = prior.mu, prior.strength
    usual = (np.full(len(clicks), value) for value in (prior.mu, prior.strength))
    return engagement.ctr_shrunk_columns(clicks, messages, *usual)


def _stamp(
    rows: Sequence[ReferenceDistribution], version: int, days: Sequence[date], at: datetime
) -> None:
    used = storing.parameters(at=at)
    for row in rows:
        row.version, row.frozen_at, row.zone = version, at, settings.TIME_ZONE
        row.quarters, row.parameter_set = [day.isoformat() for day in days], used
