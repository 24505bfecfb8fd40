"""Yearly and half-yearly figures of the invented clients that add up, by life-cycle stage."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from random import Random

from clients.models import Client, Statement
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan, weighted

STAGES = [
    ("introduction", 0.10), ("growth", 0.30), ("mature", 0.38), ("shake-out", 0.15),
    ("decline", 0.07),
]  # fmt: skip
# Signs of operating, investing and financing cash flow by Dickinson's table.
SIGNS = {
    "introduction": [(-1, -1, 1)],
    "growth": [(1, -1, 1)],
    "mature": [(1, -1, -1)],
    "shake-out": [(-1, -1, -1), (1, 1, 1), (1, 1, -1)],
    "decline": [(-1, 1, 1), (-1, 1, -1)],
}
# Mean of Z'' for emerging markets by stage; its spread.
Z_MEANS = {
    "introduction": 6.6, "growth": 6.2, "mature": 7.0, "shake-out": 5.4, "decline": 4.1,
}  # fmt: skip
Z_SPREAD = 0.9
OLD = 0.04
BLURRED = 0.03
# Revenue over exposure, by size.
_TURNOVER = (1.2, 5.0)
_LEAST = {"large": 900e6, "medium": 90e6, "small": 15e6, "micro": 2e6}


def stage_of(plan: Plan, firm: Firm) -> str:
    """The life-cycle stage a client's figures show."""
    if firm.strong:
        return "mature"
    if firm.row.risk_class == "substandard":
        return "decline"
    return weighted(plan.stream("lifecycle", firm.ordinal), STAGES)


def make_statements(plan: Plan, firms: Sequence[Firm]) -> Iterator[Statement]:
    """Three or four years and the last half-year of each client but the project companies'."""
    for firm in firms:
        dice = plan.stream("statements", firm.ordinal)
        old = dice.random() < OLD and not firm.strong
        years = dice.randint(3, 4) if firm.row.kind != Client.Kind.SPV else 1
        newest = plan.as_of.year - (3 if old else 1)
        stage, revenue = stage_of(plan, firm), _revenue(dice, firm)
        z = 8.6 if firm.strong else dice.gauss(Z_MEANS[stage], Z_SPREAD)
        growth = {"introduction": 1.25, "growth": 1.18, "mature": 1.04}.get(stage, 0.94)
        blurred = dice.random() < BLURRED
        for back in range(years - 1, -1, -1):
            sales = revenue / growth**back
            mark = (stage, z + dice.gauss(0, 0.15), blurred and not back)
            yield _statement(dice, firm, date(newest - back, 12, 31), sales, mark)
        if not old and plan.as_of.month > 8:
            half = date(plan.as_of.year, 6, 30)
            yield _statement(dice, firm, half, revenue * growth * 0.48, (stage, z, False))


def _revenue(dice: Random, firm: Firm) -> float:
    least = _LEAST.get(firm.row.size or "", 20e6)
    return max(least, float(firm.exposure) * dice.uniform(*_TURNOVER))


def _statement(
    dice: Random, firm: Firm, end: date, sales: float, mark: tuple[str, float, bool]
) -> Statement:
    """One balance sheet that adds up, with the Z'' it is meant to have."""
    stage, z, blurred = mark
    yearly = end.month == 12
    assets = sales * (1 if yearly else 2) * dice.uniform(0.9, 1.4)
    ratios = _ratios(dice, z)
    liabilities = assets * ratios["liabilities"]
    current = assets * ratios["current"]
    short = current - assets * ratios["capital"]
    debt = liabilities * dice.uniform(0.35, 0.5)
    ebit = assets * ratios["ebit"] * (1 if yearly else 0.5)
    interest = debt * 0.042 * (1 if yearly else 0.5)
    if firm.strong:
        debt, interest = ebit * 1.1, ebit / 12
    flows = [sign * sales * dice.uniform(0.02, 0.12) for sign in dice.choice(SIGNS[stage])]
    if blurred:
        flows[dice.randrange(3)] = sales * 0.0001
    cost = sales * dice.uniform(0.70, 0.84)
    values = {
        "total_assets": assets, "current_assets": current, "current_liabilities": short,
        "retained_earnings": assets * ratios["retained"], "total_liabilities": liabilities,
        "total_debt": debt, "revenue": sales, "cost_of_sales": cost, "ebit": ebit,
        "ebitda": ebit + assets * 0.03 * (1 if yearly else 0.5), "interest_expense": interest,
        "net_profit": (ebit - interest) * 0.78,
        "cfo": flows[0], "cfi": flows[1], "cff": flows[2],
        "inventory": current * 0.32, "receivables": current * 0.38,
        "prepayments": current * 0.05, "payables": max(short, 0) * 0.4,
        "advances_received": max(short, 0) * 0.06,
    }  # fmt: skip
    amounts = {name: Decimal(round(value)) for name, value in values.items()}
    equity = amounts["total_assets"] - amounts["total_liabilities"]
    return Statement(
        client=firm.row,
        period_end=end,
        basis=Statement.Basis.ANNUAL if yearly else Statement.Basis.HALF,
        audited=yearly,
        equity=equity,
        is_demo=True,
        **amounts,
    )


def _ratios(dice: Random, z: float) -> dict[str, float]:
    """Ratios whose Z'' (3.25 + 6.56 X1 + 3.26 X2 + 6.72 X3 + 1.05 X4) is the one wanted."""
    liabilities = dice.uniform(0.45, 0.68)
    leverage = 1.05 * (1 - liabilities) / liabilities
    rest = z - 3.25 - leverage
    # What is left is made of working capital, kept earnings and profit in fixed parts.
    capital = 0.42 * rest / 6.56
    return {
        "liabilities": liabilities,
        "capital": capital,
        "retained": 0.26 * rest / 3.26,
        "ebit": 0.32 * rest / 6.72,
        "current": max(0.35, capital + 0.22) + dice.uniform(0, 0.1),
    }
