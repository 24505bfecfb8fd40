"""The invented bank's clients, and what the generator knows of them and their people."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from bank.models import Team, User
from clients.models import Client, Contact, Industry, Province
from cxportal.demo import names
from cxportal.demo.staff import BRANCHES
from cxportal.demo.streams import Plan, weighted

NEIGHBOURS = {
    "33": "34",
    "32": "34",
    "44": "45",
    "31": "36",
    "37": "41",
    "51": "50",
    "42": "43",
    "61": "62",
}
SIZES = [("large", 0.12), ("medium", 0.32), ("small", 0.36), ("micro", 0.14)]
RATINGS = ["AAA", "AA+", "AA", "AA-", "A+", "A", "A-", "BBB+", "BBB", "BBB-", "BB", "B", "CCC"]
FORMS = [("有限公司", "Co., Ltd.", 0.88), ("股份有限公司", "Corporation", 0.12)]
SECTIONS = [
    ("A", 0.04), ("B", 0.03), ("C", 0.30), ("D", 0.09), ("E", 0.13), ("F", 0.13), ("G", 0.07),
    ("H", 0.02), ("I", 0.06), ("L", 0.03), ("M", 0.02), ("N", 0.03), ("Q", 0.01), ("R", 0.01),
]  # fmt: skip
GIANTS = 2
_HEYU_SPONSOR = 3
# The clients of the tours are Lan's: 白榆精密 and the sponsor of 禾屿海上风电.
_LANS = {2, _HEYU_SPONSOR}
# How many clients of each kind stand against their credit quality.
GRID = 4
# The branch whose project finance is too small to be shown, and its projects by number.
SMALL_BRANCH = "BR-SN"
_SMALL_BRANCH_PROJECTS = {3, 5}
# ordinal → what the tours and screens call by name
_NAMED = {
    0: (
        "澜汀重工集团有限公司",
        "Lanting Heavy Industry Group Co., Ltd.",
        "澜汀重工",
        "C",
        "large",
    ),
    1: ("栖衡能源集团有限公司", "Qiheng Energy Group Co., Ltd.", "栖衡能源", "D", "large"),
    2: ("白榆精密制造有限公司", "Baiyu Precision Co., Ltd.", "白榆精密", "C", "medium"),
    3: ("禾屿新能源集团有限公司", "Heyu New Energy Group Co., Ltd.", "禾屿新能源", "D", "large"),
}
# Electricity and heat: who builds wind farms does not supply water.
_DIVISIONS = {_HEYU_SPONSOR: "44"}


@dataclass(eq=False)
class Person:
    """A contact with what the generator knows of them."""

    row: Contact
    rank: int
    consent: str
    bounced: bool
    # What stands between this person and the mail: "", a gateway, or one that looks ahead.
    gateway: str = ""
    # The day this person goes to another client.
    moved_on: date | None = None
    next_firm: "Firm | None" = None


@dataclass(eq=False)
class Firm:
    """A client with what the generator knows of it."""

    row: Client
    ordinal: int
    people: list[Person] = field(default_factory=list)
    giant: bool = False
    sector: str = ""
    # What it owes and may draw on the as-of day, in CNY.
    exposure: Decimal = Decimal(0)
    # Whether its opinion is that of the average client.
    calm: bool = False
    # Whether its figures are those of a first-class debtor.
    strong: bool = False
    # How far its opinion is moved on purpose.
    lean: float = 0.0
    # The client it was merged into, and when.
    heir: "Firm | None" = None
    merged_on: date | None = None

    # How willing its people are to answer; drawn when first needed.
    willing: float | None = None
    # Those who come from another client.
    joiners: list[Person] = field(default_factory=list)

    def present(self, day: date) -> list[Person]:
        """Who is a contact of this client on that day."""
        mine = [p for p in self.people if p.moved_on is None or day < p.moved_on]
        return mine + [p for p in self.joiners if p.moved_on and day >= p.moved_on]

    @property
    def manager(self) -> str:
        """The user name of the client's manager."""
        return self.row.manager.username if self.row.manager else ""


def make_firms(plan: Plan, teams: dict[str, Team], managers: dict[str, list[User]]) -> list[Firm]:
    """All clients, unsaved: project companies last, so that sponsors stand before them."""
    industries = _industries()
    provinces = {row.code: row for row in Province.objects.all()}
    taken: set[str] = set()
    firms: list[Firm] = []
    shares = _branches_by_share(plan.numbers.clients)
    for ordinal in range(plan.numbers.clients - plan.numbers.projects):
        dice = plan.stream("client", ordinal)
        branch, province = shares[ordinal]
        if ordinal in _LANS:
            branch, province = "BR-ZJ", "33"
        desk = managers[branch]
        row = _company(plan, dice, ordinal, industries, taken)
        row.team = teams[branch]
        row.manager = desk[0 if ordinal in _LANS else ordinal % len(desk)]
        place = province if dice.random() < 0.85 else NEIGHBOURS[province]
        row.province = provinces[place]
        row.uscc = names.credit_code(dice, place)
        firms.append(Firm(row, ordinal, giant=ordinal < GIANTS))
    for number in range(plan.numbers.projects):
        ordinal = len(firms)
        sponsor = _sponsor(firms, number)
        row = _project(plan, ordinal, number, sponsor, taken)
        sector = names.PROJECTS[number % len(names.PROJECTS)][2]
        firms.append(Firm(row, ordinal, sector=sector))
    _plant_grid(firms)
    return firms


def _plant_grid(firms: list[Firm]) -> None:
    """Debtors who do not pay and are delighted, and first-class ones who are about to leave."""
    plain = [
        firm
        for firm in firms
        if firm.row.size == "medium" and firm.ordinal > _HEYU_SPONSOR and firm.manager != "lan"
    ]
    for number, firm in enumerate(plain[: 2 * GRID]):
        if number % 2:
            firm.row.internal_rating, firm.row.risk_class = "AA", Client.RiskClass.PASS
            firm.strong, firm.lean = True, -4.0
        else:
            firm.row.internal_rating, firm.row.risk_class = "CCC", Client.RiskClass.SUBSTANDARD
            firm.lean = 3.2


def _sponsor(firms: list[Firm], number: int) -> Firm:
    """Heyu's own sponsor first; the smallest branch finances two projects and no more."""
    if not number:
        return firms[_HEYU_SPONSOR]
    able = [firm for firm in firms if firm.row.size in {"large", "medium"}]
    small = [firm for firm in able if firm.row.team and firm.row.team.code == SMALL_BRANCH]
    if number in _SMALL_BRANCH_PROJECTS and small:
        return small[number % len(small)]
    others = [firm for firm in able if firm.row.team is None or firm.row.team.code != SMALL_BRANCH]
    return others[number % len(others)]


def _branches_by_share(count: int) -> list[tuple[str, str]]:
    """A branch for each client by its share, spread so that each ordinal range has them all."""
    marks = [
        ((index + 0.5) / max(1, round(count * share)), code, province)
        for code, _zh, _en, share, province in BRANCHES
        for index in range(max(1, round(count * share)))
    ]
    return [(code, province) for _mark, code, province in sorted(marks)][:count]


def _industries() -> dict[str, list[Industry]]:
    """Divisions by section, of the sections that have invented trade words."""
    found: dict[str, list[Industry]] = {}
    for row in Industry.objects.filter(section__in=names.TRADES).order_by("code"):
        found.setdefault(row.section, []).append(row)
    return found


def _company(
    plan: Plan, dice: Random, ordinal: int, industries: dict[str, list[Industry]], taken: set[str]
) -> Client:
    """One company that is not a project company."""
    if ordinal in _NAMED:
        name_zh, name_en, short, section, size = _NAMED[ordinal]
    else:
        section, size = weighted(dice, SECTIONS), weighted(dice, SIZES)
        name_zh, name_en, short = _name(dice, section, size, taken)
    # Drawn also where the division is given: the next draws stay as they are.
    industry = dice.choice(industries[section])
    given = next((row for row in industries[section] if row.code == _DIVISIONS.get(ordinal)), None)
    return Client(
        code=f"C{ordinal + 1:06d}",
        name_zh=name_zh,
        name_en=name_en,
        short_name=short,
        kind=Client.Kind.GROUP if "集团" in name_zh else Client.Kind.CORPORATE,
        industry=given or industry,
        size=size,
        segment=Client.Segment.CORPORATE,
        status=Client.Status.ACTIVE,
        since=plan.as_of - timedelta(days=dice.randrange(400, 4000)),
        internal_rating=_rating(dice, size),
        risk_class=weighted(
            dice, [("pass", 0.955), ("special_mention", 0.03), ("substandard", 0.015)]
        ),
        is_demo=True,
    )


def _name(dice: Random, section: str, size: str, taken: set[str]) -> tuple[str, str, str]:
    """A name that no other client has: place, stem, trade, legal form."""
    place, (stem_zh, stem_en) = dice.choice(names.PLACES), names.stem(dice)
    trade_zh, trade_en = dice.choice(names.TRADES[section])
    short, count = stem_zh + trade_zh, 1
    while place + short in taken:
        count += 1
        short = f"{stem_zh}第{names.numeral(count)}{trade_zh}"
    taken.add(place + short)
    form_zh, form_en, _share = weighted(dice, [(form, form[2]) for form in FORMS])
    if size == "large" and dice.random() < 0.4:
        form_zh, form_en = "集团有限公司", "Group Co., Ltd."
    tail = "" if count == 1 else f" No. {count}"
    return f"{place}{short}{form_zh}", f"{stem_en.capitalize()} {trade_en}{tail} {form_en}", short


def _rating(dice: Random, size: str) -> str:
    centre = {"large": 5, "medium": 7, "small": 8, "micro": 10}[size]
    return RATINGS[min(max(round(dice.gauss(centre, 1.6)), 0), len(RATINGS) - 1)]


def _project(plan: Plan, ordinal: int, number: int, sponsor: Firm, taken: set[str]) -> Client:
    """A project company under its sponsor, in the sponsor's portfolio."""
    dice = plan.stream("client", ordinal)
    word_zh, word_en, _sector = names.PROJECTS[number % len(names.PROJECTS)]
    stem = sponsor.row.short_name[:2]
    short = f"{stem}{word_zh}"
    if short in taken:
        short = f"{stem}{names.numeral(number + 1)}期{word_zh}"
    taken.add(short)
    english = sponsor.row.name_en.split()[0]
    return Client(
        code=f"C{ordinal + 1:06d}",
        name_zh=f"{short}有限公司" if number == 0 else f"{short}项目有限公司",
        name_en=f"{english} {word_en} Co., Ltd.",
        short_name=short,
        uscc=names.credit_code(dice, sponsor.row.province.code if sponsor.row.province else "33"),
        kind=Client.Kind.SPV,
        industry=sponsor.row.industry,
        province=sponsor.row.province,
        segment=Client.Segment.PROJECT_FINANCE,
        team=sponsor.row.team,
        manager=sponsor.row.manager,
        since=plan.as_of - timedelta(days=dice.randrange(200, 900)),
        internal_rating=dice.choice(["A", "A-", "BBB+", "BBB"]),
        risk_class="pass",
        parent=sponsor.row,
        is_demo=True,
    )
