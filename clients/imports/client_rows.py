"""The kind `clients`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from bank.models import ApiKey, User
from clients.imports import cells, uscc
from clients.imports.cells import Column
from clients.imports.kinds import RecordKind, Row
from clients.imports.lookup import Lookup
from clients.imports.merger_rows import Mergers
from clients.imports.reporting import Report, Say, Unfit
from clients.models import Client


def _credit_code(cell: object, _look: Lookup) -> str:
    code = uscc.clean(cells.as_text(cell))
    if not uscc.is_valid(code):
        raise Unfit(_("a unified social credit code of 18 signs with a right check sign"))
    return code


def _out_of_reach(row: Row, item: Any, look: Lookup) -> tuple[str, Say] | None:
    """Whoever may change some clients only, neither takes further ones nor hands any over."""
    if not look.limited:
        return None
    if item is None:
        return "code", Say(_("Only an administrator adds clients."))
    for name in ("team", "manager"):
        if name in row.values:
            return name, Say(_("Only an administrator moves clients."))
    return None


class ClientKind(RecordKind):
    """Companies by the bank's client code; a parent may stand in the same file."""

    name = "clients"
    title_zh, title_en = "客户", "Clients"
    key = ("code",)
    model = Client
    shape: ClassVar = (
        Column("code", "客户编号", "Client code", cells.identifier(64), "code", needed=True),
        Column("name_zh", "中文名称", "Name in Chinese", cells.text(300), "name_zh", needed=True),
        Column("name_en", "英文名称", "Name in English", cells.text(300), "name_en", blank=""),
        Column("short_name", "简称", "Short name", cells.text(100), "short_name", blank=""),
        Column("uscc", "统一社会信用代码", "Unified social credit code", _credit_code, "uscc"),
        Column(
            "kind",
            "客户类型",
            "Kind",
            cells.code(*Client.Kind.values),
            "kind",
            clearable=False,
        ),
        Column("parent_code", "上级客户编号", "Parent code", cells.text(64)),
        Column(
            "industry",
            "行业",
            "Industry",
            cells.lookup("industries", _("an industry")),
            "industry_id",
            table="industries",
        ),
        Column(
            "province",
            "省份",
            "Province",
            cells.lookup("provinces", _("a province")),
            "province_id",
            table="provinces",
        ),
        Column("size", "企业规模", "Size", cells.code(*Client.Size.values), "size"),
        Column(
            "segment",
            "业务条线",
            "Segment",
            cells.code(*Client.Segment.values),
            "segment",
            clearable=False,
        ),
        Column(
            "team", "团队", "Team", cells.lookup("teams", _("a team")), "team_id", table="teams"
        ),
        Column(
            "manager",
            "客户经理",
            "Relationship manager",
            cells.lookup("staff", _("a user name")),
            "manager_id",
            table="staff",
        ),
        Column(
            "status",
            "状态",
            "Status",
            cells.code(*Client.Status.values),
            "status",
            clearable=False,
        ),
        Column("since", "建立关系日期", "Client since", cells.day, "since"),
        Column("internal_rating", "内部评级", "Internal rating", cells.text(8), "internal_rating"),
        Column(
            "risk_class",
            "风险分类",
            "Risk class",
            cells.code(*Client.RiskClass.values),
            "risk_class",
        ),
        Column(
            "online_contract",
            "网银签约",
            "Online banking contract",
            cells.yes_no,
            "online_contract",
        ),
        Column("merged_into_code", "并入客户编号", "Merged into", cells.text(64)),
        Column("merged_on", "并入日期", "Merged on", cells.day),
    )
    owner = "pk"
    measured: ClassVar[frozenset[str] | None] = frozenset(
        {"team_id", "segment", "size", "status", "industry_id", "online_contract"}
    )

    def __init__(self) -> None:
        super().__init__()
        self.mergers = Mergers()
        self.codes: dict[str, int] = {}  # stored client code → row
        self.in_file: set[str] = set()
        self.parents: dict[str, str | None] = {}  # client code → parent code to be written
        self.tree: dict[str, str] = {}
        self.owners: dict[str, str] = {}  # credit code → client code

    def prepare(self, rows: list[Row], look: Lookup, report: Report) -> None:
        """Know every code, the tree of parents and the owner of each credit code."""
        self.in_file = {row.values["code"] for row in rows}
        self.mergers.prepare(rows, look)
        self.owners = dict(look.credit_codes)
        if any("parent_code" in row.values for row in rows):
            self.codes = look.clients
            self.tree = dict(
                Client.objects.filter(parent__isnull=False).values_list("code", "parent__code")
            )
            for row in rows:
                if row.values.get("parent_code"):
                    self.tree[row.values["code"]] = row.values["parent_code"]

    def check(self, row: Row, item: Any, look: Lookup, report: Report) -> bool:
        """The parent must exist and not lie below; a credit code belongs to one client."""
        if not super().check(row, item, look, report):
            return False
        fault = _out_of_reach(row, item, look) or self.mergers.fault(row, item, self.in_file)
        if fault is not None:
            report.error(row.number, fault[0], row.cell(fault[0]), fault[1])
            return False
        code, parent = row.values["code"], row.values.get("parent_code")
        if parent and parent not in self.codes and parent not in self.in_file:
            say = Say(_("There is no such client, neither in the portal nor in this file."))
            report.error(row.number, "parent_code", parent, say)
            return False
        if parent and self._circles(code):
            say = Say(_("A client cannot stand below itself."))
            report.error(row.number, "parent_code", parent, say)
            return False
        credit = row.values.get("uscc")
        if credit and self.owners.setdefault(credit, code) != code:
            say = Say(_("Client %(code)s has this code already."), code=self.owners[credit])
            report.error(row.number, "uscc", credit, say)
            return False
        return True

    def beside(self, row: Row, item: Any, report: Report) -> dict[str, tuple[str, str]]:
        """The parent and the successor are written once every row has its place."""
        merged = self.mergers.plan(row, item)
        if "parent_code" not in row.values:
            return merged
        code, parent = row.values["code"], row.values["parent_code"]
        old = None if item is None else item.parent_id
        # A parent that is new in this file has no row yet, so it is a change in any case.
        if old == (self.codes.get(parent, -1) if parent else None):
            return merged
        self.parents[code] = parent
        return {"parent_code": (str(old or ""), parent or "")} | merged

    def write(self, *, at: datetime, by: User | ApiKey | None) -> None:
        """Clients first, then who belongs to whom."""
        super().write(at=at, by=by)
        self.mergers.write()
        if not self.parents:
            return
        rows = self.existing({*self.parents, *filter(None, self.parents.values())})
        for code, parent in self.parents.items():
            rows[code].parent_id = rows[parent].pk if parent else None
        self.upsert([self._twin(rows[code]) for code in self.parents], {"parent_id"})

    def touched(self) -> Iterable[int]:
        """Also clients that were merged, and those into which they were."""
        return {*super().touched(), *self.mergers.touched}

    def _circles(self, code: str) -> bool:
        seen, above = {code}, self.tree.get(code)
        while above is not None:
            if above in seen:
                return True
            seen.add(above)
            above = self.tree.get(above)
        return False
