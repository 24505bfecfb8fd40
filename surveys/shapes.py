"""The shape of `questionnaires.json`: its keys, and the codes that items may name."""

from collections.abc import Mapping
from typing import Any

from clients.models import CaseKind, Party
from clients.shapes import ANY, NAMES, Wrong, codes, fit, known
from surveys import vocabulary
from surveys.models import Question, Questionnaire, Trigger, Version

FILE = "questionnaires.json"
_CONDITION = {"item", "var", "op", "value", "any", "all"}
_ITEM = {
    "key": str,
    "type": str,
    "dimension": (str, None),
    "csat_core": bool,
    "required": bool,
    "scale": (str, None),
    "text_zh": str,
    "text_en": str,
    "hint_zh?": str,
    "hint_en?": str,
    "options?": [{"value": str, "zh": str, "en": str}],
    "max_choices?": int,
    "max_length?": int,
    "randomise_options?": bool,
    "show_if?": ANY,
}
_QUESTIONNAIRE_KEYS = (
    "key kind attribution title_zh title_en intro_zh intro_en closing_zh closing_en minutes "
    "estimated_seconds item_count audience_zh audience_en triggers condition_variables"
)
_DIMENSION_KEYS = "key zh en description_zh description_en csat_core csat_weight verbatim_topic"
_VARIABLE_KEYS = (
    "name use required source values allowed_in example_zh example_en fallback_zh fallback_en "
    "label_zh label_en"
)
_QUESTIONNAIRE = dict.fromkeys(_QUESTIONNAIRE_KEYS.split(), ANY) | {
    "emails": ANY,
    "variables": [str],
    "items": [_ITEM],
}
_SHAPE = {
    "meta": ANY,
    "question_types": [NAMES | {"seconds": ANY}],
    "dimensions": [dict.fromkeys(_DIMENSION_KEYS.split(), ANY)],
    "topics": [NAMES | {"dimension": ANY}],
    "scales": ANY,
    "variables": [dict.fromkeys(_VARIABLE_KEYS.split(), ANY)],
    "privacy_notice": ANY,
    "questionnaires": [_QUESTIONNAIRE],
}


# What a number of a trigger may be.
_NUMBERS = {
    "delay_working_days": (0, 90),
    "max_contacts": (1, 20),
    "cooldown_days": (0, 3650),
    "link_valid_days": (1, 365),
    "priority": (1, 99),
    "sample_share": (0, 1),
}


def check(data: Mapping[str, Any]) -> None:
    """Raise `Wrong` with file and path at the first unknown key or code."""
    _check_questionnaires(data)
    _check_triggers(data["case_model"], data["questionnaires"])


def _check_triggers(model: Mapping[str, Any], catalogue: Mapping[str, Any]) -> None:
    path = "case_model.json.triggers"
    codes(model["triggers"], path)
    lines = [row["key"] for row in catalogue["questionnaires"]]
    contexts = [row["code"] for row in model["enums"]["survey_context"]]
    words = vocabulary.shipped(model)
    for index, row in enumerate(model["triggers"]):
        where = f"{path}[{index}]"
        known(row["questionnaire"], lines, f"{where}.questionnaire")
        known(row["context"], contexts, f"{where}.context")
        known(row["delivery"], Trigger.Channel.values, f"{where}.delivery")
        known(row["target_kind"], Trigger.TargetKind.values, f"{where}.target_kind")
        known(row["case_type"], (*CaseKind.values, "any", "client"), f"{where}.case_type")
        kinds = [row["case_type"]] if row["case_type"] in CaseKind.values else CaseKind.values
        for event in vocabulary.strange_events(row["events"], kinds, words):
            known(event, (), f"{where}.events")
        for target in row["targets"]:
            allowed = vocabulary.TARGETS[row["target_kind"]]
            known(target, allowed, f"{where}.targets")
        for role in row["party_roles"]:
            known(role, Party.Role.values, f"{where}.party_roles")
        _check_numbers(row, where)


def _check_numbers(row: Mapping[str, Any], where: str) -> None:
    for name, (low, high) in _NUMBERS.items():
        value = row[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Wrong(f"{where}.{name}: {value!r} is not a number")
        if not low <= value <= high:
            raise Wrong(f"{where}.{name}: {value!r} is not between {low} and {high}")
    if row["sample_share"] == 0:
        raise Wrong(f"{where}.sample_share: with 0 nobody is asked")


def _check_questionnaires(data: Mapping[str, Any]) -> None:
    catalogue = data["questionnaires"]
    fit(catalogue, _SHAPE, FILE)
    dimensions = codes(catalogue["dimensions"], f"{FILE}.dimensions", "key")
    variables = codes(catalogue["variables"], f"{FILE}.variables", "name")
    codes(catalogue["questionnaires"], f"{FILE}.questionnaires", "key")
    for index, row in enumerate(catalogue["questionnaires"]):
        path = f"{FILE}.questionnaires[{index}]"
        known(row["kind"], Questionnaire.Kind.values, f"{path}.kind")
        known(row["attribution"], Version.Attribution.values, f"{path}.attribution")
        for name in (*row["variables"], *row["condition_variables"]):
            known(name, variables, f"{path}.variables")
        codes(row["items"], f"{path}.items", "key")
        earlier: set[str] = set()
        for place, item in enumerate(row["items"]):
            where = f"{path}.items[{place}]"
            known(item["type"], Question.Type.values, f"{where}.type")
            known(item["dimension"], dimensions, f"{where}.dimension")
            known(item["scale"], catalogue["scales"], f"{where}.scale")
            _check_condition(item.get("show_if"), earlier, variables, f"{where}.show_if")
            earlier.add(item["key"])


def _check_condition(condition: Any, earlier: set[str], variables: set[str], path: str) -> None:
    if condition is None:
        return
    if not isinstance(condition, dict) or set(condition) - _CONDITION:
        raise Wrong(f"{path}: not a condition: {condition!r}")
    for part in condition.get("any") or condition.get("all") or []:
        _check_condition(part, earlier, variables, path)
    known(condition.get("item"), earlier, f"{path}.item")
    known(condition.get("var"), variables, f"{path}.var")
