"""Loans that follow the shipped graph of stages."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from clients.models import Case, Milestone
from cxportal.demo.deals import Deal, Office
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan, instant, office_time, weighted

ENDINGS = [
    ("disbursed", 0.74), ("declined", 0.09), ("withdrawn", 0.08), ("lapsed", 0.03),
    ("open", 0.06),
]  # fmt: skip
# The months in which firms ask for money, and how many come in the others.
SEASON, OFF_SEASON = {1, 6, 7, 12}, 0.2
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
_WITH_EVENT = {
    "application_submitted": "application_received", "approval_communicated": "credit_approval",
    "contract_signed": "documents_signed", "first_drawdown": "first_drawdown",
    "final_repayment": "settlement",
}  # fmt: skip
Entry = tuple[str, str, date]


def make(plan: Plan, office: Office, firm: Firm, number: int) -> Deal:
    """One loan: a path through the graph, ended as its stream says or still open."""
    dice = plan.stream("loan", f"{firm.ordinal}-{number}")
    ending = weighted(dice, ENDINGS)
    opened = _opened(plan, dice, ending)
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


def _opened(plan: Plan, dice: Random, ending: str) -> date:
    """The day of the enquiry; most firms ask around new year and in summer."""
    if ending == "open":
        return plan.as_of - timedelta(days=dice.randrange(5, 40))
    day = plan.as_of
    for _try in range(6):
        day = plan.as_of - timedelta(days=dice.randrange(60, 1090))
        if day.month in SEASON or dice.random() < OFF_SEASON:
            break
    return day


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
        for share in (0.31, 0.23) if stage == "application" else ():
            if dice.random() >= share:
                break
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
    return entries + _after_drawdown(dice, office, entries[-1][2])


def _after_drawdown(dice: Random, office: Office, drawn: date) -> list[Entry]:
    """Later drawdowns, an extension for some, and the end after a year or more."""
    entries: list[Entry] = []
    days = sorted(dice.sample(range(40, 300), dice.choice((0, 0, 1, 2, 3))))
    for days_later in days:
        day = office.calendar.add(drawn + timedelta(days=days_later), 1)
        entries.append(("disbursed", "further_drawdown", day))
    due = office.calendar.add(drawn + timedelta(days=365), 1)
    if dice.random() < 0.10:
        asked = office.calendar.add(due, -25)
        granted = office.leave(dice, "loan", "extension_review", asked)
        entries.append(("extension_review", "extension_requested", asked))
        entries.append(("disbursed", "extension_granted", granted))
        due = office.calendar.add(due + timedelta(days=180), 1)
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


def _assemble(plan: Plan, dice: Random, case: Case, firm: Firm, entries: list[Entry]) -> Deal:
    """Turn the steps that have happened by the as-of day into milestones."""
    deal = Deal(case, [], firm)
    for index, code, event, at in _timed(dice, entries):
        if at > plan.now:
            break
        case.stage = code
        if code in {"settled", "declined", "withdrawn", "lapsed"}:
            case.closed_on = at.date()
        for part, mark in enumerate(filter(None, (code, _WITH_EVENT.get(event)))):
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
