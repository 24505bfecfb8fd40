"""The kind `profiles`: what is known of a client's needs on a day, as the products' rules ask."""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, ClassVar

from clients.imports import cells, columns
from clients.imports.cells import Column, Reader
from clients.imports.fact_rows import DatedKind
from clients.imports.kinds import Row
from clients.imports.lookup import Lookup
from clients.imports.reporting import shown
from clients.models import Product, Profile

_RULE = re.compile(r"([a-z][a-z0-9_.]*) *(<=|>=|<|>|=| in ) *(.+)")
_LABELS = {
    "account_count": "账户数",
    "asset_newness": "设备成新率",
    "bill_turnover_12m_wan": "近 12 个月票据收付（万元）",
    "capex_plan_state": "扩产计划状态",
    "capex_plan_within_12m": "12 个月内有扩产计划",
    "case.stage": "业务阶段",
    "cash_cycle_days": "现金周期（天）",
    "core_buyer_share": "核心买方占比",
    "days_past_due_24m": "近 24 个月逾期天数",
    "days_to_maturity": "距到期天数",
    "debt_due_12m_over_cfo": "12 个月内到期债务与经营现金流之比",
    "debt_due_12m_share": "12 个月内到期债务占比",
    "events_30d.page_view.application_abandoned": "近 30 天中途放弃申请次数",
    "events_30d.page_view.limit_calculator": "近 30 天额度测算次数",
    "events_30d.page_view.statement_export": "近 30 天明细导出次数",
    "financing_need_wan": "融资需求（万元）",
    "floating_debt_share": "浮息债务占比",
    "floating_debt_wan": "浮息债务（万元）",
    "fx_exposure_wan": "外汇敞口（万元）",
    "fx_turnover_12m_wan": "近 12 个月外汇收付（万元）",
    "genuine_trade_contract": "有真实贸易合同",
    "green_catalogue_match": "属于绿色目录",
    "guarantee_count_12m": "近 12 个月保函笔数",
    "has_maturing_wc_loan_within_days": "流贷到期天数",
    "icr": "利息保障倍数",
    "lender_count": "贷款行数",
    "min_dscr_base": "基准情景最低偿债备付率",
    "months_to_peak_purchase": "距采购高峰月数",
    "new_spv_12m": "近 12 个月新设项目公司",
    "project_approval_obtained": "项目已核准或备案",
    "project_capital_ratio": "项目资本金比例",
    "project_company": "是否项目公司",
    "receivable_days": "应收周转天数",
    "risk_assessment_done": "已完成风险评估",
    "short_debt_share": "短债占比",
    "tax_grade": "纳税信用等级",
    "trade_volume_12m_wan": "近 12 个月贸易额（万元）",
    "underlying_contract": "有基础合同",
    "unhedged_fx_share": "未对冲外汇占比",
    "utilisation_90d": "近 90 天额度使用率",
    "working_capital_need_wan": "流动资金需求（万元）",
    "years_in_operation": "经营年限",
}


class ProfileKind(DatedKind):
    """Profiles by client and day; one column per field that a rule of a product uses."""

    name = "profiles"
    title_zh, title_en = "客户画像", "Profiles"
    key = ("client_code", "as_of")
    model = Profile
    shape: ClassVar = (
        columns.CLIENT,
        Column("as_of", "数据日期", "As of", cells.day, "as_of", needed=True),
    )

    def columns(self) -> Sequence[Column]:
        """The key, then the fields in the order of their names."""
        return self._columns

    @cached_property
    def _columns(self) -> tuple[Column, ...]:
        readers: dict[str, Reader] = {}
        for name, read in _fields():
            readers.setdefault(name, read)
        found = [
            Column(name, _LABELS.get(name, name), name, read)
            for name, read in sorted(readers.items())
        ]
        return (*self.shape, *found)

    def derived(self, row: Row, look: Lookup) -> dict[str, Any]:
        """What is known already, with the cells of this row put in or taken out."""
        item = self.stored.get(self.locate(row))
        known = dict(item.values) if item else {}
        for name, value in row.values.items():
            if name in self.key:
                continue
            if value is None:
                known.pop(name, None)
            else:
                known[name] = value
        return {"values": known}

    def _told(self, row: Row, changed: dict[str, tuple[Any, Any]]) -> dict[str, tuple[str, str]]:
        old, new = changed["values"]
        names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
        return {name: (shown(old.get(name, "")), shown(new.get(name, ""))) for name in names}


def _fields() -> Iterator[tuple[str, Reader]]:
    """The fields of every rule, each with the form that the rule compares it in."""
    for rules in Product.objects.order_by("code").values_list("rules", flat=True):
        asked = [signal["rule"] for signal in rules.get("need_signals", ())]
        for rule in asked + list(rules.get("eligibility", {}).get("requires", ())):
            match = _RULE.fullmatch(rule)
            if match:
                yield match[1], _reader(match[2].strip(), match[3])


def _reader(operator: str, operand: str) -> Reader:
    if operand in {"true", "false"}:
        return cells.yes_no
    if operator == "in" or (operator == "=" and not operand.replace(".", "").isdigit()):
        return cells.text(60)
    return cells.number
