"""The invented bank's teams and the people who work there."""

from bank.models import Role, Team, User
from cxportal.demo import names
from cxportal.demo.streams import Plan

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
