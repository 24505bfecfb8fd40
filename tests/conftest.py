"""The few fixtures all tests share: the people of the bank, and reference data."""

from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.cache import cache

from cxportal import catalogues
from metrics import storing
from surveys import pages, questionnaires
from tests import factories


def pytest_configure(config: pytest.Config) -> None:
    """Compile the translations, as each start does."""
    catalogues.compile_all(settings.BASE_DIR / "locale")


@pytest.fixture
def staff(db) -> SimpleNamespace:
    """Lan manages the client, Bo sits in her team, Chen in another; supervisor, auditor, admin."""
    return factories.make_staff()


@pytest.fixture(autouse=True)
def no_memory_of_versions() -> None:
    """Row numbers repeat from test to test; what a process remembers by number must not."""
    questionnaires.forget()
    pages.forget()
    storing.forget()
    cache.clear()
