"""Where the relay is, and the hold on all mail."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings as configuration
from django.core.exceptions import ImproperlyConfigured

from bank import settings
from bank.models import ApiKey, User


@dataclass(frozen=True)
class Address:
    """Where the relay listens, and who we are to it."""

    host: str
    port: int
    user: str
    password: str
    tls: bool


def relay_name() -> str:
    """What the relay is called in the database: host and port, no password."""
    where = address(configuration.EMAIL_URL)
    return f"{where.host}:{where.port}"


def held() -> bool:
    """Whether no mail may leave now."""
    return bool(settings.get("mail_held"))


def hold(*, at: datetime, by: User | ApiKey | None) -> None:
    """Stop every outgoing mail until released; twice is once."""
    settings.put("mail_held", value=True, at=at, by=by)


def release(*, at: datetime, by: User | ApiKey | None) -> None:
    """Let mail go out again; what waited goes by its own rules."""
    settings.put("mail_held", value=False, at=at, by=by)


def address(url: str) -> Address:
    """Read `smtp://user:password@host:port?tls=1`; the message never repeats the password."""
    try:
        parts = urlsplit(url)
        port = parts.port or 25
    except ValueError as error:
        raise ImproperlyConfigured("EMAIL_URL has no valid port.") from error
    query = parse_qs(parts.query, keep_blank_values=True)
    tls = query.pop("tls", ["0"])[-1]
    if parts.scheme != "smtp" or not parts.hostname or query or tls not in {"0", "1"}:
        raise ImproperlyConfigured(
            "EMAIL_URL must look like smtp://user:password@host:port?tls=1."
        )
    return Address(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls == "1",
    )
