"""Questionnaires, suppression rules and triggers as shipped, loaded as often as one likes."""

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from bank import audit
from clients.models import CaseKind
from surveys import questionnaires
from surveys.models import (
    Campaign,
    Invitation,
    Question,
    Questionnaire,
    Response,
    SuppressionRule,
    Trigger,
    Version,
)

# What the mail of every shipped questionnaire names.
USUAL = {
    "bank_address",
    "bank_name",
    "branch_name",
    "client_name",
    "close_date",
    "contact_name",
    "hotline",
    "minutes",
    "opt_out_link",
    "privacy_link",
    "rm_name",
    "survey_link",
}
RULE_FIELDS = ("position", "name_zh", "name_en", "scope", "action", "parameter", "exempt")
TRIGGER_FIELDS = (
    "name_zh",
    "name_en",
    "events",
    "delay_working_days",
    "target_kind",
    "targets",
    "party_roles",
    "max_contacts",
    "cooldown_days",
    "link_valid_days",
    "priority",
    "delivery",
    "pushed",
    "wave_window_days",
)
# What the case model says of a trigger in words only: once per case or client, unless said so,
# and how long a client is left alone between two events of the kind.
REPEATED = {"TR12", "TR14", "TR15", "TR16", "TR18"}
PAUSES = {"TR12": 60, "TR14": 180}


def load(data: dict[str, Any], at: datetime) -> None:
    """Load questionnaires, rules and triggers; the same text again changes nothing.

    `data` maps the names of the reference files to their content.
    """
    with transaction.atomic():
        catalogue = data["questionnaires"]
        rules = enumerate(data["case_model"]["survey_suppression"], start=1)
        changed = {
            "questionnaires": sum(
                _load_questionnaire(row, catalogue, at) for row in catalogue["questionnaires"]
            ),
            "rules": sum(_load_rule(row, position) for position, row in rules),
            "triggers": _load_triggers(data["case_model"]["triggers"], at),
        }
        if any(changed.values()):
            audit.record("reference.load", "surveys:", at=at, data=changed)


def privacy_notice() -> dict[str, Any]:
    """The shipped notice on personal information."""
    notice: dict[str, Any] = _catalogue()["privacy_notice"]
    return notice


def usual_variables() -> list[dict[str, Any]]:
    """The variables that a mail and the page of any questionnaire need."""
    return [row for row in _catalogue()["variables"] if row["name"] in USUAL]


def contexts() -> dict[str, dict[str, str]]:
    """What kinds of contact are called, by code: a text in each language."""
    rows = _file("case_model")["enums"]["survey_context"]
    return {row["code"]: {"zh": row["zh"], "en": row["en"]} for row in rows}


def _catalogue() -> dict[str, Any]:
    return _file("questionnaires")


@cache
def _file(name: str) -> dict[str, Any]:
    path = settings.BASE_DIR / "reference" / f"{name}.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def _load_questionnaire(row: dict[str, Any], catalogue: dict[str, Any], at: datetime) -> bool:
    """Bring one questionnaire up to its file; say whether its wording is new."""
    line, _made = Questionnaire.objects.update_or_create(
        key=row["key"],
        defaults={
            "kind": row["kind"],
            "title_zh": row["title_zh"],
            "title_en": row["title_en"],
        },
    )
    version, items = _version_fields(row, catalogue), _items(row, catalogue)
    digest = hashlib.sha256(
        json.dumps([version, items], ensure_ascii=False, sort_keys=True).encode()
    ).hexdigest()
    if line.versions.filter(source_digest=digest).exists():
        return False
    shipped = line.versions.exclude(source_digest="").order_by("-number").first()
    if shipped is not None and not _used(shipped):
        # Nobody was asked in the old words yet: the shipped version is mended in place.
        shipped.questions.all().delete()
        Version.objects.filter(pk=shipped.pk).update(source_digest=digest, **version)
        target = shipped
    else:
        target = Version.objects.create(
            questionnaire=line,
            number=questionnaires.next_number(line),
            source_digest=digest,
            published_at=at,
            **version,
        )
    Question.objects.bulk_create(
        Question(version=target, position=position, **item)
        for position, item in enumerate(items, start=1)
    )
    return True


def _used(version: Version) -> bool:
    asked: tuple[QuerySet[Any], ...] = (
        Invitation.objects.filter(version=version),
        Response.objects.filter(version=version),
        Campaign.objects.filter(version=version),
    )
    return any(rows.exists() for rows in asked)


def _version_fields(row: dict[str, Any], catalogue: dict[str, Any]) -> dict[str, Any]:
    names = {*row["variables"], *row["condition_variables"]}
    fields = ("attribution", "minutes", "intro_zh", "intro_en", "closing_zh", "closing_en")
    return {
        **{field: row[field] for field in fields},
        "emails": row["emails"] or {},
        "variables": [one for one in catalogue["variables"] if one["name"] in names],
    }


def _items(row: dict[str, Any], catalogue: dict[str, Any]) -> list[dict[str, Any]]:
    return [_item(item, catalogue["scales"].get(item["scale"] or "")) for item in row["items"]]


def _item(item: dict[str, Any], scale: dict[str, Any] | None) -> dict[str, Any]:
    scale = scale or {}
    return {
        "key": item["key"],
        "type": item["type"],
        "dimension": item["dimension"] or "",
        "csat_core": item["csat_core"],
        "required": item["required"],
        "text_zh": item["text_zh"],
        "text_en": item["text_en"],
        "hint_zh": item.get("hint_zh", ""),
        "hint_en": item.get("hint_en", ""),
        "lo": scale.get("lo"),
        "hi": scale.get("hi"),
        "reversed": scale.get("reversed", False),
        "na_allowed": scale.get("na_allowed", False),
        "labels": scale.get("labels", {}),
        "options": item.get("options", []),
        "max_choices": item.get("max_choices"),
        "max_length": item.get("max_length"),
        "show_if": item.get("show_if"),
    }


def _load_rule(row: dict[str, Any], position: int) -> bool:
    """Create the rule, or overwrite those fields which the administrator has left as shipped."""
    shipped = {
        "position": position,
        "name_zh": row["zh"],
        "name_en": row["en"],
        "scope": row["scope"],
        "action": row["action"],
        "parameter": row.get("parameter"),
        "exempt": row.get("exempt", []),
    }
    rule = SuppressionRule.objects.filter(code=row["code"]).first()
    if rule is None:
        SuppressionRule.objects.create(code=row["code"], loaded=shipped, **shipped)
        return True
    if rule.loaded == shipped:
        return False
    for field in RULE_FIELDS:
        if getattr(rule, field) == rule.loaded.get(field):
            setattr(rule, field, shipped[field])
    rule.loaded = shipped
    rule.save()
    return True


def _load_triggers(rows: list[dict[str, Any]], at: datetime) -> int:
    """Load every trigger; one that is gone from the file asks no more."""
    lines = dict(Questionnaire.objects.values_list("key", "pk"))
    changed = sum(_load_trigger(row, lines, at) for row in rows)
    gone = Trigger.objects.exclude(code__in=[row["code"] for row in rows])
    return changed + gone.filter(is_active=True).exclude(loaded={}).update(is_active=False)


def _load_trigger(row: dict[str, Any], lines: dict[str, int], at: datetime) -> bool:
    """Create the trigger, or overwrite those fields which the administrator left as shipped."""
    shipped = _trigger_fields(row, lines)
    trigger = Trigger.objects.filter(code=row["code"]).first()
    if trigger is None:
        Trigger.objects.create(code=row["code"], loaded=shipped, active_since=at, **shipped)
        return True
    if trigger.loaded == shipped:
        return False
    was_active = trigger.is_active
    for field, value in shipped.items():
        if _plain(getattr(trigger, field)) == trigger.loaded.get(field):
            setattr(trigger, field, value)
    if trigger.is_active and not was_active:
        trigger.active_since = at
    trigger.loaded = shipped
    trigger.save()
    return True


def _plain(value: Any) -> Any:
    """The value as the loaded row keeps it."""
    return float(value) if isinstance(value, Decimal) else value


def _trigger_fields(row: dict[str, Any], lines: dict[str, int]) -> dict[str, Any]:
    kinds = {"any": CaseKind.values, "client": []}
    return {field: row[field] for field in TRIGGER_FIELDS} | {
        "case_kinds": kinds.get(row["case_type"], [row["case_type"]]),
        "questionnaire_id": lines[row["questionnaire"]],
        "context": row["context"] or "",
        "client_pause_days": PAUSES.get(row["code"], 0),
        "once": row["code"] not in REPEATED,
        "sample_share": float(row["sample_share"]),
        "is_active": row["enabled_by_default"],
    }
