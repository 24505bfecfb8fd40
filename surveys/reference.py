"""Questionnaires and suppression rules as they are shipped, loaded as often as one likes."""

import hashlib
import json
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from bank import audit
from surveys import questionnaires
from surveys.models import (
    Campaign,
    Invitation,
    Question,
    Questionnaire,
    Response,
    SuppressionRule,
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


def load(data: dict[str, Any], at: datetime) -> None:
    """Load questionnaires and suppression rules; the same text again changes nothing.

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


@cache
def _catalogue() -> dict[str, Any]:
    path = settings.BASE_DIR / "reference" / "questionnaires.json"
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
