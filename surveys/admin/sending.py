"""The progress of a campaign in the admin: on its page, and as JSON for whoever looks again."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone

from bank.admin.base import who
from surveys import progress, words
from surveys.models import Campaign


def standing(request: HttpRequest, campaign: Campaign, *, at: datetime) -> dict[str, Any]:
    """What the page shows of a campaign that was launched."""
    found = progress.of(campaign, viewer=who(request), at=at)
    kinds = progress.reasons()
    names = words.reasons()
    return {
        "original": campaign,
        "progress": found,
        "said": progress.said_of(found),
        "why_paused": words.pause(campaign.pause_reason),
        "bounced": [(kinds[kind], count) for kind, count in found.bounced.items()],
        "funnel": found.funnel,
        "excluded": [
            {"code": code, "name": names.get(code, code), "count": count}
            for code, count in found.funnel.skipped.items()
        ],
    }


def poll(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """The same as numbers, and as the piece of the page that shows them."""
    context = standing(request, campaign, at=timezone.now())
    found = context["progress"]
    piece = "admin/surveys/campaign/_progress_body.html"
    return JsonResponse(
        {
            "status": campaign.status,
            "running": found.running,
            "sent": found.sent,
            "to_send": found.to_send,
            "percent": found.percent,
            "rate": found.rate,
            "ends_at": found.ends_at,
            "bounced": found.bounced,
            "funnel": asdict(found.funnel),
            "said": context["said"],
            "html": render_to_string(piece, context, request),
        }
    )
