"""The few fixtures all tests share: the people of the bank, and reference data."""

from types import SimpleNamespace

import pytest

from tests import factories


@pytest.fixture
def staff(db) -> SimpleNamespace:
    """Lan manages the client, Bo sits in her team, Chen in another; supervisor, auditor, admin."""
    return factories.make_staff()
