"""Who is behind a request: the member of staff, their role, the address they come from."""

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from bank.models import Role, User

P = ParamSpec("P")
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


class StaffRequest(HttpRequest):
    """A request that `role_required` has let through: its user is a member of staff."""

    user: User


def staff(request: HttpRequest) -> User:
    """Return the signed-in member of staff; anybody else is refused."""
    who: Any = request.user
    if not isinstance(who, User) or not who.is_active:
        raise PermissionDenied
    if not who.is_superuser and who.role not in Role.values:
        raise PermissionDenied
    return who


def only_reads(view: View) -> View:
    """Offer GET and HEAD; a POST meets 405, since a page that changes nothing needs no token."""
    offered: View = csrf_exempt(require_safe(view))
    return offered


def role_required(
    *roles: str,
) -> Callable[
    [Callable[Concatenate[StaffRequest, P], HttpResponseBase]],
    Callable[Concatenate[HttpRequest, P], HttpResponseBase],
]:
    """Let only these roles and superusers in; without a role named, every member of staff.

    A stranger is led to the sign-in page, a colleague with another role gets 403.
    """

    def decorate(
        view: Callable[Concatenate[StaffRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(
            request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _to_login(request)
            who = staff(request)
            if roles and not who.is_superuser and who.role not in roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)  # type: ignore[arg-type]

        return guarded

    return decorate


def client_address(request: HttpRequest) -> str:
    """The address of the one who asks, past exactly as many proxies as the bank runs itself.

    Whatever a client writes into X-Forwarded-For stands further left and is never read.
    """
    direct: str = request.META.get("REMOTE_ADDR", "")
    if not settings.TRUSTED_PROXIES:
        return direct
    forwarded: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    chain = [part.strip() for part in forwarded.split(",") if part.strip()] + [direct]
    found = chain[max(len(chain) - 1 - settings.TRUSTED_PROXIES, 0)]
    try:
        return str(ip_address(found))
    except ValueError:
        return direct


def _to_login(request: HttpRequest) -> HttpResponse:
    """Send a stranger to the sign-in page; a fragment request must move the whole page."""
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(status=401, headers={"HX-Redirect": resolve_url(settings.LOGIN_URL)})
    return redirect_to_login(request.get_full_path())
