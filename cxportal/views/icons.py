"""The icon of the product, for browsers that ask for it by its old name."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static

from bank.http import only_reads


@only_reads
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead to the icon: pages of the admin and of libraries do not name it."""
    return redirect(static("favicon.svg"))
