"""Who asks the API, what they may do, and how often.

The framework loads this module while it loads its own views, so nothing here may import those.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from bank import keys
from bank.models import ApiKey, Role, User

if TYPE_CHECKING:
    from rest_framework.views import APIView


@dataclass(frozen=True)
class KeyHolder:
    """Stands where a user would: a machine that showed a valid key."""

    key: ApiKey
    is_authenticated: bool = True
    is_active: bool = True
    pk: None = None


class KeyAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer <key>`; a bad key is 401, no header is left to the session."""

    def authenticate(self, request: Request) -> tuple[KeyHolder, ApiKey] | None:
        """Return the holder of the key, or None when the request carries none."""
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        secret = parts[1].decode("ascii", "replace") if len(parts) == 2 else ""
        key = keys.find(secret, at=timezone.now())
        if key is None:
            raise exceptions.AuthenticationFailed(_("This key is unknown, expired or revoked."))
        return KeyHolder(key), key

    def authenticate_header(self, request: Request) -> str:
        """Make a missing key answer 401, not 403."""
        return "Bearer"


def viewer(request: Request) -> User | ApiKey:
    """Who looks: the key of a machine, else the member of staff of the session."""
    who: Any = request.user
    if isinstance(who, KeyHolder):
        return who.key
    if isinstance(who, User):
        return who
    raise exceptions.NotAuthenticated


class MayUse(BasePermission):
    """Reading needs `read` or a session; writing needs the view's `write_scope`.

    A session may write with the rights its role has: `manage` is the administrator's,
    `ingest` the administrator's and the relationship team's own clients. Where the view is
    `keys_only`, only a machine writes.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Judge the caller against the view's scopes."""
        who: Any = request.user
        reading = request.method in {"GET", "HEAD", "OPTIONS"}
        needed: str = "read" if reading else getattr(view, "write_scope", "manage")
        if isinstance(who, KeyHolder):
            return needed in who.key.scopes
        if not isinstance(who, User) or not who.is_active:
            return False
        if reading:
            return who.is_superuser or who.role in Role.values
        if getattr(view, "keys_only", False):
            return False
        return who.is_superuser or who.role in _WRITERS[needed]


_WRITERS: Mapping[str, set[str]] = {
    "manage": {Role.ADMINISTRATOR},
    "ingest": {Role.ADMINISTRATOR, Role.RELATIONSHIP_MANAGER, Role.SUPERVISOR},
}


class KeyThrottle(BaseThrottle):
    """Bounds each key by itself; without the cache nobody is held back.

    One counter a window, raised in one step: a list of instants that is read and written back,
    as the framework keeps it, loses most calls of a machine with several connections.
    """

    window = 20
    limit = 400
    rest = 0.0

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Count the call of a key; sessions are not counted."""
        who: Any = request.user
        if not isinstance(who, KeyHolder):
            return True
        number, gone = divmod(time.time(), self.window)
        self.rest = self.window - gone
        counter = f"throttle:{who.key.prefix}:{number:.0f}"
        try:
            cache.add(counter, 0, timeout=2 * self.window)
            return cache.incr(counter) <= self.limit
        except (OSError, RedisError, ValueError):  # away, or emptied between the two
            return True

    def wait(self) -> float:
        """Seconds until the next window."""
        return self.rest
