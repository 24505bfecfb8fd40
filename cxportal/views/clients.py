"""The list of clients and the page of one client."""

from datetime import timedelta

from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _

from bank.http import StaffRequest, only_reads, role_required
from clients import queries
from clients.models import Client
from cxportal import listing
from cxportal.queries import activity, people, responses, stages
from metrics.queries import client_means, figures
from surveys import governance
from surveys.models import Response

PERIOD = "rolling12m"
LINES = 100
EVENTS = 12


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


@only_reads
@role_required()
def client(request: StaffRequest, code: str) -> HttpResponse:
    """Show what is known of one client, to those in whose scope it is."""
    at = timezone.now()
    found = get_object_or_404(
        Client.objects.visible_to(request.user).select_related(
            "parent", "industry", "province", "team", "manager"
        ),
        code=code,
    )
    rows = responses.found(request.user, responses.Filters(client=found.code))
    lines = responses.lines(responses.with_answers(rows)[:LINES], request.user)
    sent = people.silent(found, at - timedelta(days=365))
    rules = governance.book()
    persons = people.of(found, lines, at=at, rules=rules)
    cases = list(found.cases.select_related("client", "product").order_by("-opened_on", "-pk"))
    works = stages.clockwork(at, rules.calendar)
    progress = stages.progress_of(cases, works)
    relational = figures("client", found.pk, period=PERIOD)
    context = {
        "section": "clients",
        "client": found,
        "figures": relational,
        "transactional": figures("client", found.pk, period=PERIOD, population="transactional"),
        "satisfied": responses.satisfied(rows, request.user, at - timedelta(days=365)),
        "people": persons,
        "rated": sum(person.answered for person in persons),
        "ratings": people.ratings(persons, lines, sent, at=at),
        "chart_start": at - timedelta(days=365),
        "at": at,
        "comments": [line for line in lines if line.comment][:4],
        "progress": progress,
        "open_cases": sum(case.closed_on is None for case in cases),
        "events": activity.of(found, progress, works, lines, sent)[:EVENTS],
        "last_line": lines[0] if lines else None,
        "last_sent": sent[0] if sent else None,
        "parent": Client.objects.visible_to(request.user).filter(subsidiaries=found).first()
        if found.parent_id
        else None,
    }
    return render(request, "cxportal/client.html", context)


def _chips(filters: dict[str, str], names: dict[str, str]) -> list[listing.Chip]:
    """The filters in force, in words."""
    words = {
        "q": (_("Search"), filters["q"]),
        "rm": (_("Manager"), names.get(filters["rm"], filters["rm"])),
        "status": (_("Status"), dict(Client.Status.choices).get(filters["status"], "")),
        "segment": (_("Segment"), dict(Client.Segment.choices).get(filters["segment"], "")),
    }
    return [listing.Chip(key, label, str(value)) for key, (label, value) in words.items() if value]
