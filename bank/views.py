"""Sign in and out."""

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from bank import accounts
from bank.forms import SignInForm
from bank.http import client_address


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """Show the form and sign in; the session gets a new id, so a planted one is worthless."""
    goal = _goal(request)
    if request.user.is_authenticated and request.method != "POST":
        return HttpResponseRedirect(goal)
    form = SignInForm(request, request.POST or None)
    if request.method == "POST" and _may_enter(request, form):
        auth.login(request, form.get_user())
        return HttpResponseRedirect(goal)
    page = {"form": form, "next": request.POST.get("next", request.GET.get("next", ""))}
    return render(request, "bank/login.html", page)


@never_cache
@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End the session."""
    auth.logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


def _may_enter(request: HttpRequest, form: SignInForm) -> bool:
    """Judge one attempt and note it; a slowed one is not even looked at, nor noted."""
    at, address = timezone.now(), client_address(request)
    username = request.POST.get("username", "").strip()
    form.slowed = accounts.is_slowed(username, address=address, at=at)
    if form.is_valid():
        accounts.note_success(form.get_user(), address=address, at=at)
        return True
    if not form.slowed:
        accounts.note_failure(username, address=address, at=at)
    return False


def _goal(request: HttpRequest) -> str:
    """The page asked for, if it is one of ours; a foreign address leads home."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    # No host is allowed at all: only a path of this site gets through.
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return resolve_url(settings.LOGIN_REDIRECT_URL)
