"""Project-finance deals with their plan and how far they have slipped."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from clients.models import Case, Milestone
from cxportal.demo import names
from cxportal.demo.deals import Deal, Office
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan, office_time, weighted

# stage, event, milestone that goes with it, days after screening by the template
PROJECT_PATH = [
    ("screening", "screening_started", None, 0), ("mandate", "screening_passed", None, 20),
    ("application", "term_sheet_agreed", "application_received", 45),
    ("due_diligence", "application_accepted", None, 52),
    ("risk_review", "report_submitted", None, 85), ("approval", "review_passed", None, 98),
    ("approved", "approval_communicated", "credit_approval", 110),
    ("contracting", "offer_accepted", None, 114),
    ("conditions_precedent", "finance_documents_signed", "documents_signed", 160),
    ("", "", "conditions_precedent_met", 195), ("", "", "financial_close", 200),
    ("construction", "first_drawdown", "first_drawdown", 208),
]  # fmt: skip
PHASES = [("pre_close", 0.25), ("construction", 0.40), ("ramp_up", 0.15), ("operation", 0.20)]
_HEYU = {
    "application": date(2026, 3, 9), "due_diligence": date(2026, 3, 16),
    "risk_review": date(2026, 4, 24), "approval": date(2026, 5, 11),
    "approved": date(2026, 6, 12), "contracting": date(2026, 6, 18),
    "conditions_precedent": date(2026, 7, 20), "conditions_precedent_met": date(2026, 8, 14),
    "financial_close": date(2026, 8, 19), "construction": date(2026, 8, 27),
}  # fmt: skip


def make(plan: Plan, office: Office, firm: Firm, number: int) -> Deal:
    """One project-finance deal with its plan and how far it has slipped."""
    dice = plan.stream("project", f"{firm.ordinal}-{number}")
    heyu = firm.row.short_name == "禾屿海上风电" and number == 0
    phase = "construction" if heyu else weighted(dice, PHASES)
    months = dice.randint(14, 40)
    age = {
        "pre_close": dice.randrange(30, 190),
        "construction": 230 + dice.randrange(20, months * 24),
        "ramp_up": 260 + months * 30 + dice.randrange(10, 150),
        "operation": 260 + months * 30 + dice.randrange(560, 900),
    }[phase]
    start = date(2026, 1, 30) if heyu else plan.as_of - timedelta(days=age)
    case = Case(
        number="PF-2026-0147" if heyu else f"PF-{start.year}-{firm.ordinal * 10 + number + 1:04d}",
        client=firm.row,
        kind=Case.Kind.PROJECT_FINANCE,
        product=office.products.get("PF-TERM"),
        name=_project_name(dice, firm, heyu=heyu),
        amount=Decimal("1850000000") if heyu else Decimal(round(dice.uniform(400, 4_000))) * 10**6,
        currency="CNY",
        stage="enquiry",
        opened_on=office.calendar.add(start, -3),
        manager=firm.row.manager,
        sector=firm.sector,
        is_demo=True,
    )
    slip = 0 if heyu else _slip(dice)
    return _assemble_project(plan, dice, Deal(case, [], firm), start, (months, slip))


def _construction(start: date, end: date) -> list[tuple[str, str, str | None, date]]:
    """The quarters of the work, evenly spread over its time."""
    step = (end - start) / 4
    return [("", "", f"progress_{25 * part}", start + step * part) for part in (1, 2, 3)]


def _project_name(dice: Random, firm: Firm, *, heyu: bool) -> str:
    if heyu:
        return "苍屿 300 MW 海上风电项目融资"
    place = dice.choice(names.PLACES)
    return f"{place}{firm.row.short_name[2:]}项目融资"


def _slip(dice: Random) -> int:
    """Days by which the project runs behind its plan."""
    kind = weighted(dice, [("none", 0.35), ("late", 0.45), ("very", 0.15), ("early", 0.05)])
    if kind == "none":
        return 0
    if kind == "early":
        return -dice.randrange(5, 20)
    late = round(dice.lognormvariate(3.04, 0.7))
    return late if kind == "late" else 120 + late


def _assemble_project(
    plan: Plan, dice: Random, deal: Deal, start: date, pace: tuple[int, int]
) -> Deal:
    """Lay planned and actual dates side by side; what lies ahead is only planned."""
    months, slip = pace
    cod = start + timedelta(days=208 + months * 30)
    steps: list[tuple[str, str, str | None, date]] = [
        ("enquiry", "", None, deal.case.opened_on),
        *(
            (stage, event, milestone, start + timedelta(days=days))
            for stage, event, milestone, days in PROJECT_PATH
        ),
        *_construction(start + timedelta(days=215), cod - timedelta(days=70)),
        ("completion", "completion_notified", "mechanical_completion", cod - timedelta(days=60)),
        ("ramp_up", "cod_reached", "cod", cod),
        ("", "", "first_repayment", cod + timedelta(days=182)),
        ("operation", "ramp_up_completed", "ramp_up_end", cod + timedelta(days=400)),
    ]
    if deal.case.number == "PF-2026-0147":
        steps = [(s, e, m, _HEYU.get(s or m or "", day)) for s, e, m, day in steps]
    shift = 0
    for index, (stage, event, milestone, planned) in enumerate(steps):
        if stage == "contracting":
            shift = min(slip, 60)
        if milestone == "progress_50":
            shift = round(shift + (slip - shift) / 2)
        if stage == "completion":
            shift = slip
        actual = office_time(dice, planned + timedelta(days=shift))
        for part, code in enumerate(filter(None, (stage, milestone))):
            deal.milestones.append(
                Milestone(
                    external_id=f"{deal.case.number}-{index:02d}{part}",
                    case=deal.case,
                    code=code,
                    event=event if code == stage else "",
                    planned_on=planned if index else None,
                    occurred_at=actual if actual <= plan.now else None,
                )
            )
        if stage and actual <= plan.now:
            deal.case.stage = stage
    deal.milestones = [m for m in deal.milestones if m.planned_on or m.occurred_at]
    return deal
