"""Reading the environment: a value that is not understood refuses to start in one sentence."""

import contextlib
import os
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env(interpolate=False)
_SQLITE = (
    "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;"
    "PRAGMA mmap_size=134217728;PRAGMA journal_size_limit=67108864;PRAGMA cache_size=-20000;"
)
_NEVER = 2**31
_POSTGRES = (
    "-c statement_timeout=15000 -c lock_timeout=3000 -c idle_in_transaction_session_timeout=60000"
)


def flag(name: str, default: str) -> bool:
    """Read a switch that is 0 or 1 and nothing else."""
    value: str = env.str(name, default)
    if value not in {"0", "1"}:
        raise ImproperlyConfigured(f"{name} must be 0 or 1, not {value!r}.")
    return value == "1"


def number(name: str, default: int, highest: int) -> int:
    """Read a whole number from 0 to `highest`."""
    value: str = env.str(name, str(default))
    if not re.fullmatch(r"[0-9]{1,6}", value) or int(value) > highest:
        raise ImproperlyConfigured(
            f"{name} must be a whole number up to {highest}, not {value!r}."
        )
    return int(value)


def choice(name: str, default: str, allowed: set[str]) -> str:
    """Read one of a list of words."""
    value: str = env.str(name, default)
    if value not in allowed:
        shown = ", ".join(sorted(allowed)) if len(allowed) < 20 else "a name of the IANA list"
        raise ImproperlyConfigured(f"{name} must be {shown}, not {value!r}.")
    return value


def kept_secret(path: Path) -> str:
    """The demo's key, made once and kept in the state folder, for its owner alone."""
    try:
        if not path.exists():
            _make_secret(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"STATE_DIR {path.parent} is not writable: {error.strerror}."
        ) from error


def _make_secret(path: Path) -> None:
    """Write a fresh key that only its owner may read; of two starts at once, one key wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(64), encoding="ascii")
    with contextlib.suppress(FileExistsError):
        path.hardlink_to(fresh)
    fresh.unlink()


def database(url: str, *, root: Path) -> dict[str, Any]:
    """The one database: SQLite with a write-ahead log, or PostgreSQL with time limits."""
    if url.startswith("sqlite:///"):
        path = Path(url.removeprefix("sqlite:///"))
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(path if path.is_absolute() else root / path),
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": _SQLITE,
            },
        }
    if not url.startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured("DATABASE_URL must start with sqlite:/// or postgres://.")
    config: dict[str, Any] = environ.Env.db_url_config(url)
    if not config.get("NAME"):
        raise ImproperlyConfigured("DATABASE_URL must name a database: postgres://host/name.")
    config["CONN_MAX_AGE"] = 60
    config["CONN_HEALTH_CHECKS"] = True
    # Only what asks for it is prepared, however often other statements run.
    options = {"connect_timeout": 5, "options": _POSTGRES, "prepare_threshold": _NEVER}
    config["OPTIONS"] = options
    return config


def cache_of(broker: str) -> str:
    """The cache lives on the broker's server, in the database next to the queue's.

    Clearing the cache empties its whole database, so it must never be the queue's own.
    """
    if broker.startswith("redis+socket://"):
        return broker.replace("redis+socket://", "unix://") + "?db=1"
    parts = urlsplit(broker)
    return f"{parts.scheme}://{parts.netloc}/{int(parts.path.strip('/') or 0) ^ 1}"
