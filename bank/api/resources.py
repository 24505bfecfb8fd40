"""A resource of the API, and the refusals that all of them share."""

import logging
from typing import Any, ClassVar

from django.core.exceptions import RequestDataTooBig
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import exceptions, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import exception_handler
from rest_framework.viewsets import GenericViewSet

from bank.api.bodies import TooLarge
from bank.api.lists import ALWAYS, Row

logger = logging.getLogger(__name__)


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the key in the schema."""

    target_class = "bank.api.access.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Return the OpenAPI form of a bearer key."""
        return {"type": "http", "scheme": "bearer"}


class Resource(GenericViewSet[Row]):
    """A resource of the API: rows by scope, and no parameter that is silently ignored."""

    # Parameters of the address beside the filters and pages.
    takes: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what the caller believes to be a filter and is none."""
        super().initial(request, *args, **kwargs)
        filters = getattr(self, "filterset_class", None)
        known = ALWAYS | self.takes | set(filters.base_filters if filters else ())
        strange = sorted(set(request.query_params) - known)
        if strange:
            words = [_("There is no parameter of this name.")]
            raise serializers.ValidationError({name[:60]: words for name in strange[:20]})


class Conflict(exceptions.APIException):
    """The request is understood, but the present state does not allow it."""

    status_code = status.HTTP_409_CONFLICT
    default_detail = gettext_lazy("The present state does not allow this.")
    default_code = "conflict"


class Unprocessable(exceptions.APIException):
    """Each field is sound by itself, but the whole makes no sense."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "unprocessable"


def explain(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer data errors with 400 and an outage with 503; the rest as the framework does."""
    if isinstance(error, RequestDataTooBig):
        return exception_handler(TooLarge(), context)
    if isinstance(error, DataError | OverflowError):
        return Response(
            {"detail": _("A value is out of range.")}, status=status.HTTP_400_BAD_REQUEST
        )
    if isinstance(error, IntegrityError):
        # Two callers wrote the same thing at once; the second may read what the first made.
        # The text of the error holds values, so the log gets the address only.
        logger.warning("a constraint of the database refused %s", context["request"].path)
        return Response(
            {"detail": _("The present state does not allow this.")},
            status=status.HTTP_409_CONFLICT,
        )
    if isinstance(error, OperationalError | InterfaceError):
        return Response(
            {"detail": _("The database is away; please try again.")},
            status=status.HTTP_503_SERVICE_UNAVAILABLE,
            headers={"Retry-After": "30"},
        )
    return exception_handler(error, context)
