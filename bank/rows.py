"""Lists of reports: each item is read by a table of columns, and refused by index and field.

A list of a thousand items is read many times a minute, so this is plain functions over plain
values; a serializer for each item takes ten times as long.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from bank import currencies

Reader = Callable[[Any], Any]
MOST = 1000
GREATEST = 2**31 - 1
_EARLIEST, _LATEST = 1900, 2200
_BREAKS = {"\u2028", "\u2029"}
_RICHEST = Decimal(10) ** 18


class Unfit(Exception):
    """A value has not the form of its column; the text says which form it must have."""


class _Wrong(Exception):
    """An item cannot be taken because of one of its fields."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field, self.reason = field, reason


@dataclass(frozen=True)
class Column:
    """A field of an item: its name, how it is read, and what stands for it where it is missing."""

    name: str
    read: Reader
    needed: bool = False
    blank: Any = None


@dataclass(frozen=True)
class Rejection:
    """One item that was not taken, the field that is wrong, and why."""

    index: int
    field: str
    reason: str


@dataclass(frozen=True)
class Row:
    """One item whose fields have their form, in the order of the columns."""

    index: int
    values: tuple[Any, ...]


def read(items: Sequence[object], columns: Sequence[Column]) -> tuple[list[Row], list[Rejection]]:
    """The items that can be read, and the others with the first field that is wrong."""
    names = frozenset(column.name for column in columns)
    plan = [(column.name, column.read, column.needed, column.blank) for column in columns]
    rows, rejected = [], []
    for index, item in enumerate(items):
        try:
            rows.append(Row(index, _values(item, names, plan)))
        except _Wrong as fault:
            field = "".join(sign if sign.isprintable() else "\ufffd" for sign in fault.field[:60])
            rejected.append(Rejection(index, field, fault.reason))
    return rows, rejected


def _values(
    item: object, names: frozenset[str], plan: Sequence[tuple[str, Reader, bool, Any]]
) -> tuple[Any, ...]:
    if not isinstance(item, dict):
        raise _Wrong("", _("An object with the fields of this resource is needed."))
    if not item.keys() <= names:
        raise _Wrong(min(item.keys() - names), _("There is no field of this name."))
    values = []
    for field, reader, needed, blank in plan:
        given = item.get(field)
        try:
            value = blank if given is None else reader(given)
        except Unfit as fault:
            raise _Wrong(field, str(fault)) from fault
        if needed and (value is None or value == ""):
            raise _Wrong(field, _("This field is needed."))
        values.append(value)
    return tuple(values)


def text(longest: int) -> Reader:
    """One line of text without control characters; blanks around it do not count."""

    def reader(value: Any) -> str:
        if not isinstance(value, str):
            raise Unfit(_("A text is needed."))
        line = value.strip()
        if len(line) > longest:
            raise Unfit(_("At most %(most)s characters.") % {"most": longest})
        # Nearly every text is printable; only the rest is looked at sign by sign.
        if not line.isprintable() and any(
            ord(sign) < 32 or 127 <= ord(sign) < 160 or sign in _BREAKS or _alone(sign)
            for sign in line
        ):
            raise Unfit(_("One line without control characters, please."))
        return line

    return reader


def _alone(sign: str) -> bool:
    """Half of a pair of UTF-16, which no database can hold."""
    return "\ud800" <= sign <= "\udfff"


def key(longest: int) -> Reader:
    """A text that names another row; an empty one names none."""
    plain = text(longest)

    def reader(value: Any) -> str | None:
        return plain(value) or None

    return reader


def one_of(codes: Sequence[str]) -> Reader:
    """One of the codes."""
    known = frozenset(codes)

    def reader(value: Any) -> str | None:
        if not isinstance(value, str) or (value and value not in known):
            raise Unfit(_("One of: %(codes)s.") % {"codes": ", ".join(codes)})
        return value or None

    return reader


def whole(least: int = 0, greatest: int = GREATEST) -> Reader:
    """A whole number."""

    def reader(value: Any) -> int:
        if type(value) is not int or not least <= value <= greatest:
            raise Unfit(
                _("A whole number from %(least)s to %(most)s.")
                % {"least": least, "most": greatest}
            )
        return value

    return reader


def moment(value: Any) -> datetime:
    """An instant, ISO; without an offset it is meant in the reporting zone."""
    try:
        at = datetime.fromisoformat(value.strip())
    except (ValueError, AttributeError) as error:
        raise Unfit(_("A time such as 2026-09-30T14:30:00+08:00.")) from error
    if not _EARLIEST <= at.year < _LATEST:
        raise Unfit(
            _("A year from %(first)s to %(last)s.") % {"first": _EARLIEST, "last": _LATEST - 1}
        )
    return at if at.tzinfo else at.replace(tzinfo=settings.ZONE)


def money(value: Any) -> Decimal:
    """An amount with its sign, as a text or a number, with at most two decimals."""
    try:
        amount = Decimal(str(value)) if type(value) in {str, int, float} else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or abs(amount) >= _RICHEST:
        raise Unfit(_("An amount such as 1250000.00."))
    exact = amount.quantize(Decimal("0.01"))
    if exact != amount:
        raise Unfit(_("At most two decimals."))
    return exact


def currency(value: Any) -> str:
    """Three letters of ISO 4217 that stand for money, however they are written."""
    code = value.upper() if isinstance(value, str) else ""
    if not currencies.known(code):
        raise Unfit(_("A currency of ISO 4217 such as CNY."))
    return code
