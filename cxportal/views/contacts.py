"""Logging a contact with a client, and taking it back."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bank.http import StaffRequest, role_required
from clients import touchpoints
from clients.forms import ContactLogForm
from clients.models import Client, Touchpoint
from cxportal.queries import contacts


@require_http_methods(["GET", "HEAD", "POST"])
@role_required(*contacts.MAY_LOG)
def log(request: StaffRequest, code: str) -> HttpResponse:
    """Show the form and record what was typed; what is wrong comes back with the input."""
    client = get_object_or_404(Client.objects.visible_to(request.user), code=code)
    at = timezone.now()
    if request.method != "POST":
        return _form(request, client, contacts.blank(client, at=at))
    form = ContactLogForm(client, request.POST)
    if form.is_valid() and _recorded(form, client, request):
        messages.success(request, _("The contact is recorded."))
        return redirect("client", client.code)
    return _form(request, client, form, status=422)


@require_POST
@role_required(*contacts.MAY_LOG)
def take_back(request: StaffRequest, code: str, pk: int) -> HttpResponse:
    """Remove a contact that this person logged today."""
    client = get_object_or_404(Client.objects.visible_to(request.user), code=code)
    logged = Touchpoint.objects.filter(client=client, logged_by__isnull=False, pk=pk).first()
    if logged is not None:
        try:
            touchpoints.take_back(logged, at=timezone.now(), by=request.user)
        except touchpoints.NotYours as error:
            raise PermissionDenied from error
        messages.success(request, _("The contact is taken back."))
    return redirect("client", client.code)


def _recorded(form: ContactLogForm, client: Client, request: StaffRequest) -> bool:
    try:
        touchpoints.log(client, form.what(), at=timezone.now(), by=request.user)
    except touchpoints.Refused as error:
        form.add_error(error.field or None, str(error))
        return False
    return True


def _form(
    request: StaffRequest, client: Client, form: ContactLogForm, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {"section": "clients", "client": client, "form": form}
    return render(request, "cxportal/log_contact.html", context, status=status)
