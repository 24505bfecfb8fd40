"""What every request passes: an id, known methods, headers, and a calm word in an outage."""

import secrets
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render

from cxportal import logs

Handler = Callable[[HttpRequest], HttpResponse]
PAGE_METHODS = ["GET", "HEAD", "OPTIONS", "POST"]
METHODS = [*PAGE_METHODS, "PUT", "PATCH", "DELETE"]


def request_id(handler: Handler) -> Handler:
    """Give each request an id that its log lines carry."""

    def respond(request: HttpRequest) -> HttpResponse:
        token = logs.request_id.set(secrets.token_hex(8))
        try:
            response = handler(request)
            response.headers["X-Request-ID"] = logs.request_id.get()
            return response
        finally:
            logs.request_id.reset(token)

    return respond


def known_methods(handler: Handler) -> Handler:
    """Answer 405 to methods nobody offers; a plain view would answer TRACE with 200.

    Pages never take PUT, PATCH or DELETE; without this the missing CSRF token would be named.
    """

    def respond(request: HttpRequest) -> HttpResponse:
        offered = METHODS if request.path.startswith("/api/") else PAGE_METHODS
        if request.method not in offered:
            return HttpResponseNotAllowed(offered)
        return handler(request)

    return respond


def security_headers(handler: Handler) -> Handler:
    """Add the headers that Django has no setting for."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = handler(request)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=()"
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return respond


class _Outage:
    """Turns a lost database into 503 with a page that needs none."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.handler(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 503 when the database is away; every other error takes its usual way."""
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        response = render(request, "errors/503.html", status=503)
        response.headers["Retry-After"] = "30"
        return response


def database_outage(handler: Handler) -> Handler:
    """Install the outage page."""
    return _Outage(handler)
