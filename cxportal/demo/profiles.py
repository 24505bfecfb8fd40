"""What the bank knows of the needs of its clients: the fields the products' rules ask for."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from clients.models import Client, Profile
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan

FILLED = 0.80


def make_profiles(plan: Plan, firms: Sequence[Firm]) -> Iterator[Profile]:
    """One profile of four clients in five, so that every product fits some and not others."""
    for firm in firms:
        dice = plan.stream("profile", firm.ordinal)
        if dice.random() >= FILLED and not firm.strong:
            continue
        values = _trade(dice) | _debt(dice, firm) | _needs(plan, dice, firm)
        if firm.row.kind == Client.Kind.SPV:
            values |= _project(dice)
        day = plan.as_of - timedelta(days=dice.randrange(10, 120))
        yield Profile(client=firm.row, as_of=day, values=values, is_demo=True)


def _trade(dice: Random) -> dict[str, Any]:
    """Receivables, bills, contracts and foreign currency."""
    return {
        "receivable_days": dice.randint(25, 150),
        "core_buyer_share": round(dice.uniform(0.05, 0.6), 2),
        "bill_turnover_12m_wan": dice.choice((0, 400, 1_500, 6_000)),
        "genuine_trade_contract": dice.random() < 0.7,
        "trade_volume_12m_wan": dice.choice((0, 800, 2_500, 12_000)),
        "fx_turnover_12m_wan": dice.choice((0, 300, 1_200, 8_000)),
        "fx_exposure_wan": dice.choice((0, 0, 200, 900, 4_000)),
        "unhedged_fx_share": round(dice.uniform(0, 1), 2),
        "underlying_contract": dice.random() < 0.6,
        "guarantee_count_12m": dice.randint(0, 6),
        "cash_cycle_days": dice.randint(20, 190),
        "months_to_peak_purchase": dice.randint(0, 11),
    }


def _debt(dice: Random, firm: Firm) -> dict[str, Any]:
    """What is owed, at which rate, and when it falls due."""
    late = {"special_mention": 45, "substandard": 150}.get(firm.row.risk_class or "", 0)
    days = dice.choice((20, 60, 85, 150, 300))
    return {
        "floating_debt_wan": dice.choice((0, 500, 3_000, 20_000)),
        "floating_debt_share": round(dice.uniform(0.1, 0.9), 2),
        "short_debt_share": round(dice.uniform(0.2, 0.95), 2),
        "debt_due_12m_share": round(dice.uniform(0.1, 0.8), 2),
        "debt_due_12m_over_cfo": round(dice.uniform(0.2, 2.4), 2),
        "icr": round(dice.uniform(0.8, 9.0), 1),
        "lender_count": dice.randint(1, 5),
        "days_to_maturity": days,
        "has_maturing_wc_loan_within_days": days,
        "days_past_due_24m": late,
        "utilisation_90d": round(dice.uniform(0.3, 1.0), 2),
        "risk_assessment_done": dice.random() < 0.6,
    }


def _needs(plan: Plan, dice: Random, firm: Firm) -> dict[str, Any]:
    """Plans, needs and what the client is."""
    plans = dice.choice(("none", "none", "announced", "approved"))
    since = firm.row.since or plan.as_of
    return {
        "account_count": dice.randint(1, 9),
        "asset_newness": round(dice.uniform(0.15, 0.9), 2),
        "capex_plan_state": plans,
        "capex_plan_within_12m": plans != "none",
        "financing_need_wan": dice.choice((0, 1_000, 8_000, 120_000)),
        "working_capital_need_wan": dice.choice((0, 0, 300, 2_000, 9_000)),
        "green_catalogue_match": dice.random() < 0.25,
        "new_spv_12m": dice.random() < 0.08,
        "project_company": firm.row.kind == Client.Kind.SPV,
        "tax_grade": dice.choice(("A", "B", "M", "C")),
        "years_in_operation": max(1, (plan.as_of - since).days // 365 + dice.randint(0, 6)),
    }


def _project(dice: Random) -> dict[str, Any]:
    """Base case and capital of a project; some stay below the floors."""
    return {
        "min_dscr_base": round(dice.uniform(1.08, 1.55), 2),
        "project_capital_ratio": round(dice.choice((0.15, 0.20, 0.25, 0.30)), 2),
        "project_approval_obtained": dice.random() < 0.85,
    }
