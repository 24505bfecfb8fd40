"""Rows of engagement for tests: what happens on a day, as seen from one fixed day."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from clients.models import Client, Contact, Facility, Outage, Product, Touchpoint, Transaction
from tests.factories import make_case, make_client, make_contact

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 24)
_count = itertools.count(1)


def moment(age: int, clock: str = "10:00", day: date = TODAY) -> datetime:
    """That many local days before the day, at this time of day."""
    local = datetime.combine(day - timedelta(days=age), time.fromisoformat(clock), ZONE)
    return local.astimezone(UTC)


def happen(client: Client, kind: str, age: int = 0, **fields: Any) -> Touchpoint:
    """One event of a client; `clock` sets the time of day."""
    at = fields.pop("at", None) or moment(age, fields.pop("clock", "10:00"))
    return Touchpoint.objects.create(
        **{"event_id": f"e{next(_count)}", "client": client, "kind": kind, "at": at} | fields
    )


def make_product(code: str = "", **fields: Any) -> Product:
    code = code or f"product_{next(_count)}"
    given = {"code": code, "family": "cash", "name_zh": code, "name_en": code, "is_online": True}
    return Product.objects.create(**given | fields)


def hold(client: Client, product: Product, **fields: Any) -> Facility:
    """A live facility of a case about this product."""
    case = make_case(client, product=product)
    given = {"number": f"F{next(_count)}", "client": client, "case": case, "as_of": TODAY}
    return Facility.objects.create(**given | fields)


def book(client: Client, product: Product | None, age: int = 0, **fields: Any) -> Transaction:
    """One booking, of a product used unless said otherwise."""
    return Transaction.objects.create(
        **{
            "external_id": f"t{next(_count)}",
            "client": client,
            "product": product,
            "kind": "product_use",
            "booked_at": moment(age),
        }
        | fields
    )


def black_out(source: str, first: int, days: int) -> Outage:
    """A log that was out for whole days, the first one so many days ago."""
    start = moment(first, "00:00")
    return Outage.objects.create(
        source=source, starts_at=start, ends_at=moment(first - days, "00:00")
    )


def leave(contact: Contact, age: int) -> None:
    contact.left_on = TODAY - timedelta(days=age)
    contact.save()


QUARTER_ENDS = tuple(
    date.fromisoformat(day) for day in ("2025-12-31", "2026-03-31", "2026-06-30", "2026-09-30")
)


def make_crowd(number: int, days: tuple[date, ...] = QUARTER_ENDS, **fields: Any) -> list[Client]:
    """Clients with one user each, who are active on one, two, up to six days before each day.

    On each of these they sign in, look at a page, get a message, use their product and are
    visited; they click once.
    """
    product = make_product()
    events = []
    for order in range(number):
        client = make_client(**{"online_contract": True} | fields)
        hold(client, product)
        contact = make_contact(client)
        for day in days:
            events += _active(contact, product, day, 1 + order % 6)
    Touchpoint.objects.bulk_create(events)
    return sorted({event.client for event in events}, key=lambda client: client.pk)


def _active(contact: Contact, product: Product, day: date, days: int) -> list[Touchpoint]:
    kinds = ("login", "page_view", "message_delivered", "product_use", "visit")
    happened = [(kind, back) for back in range(days) for kind in kinds]
    return [
        Touchpoint(
            event_id=f"e{next(_count)}",
            client=contact.client,
            contact=contact,
            kind=kind,
            at=moment(back, day=day),
            product=product if kind == "product_use" else None,
        )
        for kind, back in [*happened, ("message_click", 0)]
    ]
