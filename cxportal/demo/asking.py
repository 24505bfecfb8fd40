"""Whom the invented bank asked, and when: the half-yearly waves and the milestones between."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bank import workdays
from cxportal.demo.deals import Deal
from cxportal.demo.firms import Firm, Person
from cxportal.demo.people import FREE_RANK
from cxportal.demo.streams import Plan, instant, office_time

ROLES = ("decider", "influencer", "user")
COOLDOWN = timedelta(days=90)
OPEN_FOR = timedelta(days=21)
RELATIONAL = "relational_nps_csat"
HEYU = "禾屿海上风电"
# event of a deal → questionnaire, jobs in order of preference, delay in banking days
TRIGGERS = {
    ("loan", "approval_communicated"): (
        "post_approval_loan", ("cfo", "finance_manager", "accountant"), 1,
    ),
    ("loan", "first_drawdown"): (
        "post_drawdown", ("treasury_officer", "accountant", "finance_manager"), 3,
    ),
    ("loan", "final_repayment"): (
        "loan_settlement", ("cfo", "finance_manager", "accountant"), 5,
    ),
    ("project_finance", "approval_communicated"): (
        "pf_milestone", ("cfo", "project_director", "finance_manager"), 2,
    ),
    ("project_finance", "first_drawdown"): (
        "pf_milestone", ("cfo", "treasury_officer", "finance_manager", "project_director"), 3,
    ),
    ("project_finance", "cod_reached"): (
        "pf_milestone", ("project_director", "cfo", "general_manager"), 5,
    ),
}  # fmt: skip


@dataclass
class Ask:
    """One planned invitation; `reason` says why it was not sent."""

    ordinal: str
    firm: Firm
    person: Person
    questionnaire: str
    sent_at: datetime
    closes_at: datetime
    wave: str = ""
    deal: Deal | None = None
    event: str = ""
    reason: str = ""
    must_answer: bool = False


def waves(plan: Plan) -> list[tuple[str, date]]:
    """The waves of the last 26 months: key and first day."""
    found = []
    for year in range(plan.as_of.year - 2, plan.as_of.year + 1):
        for month in (4, 10):
            start = date(year, month, 13)
            if plan.as_of - timedelta(days=790) < start <= plan.as_of - timedelta(days=10):
                found.append((f"{year}-{month:02d}", start))
    return found


def make_asks(plan: Plan, firms: list[Firm], deals: list[Deal]) -> list[Ask]:
    """Every invitation in order of time, with the rules of leaving people alone applied."""
    calendar = workdays.calendar()
    planned = _by_waves(plan, firms, calendar) + _by_milestones(plan, deals, calendar)
    planned.sort(key=lambda ask: (ask.sent_at, ask.ordinal))
    last: dict[str, datetime] = {}
    for ask in planned:
        ask.reason = _refusal(ask, last)
        if not ask.reason:
            last[ask.person.row.external_id] = ask.sent_at
    return planned


def _refusal(ask: Ask, last: dict[str, datetime]) -> str:
    """Why the rules forbid this one, in the order of the rules."""
    person = ask.person
    if person.consent != "yes":
        return "no_consent"
    before = last.get(person.row.external_id)
    if before is not None and ask.sent_at - before < COOLDOWN:
        return "contact_cooldown"
    if person.row.left_on is not None and person.row.left_on <= ask.sent_at.date():
        return "left_company"
    return "address_bounced" if person.bounced else ""


def _by_waves(plan: Plan, firms: list[Firm], calendar: workdays.Calendar) -> list[Ask]:
    """One decider, one influencer and one user of each client; the next one if refused."""
    asks: list[Ask] = []
    for key, start in waves(plan):
        for firm in firms:
            dice = plan.stream("wave", f"{key}-{firm.ordinal}")
            day = calendar.add(start - timedelta(days=1), 1 + dice.randrange(5))
            for role in ROLES:
                for person in _candidates(plan, firm, role, day):
                    sent = office_time(dice, day)
                    ask = Ask(
                        f"{key}/{person.row.external_id}",
                        firm,
                        person,
                        RELATIONAL,
                        sent,
                        instant(day, sent.time()) + OPEN_FOR,
                        wave=key,
                    )
                    asks.append(ask)
                    if not _refusal(ask, {}):
                        break
    return asks


def _candidates(plan: Plan, firm: Firm, role: str, day: date) -> list[Person]:
    """The people of a role in order; part of Lan's portfolio was left for later waves."""
    return [
        person
        for person in firm.people
        if person.row.buying_role == role and not _spared(plan, firm, person, day)
    ]


def _spared(plan: Plan, firm: Firm, person: Person, day: date) -> bool:
    """Whether the story keeps a person free of questions in the last hundred days."""
    if day <= plan.as_of - timedelta(days=100):
        return False
    if firm.row.short_name == HEYU and person.rank == 1:
        return True
    return firm.manager == "lan" and person.rank >= FREE_RANK


def _by_milestones(plan: Plan, deals: list[Deal], calendar: workdays.Calendar) -> list[Ask]:
    """Approval, drawdown, settlement and COD, kept out of the weeks that belong to a wave."""
    asks: list[Ask] = []
    reserved = _reserved(plan)
    for deal in deals:
        for (kind, event), (questionnaire, jobs, delay) in TRIGGERS.items():
            reached = deal.reached(event)
            if deal.case.kind != kind or reached is None:
                continue
            day = calendar.add(reached.date(), delay)
            ordinal = f"{deal.case.number}/{event}"
            sent = office_time(plan.stream("trigger", ordinal), day)
            heyu = deal.case.number == "PF-2026-0147" and event == "first_drawdown"
            if heyu:
                sent = instant(date(2026, 11, 17), sent.time()) + (plan.now - _STORY)
            held = any(begin <= day <= end for begin, end in reserved) and not heyu
            person = _first(plan, deal.firm, jobs, sent.date())
            too_old = sent < plan.now - timedelta(days=790)
            if person is None or held or too_old or sent > plan.now - timedelta(days=2):
                continue
            asks.append(
                Ask(
                    ordinal,
                    deal.firm,
                    person,
                    questionnaire,
                    sent,
                    sent + OPEN_FOR,
                    deal=deal,
                    event=event,
                    must_answer=heyu,
                )
            )
    return asks


# The day the story of Heyu is told on; another as-of day moves it along.
_STORY = instant(date(2026, 11, 24), time(10, 0))


def _reserved(plan: Plan) -> list[tuple[date, date]]:
    """The days before each wave on which its contacts are kept free; longest before the last."""
    starts = [start for _key, start in waves(plan)]
    return [
        (start - timedelta(days=95 if start == starts[-1] else 30), start + timedelta(days=7))
        for start in starts
    ]


def _first(plan: Plan, firm: Firm, jobs: tuple[str, ...], day: date) -> Person | None:
    """The first person with one of the jobs, in the order of the jobs."""
    if firm.row.short_name == HEYU:
        return firm.people[1]
    for job in jobs:
        for person in firm.people:
            if person.row.job_role == job and not _spared(plan, firm, person, day):
                return person
    return None
