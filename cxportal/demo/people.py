"""The people at the invented clients."""

from datetime import date, timedelta
from random import Random

from clients.models import Client, Contact
from cxportal.demo import names
from cxportal.demo.firms import SMALL_BRANCH, Firm, Person
from cxportal.demo.streams import Plan, office_time, weighted

FREE_RANK = 3  # contacts of Lan from this rank on were not asked lately: free for a first try
_COUNTS = {"large": (2, 9, 5), "medium": (1, 6, 3), "small": (1, 3, 2)}
_LATER_ROLES = [("user", 0.55), ("influencer", 0.30), ("decider", 0.15)]
_JOBS = {
    "decider": ["cfo", "general_manager", "legal_representative"],
    "influencer": ["finance_manager", "project_director", "legal_counsel"],
    "user": ["accountant", "treasury_officer"],
}
_POSITIONS = {
    "cfo": ("财务总监", "CFO"),
    "general_manager": ("总经理", "General Manager"),
    "legal_representative": ("法定代表人", "Legal Representative"),
    "finance_manager": ("财务经理", "Finance Manager"),
    "project_director": ("项目总监", "Project Director"),
    "legal_counsel": ("法务经理", "Legal Counsel"),
    "sponsor_representative": ("股东代表", "Sponsor Representative"),
    "accountant": ("会计", "Accountant"),
    "treasury_officer": ("资金主管", "Head of Treasury"),
}


def add_people(plan: Plan, firms: list[Firm]) -> None:
    """The contacts of every client, unsaved."""
    for firm in firms:
        dice = plan.stream("contacts", firm.ordinal)
        count = _head_count(dice, firm)
        if firm.manager == "lan":
            count = max(count, FREE_RANK + 3)
        firm.people = [_contact(plan, firm, rank) for rank in range(count)]


def _head_count(dice: Random, firm: Firm) -> int:
    if firm.giant:
        return 3
    if firm.row.kind == Client.Kind.SPV:
        return dice.randint(3, 5)
    if firm.row.size == "micro":
        return 2 if dice.random() < 0.2 else 1
    low, high, mean = _COUNTS[firm.row.size or "small"]
    return min(max(round(dice.gauss(mean, 1.2)), low), high)


def _contact(plan: Plan, firm: Firm, rank: int) -> Person:
    """One person with consent, address and, for a few, the day they left."""
    dice = plan.stream("contact", f"{firm.ordinal}-{rank}")
    role = ("user", "decider", "influencer")[rank] if rank < 3 else weighted(dice, _LATER_ROLES)
    job = dice.choice(_JOBS[role])
    name, pinyin = names.person(dice)
    english = dice.random() < 0.15
    if firm.row.short_name == "禾屿海上风电" and rank == 1:
        name, pinyin, job, english = "程述安", "shuan.cheng", "cfo", False
    row = Contact(
        external_id=f"P{firm.ordinal + 1:06d}-{rank + 1}",
        client=firm.row,
        name=names.english(pinyin) if english else name,
        salutation=(
            f"{'Ms' if dice.random() < 0.45 else 'Mr'} {pinyin.split('.')[1].capitalize()}"
            if english
            else f"{name[0]}{'女士' if dice.random() < 0.45 else '先生'}"
        ),
        position=_POSITIONS[job][1 if english else 0],
        job_role=job,
        buying_role=role,
        email=f"{pinyin}@{firm.row.name_en.split()[0].lower()}-{firm.ordinal + 1:04d}.example",
        phone=f"000-0000-{dice.randrange(10_000):04d}",
        language="en" if english else "zh",
        is_demo=True,
    )
    certain = firm.giant or (rank < 3 and _is_needed(firm))
    mark = dice.random()
    consent = "yes" if certain or mark < 0.91 else "unknown" if mark < 0.94 else "no"
    if not certain and dice.random() < 0.05:
        row.left_on = plan.as_of - timedelta(days=dice.randrange(20, 700))
    bounced = not certain and dice.random() < 0.04
    mark = dice.random()
    gateway = "scan" if mark < 0.12 else "prefetch" if mark < 0.16 else ""
    if gateway == "scan" and not certain:
        row.email = f"{pinyin}@gw-{row.email.split('@')[1]}"
    return Person(row, rank, consent, bounced, "" if certain else gateway)


def _is_needed(firm: Firm) -> bool:
    """Whether a story needs the people of this client to be within reach."""
    if firm.row.kind != Client.Kind.SPV:
        return bool(firm.lean)
    team = firm.row.team.code if firm.row.team else ""
    return firm.row.short_name == "禾屿海上风电" or team == SMALL_BRANCH


def asked_on(plan: Plan, person: Person) -> date:
    """The day on which the person was first asked for consent."""
    dice = plan.stream("consent", person.row.external_id)
    return office_time(dice, plan.as_of - timedelta(days=dice.randrange(1_000, 1_500))).date()
