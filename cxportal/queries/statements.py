"""The financial statements of a client side by side, in one unit that fits them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from bank import formats
from bank.models import in_language
from clients.models import Client, Statement

YEARS = 3
_READ = 12
_HUNDRED_MILLION, _TEN_THOUSAND, _MILLION = Decimal(10) ** 8, Decimal(10) ** 4, Decimal(10) ** 6
_LINES = ("revenue", "net_profit", "total_assets", "total_debt", "cfo")


@dataclass(frozen=True)
class Item:
    """One line of the table, over the periods shown."""

    label: str
    values: list[str]


@dataclass(frozen=True)
class Table:
    """The newest statements, oldest first, and the lines read from them."""

    heads: list[str]
    items: list[Item]
    unit: str
    sources: list[str]


@dataclass(frozen=True)
class _Unit:
    divisor: Decimal
    digits: int
    words: str

    def written(self, amount: Decimal | None) -> str:
        return formats.number(None if amount is None else amount / self.divisor, self.digits)


def table(client: Client, *, years: int = YEARS) -> Table:
    """The last years and what was reported since; one query."""
    rows = list(
        Statement.objects.filter(client=client).order_by("-period_end", "basis")[: years + _READ]
    )
    shown = sorted(_chosen(rows, years), key=lambda row: row.period_end)
    if not shown:
        return Table([], [], "", [])
    unit = _unit(shown)
    items = [
        Item(label, [unit.written(getattr(row, name)) for row in shown])
        for name, label in zip(_LINES, _labels(), strict=True)
    ]
    items.append(Item(_("Debt / assets"), [_debt(row) for row in shown]))
    items.append(Item(_("EBITDA / interest"), [_cover(row) for row in shown]))
    return Table([head(row) for row in shown], items, unit.words, [_source(row) for row in shown])


def _chosen(rows: Sequence[Statement], years: int) -> list[Statement]:
    """Yearly ones in one currency, and one of a shorter period only when it is newer."""
    kept = [row for row in rows if row.currency == rows[0].currency]
    annual = [row for row in kept if row.basis == Statement.Basis.ANNUAL][:years]
    last = annual[0].period_end if annual else date.min
    later = [row for row in kept if row.basis != Statement.Basis.ANNUAL and row.period_end > last]
    return annual + later[:1]


def _labels() -> list[str]:
    return [
        _("Revenue"),
        _("Net profit"),
        _("Total assets"),
        _("Interest-bearing debt"),
        _("Operating cash flow"),
    ]


def _unit(rows: Sequence[Statement]) -> _Unit:
    """Hundred millions or ten thousands in Chinese, millions in English."""
    amounts = [getattr(row, name) for row in rows for name in _LINES]
    most = max((abs(amount) for amount in amounts if amount is not None), default=Decimal(0))
    currency = rows[0].currency
    large = most >= _HUNDRED_MILLION
    chinese = _Unit(
        _HUNDRED_MILLION if large else _TEN_THOUSAND,
        2 if large else 0,
        f"亿{_yuan(currency)}" if large else f"万{_yuan(currency)}",
    )
    english = _Unit(_MILLION, 0 if large else 1, f"{currency} millions")
    return english if in_language("zh", "en") == "en" else chinese


def _yuan(currency: str) -> str:
    return formats.UNITS_ZH.get(currency, currency)


def head(row: Statement) -> str:
    """The period of a statement, short: 2025, 2026 H1, 2026 Q3."""
    year = row.period_end.year
    if row.basis == Statement.Basis.HALF:
        half = 1 if row.period_end.month <= 6 else 2
        return in_language(f"{year} {'上' if half == 1 else '下'}半年", f"H{half} {year}")
    if row.basis == Statement.Basis.QUARTER:
        quarter = (row.period_end.month + 2) // 3
        return in_language(f"{year} 年 {quarter} 季度", f"Q{quarter} {year}")
    return str(year)


def _source(row: Statement) -> str:
    """Which report a column comes from."""
    known = {True: _("audited"), False: _("not audited"), None: _("audit not stated")}
    return f"{head(row)} {known[row.audited]}"


def _debt(row: Statement) -> str:
    if row.total_liabilities is None or not row.total_assets:
        return formats.MISSING
    return formats.share(row.total_liabilities / row.total_assets)


def _cover(row: Statement) -> str:
    if row.ebitda is None or not row.interest_expense:
        return formats.MISSING
    return f"{formats.number(row.ebitda / row.interest_expense, 1)}×"
