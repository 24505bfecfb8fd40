"""The pages of one client: an overview, and a page for each kind of record behind it."""

from typing import Any

from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from bank.http import StaffRequest, only_reads, role_required
from clients.models import Client
from cxportal import listing
from cxportal.queries import activity, engagement, lending, people, statements
from cxportal.queries.dossier import Dossier
from metrics.slicing import engaged as states

EVENTS, CASES, COMMENTS, EVERYTHING = 12, 4, 4, 300


@only_reads
@role_required()
def client(request: StaffRequest, code: str) -> HttpResponse:
    """Show what is known of one client, to those in whose scope it is."""
    found = _open(request, code)
    context = {
        "ratings": people.ratings(found.people, found.lines, found.sent, at=found.at),
        "comments": [line for line in found.lines if line.comment][:COMMENTS],
        "events": found.events[:EVENTS],
        "statements": statements.table(found.client),
        "cases_shown": CASES,
    }
    return _page(request, found, "client", context)


@only_reads
@role_required()
def contacts(request: StaffRequest, code: str) -> HttpResponse:
    """Show everybody the bank knows there, and who has left."""
    found = _open(request, code)
    gone = found.client.contacts.filter(left_on__isnull=False).order_by("-left_on", "pk")
    return _page(request, found, "client_contacts", {"gone": list(gone[:100])})


@only_reads
@role_required()
def cases(request: StaffRequest, code: str) -> HttpResponse:
    """Show every case with its steps."""
    return _page(request, _open(request, code), "client_cases", {})


@only_reads
@role_required()
def financials(request: StaffRequest, code: str) -> HttpResponse:
    """Show facilities, statements and bookings."""
    found = _open(request, code)
    page = listing.page_of(lending.transactions(found.client), request.GET.get("page"))
    context = {
        "statements": statements.table(found.client, years=5),
        "page": page,
        "rows": list(page.object_list),
    }
    return _page(request, found, "client_financials", context)


@only_reads
@role_required()
def engaged(request: StaffRequest, code: str) -> HttpResponse:
    """Show how the client uses the bank: the index in its parts, health, and the weeks."""
    found = _open(request, code)
    context = {
        "index": engagement.index(found.figures),
        "health": engagement.health(found.figures["health"]),
        "score": engagement.score(found.figures["client_score"]),
        "course": states.course("client", found.client.pk, at=found.at),
        "weeks": engagement.weeks(found.client, at=found.at),
    }
    return _page(request, found, "client_engagement", context)


@only_reads
@role_required()
def history(request: StaffRequest, code: str) -> HttpResponse:
    """Show everything that happened, newest first."""
    found = _open(request, code)
    return _page(
        request,
        found,
        "client_history",
        {"events": activity.whole(found.events, found.client)[:300]},
    )


def _open(request: StaffRequest, code: str) -> Dossier:
    """The client, for those in whose scope it is; anybody else meets 404."""
    visible = Client.objects.visible_to(request.user)
    parent = visible.filter(pk=OuterRef("parent"))
    rows = visible.annotate(parent_open=Exists(parent)).select_related(
        "parent", "industry", "province", "team", "manager"
    )
    return Dossier(get_object_or_404(rows, code=code), request.user, timezone.now())


def _page(request: StaffRequest, found: Dossier, name: str, more: dict[str, Any]) -> HttpResponse:
    context = {"section": "clients", "client": found.client, "found": found, "tab": name, **more}
    return render(request, f"cxportal/{name}.html", context)
