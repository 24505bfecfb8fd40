"""What a client owes and may draw: its facilities with their use, and what was booked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from bank import settings as values
from bank.models import Setting
from clients.models import Client, ExchangeRate, Facility, Transaction

_CURRENCY = "reporting_currency"
_FULL, _SHORT = Decimal(1), Decimal("0.8")


@dataclass(frozen=True)
class Limit:
    """One facility with its use; `used` is null where limit or drawn amount is not known.

    `told_in` is the currency that its rate leads to.
    """

    facility: Facility
    rate: Decimal | None
    used: Decimal | None
    told_in: str = ""

    @property
    def label(self) -> str:
        """What kind of facility it is; a kind without a word of ours is shown as reported."""
        known = {
            "revolving": _("Revolving credit"),
            "term": _("Term loan"),
            "project": _("Project loan"),
            "guarantee": _("Guarantee"),
        }
        kind = self.facility.kind
        return known.get(kind, kind) or self.facility.number

    @property
    def tone(self) -> str:
        """Ink-blue below 80 per cent, amber from there on, vermilion above the limit."""
        if self.used is None:
            return ""
        return "d" if self.used > _FULL else "hu" if self.used >= _SHORT else "dai"

    @property
    def width(self) -> Decimal:
        """How far the bar of a hundred is filled."""
        return min(self.used or Decimal(0), _FULL) * 100


@dataclass(frozen=True)
class Book:
    """The running facilities of a client, and their sums in the reporting currency.

    Exposure is drawn and undrawn: of each facility the larger of limit and drawn amount. A
    currency without a rate is left out of the sums and named.
    """

    currency: str
    limits: list[Limit]
    exposure: Decimal | None
    limit: Decimal | None
    drawn: Decimal | None
    unrated: list[str]
    as_of: date | None

    @property
    def used(self) -> Decimal | None:
        """The share of all limits that is drawn."""
        return self.drawn / self.limit if self.drawn is not None and self.limit else None

    @property
    def total(self) -> Limit | None:
        """The bar over all facilities."""
        if self.used is None:
            return None
        return Limit(Facility(currency=self.currency), Decimal(1), self.used)


def book(client: Client, today: date) -> Book:
    """Facilities that run today at the newest rates, largest limit first; one query.

    The same facilities, amounts and rates as `metrics.facts.exposure` takes for today.
    """
    rates = ExchangeRate.objects.filter(currency=OuterRef("currency"), as_of__lte=today).order_by(
        "-as_of"
    )
    # The bank's choice comes along with the rows: the page has no query to spare.
    chosen = Setting.objects.filter(key=_CURRENCY)
    found = (
        Facility.objects.filter(client=client)
        .filter(Q(starts_on__isnull=True) | Q(starts_on__lte=today))
        .filter(Q(ends_on__isnull=True) | Q(ends_on__gte=today))
        .annotate(
            rate=Subquery(rates.values("rate")[:1]), told_in=Subquery(chosen.values("value"))
        )
        .order_by(F("limit").desc(nulls_last=True), "number")
    )
    limits = [_limit(row) for row in found]
    return Book(
        limits[0].told_in if limits else values.DEFAULTS[_CURRENCY],
        limits,
        _sum(limits, lambda row: max(row.limit or 0, row.drawn or 0)),
        _sum(limits, lambda row: row.limit or 0),
        _sum(limits, lambda row: row.drawn or 0),
        sorted({line.facility.currency for line in limits if line.rate is None}),
        max((line.facility.as_of for line in limits), default=None),
    )


def _limit(row: Facility) -> Limit:
    rate: Decimal | None = row.rate  # type: ignore[attr-defined]
    told_in = row.told_in or values.DEFAULTS[_CURRENCY]  # type: ignore[attr-defined]
    return Limit(row, Decimal(1) if row.currency == told_in else rate, _used(row), told_in)


def _used(row: Facility) -> Decimal | None:
    if row.drawn is None or not row.limit or row.limit < 0:
        return None
    return max(row.drawn, Decimal(0)) / row.limit


def _sum(limits: Iterable[Limit], amount: Callable[[Facility], Decimal | int]) -> Decimal | None:
    known = [
        max(Decimal(amount(line.facility)), Decimal(0)) * line.rate
        for line in limits
        if line.rate is not None
    ]
    return sum(known, Decimal(0)) if known else None


def transactions(client: Client) -> QuerySet[Transaction]:
    """What was booked, newest first, ready for a list."""
    return (
        Transaction.objects.filter(client=client)
        .select_related("facility", "product")
        .order_by("-booked_at", "-pk")
    )
