"""Places the form for logging a contact on a page about a client."""

from datetime import datetime
from typing import Any

from django import template

from clients.models import Client
from cxportal.queries import contacts

register = template.Library()


@register.inclusion_tag("cxportal/_log_contact.html", takes_context=True)
def log_contact(context: dict[str, Any], client: Client, at: datetime) -> dict[str, Any]:
    """The form and what was logged today; nothing for those who only look."""
    request = context["request"]
    if not contacts.may_log(request.user):
        return {"may_log": False}
    return {
        "may_log": True,
        "client": client,
        "form": contacts.blank(client, at=at),
        "logged": contacts.logged_today(client, request.user, at=at),
        "csrf_token": context["csrf_token"],
    }
