"""What the invented clients borrow: cases that follow the shipped graph of stages."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from bank import workdays
from clients.models import Case, Client, Milestone, Product, Stage
from cxportal.demo import names
from cxportal.demo.people import Firm
from cxportal.demo.streams import Plan, instant, office_time, poisson, weighted

MEANS = {"large": 3.2, "medium": 2.0, "small": 1.3, "micro": 0.8}
ENDINGS = [
    ("disbursed", 0.74), ("declined", 0.09), ("withdrawn", 0.08), ("lapsed", 0.03),
    ("open", 0.06),
]  # fmt: skip
AMOUNTS = {
    "large": (20_000, 120_000),
    "medium": (2_000, 15_000),
    "small": (200, 1_800),
    "micro": (30, 250),
}
LOAN_PATH = [
    ("application", "application_submitted"), ("due_diligence", "application_accepted"),
    ("risk_review", "report_submitted"), ("approval", "review_passed"),
    ("approved", "approval_communicated"), ("contracting", "offer_accepted"),
    ("conditions_precedent", "contract_signed"), ("disbursed", "first_drawdown"),
]  # fmt: skip
LOAN_NAMES = {
    "WC-REV": "循环流动资金贷款", "WC-TERM": "流动资金贷款", "FA-EQUIP": "设备更新贷款",
    "RENEWAL": "无还本续贷",
}  # fmt: skip
# stage, event, milestone that goes with it, days after screening by the template
PROJECT_PATH = [
    ("screening", "screening_started", None, 0), ("mandate", "screening_passed", None, 20),
    ("application", "term_sheet_agreed", "application_received", 45),
    ("due_diligence", "application_accepted", None, 52),
    ("risk_review", "report_submitted", None, 85), ("approval", "review_passed", None, 98),
    ("approved", "approval_communicated", "credit_approval", 110),
    ("contracting", "offer_accepted", None, 114),
    ("conditions_precedent", "finance_documents_signed", "documents_signed", 160),
    ("construction", "first_drawdown", "first_drawdown", 208),
]  # fmt: skip
PHASES = [("pre_close", 0.25), ("construction", 0.40), ("ramp_up", 0.15), ("operation", 0.20)]


@dataclass
class Deal:
    """A case and its milestones, unsaved, in order of time."""

    case: Case
    milestones: list[Milestone]
    firm: Firm

    def stage_at(self, at: datetime) -> str:
        """The stage the case was in at an instant; empty before it was opened."""
        stage = ""
        for milestone in self.milestones:
            if milestone.occurred_at and milestone.occurred_at <= at and milestone.event:
                stage = milestone.code
        return stage

    def reached(self, event: str) -> datetime | None:
        """When an event happened first, if it has."""
        for milestone in self.milestones:
            if milestone.event == event and milestone.occurred_at:
                return milestone.occurred_at
        return None


class Office:
    """The bank's calendar, stages and products, read once."""

    def __init__(self) -> None:
        self.calendar = workdays.calendar()
        self.products = {row.code: row for row in Product.objects.all()}
        self.promised = {
            (row.case_kind, row.code): row.sla_working_days or 0 for row in Stage.objects.all()
        }

    def leave(self, dice: Random, kind: str, stage: str, start: date) -> date:
        """The day on which a case leaves a stage that it entered on `start`."""
        promised = self.promised.get((kind, stage), 0) or 3
        mean = promised * (1.25 if stage == "approval" else 0.85)
        spent = dice.gammavariate(4, mean / 4)
        return self.calendar.add(start, max(1, round(spent)))


def make_deals(plan: Plan, firms: list[Firm]) -> list[Deal]:
    """Every case of every client."""
    office = Office()
    deals: list[Deal] = []
    for firm in firms:
        dice = plan.stream("cases", firm.ordinal)
        if firm.row.kind == Client.Kind.SPV:
            deals += [
                _project(plan, office, firm, number)
                for number in range(2 if dice.random() < 0.2 and firm.ordinal % 2 else 1)
            ]
        else:
            count = poisson(dice, MEANS[firm.row.size or "small"])
            deals += [_loan(plan, office, firm, number) for number in range(count)]
    return deals


def _loan(plan: Plan, office: Office, firm: Firm, number: int) -> Deal:
    """One loan: a path through the graph, ended as its stream says or still open."""
    dice = plan.stream("loan", f"{firm.ordinal}-{number}")
    ending = weighted(dice, ENDINGS)
    age = dice.randrange(5, 40) if ending == "open" else dice.randrange(60, 1090)
    opened = plan.as_of - timedelta(days=age)
    product = dice.choice(sorted(LOAN_NAMES))
    low, high = AMOUNTS[firm.row.size or "small"]
    case = Case(
        number=f"WC-{opened.year}-{firm.ordinal * 10 + number + 1:04d}",
        client=firm.row,
        kind=Case.Kind.LOAN,
        product=office.products.get(product),
        name=LOAN_NAMES[product],
        amount=Decimal(round(dice.uniform(low, high), -1)) * 10_000,
        currency="CNY",
        stage="enquiry",
        opened_on=opened,
        manager=firm.row.manager,
        is_demo=True,
    )
    entries = _loan_entries(dice, office, opened, ending)
    return _assemble(plan, dice, case, firm, entries)


Entry = tuple[str, str, date]


def _loan_entries(dice: Random, office: Office, opened: date, ending: str) -> list[Entry]:
    """Stage, event and day of each step, detours for documents and returns included."""
    entries: list[Entry] = [("enquiry", "", opened)]
    stop = {"declined": dice.randrange(2, 5), "withdrawn": dice.randrange(1, 7), "lapsed": 5}.get(
        ending, len(LOAN_PATH)
    )
    day = office.leave(dice, "loan", "enquiry", opened)
    for step, (stage, event) in enumerate(LOAN_PATH):
        if step == stop:
            entries.append(_end(ending, entries[-1][0], day))
            return entries
        entries.append((stage, event, day))
        if stage == "application" and dice.random() < 0.24:
            day = office.leave(dice, "loan", stage, day)
            entries.append(("materials_pending", "documents_requested", day))
            day = office.calendar.add(day, max(1, round(dice.gammavariate(2, 4))))
            entries.append(("application", "documents_received", day))
        if stage == "risk_review" and dice.random() < 0.06:
            day = office.leave(dice, "loan", stage, day)
            entries.append(("due_diligence", "returned_for_investigation", day))
            day = office.leave(dice, "loan", "due_diligence", day)
            entries.append(("risk_review", "report_submitted", day))
        day = office.leave(dice, "loan", stage, day)
    due = entries[-1][2] + timedelta(days=365)
    entries.append(("settled", "final_repayment", due))
    return entries


def _end(ending: str, stage: str, day: date) -> Entry:
    """The closing step that the graph allows from this stage."""
    if ending == "lapsed" and stage in {"approved", "contracting", "conditions_precedent"}:
        return ("lapsed", "approval_expired_90d", day)
    if ending == "declined":
        event = {"due_diligence": "dd_negative", "risk_review": "review_negative"}.get(stage)
        return (
            ("declined", event or "approval_refused", day)
            if stage != "application"
            else ("declined", "not_eligible", day)
        )
    return ("withdrawn", "client_withdrew", day)


def _project(plan: Plan, office: Office, firm: Firm, number: int) -> Deal:
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
        ("completion", "completion_notified", "mechanical_completion", cod - timedelta(days=60)),
        ("ramp_up", "cod_reached", "cod", cod),
        ("operation", "ramp_up_completed", "ramp_up_end", cod + timedelta(days=400)),
    ]
    if deal.case.number == "PF-2026-0147":
        steps = [(s, e, m, _HEYU.get(s, day)) for s, e, m, day in steps]
    shift = 0
    for index, (stage, event, milestone, planned) in enumerate(steps):
        if stage == "contracting":
            shift = min(slip, 60)
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
        if actual <= plan.now:
            deal.case.stage = stage
    deal.milestones = [m for m in deal.milestones if m.planned_on or m.occurred_at]
    return deal


_HEYU = {
    "application": date(2026, 3, 9), "due_diligence": date(2026, 3, 16),
    "risk_review": date(2026, 4, 24), "approval": date(2026, 5, 11),
    "approved": date(2026, 6, 12), "contracting": date(2026, 6, 18),
    "conditions_precedent": date(2026, 7, 20), "construction": date(2026, 8, 27),
}  # fmt: skip
_WITH_STAGE = {
    "application": "application_received", "approved": "credit_approval",
    "conditions_precedent": "documents_signed", "disbursed": "first_drawdown",
    "settled": "settlement",
}  # fmt: skip


def _assemble(plan: Plan, dice: Random, case: Case, firm: Firm, entries: list[Entry]) -> Deal:
    """Turn the steps that have happened by the as-of day into milestones."""
    deal = Deal(case, [], firm)
    for index, code, event, at in _timed(dice, entries):
        if at > plan.now:
            break
        case.stage = code
        if code in {"settled", "declined", "withdrawn", "lapsed"}:
            case.closed_on = at.date()
        for part, mark in enumerate(
            filter(None, (code, _WITH_STAGE.get(code) if event else None))
        ):
            deal.milestones.append(
                Milestone(
                    external_id=f"{case.number}-{index:02d}{part}",
                    case=case,
                    code=mark,
                    event=event if part == 0 else "",
                    occurred_at=at,
                )
            )
    return deal


def _timed(dice: Random, entries: list[Entry]) -> Iterator[tuple[int, str, str, datetime]]:
    """Give each step a time of day; two steps of one day keep their order."""
    last = instant(entries[0][2], time(8, 30))
    for index, (code, event, day) in enumerate(entries):
        last = max(office_time(dice, day), last + timedelta(minutes=20))
        yield index, code, event, last
