"""The list of clients."""

from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from bank.http import StaffRequest, only_reads, role_required
from clients import queries
from clients.models import Client
from cxportal import listing
from metrics.queries import client_means
from surveys.models import Response

PERIOD = "rolling12m"


@only_reads
@role_required()
def client_list(request: StaffRequest) -> HttpResponse:
    """List the clients in scope; filters live in the address."""
    filters = {
        "q": listing.word(request.GET, "q"),
        "rm": listing.word(request.GET, "rm"),
        "status": listing.one_of(request.GET, "status", lambda v: v in Client.Status.values),
        "segment": listing.one_of(request.GET, "segment", lambda v: v in Client.Segment.values),
    }
    last = Response.objects.standing().filter(client=OuterRef("pk")).order_by("-submitted_at")
    found = queries.clients(request.user, **filters).annotate(
        last_answer=Subquery(last.values("submitted_at")[:1])
    )
    page = listing.page_of(found, request.GET.get("page"))
    rows = list(page.object_list)
    means = client_means([row.pk for row in rows], PERIOD)
    managers = {user.username: user.display_name for user in queries.managers(request.user)}
    context = {
        "section": "clients",
        "page": page,
        "rows": [(row, means[row.pk]) for row in rows],
        "filters": filters,
        "managers": managers.items(),
        "statuses": Client.Status.choices,
        "segments": Client.Segment.choices,
        "chips": _chips(filters, managers),
    }
    return render(request, "cxportal/clients.html", context)


def _chips(filters: dict[str, str], names: dict[str, str]) -> list[listing.Chip]:
    """The filters in force, in words."""
    words = {
        "q": (_("Search"), filters["q"]),
        "rm": (_("Manager"), names.get(filters["rm"], filters["rm"])),
        "status": (_("Status"), dict(Client.Status.choices).get(filters["status"], "")),
        "segment": (_("Segment"), dict(Client.Segment.choices).get(filters["segment"], "")),
    }
    return [listing.Chip(key, label, str(value)) for key, (label, value) in words.items() if value]
