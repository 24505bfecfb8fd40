"""What is lent: facilities with their balances over time, so that past exposure is known too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from clients.models import Client, ExchangeRate, Facility, FacilityBalance
from cxportal.demo.deals import Deal
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan

DRAWN = 0.82
FOREIGN = 0.03
QUARTERS = 12
_COUNTS = {"large": (3, 4), "medium": (2, 3), "small": (1, 3), "micro": (1, 1)}
# CNY for one unit at the as-of day, and how much it moves in a quarter.
CURRENCIES = {"USD": (7.12, 0.04), "EUR": (7.86, 0.07)}
_CENT = Decimal("0.01")
_STEP = Decimal(10_000)


@dataclass(eq=False)
class Loan:
    """A facility with what the generator knows of it: what is paid back, and its balances."""

    row: Facility
    firm: Firm
    start: date
    end: date
    # Limit and drawn amount at the as-of day; principal paid in each quarter before.
    principal: Decimal = Decimal(0)
    live: bool = True
    balances: list[FacilityBalance] = field(default_factory=list)


def make_rates(plan: Plan) -> list[ExchangeRate]:
    """The rates of the last three years, each quarter a little further from today's."""
    rows = []
    for currency, (now, step) in CURRENCIES.items():
        dice, rate = plan.stream("rate", currency), now
        for day in reversed(quarter_ends(plan)):
            rows.append(ExchangeRate(currency=currency, as_of=day, rate=Decimal(f"{rate:.4f}")))
            rate = max(now * 0.9, min(now * 1.1, rate + dice.gauss(0, step)))
    return rows


def quarter_ends(plan: Plan) -> list[date]:
    """The last days of the twelve quarters before the as-of day."""
    found: list[date] = []
    year, quarter = plan.as_of.year, (plan.as_of.month - 1) // 3
    for _step in range(QUARTERS):
        found.append(date(year, 3 * quarter + 1, 1) - timedelta(days=1))
        year, quarter = (year, quarter - 1) if quarter else (year - 1, 3)
    return found[::-1]


def make_loans(plan: Plan, firms: Sequence[Firm], deals: Sequence[Deal]) -> list[Loan]:
    """Every facility: live ones that make up the exposure, settled ones of the past."""
    by_firm: dict[int, list[Deal]] = {}
    for deal in deals:
        by_firm.setdefault(deal.firm.ordinal, []).append(deal)
    days = quarter_ends(plan)
    loans: list[Loan] = []
    for firm in firms:
        mine = by_firm.get(firm.ordinal, [])
        loans += _live(plan, firm, [deal for deal in mine if _is_live(deal)])
        loans += [_settled(firm, deal) for deal in mine if deal.case.stage == "settled"]
    for loan in loans:
        _add_balances(plan, loan, days)
    return loans


def _is_live(deal: Deal) -> bool:
    return deal.case.closed_on is None and deal.reached("first_drawdown") is not None


def _live(plan: Plan, firm: Firm, deals: list[Deal]) -> Iterator[Loan]:
    """Split the exposure over a few facilities; those with a case come first."""
    if not firm.exposure:
        return
    dice = plan.stream("facilities", firm.ordinal)
    project = firm.row.kind == Client.Kind.SPV
    low, high = (2, 2) if project else (5, 5) if firm.giant else _COUNTS[firm.row.size or "small"]
    count = max(dice.randint(low, high), 1)
    while count > 1 and firm.exposure < _STEP * 4 * count:
        count -= 1
    weights = [dice.gammavariate(4, 1) + (12 if project and not n else 0) for n in range(count)]
    left = firm.exposure
    for number, weight in enumerate(weights):
        share = Decimal(round(float(firm.exposure) * weight / sum(weights) / 10_000)) * _STEP
        amount = max(_STEP, share) if number < count - 1 else left
        left -= amount
        deal = deals[number] if number < len(deals) else None
        yield _facility(plan, dice, firm, (number, amount), deal)


def _facility(
    plan: Plan, dice: Random, firm: Firm, part: tuple[int, Decimal], deal: Deal | None
) -> Loan:
    """One live facility: revolving, term, or the loan of a project."""
    number, amount = part
    project = firm.row.kind == Client.Kind.SPV and number == 0
    kind = "project" if project else "revolving" if dice.random() < 0.5 else "term"
    drawdown = deal.reached("first_drawdown") if deal else None
    start = drawdown.date() if drawdown else plan.as_of - timedelta(days=dice.randrange(40, 1000))
    end = plan.as_of + timedelta(days=dice.randrange(*_TENORS[kind]))
    foreign = not project and not firm.giant and dice.random() < FOREIGN
    currency = dice.choice(sorted(CURRENCIES)) if foreign else "CNY"
    limit = amount
    if foreign:
        limit = (amount / Decimal(str(CURRENCIES[currency][0]))).quantize(_CENT)
    used = DRAWN if firm.giant else min(1.0, max(0.3, dice.gauss(DRAWN + 0.01, 0.14)))
    if deal and not project and deal.case.number != "PF-2026-0147":
        deal.case.amount = limit
        deal.case.currency = currency
    return Loan(
        Facility(
            number=f"F{firm.ordinal + 1:06d}-{number + 1}",
            client=firm.row,
            case=deal.case if deal else None,
            kind=kind,
            limit=limit,
            drawn=(limit * Decimal(f"{used:.3f}")).quantize(_CENT),
            currency=currency,
            starts_on=start,
            ends_on=end,
            as_of=plan.as_of,
            is_demo=True,
        ),
        firm,
        start,
        end,
        principal=(limit / 20).quantize(_CENT) if kind == "term" else Decimal(0),
    )


_TENORS = {"revolving": (20, 360), "term": (90, 1_500), "project": (3_000, 5_000)}


def _settled(firm: Firm, deal: Deal) -> Loan:
    """The facility of a loan that has been paid back."""
    start, end = deal.reached("first_drawdown"), deal.case.closed_on
    amount = deal.case.amount or Decimal(0)
    first = start.date() if start else deal.case.opened_on
    last = end or first
    row = Facility(
        number=f"F{firm.ordinal + 1:06d}-S{deal.case.number[-6:]}",
        client=firm.row,
        case=deal.case,
        kind="term",
        limit=Decimal(0),
        drawn=Decimal(0),
        currency="CNY",
        starts_on=first,
        ends_on=last,
        as_of=last,
        is_demo=True,
    )
    return Loan(row, firm, first, last, principal=amount, live=False)


def _add_balances(plan: Plan, loan: Loan, days: list[date]) -> None:
    """One balance at the start, at each quarter end, and at the newest day."""
    row = loan.row
    if not loan.live:
        held = [loan.start, *(day for day in days if loan.start < day < loan.end)]
        loan.balances = [_balance(row, day, loan.principal, loan.principal) for day in held]
        loan.balances.append(_balance(row, loan.end, Decimal(0), Decimal(0)))
        return
    limit, drawn = row.limit or Decimal(0), row.drawn or Decimal(0)
    loan.balances = [_balance(row, plan.as_of, limit, drawn)]
    wobble = plan.stream("balance", row.number)
    for day in reversed([loan.start, *(day for day in days if day > loan.start)]):
        if day >= plan.as_of:
            continue
        limit, drawn = limit + loan.principal, drawn + loan.principal
        shown = drawn
        if row.kind == "revolving":
            factor = Decimal(f"{min(1.0, max(0.2, wobble.gauss(DRAWN, 0.12))):.3f}")
            shown = (limit * factor).quantize(_CENT)
        loan.balances.append(_balance(row, day, limit, shown))
    loan.balances.reverse()


def _balance(row: Facility, day: date, limit: Decimal, drawn: Decimal) -> FacilityBalance:
    return FacilityBalance(facility=row, as_of=day, limit=limit, drawn=min(limit, drawn))
