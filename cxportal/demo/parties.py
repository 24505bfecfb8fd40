"""Who takes part in a project deal: the client, its sponsor, and banks and firms by name."""

from collections.abc import Iterator, Sequence

from clients.models import Case, Party
from cxportal.demo import names
from cxportal.demo.deals import Deal
from cxportal.demo.streams import Plan

_ROLES = Party.Role
LENDERS = 2
_FIRMS = {
    _ROLES.EPC_CONTRACTOR: "工程有限公司",
    _ROLES.ADVISER: "工程咨询有限公司",
    _ROLES.OPERATOR: "运营有限公司",
    _ROLES.INSURER: "财产保险有限公司",
}


def make_parties(plan: Plan, deals: Sequence[Deal]) -> Iterator[Party]:
    """The parties of every project deal."""
    for deal in deals:
        if deal.case.kind != Case.Kind.PROJECT_FINANCE:
            continue
        dice = plan.stream("parties", deal.case.number)
        spv, people = deal.firm.row, deal.firm.people
        yield _party(deal, _ROLES.BORROWER_SPV, client=spv, contact=people[0].row)
        if spv.parent is not None:
            yield _party(deal, _ROLES.SPONSOR, client=spv.parent)
        for role in (_ROLES.LENDER_LEAD, _ROLES.AGENT_BANK, _ROLES.ACCOUNT_BANK):
            yield _party(deal, role, name="云汀银行")
        for bank in sorted({f"{names.stem(dice)[0]}银行" for _number in range(LENDERS)}):
            yield _party(deal, _ROLES.LENDER_MEMBER, name=bank)
        for role, tail in _FIRMS.items():
            yield _party(
                deal, role, name=f"{dice.choice(names.PLACES)}{names.stem(dice)[0]}{tail}"
            )


def _party(deal: Deal, role: str, **who: object) -> Party:
    return Party(case=deal.case, role=role, is_demo=True, **who)
