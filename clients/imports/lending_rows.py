"""The kinds `transactions` and `statements`."""

from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from clients.imports import cells, columns
from clients.imports.cells import Column
from clients.imports.fact_rows import DatedKind, FactKind
from clients.imports.kinds import Row
from clients.imports.lookup import Lookup
from clients.imports.reporting import Say
from clients.models import Statement, Transaction

_UNITS = ("1", "1000", "10000")
_LABELS = {
    "total_assets": ("资产总计", "Total assets"),
    "current_assets": ("流动资产", "Current assets"),
    "current_liabilities": ("流动负债", "Current liabilities"),
    "retained_earnings": ("留存收益", "Retained earnings"),
    "total_liabilities": ("负债合计", "Total liabilities"),
    "equity": ("所有者权益", "Equity"),
    "total_debt": ("有息负债", "Total debt"),
    "revenue": ("营业收入", "Revenue"),
    "cost_of_sales": ("营业成本", "Cost of sales"),
    "ebit": ("息税前利润", "EBIT"),
    "ebitda": ("息税折旧摊销前利润", "EBITDA"),
    "interest_expense": ("利息支出", "Interest expense"),
    "net_profit": ("净利润", "Net profit"),
    "cfo": ("经营活动现金流", "Operating cash flow"),
    "cfi": ("投资活动现金流", "Investing cash flow"),
    "cff": ("筹资活动现金流", "Financing cash flow"),
    "inventory": ("存货", "Inventory"),
    "receivables": ("应收账款", "Receivables"),
    "prepayments": ("预付款项", "Prepayments"),
    "payables": ("应付账款", "Payables"),
    "advances_received": ("预收款项", "Advances received"),
}


class TransactionKind(FactKind):
    """Bookings of the core system; a booking reported again with other content is a correction."""

    name = "transactions"
    title_zh, title_en = "交易", "Transactions"
    key = ("external_id",)
    repeats = True
    model = Transaction
    shape: ClassVar = (
        Column(
            "external_id",
            "交易编号",
            "Transaction number",
            cells.text(160),
            "external_id",
            needed=True,
        ),
        columns.CLIENT,
        Column(
            "facility_number",
            "额度编号",
            "Facility number",
            cells.lookup("facilities", _("a facility number")),
            "facility_id",
            table="facilities",
        ),
        Column("kind", "交易类型", "Kind", cells.code(*Transaction.Kind.values), "kind"),
        columns.PRODUCT,
        *columns.money("amount", "金额", "Amount"),
        columns.CURRENCY,
        Column(
            "booked_at",
            "记账时间",
            "Booked at",
            cells.moment,
            "booked_at",
            needed=True,
            doubt=cells.ahead,
        ),
        Column(
            "days_past_due",
            "逾期天数",
            "Days past due",
            cells.whole(0, 36_500),
            "days_past_due",
        ),
    )

    def fault(self, row: Row, item: Any, look: Lookup) -> tuple[str, Say] | None:
        """The facility must be the client's."""
        facility = row.values.get("facility_number", item.facility_id if item else None)
        if facility is None or look.facility_clients.get(facility) == self.client_of(row, item):
            return None
        return "facility_number", Say(_("This facility belongs to another client."))


def _unit(cell: object, look: Lookup) -> int:
    return int(cells.code(*_UNITS)(cell, look))


class StatementKind(DatedKind):
    """Financial figures by client, end of the period and basis."""

    name = "statements"
    title_zh, title_en = "财务报表", "Financial statements"
    key = ("client_code", "period_end", "basis")
    model = Statement
    shape: ClassVar = (
        columns.CLIENT,
        Column(
            "period_end",
            "报表截止日",
            "Period end",
            cells.day,
            "period_end",
            needed=True,
        ),
        Column(
            "basis",
            "报表口径",
            "Basis",
            cells.code(*Statement.Basis.values),
            "basis",
            needed=True,
        ),
        Column("audited", "是否审计", "Audited", cells.yes_no, "audited"),
        columns.CURRENCY,
        Column("unit", "金额单位", "Unit of the amounts", _unit, "unit", clearable=False),
        *(
            column
            for name in Statement.AMOUNTS
            for column in columns.money(name, *_LABELS[name], cells.figure)
        ),
    )

    def fault(self, row: Row, item: Any, look: Lookup) -> tuple[str, Say] | None:
        """Multiplied out, an amount must still be one that can be kept."""
        unit = row.values.get("unit", 1)
        for name in Statement.AMOUNTS:
            value: Decimal | None = row.values.get(name)
            if value is not None and abs(value * unit) >= cells.LARGEST:
                form = Say(_("an amount of less than 10 to the power of 18"))
                return name, Say(_("expected: %(form)s"), form=form)
        return None

    def derived(self, row: Row, look: Lookup) -> dict[str, Any]:
        """Amounts in units of the currency, whatever unit the row tells them in."""
        unit = row.values.get("unit", 1)
        return {
            name: None if value is None else (value * unit).quantize(cells.CENT)
            for name, value in row.values.items()
            if name in _LABELS
        }
