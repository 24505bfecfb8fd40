"""API keys: made, found by their secret, revoked. Only a digest is kept."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from bank import audit
from bank.models import ApiKey, Team, User

SCOPES = ("read", "ingest", "manage")
TOUCH = timedelta(minutes=1)


class UnknownScope(ValueError):
    """A scope that does not exist, or none at all."""


def make(
    name: str,
    *,
    scopes: Sequence[str],
    team: Team | None,
    at: datetime,
    by: User | ApiKey | None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which nobody can show a second time."""
    if not scopes or not set(scopes) <= set(SCOPES):
        raise UnknownScope(", ".join(sorted(set(scopes) - set(SCOPES))) or "no scope")
    prefix = f"cx{secrets.token_hex(4)}"
    secret = f"{prefix}.{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        key = ApiKey.objects.create(
            name=name,
            prefix=prefix,
            digest=_digest(secret),
            scopes=[scope for scope in SCOPES if scope in scopes],
            team=team,
            created_by=by if isinstance(by, User) else None,
            created_at=at,
            expires_at=expires_at,
        )
        data = {"name": name, "scopes": key.scopes, "team": team.code if team else None}
        audit.record("key.make", key, at=at, by=by, data=data)
    return key, secret


def find(secret: str, at: datetime) -> ApiKey | None:
    """Return the valid key of this secret; notes its use, at most once a minute."""
    prefix = secret.partition(".")[0]
    if not (prefix.isascii() and prefix.isalnum() and len(prefix) <= 12):
        return None
    key = ApiKey.objects.select_related("team").filter(prefix=prefix).first()
    if key is None or not hmac.compare_digest(key.digest, _digest(secret)):
        return None
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= at):
        return None
    if key.last_used_at is None or key.last_used_at <= at - TOUCH:
        fresh = Q(last_used_at=None) | Q(last_used_at__lte=at - TOUCH)
        ApiKey.objects.filter(fresh, pk=key.pk).update(last_used_at=at)
        key.last_used_at = at
    return key


def revoke(key: ApiKey, *, at: datetime, by: User | ApiKey | None) -> ApiKey:
    """Make a key worthless from its next use on; the first revocation stands."""
    with transaction.atomic():
        if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at):
            audit.record("key.revoke", key, at=at, by=by)
    key.refresh_from_db()
    return key


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
