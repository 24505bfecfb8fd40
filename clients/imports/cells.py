"""Columns and the forms their cells may have: one function per form."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _

from bank import currencies
from bank.cells import STARTERS
from bank.models import in_language
from clients.imports.lookup import Lookup
from clients.imports.reporting import Say, Unfit

Reader = Callable[[object, Lookup], Any]
Doubt = Callable[[object, Any, Lookup], Say | None]

_ISO_DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_EARLIEST, _LATEST = 1900, 2200
_BREAKS = {"\u2028", "\u2029"}
_EXCEL = date(1899, 12, 30)
_ZONES = available_timezones()
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_TRUTH = dict.fromkeys(("yes", "true", "1", "y", "是", "有"), True) | dict.fromkeys(
    ("no", "false", "0", "n", "否", "无"), False
)
CENT = Decimal("0.01")
# Differences below this are what a spreadsheet's own arithmetic leaves behind.
_DUST = Decimal("0.0001")
LARGEST = Decimal(10) ** 18


@dataclass(frozen=True)
class Column:
    """A column of an import file: its name, its labels, the form of its cells."""

    name: str
    zh: str
    en: str
    read: Reader
    field: str = ""  # the attribute it fills; empty: the kind deals with it itself
    needed: bool = False
    blank: Any = None  # what "-" puts there; see `clearable`
    clearable: bool = True
    longest: int | None = None
    doubt: Doubt | None = None  # what the reader should know of a cell that is taken
    table: str = ""  # the dictionary of `Lookup` whose row numbers the field holds

    @property
    def label(self) -> str:
        """The label in the active language."""
        return in_language(self.zh, self.en)


def as_text(cell: object) -> str:
    """A cell as text: whole numbers without a fraction, our own guard against formulas off."""
    if isinstance(cell, str):
        text = cell.strip()
        return text[1:] if text.startswith("'") and text[1:].startswith(STARTERS) else text
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def text(longest: int) -> Reader:
    """One line of text without control characters."""

    def read(cell: object, _look: Lookup) -> str:
        value = as_text(cell)
        # Nearly every text is printable; only the rest is looked at sign by sign.
        if not value.isprintable() and any(
            unicodedata.category(sign) in {"Cc", "Cs"} or sign in _BREAKS for sign in value
        ):
            raise Unfit(_("one line without line breaks or control characters"))
        if len(value) > longest:
            raise Unfit(_("at most %(most)s characters"), most=longest)
        return value

    return read


def identifier(longest: int) -> Reader:
    """A key that stands in addresses: one line of text without a slash."""
    plain = text(longest)

    def read(cell: object, look: Lookup) -> str:
        value: str = plain(cell, look)
        if "/" in value or value in {".", ".."}:
            raise Unfit(_("a code without a slash"))
        return value

    return read


def code(*codes: str) -> Reader:
    """One of the codes, in any case."""
    known = {item.casefold(): item for item in codes}
    exact = frozenset(codes)

    def read(cell: object, _look: Lookup) -> str:
        if isinstance(cell, str) and cell in exact:
            return cell
        value = unicodedata.normalize("NFKC", as_text(cell)).casefold()
        if value not in known:
            raise Unfit(_("one of: %(codes)s"), codes=", ".join(codes))
        return known[value]

    return read


def lookup(name: str, what: Any) -> Reader:
    """The row of another table that the cell names; `name` is the dictionary of `Lookup`."""

    def read(cell: object, look: Lookup) -> Any:
        value = as_text(cell)
        try:
            return getattr(look, name)[value]
        except KeyError:
            raise Unfit(_("%(what)s that the portal knows"), what=what) from None

    return read


def day(cell: object, _look: Lookup) -> date:
    """A calendar day, ISO or a date cell."""
    if isinstance(cell, datetime):
        return _in_range(cell.date())
    if isinstance(cell, date):
        return _in_range(cell)
    match = _ISO_DAY.fullmatch(as_text(cell))
    if match is None:
        raise Unfit(_("a day such as 2026-09-30"))
    try:
        return _in_range(date(int(match[1]), int(match[2]), int(match[3])))
    except ValueError as error:
        raise Unfit(_("a day of the calendar such as 2026-09-30")) from error


def moment(cell: object, _look: Lookup) -> datetime:
    """An instant, ISO; without an offset it is meant in the reporting zone."""
    if isinstance(cell, datetime):
        value = cell
    elif isinstance(cell, date):
        value = datetime.combine(cell, time.min)
    else:
        value = _iso_moment(as_text(cell))
    _in_range(value.date())
    return value if value.tzinfo else value.replace(tzinfo=settings.ZONE)


def _iso_moment(value: str) -> datetime:
    match = _ISO_DAY.fullmatch(value)
    try:
        if match:
            return datetime(int(match[1]), int(match[2]), int(match[3]))  # noqa: DTZ001
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise Unfit(_("a time such as 2026-09-30T14:30:00+08:00")) from error


def figure(cell: object, _look: Lookup) -> Decimal:
    """A sum of money of either sign, with every decimal it came with."""
    value = as_text(cell).replace(",", "").replace("，", "")
    try:
        number = Decimal(unicodedata.normalize("NFKC", value))
    except InvalidOperation as error:
        raise Unfit(_("an amount such as 1250000.00")) from error
    if not number.is_finite() or abs(number) >= LARGEST:
        raise Unfit(_("an amount of less than 10 to the power of 18"))
    return number


def signed(cell: object, look: Lookup) -> Decimal:
    """A sum of money, negative where it goes back, with at most two decimals kept."""
    return figure(cell, look).quantize(CENT, ROUND_HALF_UP)


def signed_in_wan(cell: object, look: Lookup) -> Decimal:
    """A sum of money of either sign given in units of ten thousand."""
    return signed(_scaled(cell), look)


def amount(cell: object, look: Lookup) -> Decimal:
    """A sum of money that is not negative, with at most two decimals kept."""
    number = figure(cell, look)
    if number < 0:
        raise Unfit(_("an amount from 0 to less than 10 to the power of 18"))
    return number.quantize(CENT, ROUND_HALF_UP)


def in_wan(cell: object, look: Lookup) -> Decimal:
    """A sum of money given in units of ten thousand."""
    return amount(_scaled(cell), look)


def _scaled(cell: object) -> str:
    value = as_text(cell).replace(",", "").replace("，", "")
    try:
        return str(Decimal(unicodedata.normalize("NFKC", value)) * 10_000)
    except ArithmeticError as error:
        raise Unfit(_("an amount in units of ten thousand such as 125.5")) from error


def finer(cell: object, value: Decimal, look: Lookup) -> Say | None:
    """A sum that came with more decimals than money has."""
    return _rounded(figure(cell, look), value)


def finer_in_wan(cell: object, value: Decimal, look: Lookup) -> Say | None:
    """The same in units of ten thousand."""
    return _rounded(figure(_scaled(cell), look), value)


def _rounded(given: Decimal, value: Decimal) -> Say | None:
    if abs(given - value) < _DUST:
        return None
    return Say(_("Kept as %(kept)s: money has two decimals."), kept=value)


def ahead(_cell: object, value: datetime, look: Lookup) -> Say | None:
    """A time that has not come yet."""
    if look.at is None or value <= look.at:
        return None
    return Say(_("This time lies in the future; nothing counts before it has come."))


def whole(lowest: int, highest: int) -> Reader:
    """A whole number within bounds."""

    def read(cell: object, _look: Lookup) -> int:
        value = unicodedata.normalize("NFKC", as_text(cell))
        if not _WHOLE.fullmatch(value) or not lowest <= int(value) <= highest:
            raise Unfit(
                _("a whole number from %(lowest)s to %(highest)s"), lowest=lowest, highest=highest
            )
        return int(value)

    return read


def number(cell: object, _look: Lookup) -> int | float:
    """A number as JSON keeps it: whole where it is whole."""
    value = unicodedata.normalize("NFKC", as_text(cell)).replace(",", "")
    try:
        found = Decimal(value)
    except InvalidOperation as error:
        raise Unfit(_("a number")) from error
    if not found.is_finite() or abs(found) >= LARGEST:
        raise Unfit(_("a number of less than 10 to the power of 18"))
    return int(found) if found == found.to_integral_value() else float(found)


def yes_no(cell: object, _look: Lookup) -> bool:
    """Yes or no, in words of either language."""
    value = unicodedata.normalize("NFKC", as_text(cell)).casefold()
    if value not in _TRUTH:
        raise Unfit(_("yes or no"))
    return _TRUTH[value]


def currency(cell: object, _look: Lookup) -> str:
    """Three letters of ISO 4217 that stand for money; XXX, XTS and metals do not."""
    value = as_text(cell).upper()
    if not currencies.known(value):
        raise Unfit(_("a currency of ISO 4217 such as CNY"))
    return value


def email(cell: object, _look: Lookup) -> str:
    """An address of a client's person: well formed, and not one of the bank's own."""
    value = unicodedata.normalize("NFKC", as_text(cell))
    local, _at, domain = value.rpartition("@")
    value = f"{local}@{domain.lower()}"
    try:
        validate_email(value)
    except ValidationError as error:
        raise Unfit(_("an e-mail address such as name@company.example")) from error
    if domain.lower() == settings.MAIL_FROM.rpartition("@")[2].lower().rstrip(">"):
        raise Unfit(_("an address of the client, not of the bank itself"))
    if len(value) > 254:
        raise Unfit(_("at most %(most)s characters"), most=254)
    return value


def zone(cell: object, _look: Lookup) -> str:
    """A time zone by its IANA name."""
    value = as_text(cell)
    if value not in _ZONES:
        raise Unfit(_("a time zone such as Asia/Shanghai"))
    return value


def by_format(cell: object, form: str) -> datetime:
    """A day or time in the form a mapping names: a pattern of strptime, or Excel's serial."""
    value = as_text(cell)
    try:
        if form == "excel":
            whole = float(value)
            return datetime.combine(_EXCEL, time.min) + timedelta(days=whole)
        return datetime.strptime(value, form)  # noqa: DTZ007 - given its zone by `moment`
    except (ValueError, OverflowError) as error:
        raise Unfit(_("a day or time in the form %(form)s"), form=form) from error


def _in_range(value: date) -> date:
    if not _EARLIEST <= value.year < _LATEST:
        raise Unfit(_("a year from %(first)s to %(last)s"), first=_EARLIEST, last=_LATEST - 1)
    return value
