"""What is booked: drawdowns, monthly interest, quarterly principal, the use of products."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from bank import workdays
from clients.models import Client, Product, Transaction
from cxportal.demo.facilities import Loan
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan, instant

MONTHS = 15
_CENT = Decimal("0.01")
_RATE = Decimal("0.038") / 12
_LATE = {"special_mention": (5, 60), "substandard": (100, 180)}
_KINDS = Transaction.Kind


def make_bookings(
    plan: Plan, loans: Sequence[Loan], firms: Sequence[Firm], products: dict[str, Product]
) -> Iterator[Transaction]:
    """All bookings, one facility after the other, then the use of products."""
    calendar = workdays.calendar()
    dues = [(day, calendar.add(day - timedelta(days=1), 1)) for day in _months(plan)]
    for loan in loans:
        yield from _of_loan(plan, loan, dues)
    for firm in firms:
        yield from _of_products(plan, firm, products, dues)


def _months(plan: Plan) -> list[date]:
    """The twentieth of each of the last months, on which interest is due."""
    found = []
    year, month = plan.as_of.year, plan.as_of.month
    for _step in range(MONTHS + 1):
        day = date(year, month, 20)
        if day <= plan.as_of:
            found.append(day)
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return found[::-1]


def _of_loan(plan: Plan, loan: Loan, dues: list[tuple[date, date]]) -> Iterator[Transaction]:
    """The first drawdown, interest each month and principal each quarter while it lives."""
    row, dice = loan.row, plan.stream("booking", loan.row.number)
    first = loan.balances[0]
    late = _LATE.get(loan.firm.row.risk_class or "", (0, 0)) if loan.live else (0, 0)
    yield _booking(loan, f"{row.number}-D", _KINDS.DRAWDOWN, first.drawn or 0, loan.start)
    drawn = row.drawn if loan.live else loan.principal
    interest = ((drawn or Decimal(0)) * _RATE).quantize(_CENT)
    for month, (due, paid) in enumerate(dues):
        if not loan.start < due <= min(loan.end, plan.as_of) or paid > plan.as_of:
            continue
        behind = dice.randint(*late) if late[1] else 0
        key = f"{row.number}-{due:%y%m}"
        yield _booking(loan, f"{key}I", _KINDS.INTEREST, interest, paid, behind)
        if loan.live and loan.principal and due.month % 3 == 0:
            yield _booking(loan, f"{key}P", _KINDS.REPAYMENT, loan.principal, paid, behind)
        elif loan.live and row.kind == "project" and month % 4 == dice.randrange(4):
            yield _booking(loan, f"{key}D", _KINDS.DRAWDOWN, interest * 20, paid)
    if not loan.live:
        yield _booking(loan, f"{row.number}-R", _KINDS.REPAYMENT, loan.principal, loan.end)


def _booking(
    loan: Loan, number: str, kind: str, amount: Decimal | int, day: date, behind: int = 0
) -> Transaction:
    return Transaction(
        external_id=number,
        client=loan.firm.row,
        facility=loan.row,
        kind=kind,
        amount=amount,
        currency=loan.row.currency,
        booked_at=instant(day, time(10, 30)),
        days_past_due=behind if kind in {_KINDS.INTEREST, _KINDS.REPAYMENT} else None,
    )


def held_products(plan: Plan, firm: Firm) -> list[str]:
    """The online products a client holds; not all of them are used."""
    dice = plan.stream("products", firm.ordinal)
    pool = ["CASH-MGT", "WC-REV", "INC-CREDIT", "SCF-AR", "BA-DISC", "TRADE-LC", "HEDGE-FX"]
    if firm.row.kind == Client.Kind.SPV:
        pool = ["ACCT-SUP", "CASH-MGT", "HEDGE-IR"]
    most = {"large": 5, "medium": 4, "small": 3}.get(firm.row.size or "", 2)
    return dice.sample(pool, min(len(pool), dice.randint(1, most)))


def _of_products(
    plan: Plan,
    firm: Firm,
    products: dict[str, Product],
    dues: list[tuple[date, date]],
) -> Iterator[Transaction]:
    """The use of products in online banking, more or less often by product."""
    if not firm.row.online_contract:
        return
    dice = plan.stream("product-use", firm.ordinal)
    for code in held_products(plan, firm):
        rate, product = dice.random(), products.get(code)
        for due, _paid in dues:
            day = due + timedelta(days=dice.randrange(-12, 8))
            if product is None or dice.random() >= rate * 0.6 or day >= plan.as_of:
                continue
            yield Transaction(
                external_id=f"U{firm.ordinal + 1:06d}-{code}-{due:%y%m}",
                client=firm.row,
                kind=_KINDS.PRODUCT_USE,
                product=product,
                amount=Decimal(dice.randrange(1, 400)) * 1000,
                currency="CNY",
                booked_at=_used_at(day, dice.randrange(9 * 60, 17 * 60)),
            )


def _used_at(day: date, minute: int) -> datetime:
    return instant(day, time(minute // 60, minute % 60))
