"""The kind `cases`."""

from datetime import date
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from clients.imports import cells
from clients.imports.cells import Column
from clients.imports.kinds import RecordKind, Row
from clients.imports.lookup import Lookup
from clients.imports.reporting import Report, Say
from clients.models import Case, CaseKind, Milestone


class CaseRows(RecordKind):
    """Loan applications and project-finance deals by case number."""

    name = "cases"
    title_zh, title_en = "业务", "Cases"
    key = ("number",)
    model = Case
    shape: ClassVar = (
        Column("number", "业务编号", "Case number", cells.identifier(64), "number", needed=True),
        Column(
            "client_code",
            "客户编号",
            "Client code",
            cells.lookup("clients", _("a client code")),
            "client_id",
            table="clients",
            needed=True,
        ),
        Column(
            "kind",
            "业务类型",
            "Kind",
            cells.code(*CaseKind.values),
            "kind",
            clearable=False,
        ),
        Column(
            "product_code",
            "产品代码",
            "Product code",
            cells.lookup("products", _("a product code")),
            "product_id",
            table="products",
        ),
        Column("name", "业务名称", "Name", cells.text(500), "name", blank="", longest=500),
        Column("amount", "金额", "Amount", cells.amount, "amount"),
        Column("amount_wan", "金额（万元）", "Amount (10,000)", cells.in_wan, "amount"),
        Column("currency", "币种", "Currency", cells.currency, "currency", clearable=False),
        Column("stage", "阶段", "Stage", cells.text(40), "stage", clearable=False),
        Column("opened_on", "开始日期", "Opened on", cells.day, "opened_on", needed=True),
        Column("closed_on", "结束日期", "Closed on", cells.day, "closed_on"),
        Column(
            "manager",
            "经办经理",
            "Case manager",
            cells.lookup("staff", _("a user name")),
            "manager_id",
            table="staff",
        ),
        Column("sector", "项目行业", "Project sector", cells.text(60), "sector", blank=""),
        Column(
            "decline_reason",
            "未批准原因",
            "Reason of the refusal",
            cells.code(*Case.DeclineReason.values),
            "decline_reason",
            blank="",
        ),
    )

    def __init__(self) -> None:
        super().__init__()
        self.reached: dict[int, str] = {}  # case row → stage entered last

    def prepare(self, rows: list[Row], look: Lookup, report: Report) -> None:
        """Where the history of a case is known, it decides on the stage."""
        if not any("stage" in row.values for row in rows):
            return
        stages = {code for codes in look.graph.stages.values() for code in codes}
        entries = Milestone.objects.filter(occurred_at__isnull=False, code__in=stages)
        ordered = entries.order_by("occurred_at", "pk").values_list("case", "code")
        self.reached = dict(ordered)

    def check(self, row: Row, item: Any, look: Lookup, report: Report) -> bool:
        """The stage must be one of this kind of case, and the end not before the beginning."""
        if not super().check(row, item, look, report):
            return False
        kind = row.values.get("kind") or (item.kind if item else CaseKind.LOAN.value)
        stage = row.values.get("stage") or (item.stage if item else "enquiry")
        if stage not in look.graph.stages.get(kind, {}):
            say = Say(_("This is no stage of the kind of case “%(kind)s”."), kind=kind)
            report.error(row.number, "stage", stage, say)
            return False
        if not self._ends_after_start(row, item, report):
            return False
        known = self.reached.get(item.pk) if item is not None else None
        if known and known != stage and "stage" in row.values:
            say = Say(_("The milestones say “%(stage)s”; that stands."), stage=known)
            report.warn(row.number, "stage", stage, say)
            del row.values["stage"]
        return True

    def _ends_after_start(self, row: Row, item: Any, report: Report) -> bool:
        opened: date | None = row.values.get("opened_on") or (item.opened_on if item else None)
        closed: date | None = row.values.get("closed_on", item.closed_on if item else None)
        if opened and closed and closed < opened:
            say = Say(_("The case cannot end before it was opened."))
            report.error(row.number, "closed_on", closed, say)
            return False
        return True
