"""The demo accounts: random passwords, made at the first start and kept in one file."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from bank import audit
from bank.models import Role, Team, User


@dataclass(frozen=True)
class Person:
    """One demo account. `team` is a team's code; empty for those who see the whole bank."""

    username: str
    role: Role
    team: str
    name_zh: str
    name_en: str


PEOPLE = (
    Person("admin", Role.ADMINISTRATOR, "", "谈清远", "Qingyuan Tan"),
    Person("admin2", Role.ADMINISTRATOR, "", "温思齐", "Siqi Wen"),
    Person("lan", Role.RELATIONSHIP_MANAGER, "BR-ZJ", "林知微", "Zhiwei Lin"),
    Person("bo", Role.RELATIONSHIP_MANAGER, "BR-ZJ", "柏予安", "Yuan Bo"),
    Person("chen", Role.RELATIONSHIP_MANAGER, "BR-GD", "陈既明", "Jiming Chen"),
    Person("mu", Role.SUPERVISOR, "BR-ZJ", "穆怀谨", "Huaijin Mu"),
    Person("qiu", Role.AUDITOR, "", "邱见素", "Jiansu Qiu"),
)
TEAMS = {
    "HQ": ("总行公司金融部", "Head Office Corporate Banking", ""),
    "BR-ZJ": ("浙江分行", "Zhejiang Branch", "HQ"),
    "BR-GD": ("广东分行", "Guangdong Branch", "HQ"),
}


def ensure(*, at: datetime) -> list[User]:
    """Make the accounts that are missing; a password nobody can read any more is made anew."""
    path = Path(settings.STATE_DIR) / "accounts.json"
    known = {str(row.get("username")): str(row.get("password")) for row in _read(path)}
    with transaction.atomic():
        users = [_ensured(person, known, at=at) for person in PEOPLE]
    rows = [
        {
            "username": person.username,
            "password": known[person.username],
            "role": str(person.role.value),
            "team": person.team,
        }
        for person in PEOPLE
    ]
    if rows != _read(path):
        _write(path, rows)
    return users


def _ensured(person: Person, known: dict[str, str], *, at: datetime) -> User:
    """The user of one account; `known` learns the password where a new one is given."""
    user = User.objects.filter(username=person.username).first()
    if user is not None and person.username in known and user.has_usable_password():
        return user
    if user is None:
        user = User(username=person.username)
        for name, value in asdict(person).items():
            setattr(user, name, _team(value) if name == "team" else value)
        user.is_staff = person.role == Role.ADMINISTRATOR
    user.set_password(known.setdefault(person.username, secrets.token_urlsafe(15)))
    user.save()
    audit.record("accounts.ensure", user, at=at, data={"role": person.role.value})
    return user


def _team(code: str) -> Team | None:
    """The team of this code, with those above it."""
    if not code:
        return None
    zh, en, parent = TEAMS[code]
    defaults = {"name_zh": zh, "name_en": en, "parent": _team(parent)}
    return Team.objects.get_or_create(code=code, defaults=defaults)[0]


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return rows if isinstance(rows, list) else []


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    """Readable by the owner alone from its first byte on."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(rows, file, ensure_ascii=False, indent=2)
    fresh.replace(path)
