"""What every page of the client shares: the link is looked up, headers are set, misses counted."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings as django_settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from redis.exceptions import RedisError

from bank import settings
from bank.http import client_address
from bank.models import in_language
from surveys.models import Invitation
from surveys.visits import Visit

# Unknown links one address may try in a minute before it is asked to wait. A link has 256 bits,
# so this spares the machine; colleagues behind one address must not pay for one broken mail.
MISSES = 300
WINDOW = 60
# The scores that a link of the mail may carry.
SCORES = {str(score): score for score in range(11)}
LANGUAGES = {"zh": "zh-hans", "en": "en"}

View = Callable[[HttpRequest, str], HttpResponse]


def client_page(view: View) -> View:
    """A page reached by a secret link: never cached, indexed or named in a Referer.

    The link itself is the capability and no cookie is read, so a forged request gains nothing
    and a CSRF token would only break mail clients that post the opt-out.
    """

    @csrf_exempt
    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def respond(request: HttpRequest, token: str) -> HttpResponse:
        response = view(request, token)
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return respond


def language_of(request: HttpRequest, invitation: Invitation) -> str:
    """The language the visitor switched to, else the contact's."""
    for chosen in (request.GET.get("lang"), request.POST.get("_language")):
        if chosen in LANGUAGES:
            return str(chosen)
    return invitation.language if invitation.language in LANGUAGES else "zh"


def page(
    template: str, context: dict[str, Any], *, language: str, status: int = 200
) -> HttpResponse:
    """Render a page of the client in one language, without session or user."""
    with translation.override(LANGUAGES[language]):
        return send(render_to_string(template, frame() | context), language, status=status)


def send(html: str, language: str, *, status: int = 200) -> HttpResponse:
    """Answer with a finished page and say which language it is in."""
    response = HttpResponse(html, status=status)
    response.headers["Content-Language"] = LANGUAGES[language]
    return response


def frame() -> dict[str, Any]:
    """What the frame of each page needs."""
    bank = in_language(django_settings.BANK_NAME_ZH, django_settings.BANK_NAME_EN)
    return {"bank_name": bank, "hotline": settings.get("hotline")}


def gone(request: HttpRequest, *, status: int) -> HttpResponse:
    """One page for links that are unknown, malformed, closed, expired or withdrawn.

    Its language is the browser's and never the contact's: the words must not tell a stranger
    whether the link was ever real.
    """
    asked = request.GET.get("lang", "")
    spoken = (translation.get_language() or "zh-hans").split("-")[0]
    language = next((one for one in (asked, spoken) if one in LANGUAGES), "zh")
    return page("surveys/gone.html", {}, language=language, status=status)


def missed(request: HttpRequest) -> HttpResponse:
    """Answer to an unknown link: 404, or 429 to an address that tries one after the other."""
    if not _too_many(client_address(request)):
        return gone(request, status=404)
    response = gone(request, status=429)
    response.headers["Retry-After"] = str(WINDOW)
    return response


def visit(request: HttpRequest, *, page: str, at: datetime) -> Visit:
    """What the request tells of its sender; text is cut and cleaned to what a column holds."""
    agent = request.headers.get("User-Agent", "")[:300]
    return Visit(
        page=page,
        method=(request.method or "")[:8],
        at=at,
        address=client_address(request) or None,
        agent="".join(sign for sign in agent if sign.isprintable()),
        score=SCORES.get(request.GET.get("nps", "")),
    )


def _too_many(address: str) -> bool:
    """Count one miss; with the cache away nobody is slowed down and nobody is shut out."""
    key = f"miss:{hashlib.sha256(address.encode()).hexdigest()[:32]}"
    try:
        cache.add(key, 0, WINDOW)
        return bool(cache.incr(key) > MISSES)
    except (RedisError, OSError, ValueError):
        return False
