"""What the codes of cases, products and places are called, for the pages of the admin."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop

from bank.models import in_language
from bank.words import said
from clients.models import CaseEvent, MilestoneType, Stage

_PHASES = {
    "pre_loan": gettext_noop("before the loan"),
    "in_loan": gettext_noop("contract and drawdown"),
    "post_loan": gettext_noop("after drawdown"),
    "closed": gettext_noop("ended"),
}
_OWNERS = {
    "approver": gettext_noop("approver"),
    "asset_preservation": gettext_noop("asset recovery"),
    "branch_head": gettext_noop("branch head"),
    "client": gettext_noop("client"),
    "credit_reviewer": gettext_noop("credit reviewer"),
    "disbursement_officer": gettext_noop("drawdown officer"),
    "legal": gettext_noop("legal and compliance"),
    "pf_specialist": gettext_noop("project-finance specialist"),
    "post_loan_officer": gettext_noop("post-lending officer"),
    "rm": gettext_noop("client manager"),
    "syndication_agent": gettext_noop("syndication agent"),
    "system": gettext_noop("system"),
}
_CLOCKS = {
    "bank": gettext_noop("runs for the bank"),
    "client": gettext_noop("stands still for the client"),
    "none": gettext_noop("no limit"),
}
_FAMILIES = {
    "cash_management": gettext_noop("cash management"),
    "project_finance": gettext_noop("project finance"),
    "restructuring_advice": gettext_noop("restructuring advice"),
    "risk_management": gettext_noop("risk management"),
    "working_capital": gettext_noop("working capital"),
}
_REGIONS = {
    "north": gettext_noop("North"),
    "northeast": gettext_noop("Northeast"),
    "east": gettext_noop("East"),
    "central": gettext_noop("Central"),
    "south": gettext_noop("South"),
    "southwest": gettext_noop("Southwest"),
    "northwest": gettext_noop("Northwest"),
}
_SOURCES = {
    "portal": gettext_noop("Online portal"),
    "mobile": gettext_noop("Mobile app"),
    "phone": gettext_noop("Phone"),
    "branch_visit": gettext_noop("Branch visit"),
    "site_visit": gettext_noop("Site visit by the bank"),
    "post_loan_check": gettext_noop("Post-lending check"),
    "wechat": gettext_noop("WeCom (WeChat)"),
    "email": gettext_noop("E-mail"),
    "video": gettext_noop("Remote video"),
    "chatbot": gettext_noop("Assistant"),
    "sms": gettext_noop("Text message"),
    "statement_export": gettext_noop("Statement export page"),
    "limit_calculator": gettext_noop("Limit calculator page"),
    "document_upload": gettext_noop("Document upload page"),
    "application_abandoned": gettext_noop("Abandoned application"),
}


def stages() -> Mapping[str, str]:
    """Stages by code; where the kinds of case differ, in the words for loans."""
    rows = Stage.objects.order_by("-case_kind", "position").values_list(
        "code", "name_zh", "name_en"
    )
    return {code: in_language(zh, en) for code, zh, en in rows}


def events() -> Mapping[str, str]:
    """Events of cases and clients by code."""
    rows = CaseEvent.objects.values_list("code", "name_zh", "name_en")
    return {code: in_language(zh, en) for code, zh, en in rows}


def steps() -> Mapping[str, str]:
    """What a milestone's code may name: a stage that was entered, or a kind of milestone."""
    rows = MilestoneType.objects.values_list("code", "name_zh", "name_en")
    return {**stages(), **{code: in_language(zh, en) for code, zh, en in rows}}


def phases() -> Mapping[str, str]:
    """Phases of a case."""
    return said(_PHASES)


def owners() -> Mapping[str, str]:
    """Who has to act."""
    return said(_OWNERS)


def clocks() -> Mapping[str, str]:
    """Against whom the days count."""
    return said(_CLOCKS)


def families() -> Mapping[str, str]:
    """Groups of products."""
    return said(_FAMILIES)


def regions() -> Mapping[str, str]:
    """Parts of the country."""
    return said(_REGIONS)


def sources() -> Mapping[str, str]:
    """Where touchpoints come from; a source of the bank's own keeps its name."""
    return said(_SOURCES)
