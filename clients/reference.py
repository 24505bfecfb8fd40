"""Provinces, industries, the case model and products: checked as a whole, loaded by code."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model

from bank import audit
from bank.models import Setting
from clients import shapes
from clients.models import (
    CaseEvent,
    CaseKind,
    Industry,
    MilestoneType,
    Product,
    Province,
    Stage,
    Transition,
)

FILES = ("provinces", "industries", "case_model", "products")

# Families whose products clients use through online banking; the shipped list does not say.
ONLINE_FAMILIES = {"cash_management", "working_capital", "risk_management"}

# What an administrator may set apart from the shipped value, by model.
_SETTINGS: dict[type[Model], tuple[str, ...]] = {
    Stage: ("sla_working_days", "client_label_zh", "client_label_en"),
    MilestoneType: ("client_visible",),
    Product: ("rules", "is_online"),
}

Row = dict[str, Any]


def check(data: Mapping[str, Any]) -> None:
    """Raise `shapes.Wrong` with file and path at the first key or code that is not known."""
    shapes.check(data)


@transaction.atomic
def load(data: Mapping[str, Any], at: datetime) -> None:
    """Create or update every row by code; what is gone from the files becomes inactive."""
    check(data)
    model = data["case_model"]
    graph = ["case_kind", "from_code", "event", "to_code"]
    changed = {
        "provinces": _write(Province, ["code"], _provinces(data["provinces"])),
        "industries": _write(Industry, ["code"], _industries(data["industries"])),
        "stages": _write(Stage, ["case_kind", "code"], _stages(model)),
        "transitions": _write(Transition, graph, _transitions(model)),
        "milestones": _write(MilestoneType, ["code"], _milestones(model)),
        "events": _write(CaseEvent, ["code"], _events(model)),
        "products": _write(Product, ["code"], _products(data["products"])),
    }
    if any(changed.values()):
        audit.record("reference.load", "clients:", at=at, data=changed)


def _provinces(data: Row) -> Iterable[Row]:
    for row in data["provinces"]:
        yield {
            "code": row["code"],
            "name_zh": row["name_zh"],
            "name_en": row["name_en"],
            "region": row["region_group"],
        }


def _industries(data: Row) -> Iterable[Row]:
    for section in data["sections"]:
        for row in section["divisions"]:
            yield {
                "code": row["code"],
                "section": section["code"],
                "name_zh": row["name_zh"],
                "name_en": row["name_en"],
            }


def _stages(model: Row) -> Iterable[Row]:
    fields = (
        "code",
        "name_zh",
        "name_en",
        "client_label_zh",
        "client_label_en",
        "phase",
        "owner_role",
        "clock",
        "sla_working_days",
        "terminal",
    )
    for kind in CaseKind.values:
        for position, row in enumerate(model[kind]["stages"], start=1):
            yield {
                "case_kind": kind,
                "position": position,
                **{field: row[field] for field in fields},
            }


def _transitions(model: Row) -> Iterable[Row]:
    for kind in CaseKind.values:
        for row in model[kind]["transitions"]:
            yield {
                "case_kind": kind,
                "from_code": row["from"],
                "to_code": row["to"],
                "event": row["event"],
                "actor_role": row["actor_role"],
                "guard": row["guard"],
            }


def _milestones(model: Row) -> Iterable[Row]:
    for row in model["milestone_types"]:
        yield {
            "code": row["code"],
            "position": row["order"],
            "name_zh": row["zh"],
            "name_en": row["en"],
            "case_kinds": row["case_types"],
            "stage": row["stage"],
            "client_visible": row["client_visible"],
        }


def _events(model: Row) -> Iterable[Row]:
    for subject, key in (("case", "events"), ("client", "client_events")):
        for row in model[key]:
            yield {
                "code": row["code"],
                "subject": subject,
                "name_zh": row["zh"],
                "name_en": row["en"],
            }


def _products(data: Row) -> Iterable[Row]:
    named = ("code", "family", "name_zh", "name_en", "is_lending")
    for row in data["products"]:
        rules = {key: value for key, value in row.items() if key not in named}
        online = row["family"] in ONLINE_FAMILIES
        yield {**{field: row[field] for field in named}, "is_online": online, "rules": rules}


def _write(model: type[Model], key: list[str], rows: Iterable[Row]) -> int:
    """Bring one table into line with the file: two reads, at most three writes; how many rows."""
    shipped = {_key(row, key): row for row in rows}
    kept = _SETTINGS.get(model, ())
    last = _last_shipped(model)
    present = {tuple(getattr(item, name) for name in key): item for item in _all(model)}
    fresh = [model(**row) for found, row in shipped.items() if found not in present]
    changed: list[Model] = []
    for found, item in present.items():
        wanted = {**shipped.get(found, {}), "is_active": found in shipped}
        for name in kept:
            if name in wanted and getattr(item, name) != last.get(found, {}).get(
                name, getattr(item, name)
            ):
                del wanted[name]
        if any(getattr(item, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(item, name, value)
            changed.append(item)
    fields = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    _manager(model).bulk_create(fresh)
    _manager(model).bulk_update(changed, fields, batch_size=50)
    if kept:
        _remember(model, {found: {n: row[n] for n in kept} for found, row in shipped.items()})
    return len(fresh) + len(changed)


def _key(row: Row, key: list[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key)


def _manager(model: type[Model]) -> Any:
    return model._meta.default_manager


def _all(model: type[Model]) -> Iterable[Any]:
    return _manager(model).order_by("pk")  # type: ignore[no-any-return]


def _last_shipped(model: type[Model]) -> dict[tuple[Any, ...], Row]:
    """What the previous load wrote, by which a change of the administrator is told apart."""
    row = Setting.objects.filter(key=f"shipped.{model._meta.model_name}").first()
    return {tuple(found): values for found, values in row.value} if row else {}


def _remember(model: type[Model], values: dict[tuple[Any, ...], Row]) -> None:
    content = [[list(found), row] for found, row in values.items()]
    Setting.objects.update_or_create(
        key=f"shipped.{model._meta.model_name}", defaults={"value": content}
    )
