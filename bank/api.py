"""What every API resource shares: who asks, what they may, pages, safe JSON, clear refusals."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from django.db import DataError, InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from redis.exceptions import RedisError
from rest_framework import exceptions, status
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView, exception_handler

from bank import keys
from bank.models import ApiKey, Role, User

DEEPEST = 40
LARGEST = 2**63 - 1


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


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the key in the schema."""

    target_class = "bank.api.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the OpenAPI form of a bearer key."""
        return {"type": "http", "scheme": "bearer"}


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
    `ingest` the administrator's and the relationship team's own clients.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
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
        return who.is_superuser or who.role in _WRITERS[needed]


_WRITERS: Mapping[str, set[str]] = {
    "manage": {Role.ADMINISTRATOR},
    "ingest": {Role.ADMINISTRATOR, Role.RELATIONSHIP_MANAGER, Role.SUPERVISOR},
}


class KeyThrottle(SimpleRateThrottle):
    """Bounds each key by itself; without the cache nobody is throttled."""

    rate = "1200/min"
    scope = "key"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """Return the key's counter; sessions are not counted."""
        who: Any = request.user
        return f"throttle:{who.key.prefix}" if isinstance(who, KeyHolder) else None

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Let everything pass when the counter cannot be read."""
        try:
            return super().allow_request(request, view)
        except (OSError, RedisError):
            return True


class Pages(PageNumberPagination):
    """Pages of 50, at most 200 rows."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


class SafeJSONParser(JSONParser):
    """JSON that a database can hold: bounded depth and integers, no NUL, no lone surrogate."""

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the parsed body, or refuse it with the reason."""
        try:
            body = json.loads(stream.read().decode("utf-8"), parse_constant=_no_constant)
            _inspect(body)
        except UnicodeDecodeError as error:
            raise exceptions.ParseError(_("The body is not UTF-8.")) from error
        except RecursionError as error:
            raise exceptions.ParseError(_("The body is nested too deeply.")) from error
        except ValueError as error:
            raise exceptions.ParseError(
                _("The body is not valid JSON: %(reason)s") % {"reason": str(error)[:200]}
            ) from error
        return body


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _inspect(body: Any) -> None:
    """Refuse what JSON allows and a database does not."""
    waiting = [(body, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise RecursionError
        if isinstance(value, dict):
            waiting += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            waiting += [(part, depth + 1) for part in value]
        elif not _storable(value):
            raise ValueError("a value holds a character or a number that cannot be stored")


def _storable(value: Any) -> bool:
    """Whether a scalar fits every column it may end in."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, int | float):
        return abs(value) <= LARGEST
    return True


def explain(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer data errors with 400 and an outage with 503; the rest as the framework does."""
    if isinstance(error, DataError | OverflowError):
        return Response(
            {"detail": _("A value is out of range.")}, status=status.HTTP_400_BAD_REQUEST
        )
    if isinstance(error, OperationalError | InterfaceError):
        return Response(
            {"detail": _("The database is away; please try again.")},
            status=status.HTTP_503_SERVICE_UNAVAILABLE,
            headers={"Retry-After": "30"},
        )
    return exception_handler(error, context)
