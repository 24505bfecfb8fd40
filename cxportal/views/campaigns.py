"""The list of campaigns and what came of one of them; campaigns are made in the admin."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _

from bank.http import StaffRequest, only_reads, role_required
from bank.models import Role, User
from cxportal import charts, course, listing
from cxportal.cards import card
from cxportal.queries import campaigns as queries
from cxportal.queries import funnel, overview
from metrics.queries import Figure
from surveys import words
from surveys.models import Campaign
from surveys.queries import Funnel, campaigns, is_whole_to
from surveys.queries import funnel as counted


@only_reads
@role_required()
def campaign_list(request: StaffRequest) -> HttpResponse:
    """List the campaigns that concern the viewer's clients, newest first."""
    status = listing.one_of(request.GET, "status", lambda value: value in Campaign.Status.values)
    q = listing.word(request.GET, "q")
    found = campaigns(request.user)
    found = found.filter(status=status) if status else found
    found = found.filter(name__icontains=q) if q else found
    page = listing.page_of(found, request.GET.get("page"))
    label = str(dict(Campaign.Status.choices).get(status, ""))
    chips = [
        listing.Chip("q", _("Search"), q),
        listing.Chip("status", _("Status"), label),
    ]
    context = {
        "section": "campaigns",
        "page": page,
        "rows": queries.lines(list(page.object_list), request.user, at=timezone.now()),
        "q": q,
        "status": status,
        "statuses": Campaign.Status.choices,
        "chips": [chip for chip in chips if chip.value],
        "may_make": _may_make(request.user),
    }
    return render(request, "cxportal/campaigns.html", context)


@only_reads
@role_required()
def campaign(request: StaffRequest, pk: int) -> HttpResponse:
    """Show what came of one campaign: funnel and lists in scope, figures of the whole."""
    at = timezone.now()
    found = get_object_or_404(campaigns(request.user), pk=pk)
    whole = is_whole_to(request.user, found)
    funnel_ = counted(found, viewer=request.user)
    context = {
        "section": "campaigns",
        "campaign": found,
        "tone": queries.tone(found),
        "why_paused": words.pause(found.pause_reason),
        "whole": whole,
        "audience": words.audience(found.audience) if whole else "",
        "may_make": _may_make(request.user),
        "funnel": funnel_,
        "steps": funnel.steps(funnel_),
        "held": sum(funnel_.skipped.values()),
        "not_asked": queries.not_asked(funnel_),
        "at": at,
    }
    if funnel_.sent:
        context |= _results(found, funnel_, request.user, at)
    return render(request, "cxportal/campaign.html", context)


def _may_make(viewer: User) -> bool:
    return viewer.role == Role.ADMINISTRATOR or viewer.is_superuser


def _results(found: Campaign, funnel_: Funnel, viewer: User, at: datetime) -> dict[str, Any]:
    """The cards of a campaign that has sent something."""
    figures = card("figures", lambda: queries.figures(found, viewer, at=at))
    nps = figures.data["nps"] if figures.data else None
    return {
        "figures": figures,
        "nps": nps,
        "axis": _axis(nps) if nps else None,
        "parts": queries.stacked(nps) if nps else [],
        "dimensions": [
            (label, figures.data[name]) for name, label in overview.dimensions() if figures.data
        ],
        "course": card("course", lambda: _course(found, funnel_, viewer, at)),
        "teams": card("teams", lambda: queries.by_team(found, viewer, at=at)),
        "languages": card("languages", lambda: queries.by_language(found, viewer)),
        "comments": card("comments", lambda: queries.comments(found, viewer)),
        "failures": card("failures", lambda: queries.failures(found, viewer)),
        "listed": queries.LISTED,
    }


def _axis(fig: Figure) -> charts.Axis | None:
    if fig.value is None or fig.low is None or fig.high is None:
        return None
    return charts.axis(fig.value, fig.low, fig.high, overview.shared_domain([fig]))


def _course(found: Campaign, funnel_: Funnel, viewer: User, at: datetime) -> course.Course | None:
    """From the first mail to today or the end; nothing before anybody has answered."""
    first, reminder = queries.sent_and_reminded(found, viewer)
    if first is None or not funnel_.completed:
        return None
    ends = min(at, found.ended_at or found.closes_at).astimezone(settings.ZONE).date()
    answers = queries.answered_by_day(found, viewer)
    return course.course(answers, first=first, last=max(ends, first), reminder=reminder)
