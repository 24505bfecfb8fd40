"""The list of cases and the page of one case."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _

from bank.http import StaffRequest, only_reads, role_required
from bank.models import User
from clients import queries
from clients.models import Case, CaseKind
from cxportal import listing
from cxportal.queries import activity, responses, stages
from surveys.models import Response


@only_reads
@role_required()
def case_list(request: StaffRequest) -> HttpResponse:
    """List the cases in scope, newest first, each with the days in its stage."""
    works = stages.clockwork(timezone.now())
    names = _stage_names(works)
    filters = {
        "q": listing.word(request.GET, "q"),
        "stage": listing.one_of(request.GET, "stage", lambda value: value in names),
        "kind": listing.one_of(request.GET, "kind", lambda value: value in CaseKind.values),
        "rm": listing.word(request.GET, "rm"),
        "late": listing.one_of(request.GET, "late", lambda value: value == "1"),
    }
    found = _found(request.user, filters, works)
    page = listing.page_of(found, request.GET.get("page"))
    managers = {user.username: user.display_name for user in queries.managers(request.user)}
    context = {
        "section": "cases",
        "page": page,
        "rows": stages.progress_of(list(page.object_list), works),
        "filters": filters,
        "managers": managers.items(),
        "kinds": CaseKind.choices,
        "stages": sorted(names.items(), key=lambda item: str(item[1])),
        "chips": _chips(filters, names, managers),
    }
    return render(request, "cxportal/cases.html", context)


@only_reads
@role_required()
def case(request: StaffRequest, number: str) -> HttpResponse:
    """Show one case: its stages against the days promised, milestones, answers about it."""
    at = timezone.now()
    found = get_object_or_404(
        Case.objects.visible_to(request.user).select_related("client", "product", "manager"),
        number=number,
    )
    works = stages.clockwork(at)
    progress = stages.progress_of([found], works)[0]
    related = (
        Response.objects.visible_to(request.user)
        .standing()
        .filter(invitation__case=found)
        .order_by("-submitted_at", "-pk")
    )
    context = {
        "section": "cases",
        "case": found,
        "progress": progress,
        "milestones": stages.reached(progress, works, activity.milestone_names()),
        "lines": responses.lines(responses.with_answers(related)[:50], request.user),
    }
    return render(request, "cxportal/case.html", context)


def _found(viewer: User, filters: dict[str, str], works: stages.Clockwork) -> Any:
    found = Case.objects.visible_to(viewer)
    if filters["q"]:
        found = found.filter(stages.named(filters["q"]))
    if filters["stage"]:
        found = found.filter(stage=filters["stage"])
    if filters["kind"]:
        found = found.filter(kind=filters["kind"])
    if filters["rm"]:
        found = found.filter(client__manager__username=filters["rm"])
    if filters["late"]:
        found = stages.late_cases(found, works)
    return found.select_related("client", "client__manager", "product").order_by(
        "-opened_on", "-pk"
    )


def _stage_names(works: stages.Clockwork) -> dict[str, str]:
    return {code: stage.name for (_kind, code), stage in works.stages.items()}


def _chips(
    filters: dict[str, str], names: dict[str, str], managers: dict[str, str]
) -> list[listing.Chip]:
    """The filters in force, in words."""
    words = {
        "q": (_("Search"), filters["q"]),
        "stage": (_("Stage"), names.get(filters["stage"], "")),
        "kind": (_("Kind"), dict(CaseKind.choices).get(filters["kind"], "")),
        "rm": (_("Manager"), managers.get(filters["rm"], filters["rm"])),
        "late": (_("Pace"), _("late") if filters["late"] else ""),
    }
    return [listing.Chip(key, label, str(value)) for key, (label, value) in words.items() if value]
