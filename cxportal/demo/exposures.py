"""How much each invented client owes: log-normal by size, capped, under two giants."""

import math
from collections.abc import Sequence
from decimal import Decimal

from clients.models import Client
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan

# Million CNY: median and sigma of the logarithm.
SPREADS = {
    "large": (320, 1.0),
    "medium": (45, 0.9),
    "small": (6, 0.8),
    "micro": (1.2, 0.7),
    "spv": (900, 0.8),
}
# Share of the book that each giant holds, and that nobody else exceeds.
GIANTS = {"small": 0.12, "medium": 0.08, "large": 0.06}
CAPS = {"small": 0.02, "medium": 0.01, "large": 0.005}
WITHOUT_LOAN = 0.14
_NAMED = {"白榆精密", "禾屿新能源", "禾屿海上风电"}
_ROUND = 10_000


def draw(plan: Plan, firms: Sequence[Firm]) -> None:
    """Give every client its exposure; those after the giants are marked as calm."""
    others = [firm for firm in firms if not firm.giant]
    amounts = [_amount(plan, firm) for firm in others]
    giants = [firm for firm in firms if firm.giant]
    share = GIANTS[plan.size]
    book = _book(amounts, CAPS[plan.size], 1 - share * len(giants))
    for firm in giants:
        firm.exposure = _rounded(book * share)
    for firm, amount in zip(others, amounts, strict=True):
        firm.exposure = _rounded(min(amount, book * CAPS[plan.size]))
    count = max(10, plan.numbers.clients // 500)
    biggest = sorted(others, key=lambda firm: (-firm.exposure, firm.ordinal))
    for firm in biggest[:count]:
        firm.calm = True


def _amount(plan: Plan, firm: Firm) -> float:
    """Million CNY before any cap; 0 for those without a live loan."""
    dice = plan.stream("exposure", firm.ordinal)
    idle, project = dice.random() < WITHOUT_LOAN, firm.row.kind == Client.Kind.SPV
    median, sigma = SPREADS["spv" if project else firm.row.size or "small"]
    amount = median * math.exp(sigma * dice.gauss(0, 1))
    idle = idle and not project and firm.row.short_name not in _NAMED
    return 0.0 if idle or firm.heir is not None else amount


def _book(amounts: Sequence[float], cap: float, rest: float) -> float:
    """The whole book for which the capped amounts make up what the giants leave."""
    book = sum(amounts) / rest
    for _step in range(60):
        book = sum(min(amount, cap * book) for amount in amounts) / rest
    return book


def _rounded(millions: float) -> Decimal:
    """CNY in whole ten thousands; a live loan is never less than one of them."""
    if not millions:
        return Decimal(0)
    return Decimal(max(1, round(millions * 1_000_000 / _ROUND)) * _ROUND)
