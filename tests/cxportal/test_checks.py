"""What the deploy check finds in the database."""

import pytest

from bank.models import Role
from cxportal import checks
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("password", ["root2", "password", "admin"])
def test_administrator_with_a_default_password_is_named(password):
    factories.make_user("root2", Role.ADMINISTRATOR, password=password)
    found = checks.no_default_passwords()
    assert [(one.id, one.msg) for one in found] == [
        ("cxportal.E002", "The account root2 has a default password.")
    ]


def test_other_passwords_and_disabled_accounts_pass():
    factories.make_user("root2", Role.ADMINISTRATOR)
    factories.make_user("gone", Role.ADMINISTRATOR, password="admin", is_active=False)
    assert checks.no_default_passwords() == []


def test_demo_clients_are_refused():
    factories.make_client()
    assert [one.id for one in checks.no_demo()] == []
    factories.make_client(is_demo=True)
    assert [one.id for one in checks.no_demo()] == ["cxportal.E004"]
