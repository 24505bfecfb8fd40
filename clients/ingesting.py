"""Lists of events as other systems report them: each event has one effect, for ever.

A list is looked up in a fixed number of queries and written by one statement. The first report
of a number stands: the same number again is a duplicate, whatever else it says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.db import connection, models, transaction
from django.utils.translation import gettext as _

from bank import audit
from bank.models import ApiKey, User
from bank.rows import Rejection, Row
from clients import changes
from clients.models import Client, Contact, Facility, Product, Touchpoint, Transaction
from clients.touchpoints import OWN

# A machine's clock may run ahead of ours by so much.
AHEAD = timedelta(minutes=5)
Values = tuple[Any, ...]


@dataclass(frozen=True)
class Taken:
    """What became of a list: new events, events known before, and those that were not taken."""

    accepted: int
    duplicates: int
    rejected: list[Rejection]


class _Misfit(Exception):
    """An item names something that is not there; arguments are the field and the reason."""


@dataclass(frozen=True)
class _Book:
    """What the codes of one list stand for; a contact or facility goes with its client."""

    clients: dict[str, int]
    products: dict[str, int]
    others: dict[str, tuple[int, int]]

    def client(self, code: str) -> int:
        """The client of this code, if it is in scope."""
        found = self.clients.get(code)
        if found is None:
            raise _Misfit("client_code", _("There is no such client."))
        return found

    def product(self, code: str | None) -> int | None:
        """The product of this code."""
        if code is not None and code not in self.products:
            raise _Misfit("product_code", _("There is no such product."))
        return self.products.get(code or "")

    def contact(self, code: str | None, client: int) -> int | None:
        """The contact of this number at the client."""
        number, owner = self.others.get(code or "", (None, client if code is None else None))
        if owner != client:
            raise _Misfit("contact_external_id", _("There is no such contact of this client."))
        return number

    def facility(self, code: str | None, client: int) -> int | None:
        """The facility of this number, granted to the client."""
        number, owner = self.others.get(code or "", (None, client if code is None else None))
        if owner != client:
            raise _Misfit("facility_number", _("There is no such facility of this client."))
        return number


def touchpoints(rows: Sequence[Row], *, at: datetime, by: User | ApiKey) -> Taken:
    """Record touchpoints; a row holds the fields of the import file in their order."""
    book = _book(rows, by, other=2, product=7, model=Contact, key="external_id")

    def shaped(values: Values) -> Values:
        number, code, contact, kind, moment, quantity, duration, product, source = values
        _check(number, moment, ("event_id", "at"), at)
        client = book.client(code)
        person = book.contact(contact, client)
        used = book.product(product)
        return number, client, person, kind, moment, quantity, duration, used, source

    return _take(Touchpoint, rows, shaped, at=at, by=by)


def transactions(rows: Sequence[Row], *, at: datetime, by: User | ApiKey) -> Taken:
    """Record bookings; a row holds the fields of the import file in their order."""
    book = _book(rows, by, other=2, product=4, model=Facility, key="number")

    def shaped(values: Values) -> Values:
        number, code, facility, kind, product, amount, money, booked, overdue = values
        _check(number, booked, ("external_id", "booked_at"), at)
        client = book.client(code)
        limit = book.facility(facility, client)
        return number, client, limit, kind, book.product(product), amount, money, booked, overdue

    return _take(Transaction, rows, shaped, at=at, by=by)


def _check(number: str, moment: datetime, fields: tuple[str, str], at: datetime) -> None:
    if number.startswith(OWN):
        raise _Misfit(fields[0], _("Numbers that begin like this are the portal's own."))
    if moment > at + AHEAD:
        raise _Misfit(fields[1], _("The time lies in the future."))


def _book(
    rows: Sequence[Row],
    viewer: User | ApiKey,
    *,
    other: int,
    product: int,
    model: type[Contact] | type[Facility],
    key: str,
) -> _Book:
    """Look up every code of the list: at most three queries."""
    codes = {row.values[1] for row in rows}
    seen = Client.objects.visible_to(viewer).filter(code__in=codes)
    clients = dict(seen.values_list("code", "pk"))
    numbers = {row.values[other] for row in rows} - {None}
    others = (
        model.objects.filter(**{f"{key}__in": numbers}).values_list(key, "pk", "client")
        if numbers
        else ()
    )
    used = {row.values[product] for row in rows} - {None}
    products = Product.objects.filter(code__in=used).values_list("code", "pk") if used else ()
    return _Book(clients, dict(products), {code: (pk, owner) for code, pk, owner in others})


def _take(
    model: type[Touchpoint] | type[Transaction],
    rows: Sequence[Row],
    shaped: Callable[[Values], Values],
    *,
    at: datetime,
    by: User | ApiKey,
) -> Taken:
    """Write what can be written; note and audit only what is new."""
    good: list[Values] = []
    rejected: list[Rejection] = []
    for row in rows:
        try:
            good.append(shaped(row.values))
        except _Misfit as fault:
            rejected.append(Rejection(row.index, *fault.args))
    with transaction.atomic():
        owners = _write(model, good)
        if owners:
            changes.note(owners, at=at)
            data = {"accepted": len(owners), "duplicates": len(good) - len(owners)}
            name = f"{model._meta.model_name}s"
            audit.record(f"{name}.ingest", f"{name}:", at=at, by=by, data=data)
    return Taken(len(owners), len(good) - len(owners), rejected)


def _write(model: type[Touchpoint] | type[Transaction], rows: list[Values]) -> list[int]:
    """Insert what is not there yet, in the order of the numbers; the clients of the new rows.

    Two lists that overlap wait for each other in the same order, so that neither is refused.
    """
    if not rows:
        return []
    rows.sort(key=lambda values: values[0])
    fields = _COLUMNS[model]
    if connection.vendor != "postgresql":
        return _write_plainly(model, [field.attname for field in fields], rows)
    columns = ", ".join(f'"{field.column}"' for field in fields)
    arrays = ", ".join(f"%s::{_kind(field)}[]" for field in fields)
    statement = (
        f'INSERT INTO "{model._meta.db_table}" ({columns}) '  # noqa: S608 - names of columns
        f'SELECT * FROM unnest({arrays}) ON CONFLICT ("{fields[0].column}") DO NOTHING '
        "RETURNING client_id"
    )
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, [list(values) for values in zip(*rows, strict=True)])
        return [client for (client,) in cursor]


def _write_plainly(
    model: type[Touchpoint] | type[Transaction], names: list[str], rows: list[Values]
) -> list[int]:
    """The same for a database with one writer at a time."""
    numbers = [values[0] for values in rows]
    known = set(
        model.objects.filter(**{f"{names[0]}__in": numbers}).values_list(names[0], flat=True)
    )
    fresh: dict[str, Any] = {}
    for values in rows:
        if values[0] not in known:
            fresh.setdefault(values[0], model(**dict(zip(names, values, strict=True))))
    model.objects.bulk_create(fresh.values())
    return [row.client_id for row in fresh.values()]


def _kind(field: "models.Field[Any, Any]") -> str:
    """The type of a column, as an array can have it."""
    return str(field.rel_db_type(connection) if field.is_relation else field.db_type(connection))


def _fields(model: type[models.Model], *names: str) -> "list[models.Field[Any, Any]]":
    found = (model._meta.get_field(name) for name in names)
    return [field for field in found if isinstance(field, models.Field)]


_COLUMNS = {
    Touchpoint: _fields(
        Touchpoint,
        *("event_id", "client", "contact", "kind", "at", "quantity", "duration_s", "product"),
        "source",
    ),
    Transaction: _fields(
        Transaction,
        *("external_id", "client", "facility", "kind", "product", "amount", "currency"),
        *("booked_at", "days_past_due"),
    ),
}
