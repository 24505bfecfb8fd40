"""The list of responses and one response."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from bank import formats
from bank.http import StaffRequest, only_reads, role_required
from bank.models import Team
from clients.models import Client, Stage
from cxportal import listing
from cxportal.queries import overview
from cxportal.queries import responses as queries
from surveys import attribution, words
from surveys.models import Campaign, Invitation, Questionnaire, Response

RANGES = ("0-6", "7-8", "9-10")


@only_reads
@role_required()
def response_list(request: StaffRequest) -> HttpResponse:
    """List the responses in scope; what the promise hides is listed without its answers."""
    campaigns = _campaigns(request)
    titles = {row.key: row.title for row in Questionnaire.objects.order_by("key")}
    filters = _filters(request, campaigns, titles)
    found = queries.with_answers(queries.found(request.user, filters))
    page = listing.page_of(found, request.GET.get("page"))
    context = {
        "section": "responses",
        "page": page,
        "lines": queries.lines(page.object_list, request.user),
        "filters": filters,
        "score": listing.word(request.GET, "score", longest=5) if filters.scores else "",
        "ranges": [(one, one) for one in RANGES],
        "campaigns": campaigns.items(),
        "questionnaires": titles.items(),
        "chips": _chips(request, filters, campaigns, titles),
    }
    return render(request, "cxportal/responses.html", context)


@only_reads
@role_required()
def response(request: StaffRequest, response_id: str) -> HttpResponse:
    """Show one response: its answers as far as they were promised to this viewer."""
    found = get_object_or_404(
        Response.objects.visible_to(request.user).select_related(
            "client", "contact", "version__questionnaire", "invitation__campaign"
        ),
        response_id=response_id,
    )
    withdrawn = found.retracted_at is not None and not hasattr(found, "replaced_by")
    context = {
        "section": "responses",
        "response": found,
        "open": attribution.sees(request.user, found) and not withdrawn,
        "withdrawn": withdrawn,
        "named": attribution.names_person(request.user, found),
        "items": [] if withdrawn else queries.items(found, request.user),
        "history": queries.history(found),
        "doubted": Response.objects.doubted().filter(pk=found.pk).exists(),
        "visits": [(hit, words.judgement(hit)) for hit in queries.visits(found, request.user)],
    }
    return render(request, "cxportal/response.html", context)


def _campaigns(request: StaffRequest) -> dict[int, str]:
    """Campaigns that asked somebody in the viewer's scope."""
    asked = Invitation.objects.visible_to(request.user).values("campaign")
    rows = Campaign.objects.filter(pk__in=asked).order_by("-created_at", "-pk")[:200]
    return {row.pk: row.name for row in rows}


def _filters(
    request: StaffRequest, campaigns: dict[int, str], titles: dict[str, str]
) -> queries.Filters:
    campaign = listing.one_of(
        request.GET, "campaign", lambda v: v.isdecimal() and len(v) < 10 and int(v) in campaigns
    )
    return queries.Filters(
        scores=listing.score_range(request.GET, "score"),
        campaign=int(campaign) if campaign else None,
        questionnaire=listing.one_of(request.GET, "questionnaire", lambda v: v in titles),
        since=listing.day(request.GET, "from"),
        until=listing.day(request.GET, "to"),
        q=listing.word(request.GET, "q"),
        client=listing.word(request.GET, "client"),
        kind=listing.one_of(request.GET, "kind", lambda v: v in Questionnaire.Kind.values),
        stage=listing.one_of(request.GET, "stage", lambda v: v in _stages()),
        segment=listing.one_of(request.GET, "segment", lambda v: v in Client.Segment.values),
        team=_team(request),
    )


def _stages() -> dict[str, str]:
    """The names of the stages by code."""
    return {stage.code: stage.name for stage in Stage.objects.order_by("-case_kind", "-position")}


def _team(request: StaffRequest) -> Team | None:
    """The team asked for, as far as the viewer may choose it; anything else counts as not set."""
    code = listing.word(request.GET, "team")
    if not code:
        return None
    return next((team for team in overview.teams(request.user) if team.code == code), None)


def _chips(
    request: StaffRequest,
    filters: queries.Filters,
    campaigns: dict[int, str],
    titles: dict[str, str],
) -> list[listing.Chip]:
    """The filters in force, in words."""
    words = {
        "q": (_("Search"), filters.q),
        "client": (_("Client"), filters.client),
        "score": (_("Rating"), request.GET.get("score", "") if filters.scores else ""),
        "campaign": (_("Campaign"), campaigns.get(filters.campaign or 0, "")),
        "questionnaire": (_("Questionnaire"), titles.get(filters.questionnaire, "")),
        "kind": (_("Kind of survey"), _label(Questionnaire.Kind.choices, filters.kind)),
        "stage": (_("Stage"), _stages().get(filters.stage, "") if filters.stage else ""),
        "segment": (_("Line"), _label(Client.Segment.choices, filters.segment)),
        "team": (_("Team"), filters.team.name if filters.team else ""),
        "from": (_("From"), formats.day(filters.since) if filters.since else ""),
        "to": (_("To"), formats.day(filters.until) if filters.until else ""),
    }
    return [listing.Chip(key, label, value) for key, (label, value) in words.items() if value]


def _label(choices: list[tuple[str, Any]], value: str) -> str:
    return str(dict(choices).get(value, ""))
