"""The pages of the client: answer, thanks, correct, opt out."""

from django.http import Http404, HttpRequest, HttpResponse


def answer(request: HttpRequest, token: str) -> HttpResponse:
    """The survey."""
    raise Http404


def done(request: HttpRequest, token: str) -> HttpResponse:
    """The thanks."""
    raise Http404


def edit(request: HttpRequest, token: str) -> HttpResponse:
    """The correction."""
    raise Http404


def opt_out(request: HttpRequest, token: str) -> HttpResponse:
    """The end of survey mail."""
    raise Http404


def privacy(request: HttpRequest) -> HttpResponse:
    """The notice on personal information."""
    raise Http404
