"""The mail that the demo caught, so that a newcomer can click a survey link."""

from pathlib import Path

from csp.constants import SELF
from csp.decorators import csp_update
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache

from bank.http import only_reads
from cxportal import catcher

PAGE = 50
# The mail's own styles and nothing else: no script, no form, no address but a clicked link.
_MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none';"
    " frame-ancestors 'self'; sandbox allow-top-navigation-by-user-activation"
)


@never_cache
@only_reads
def inbox(request: HttpRequest) -> HttpResponse:
    """All caught mails, newest first."""
    folder = _folder()
    page = Paginator(catcher.names(folder), PAGE).get_page(request.GET.get("page"))
    mails = [mail for name in page if (mail := catcher.read(folder, name)) is not None]
    return render(request, "cxportal/demo_mail.html", {"page": page, "mails": mails})


@never_cache
@only_reads
@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # typed for views without arguments
def message(request: HttpRequest, name: str) -> HttpResponse:
    """One mail: its headers, its text with links that work, its HTML in a frame."""
    return render(request, "cxportal/demo_mail_message.html", {"mail": _mail(name)})


@never_cache
@only_reads
def body(request: HttpRequest, name: str) -> HttpResponse:
    """The HTML of one mail as a document of its own, locked in a sandbox by its headers."""
    mail = _mail(name)
    if not mail.html:
        raise Http404
    # Links leave the frame: the pages they lead to refuse to be framed.
    response = HttpResponse(f'<base target="_top">{mail.html}')
    response.headers["Content-Security-Policy"] = _MAIL_POLICY
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _folder() -> Path:
    if not settings.DEMO:
        raise Http404
    return Path(settings.STATE_DIR) / "mail"


def _mail(name: str) -> catcher.Caught:
    mail = catcher.read(_folder(), name)
    if mail is None:
        raise Http404
    return mail
