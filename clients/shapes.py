"""The shape of the reference files: which keys they have and which codes they may name."""

from collections.abc import Iterable, Mapping
from typing import Any

from clients.models import Client, Contact

ANY: Any = object()
NAMES = {"code": str, "zh": str, "en": str}

_STAGE = {
    "code": str,
    "name_zh": str,
    "name_en": str,
    "phase": str,
    "owner_role": str,
    "sla_working_days": (int, None),
    "sla_working_days_fast": (int, None),
    "clock": str,
    "client_label_zh": str,
    "client_label_en": str,
    "terminal": bool,
    "note": str,
}
_TRANSITION = {"from": str, "to": str, "event": str, "actor_role": str, "guard": str}
_TRIGGER_KEYS = (
    "code name_zh name_en case_type events questionnaire context delay_working_days target_kind "
    "targets max_contacts cooldown_days link_valid_days notes fitting_questions priority "
    "enabled_by_default delivery pushed wave_window_days sample_share party_roles"
)
_PRODUCT_KEYS = (
    "code family is_lending name_zh name_en description_zh description_en client_need_zh "
    "client_need_en eligibility amount_min_wan amount_max_wan tenor_min_months tenor_max_months "
    "security_types need_signals basis opens_case_type"
)
_GRAPH = {"stages": [_STAGE], "transitions": [_TRANSITION]}

# A key with "?" may be missing; a list holds items of one shape; a tuple is a choice of types.
SHAPES: dict[str, Any] = {
    "provinces": {
        "meta": ANY,
        "region_groups": [NAMES],
        "provinces": [
            {
                "code": str,
                "gb2260_code": str,
                "name_zh": str,
                "short_zh": str,
                "abbr_zh": str,
                "name_en": str,
                "region_group": str,
                "demo_branch": (str, None),
            }
        ],
    },
    "industries": {
        "meta": ANY,
        "sections": [
            {
                "code": str,
                "name_zh": str,
                "name_en": str,
                "group": str,
                "can_be_borrower": bool,
                "demo_weight": (float, int),
                "division_range": [str],
                "divisions": [
                    {"code": str, "name_zh": str, "name_en": str, "size_rule": (str, None)}
                ],
            }
        ],
        "size_rules": [{"key": str, "name_zh": str, "name_en": str, "indicators": ANY}],
        "size_levels": [{"key": str, "zh": str, "en": str}],
        "size_rule_tests": [{"rule": str, "values": ANY, "expected": str}],
    },
    "case_model": {
        "meta": ANY,
        "roles": [NAMES],
        "loan": _GRAPH | {"total_sla_complete_file_to_first_drawdown": int, "total_sla_fast": int},
        "project_finance": _GRAPH | {"total_sla_complete_file_to_approval": int},
        "events": [NAMES],
        "client_events": [NAMES],
        "project_phase_lifecycle": [{"stage": str, "lifecycle": str}],
        "followup_sla": [
            NAMES
            | {
                "first_contact_working_hours": (int, float, None),
                "close_working_days": (int, float, None),
                "escalate_to": (str, None),
            }
        ],
        "working_hours": ANY,
        "milestone_types": [
            NAMES
            | {
                "order": int,
                "case_types": [str],
                "stage": (str, None),
                "client_visible": bool,
                "source": str,
            }
        ],
        "project_sectors": [
            NAMES | {"min_capital_ratio_pct": (int, float, None), "may_be_reduced_up_to_5pt": bool}
        ],
        "project_sector_basis": str,
        "triggers": [dict.fromkeys(_TRIGGER_KEYS.split(), ANY)],
        "survey_suppression": [
            NAMES | {"scope": str, "action": str, "parameter?": ANY, "exempt": [str]}
        ],
        "enums": ANY,
    },
    "products": {
        "meta": ANY,
        "products": [dict.fromkeys(_PRODUCT_KEYS.split(), ANY)],
    },
}


class Wrong(Exception):
    """A reference file that must not be loaded; the text names file and path."""


def check(data: Mapping[str, Any]) -> None:
    """Raise `Wrong` at the first unknown key, double code or code that nothing defines."""
    for name, shape in SHAPES.items():
        if name not in data:
            raise Wrong(f"{name}.json: the file is missing")
        fit(data[name], shape, f"{name}.json")
    _check_places(data)
    _check_case_model(data["case_model"])
    _check_enums(data["case_model"]["enums"])
    _check_products(data)


def fit(value: Any, shape: Any, path: str) -> None:
    """Raise `Wrong` where the value has not this shape."""
    if shape is ANY:
        return
    if isinstance(shape, dict):
        _fit_object(value, shape, path)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise Wrong(f"{path}: a list is expected")
        for index, item in enumerate(value):
            fit(item, shape[0], f"{path}[{index}]")
    else:
        kinds = shape if isinstance(shape, tuple) else (shape,)
        allowed = tuple(type(None) if kind is None else kind for kind in kinds)
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise Wrong(f"{path}: {value!r} is not of the expected type")


def _fit_object(value: Any, shape: dict[str, Any], path: str) -> None:
    if not isinstance(value, dict):
        raise Wrong(f"{path}: an object is expected")
    names = {key.rstrip("?") for key in shape}
    for key in value:
        if key not in names:
            raise Wrong(f"{path}: unknown key {key!r}")
    for key, inner in shape.items():
        name = key.rstrip("?")
        if name in value:
            fit(value[name], inner, f"{path}.{name}")
        elif not key.endswith("?"):
            raise Wrong(f"{path}: key {name!r} is missing")


def codes(rows: Iterable[Mapping[str, Any]], path: str, key: str = "code") -> set[str]:
    """The codes of a list, each of which stands there once."""
    found: set[str] = set()
    for index, row in enumerate(rows):
        if row[key] in found:
            raise Wrong(f"{path}[{index}].{key}: {row[key]!r} occurs twice")
        found.add(row[key])
    return found


def known(value: Any, allowed: Iterable[str], path: str) -> None:
    """Raise `Wrong` at a code that nothing defines; None means none."""
    if value is not None and value not in allowed:
        raise Wrong(f"{path}: unknown code {value!r}")


def _check_places(data: Mapping[str, Any]) -> None:
    regions = codes(data["provinces"]["region_groups"], "provinces.json.region_groups")
    rows = data["provinces"]["provinces"]
    codes(rows, "provinces.json.provinces")
    for index, row in enumerate(rows):
        known(row["region_group"], regions, f"provinces.json.provinces[{index}].region_group")
    industries = data["industries"]
    rules = codes(industries["size_rules"], "industries.json.size_rules", "key")
    divisions = [row for section in industries["sections"] for row in section["divisions"]]
    codes(divisions, "industries.json.sections[].divisions")
    for row in divisions:
        known(row["size_rule"], rules, f"industries.json division {row['code']}.size_rule")


def _check_case_model(model: Mapping[str, Any]) -> None:
    path = "case_model.json"
    roles = codes(model["roles"], f"{path}.roles")
    events = codes(model["events"], f"{path}.events")
    milestones = codes(model["milestone_types"], f"{path}.milestone_types")
    phases = codes(model["enums"]["phase"], f"{path}.enums.phase")
    clocks = codes(model["enums"]["clock"], f"{path}.enums.clock")
    stages: dict[str, set[str]] = {}
    for kind in ("loan", "project_finance"):
        stages[kind] = codes(model[kind]["stages"], f"{path}.{kind}.stages")
        for index, row in enumerate(model[kind]["stages"]):
            where = f"{path}.{kind}.stages[{index}]"
            known(row["owner_role"], roles, f"{where}.owner_role")
            known(row["phase"], phases, f"{where}.phase")
            known(row["clock"], clocks, f"{where}.clock")
        for index, row in enumerate(model[kind]["transitions"]):
            where = f"{path}.{kind}.transitions[{index}]"
            known(row["from"], stages[kind], f"{where}.from")
            known(row["to"], stages[kind], f"{where}.to")
            known(row["event"], events, f"{where}.event")
            known(row["actor_role"], roles, f"{where}.actor_role")
        # Imports accept either, so one word must not mean both.
        for code in stages[kind] & milestones:
            raise Wrong(f"{path}: {code!r} is both a stage and a milestone")
    for index, row in enumerate(model["milestone_types"]):
        for kind in row["case_types"]:
            where = f"{path}.milestone_types[{index}]"
            known(kind, stages, f"{where}.case_types")
            known(row["stage"], stages[kind], f"{where}.stage")


def _check_enums(enums: Any) -> None:
    """The code lists that the database knows must be exactly those of the file."""
    path = "case_model.json.enums"
    ours = {
        "client_status": Client.Status,
        "client_kind": Client.Kind,
        "segment": Client.Segment,
        "risk_class": Client.RiskClass,
        "job_role": Contact.JobRole,
        "buying_role": Contact.BuyingRole,
    }
    for name, choices in ours.items():
        found = codes(enums.get(name, []), f"{path}.{name}")
        for code in sorted(found ^ set(choices.values)):
            raise Wrong(f"{path}.{name}: {code!r} differs from what the product knows")


def _check_products(data: Mapping[str, Any]) -> None:
    products = data["products"]
    path = "products.json.products"
    codes(products["products"], path)
    families = products["meta"]["fit_table"]["columns"]
    blocks = codes(products["meta"]["block_codes"], "products.json.meta.block_codes")
    securities = [row["code"] for row in data["case_model"]["enums"]["security_type"]]
    sections = [row["code"] for row in data["industries"]["sections"]]
    for index, row in enumerate(products["products"]):
        where = f"{path}[{index}]"
        known(row["family"], families, f"{where}.family")
        known(
            row["opens_case_type"], ("loan", "project_finance", "none"), f"{where}.opens_case_type"
        )
        for code in row["security_types"]:
            known(code, securities, f"{where}.security_types")
        for code in row["eligibility"]["hard_blocks"]:
            known(code, blocks, f"{where}.eligibility.hard_blocks")
        for code in row["eligibility"]["industry_sections"]:
            known(code, sections, f"{where}.eligibility.industry_sections")
