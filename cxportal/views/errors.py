"""Pages for what went wrong: what happened, what to do, no technical words."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import loader

from bank.models import in_language


def _page(name: str, status: int) -> HttpResponse:
    """Render without a request: no session, no database, no context processor."""
    bank_name = in_language(settings.BANK_NAME_ZH, settings.BANK_NAME_EN)
    words = loader.render_to_string(f"errors/{name}.html", {"bank_name": bank_name})
    return HttpResponse(words, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request could not be read."""
    return _page("400", 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: signed in, but not for this."""
    return _page("403", 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form was too old; going back keeps what was typed."""
    return _page("csrf", 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: not here, or not for you: the two look the same."""
    return _page("404", 404)


def broken(request: HttpRequest) -> HttpResponse:
    """500: our fault; the page needs neither database nor session."""
    return _page("500", 500)
