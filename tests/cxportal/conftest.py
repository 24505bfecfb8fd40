"""A small book of clients: Lan's own, and one of another team that carries a canary."""

from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from bank.models import User
from clients.models import Milestone, Stage
from tests import factories

CANARY = "Zq7鹮鹮鹮"


@pytest.fixture
def today(time_machine) -> None:
    """Every page is looked at on the same Tuesday morning."""
    time_machine.move_to(factories.NOW, tick=False)


@pytest.fixture
def stages(db) -> None:
    """Two stages with a promise, one where the client's clock runs, one without a limit."""
    for position, (code, clock, days) in enumerate(
        (
            ("enquiry", "bank", 1),
            ("materials_pending", "client", 10),
            ("due_diligence", "bank", 7),
            ("disbursed", "none", None),
        )
    ):
        Stage.objects.create(
            case_kind="loan",
            code=code,
            position=position,
            name_zh=f"阶段 {code}",
            name_en=code.replace("_", " ").title(),
            phase="pre_loan",
            owner_role="rm",
            clock=clock,
            sla_working_days=days,
        )


@pytest.fixture
def book(staff, stages) -> SimpleNamespace:
    """One client of Lan and one of Chen, each with contact, case, answer and campaign."""
    mine = _client(staff.lan, "C-MINE", "禾屿")
    theirs = _client(staff.chen, "C-THEIRS", CANARY)
    return SimpleNamespace(mine=mine, theirs=theirs, staff=staff)


def _client(manager: User, code: str, name: str) -> SimpleNamespace:
    client = factories.make_client(
        code,
        name_zh=f"{name} 有限公司",
        name_en=f"{name} Co., Ltd.",
        short_name=name,
        manager=manager,
        team=manager.team,
        uscc=f"91310000{code[-4:]:X>4}{len(code):06}",
    )
    contact = factories.make_contact(client, name=f"{name} 联系人", position=f"{name} 财务")
    case = factories.make_case(client, number=f"L-{name}", name=f"{name} 贷款")
    Milestone.objects.create(
        external_id=f"M-{name}",
        case=case,
        code="enquiry",
        occurred_at=factories.NOW - timedelta(days=80),
        note=f"{name} 备注",
    )
    campaign = factories.make_campaign(name=f"{name} 活动")
    invitation = factories.make_invitation(
        contact,
        campaign=campaign,
        version=campaign.version,
        case=case,
        state="answered",
        sent_at=factories.NOW - timedelta(days=10),
    )
    response = factories.make_response(
        invitation,
        {"nps": 3, "reason": f"{name} 太慢", "csat": 2},
        response_id=f"R-{name}",
        submitted_at=factories.NOW - timedelta(days=9),
    )
    return SimpleNamespace(
        client=client, contact=contact, case=case, response=response, campaign=campaign
    )


def make_late(case, *, days: int = 30) -> None:
    """The case entered due diligence so many days ago; seven working days were promised."""
    case.stage = "due_diligence"
    case.opened_on = date(2026, 9, 1)
    case.save()
    Milestone.objects.create(
        external_id=f"M-late-{case.number}",
        case=case,
        code="due_diligence",
        occurred_at=factories.NOW - timedelta(days=days),
    )
