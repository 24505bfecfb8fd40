"""Plain functions that make rows for tests; every field can be given by name."""

import itertools
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from bank.models import Role, Team, User
from clients.models import Case, Client, Consent, Contact

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # Tuesday 10:00 in Shanghai
_count = itertools.count(1)


def make_team(code: str = "", **fields: Any) -> Team:
    code = code or f"T{next(_count)}"
    return Team.objects.create(**{"code": code, "name_zh": f"{code} 部", "name_en": code} | fields)


def make_user(username: str, role: str, team: Team | None = None, **fields: Any) -> User:
    return User.objects.create_user(
        **{
            "username": username,
            "password": "a long password 1",
            "role": role,
            "team": team,
            "is_staff": role == Role.ADMINISTRATOR,
            "name_zh": f"{username} 员工",
            "name_en": username.title(),
        }
        | fields
    )


def make_staff() -> SimpleNamespace:
    """Two teams under one branch, and one person of each role."""
    branch = make_team("BR")
    east, west = make_team("EAST", parent=branch), make_team("WEST", parent=branch)
    return SimpleNamespace(
        branch=branch,
        east=east,
        west=west,
        lan=make_user("lan", Role.RELATIONSHIP_MANAGER, east),
        bo=make_user("bo", Role.RELATIONSHIP_MANAGER, east),
        chen=make_user("chen", Role.RELATIONSHIP_MANAGER, west),
        mu=make_user("mu", Role.SUPERVISOR, east),
        qiu=make_user("qiu", Role.AUDITOR),
        admin=make_user("admin", Role.ADMINISTRATOR),
    )


def make_client(code: str = "", **fields: Any) -> Client:
    code = code or f"C{next(_count):05d}"
    return Client.objects.create(
        **{"code": code, "name_zh": f"{code} 有限公司", "name_en": f"{code} Co., Ltd."} | fields
    )


def make_contact(client: Client, *, consent: str = "yes", **fields: Any) -> Contact:
    number = next(_count)
    contact = Contact.objects.create(
        **{
            "external_id": f"P{number:05d}",
            "client": client,
            "name": f"联系人 {number}",
            "email": f"p{number}@client-{client.pk}.example",
            "buying_role": "user",
        }
        | fields
    )
    if consent:
        Consent.objects.create(
            contact=contact,
            purpose="survey",
            state=consent,
            source="import",
            at=NOW - timedelta(days=400),
        )
    return contact


def make_case(client: Client, **fields: Any) -> Case:
    return Case.objects.create(
        **{
            "number": f"L-{next(_count):05d}",
            "client": client,
            "name": "流动资金贷款",
            "opened_on": date(2026, 9, 1),
        }
        | fields
    )
