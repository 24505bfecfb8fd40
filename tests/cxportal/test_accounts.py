"""The demo accounts: made once, kept, readable by the owner alone."""

import json

import pytest

from bank.models import Role, User
from cxportal import accounts
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(settings, tmp_path):
    settings.STATE_DIR = tmp_path
    return tmp_path / "accounts.json"


def test_file_names_the_seven_accounts_and_their_passwords_work(path, client):
    accounts.ensure(at=factories.NOW)
    rows = json.loads(path.read_text())
    assert [(row["username"], row["role"], row["team"]) for row in rows] == [
        ("admin", "administrator", ""),
        ("admin2", "administrator", ""),
        ("lan", "relationship_manager", "BR-ZJ"),
        ("bo", "relationship_manager", "BR-ZJ"),
        ("chen", "relationship_manager", "BR-GD"),
        ("mu", "supervisor", "BR-ZJ"),
        ("qiu", "auditor", ""),
    ]
    assert all(client.login(username=r["username"], password=r["password"]) for r in rows)
    assert len({row["password"] for row in rows}) == 7
    assert path.stat().st_mode & 0o777 == 0o600


def test_second_start_changes_nothing(path):
    accounts.ensure(at=factories.NOW)
    before = path.read_text(), list(User.objects.order_by("id").values())
    accounts.ensure(at=factories.NOW)
    assert (path.read_text(), list(User.objects.order_by("id").values())) == before


def test_lost_file_gives_new_passwords(path, client):
    accounts.ensure(at=factories.NOW)
    old = json.loads(path.read_text())[2]["password"]
    path.unlink()
    accounts.ensure(at=factories.NOW)
    new = json.loads(path.read_text())[2]["password"]
    assert not client.login(username="lan", password=old)
    assert client.login(username="lan", password=new)


def test_lost_database_keeps_the_passwords_of_the_file(path, client):
    accounts.ensure(at=factories.NOW)
    password = json.loads(path.read_text())[2]["password"]
    User.objects.filter(username="lan").delete()
    accounts.ensure(at=factories.NOW)
    assert client.login(username="lan", password=password)


def test_person_of_the_demo_bank_keeps_name_and_role(path, client):
    factories.make_user("lan", Role.RELATIONSHIP_MANAGER, name_zh="林", password="!")
    User.objects.filter(username="lan").update(password="!")
    accounts.ensure(at=factories.NOW)
    assert User.objects.get(username="lan").name_zh == "林"
    password = json.loads(path.read_text())[2]["password"]
    assert client.login(username="lan", password=password)
