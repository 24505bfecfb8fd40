"""What the invented clients borrow: every case of every client."""

from clients.models import Client
from cxportal.demo import loans, projects
from cxportal.demo.deals import Deal, Office
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan, poisson

MEANS = {"large": 3.2, "medium": 2.0, "small": 1.3, "micro": 0.8}


def make_deals(plan: Plan, firms: list[Firm]) -> list[Deal]:
    """Every case of every client."""
    office = Office()
    deals: list[Deal] = []
    for firm in firms:
        dice = plan.stream("cases", firm.ordinal)
        if firm.row.kind == Client.Kind.SPV:
            deals += [
                projects.make(plan, office, firm, number)
                for number in range(2 if dice.random() < 0.2 and firm.ordinal % 2 else 1)
            ]
        else:
            # Who owes the bank most has asked for it at least once.
            count = max(poisson(dice, MEANS[firm.row.size or "small"]), int(firm.giant))
            deals += [loans.make(plan, office, firm, number) for number in range(count)]
    return deals
