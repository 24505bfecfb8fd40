"""The shape of `questionnaires.json`: its keys, and the codes that items may name."""

from collections.abc import Mapping
from typing import Any

from clients.shapes import ANY, NAMES, Wrong, codes, fit, known
from surveys.models import Question, Questionnaire, Version

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


def check(data: Mapping[str, Any]) -> None:
    """Raise `Wrong` with file and path at the first unknown key or code."""
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
