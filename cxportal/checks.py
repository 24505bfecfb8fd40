"""What production must not have and the settings cannot see: default passwords, demo data."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.db import OperationalError, ProgrammingError

from bank.models import Role, User
from clients.models import Client

_GUESSES = ("", "postgres", "password", "admin", "root", "secret", "changeme", "123456")
_LOCAL = {"", "localhost", "127.0.0.1", "::1"}


@register("security", deploy=True)
def no_default_passwords(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a guessable password of the database or of an administrator."""
    database = settings.DATABASES["default"]
    found: list[CheckMessage] = []
    distant = str(database.get("HOST") or "") not in _LOCAL
    if distant and str(database.get("PASSWORD") or "") in _GUESSES:
        found.append(Error("DATABASE_URL has a default password.", id="cxportal.E001"))
    found += [
        Error(f"The account {user.username} has a default password.", id="cxportal.E002")
        for user in _administrators()
        if any(user.check_password(guess) for guess in (user.username, *_GUESSES[2:4]))
    ]
    return found


@register("security", deploy=True)
def no_demo(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a database or a state folder that belongs to the demo."""
    found: list[CheckMessage] = []
    if (settings.STATE_DIR / "accounts.json").exists():
        hint = "Name a STATE_DIR and a DATABASE_URL of its own."
        found.append(
            Error("The state folder holds the demo accounts.", hint=hint, id="cxportal.E003")
        )
    if _has_demo_clients():
        found.append(Error("The database holds the demo bank.", id="cxportal.E004"))
    return found


@register("security", deploy=True)
def a_relay_is_named(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to send to the mail catcher, which does not run in production."""
    relay = urlsplit(settings.EMAIL_URL)
    if relay.hostname == "127.0.0.1" and relay.port == settings.MAIL_PORT:
        return [Error("EMAIL_URL must name the bank's mail relay.", id="cxportal.E005")]
    return []


def _administrators() -> list[User]:
    """Those who may change anything; none while the tables are not made yet."""
    try:
        return [
            *User.objects.filter(is_active=True, role=Role.ADMINISTRATOR).order_by("id")[:20],
            *User.objects.filter(is_active=True, is_superuser=True).order_by("id")[:20],
        ]
    except (OperationalError, ProgrammingError):
        return []


def _has_demo_clients() -> bool:
    try:
        return Client.objects.filter(is_demo=True).exists()
    except (OperationalError, ProgrammingError):
        return False
