"""Figures of any part of the bank: what is asked, for whom, over which answers."""

from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bank.models import Team
from clients.models import Client
from metrics.formulas import periods
from metrics.formulas.periods import Bounds
from surveys.models import Campaign

# What an answer has, and what a client has; the first may split the answers of one client.
OF_ANSWERS = ("stage", "product_family", "questionnaire", "campaign", "buying_role")
OF_CLIENTS = ("team", "segment", "size", "industry")
GROUPS = (*OF_CLIENTS, *OF_ANSWERS, "client")


@dataclass(frozen=True)
class Span:
    """A period by its key, or the local days from one to before another."""

    key: str
    bounds: Bounds
    free: bool = False

    def running(self, at: datetime) -> bool:
        """Whether it is "to date", hence never tested against a complete one."""
        return periods.is_running(self.bounds, at=at)


def named_span(key: str, *, at: datetime, zone: str) -> Span:
    """The span of a period's key; ValueError if there is no such period."""
    return Span(key, periods.parse(key, as_of=at, zone=zone))


def free_span(first: date, after: date, *, zone: str) -> Span:
    """The local days from `first` to before `after`; ValueError where that is no span."""
    if after <= first:
        raise ValueError("the end lies before the start")
    begin = periods.period_bounds(first.isoformat(), zone).start
    last = periods.period_bounds((after - timedelta(days=1)).isoformat(), zone)
    return Span(f"{first.isoformat()}/{after.isoformat()}", Bounds(begin, last.end), free=True)


def whole_life(at: datetime) -> Bounds:
    """The window of a campaign's whole life: all there is up to now."""
    return Bounds(datetime(1970, 1, 1, tzinfo=UTC), at)


@dataclass(frozen=True)
class Filters:
    """Which clients and which answers; empty means all."""

    team: Team | None = None
    segment: str = ""
    size: str = ""
    industry: str = ""
    stage: str = ""
    product_family: str = ""
    questionnaire: str = ""
    campaign: Campaign | None = None
    buying_role: str = ""
    client: Client | None = None

    def given(self) -> dict[str, str | int]:
        """What is filtered by, as an address writes it: codes, and numbers of campaigns."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: _code(value) for name, value in values.items() if value}

    def names(self) -> frozenset[str]:
        """The names of what is filtered by."""
        return frozenset(self.given())


def _code(value: Any) -> str | int:
    if isinstance(value, Campaign):
        return value.pk
    return value.code if isinstance(value, Team | Client) else str(value)


@dataclass(frozen=True)
class Ask:
    """One question to the figures: which metrics, when, of whom, and how they are cut."""

    metrics: tuple[str, ...]
    span: Span
    population: str
    filters: Filters = field(default_factory=Filters)
    group_by: str = ""
