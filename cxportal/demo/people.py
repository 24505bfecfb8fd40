"""The invented bank's staff, its clients and the people there."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from bank.models import Role, Team, User
from clients.models import Client, Contact, Industry, Province
from cxportal.demo import names
from cxportal.demo.streams import Plan, office_time, weighted

BRANCHES = [
    ("BR-ZJ", "浙江分行", "Zhejiang Branch", 0.20, "33"),
    ("BR-JS", "江苏分行", "Jiangsu Branch", 0.18, "32"),
    ("BR-GD", "广东分行", "Guangdong Branch", 0.16, "44"),
    ("BR-SH", "上海分行", "Shanghai Branch", 0.14, "31"),
    ("BR-SD", "山东分行", "Shandong Branch", 0.12, "37"),
    ("BR-SC", "四川分行", "Sichuan Branch", 0.08, "51"),
    ("BR-HB", "湖北分行", "Hubei Branch", 0.07, "42"),
    ("BR-SN", "陕西分行", "Shaanxi Branch", 0.05, "61"),
]
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
# username, role, branch, Chinese name, pinyin
NAMED_STAFF = [
    ("lan", Role.RELATIONSHIP_MANAGER, "BR-ZJ", "林知微", "zhiwei.lin"),
    ("bo", Role.RELATIONSHIP_MANAGER, "BR-ZJ", "柏予安", "yuan.bo"),
    ("chen", Role.RELATIONSHIP_MANAGER, "BR-GD", "陈既明", "jiming.chen"),
    ("mu", Role.SUPERVISOR, "BR-ZJ", "穆怀谨", "huaijin.mu"),
    ("qiu", Role.AUDITOR, None, "邱见素", "jiansu.qiu"),
    ("admin", Role.ADMINISTRATOR, None, "谈清远", "qingyuan.tan"),
    ("admin2", Role.ADMINISTRATOR, None, "温思齐", "siqi.wen"),
]
TITLES = {
    Role.RELATIONSHIP_MANAGER: ("客户经理", "Relationship manager"),
    Role.SUPERVISOR: ("公司业务部主管", "Head of corporate banking"),
    Role.AUDITOR: ("内部审计", "Internal audit"),
    Role.ADMINISTRATOR: ("客户体验管理员", "Client experience administrator"),
}
GIANTS = 2
FREE_RANK = 3  # contacts of Lan from this rank on were not asked lately: free for a first try


@dataclass
class Person:
    """A contact with what the generator knows of them."""

    row: Contact
    rank: int
    consent: str
    bounced: bool


@dataclass
class Firm:
    """A client with what the generator knows of it."""

    row: Client
    ordinal: int
    people: list[Person] = field(default_factory=list)
    giant: bool = False
    sector: str = ""
    # Whether somebody there answered the last wave by chance.
    heard: bool = False

    @property
    def manager(self) -> str:
        """The user name of the client's manager."""
        return self.row.manager.username if self.row.manager else ""


def make_teams() -> dict[str, Team]:
    """Head office and the eight branches under it."""
    head, _made = Team.objects.get_or_create(
        code="HQ",
        defaults={"name_zh": "总行公司金融部", "name_en": "Head Office Corporate Banking"},
    )
    teams = {"HQ": head}
    for code, name_zh, name_en, _share, _province in BRANCHES:
        teams[code], _made = Team.objects.get_or_create(
            code=code, defaults={"name_zh": name_zh, "name_en": name_en, "parent": head}
        )
    return teams


def make_staff(plan: Plan, teams: dict[str, Team]) -> dict[str, list[User]]:
    """The named accounts and further managers; returns the managers of each branch."""
    managers: dict[str, list[User]] = {code: [] for code in teams}
    for username, role, branch, name_zh, pinyin in NAMED_STAFF:
        user = _member(username, role, teams.get(branch or ""), (name_zh, pinyin))
        if role == Role.RELATIONSHIP_MANAGER and branch:
            managers[branch].append(user)
    for code, _zh, _en, share, _province in BRANCHES:
        wanted = max(1, round(plan.numbers.managers * share))
        for number in range(len(managers[code]), wanted):
            dice = plan.stream("staff", f"{code}-{number}")
            username = f"{code[3:].lower()}{number + 1:02d}"
            user = _member(username, Role.RELATIONSHIP_MANAGER, teams[code], names.person(dice))
            managers[code].append(user)
    return managers


def _member(username: str, role: Role, team: Team | None, name: tuple[str, str]) -> User:
    """One account without a usable password: the accounts file sets those that sign in."""
    title_zh, title_en = TITLES[role]
    user, _made = User.objects.get_or_create(
        username=username,
        defaults={
            "role": role,
            "team": team,
            "name_zh": name[0],
            "name_en": names.english(name[1]),
            "title_zh": title_zh,
            "title_en": title_en,
            "email": f"{username}@yunting-bank.example",
            "is_staff": role == Role.ADMINISTRATOR,
            "password": "!",
        },
    )
    return user


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
        sponsors = [firm for firm in firms if firm.row.size in {"large", "medium"}]
        sponsor = sponsors[number] if number else firms[_HEYU_SPONSOR]
        row = _project(plan, ordinal, number, sponsor, taken)
        sector = names.PROJECTS[number % len(names.PROJECTS)][2]
        firms.append(Firm(row, ordinal, sector=sector))
    return firms


_HEYU_SPONSOR = 3
# The clients of the tours are Lan's: 白榆精密 and the sponsor of 禾屿海上风电.
_LANS = {2, _HEYU_SPONSOR}
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


SECTIONS = [
    ("A", 0.04), ("B", 0.03), ("C", 0.30), ("D", 0.09), ("E", 0.13), ("F", 0.13), ("G", 0.07),
    ("H", 0.02), ("I", 0.06), ("L", 0.03), ("M", 0.02), ("N", 0.03), ("Q", 0.01), ("R", 0.01),
]  # fmt: skip


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
    certain = firm.giant or (firm.row.short_name == "禾屿海上风电" and rank < 3)
    mark = dice.random()
    consent = "yes" if certain or mark < 0.91 else "unknown" if mark < 0.94 else "no"
    if not certain and dice.random() < 0.05:
        row.left_on = plan.as_of - timedelta(days=dice.randrange(20, 700))
    return Person(row, rank, consent, bounced=not certain and dice.random() < 0.04)


def asked_on(plan: Plan, person: Person) -> date:
    """The day on which the person was first asked for consent."""
    dice = plan.stream("consent", person.row.external_id)
    return office_time(dice, plan.as_of - timedelta(days=dice.randrange(1_000, 1_500))).date()
