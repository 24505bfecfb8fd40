"""Who was asked, and what became of it: invitations that were sent, with their outcome."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db.models import Count, Q

from metrics.formulas import responding
from surveys.models import Invitation, Question, Response

Outcome = Literal["i", "p", "r", "nc"]
_OF_COMPLETION: dict[responding.Completion, Outcome] = {
    "complete": "i",
    "partial": "p",
    "breakoff": "r",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One invitation that left the house. Outcomes are those of AAPOR (metrics-spec 6.1)."""

    client: int
    population: str
    campaign: int | None
    at: datetime
    outcome: Outcome


def by_client(client_ids: Iterable[int] | None = None) -> dict[int, list[Request]]:
    """The requests to each client; three queries however many.

    Opened and left is a refusal, never opened no contact; both stay in the base.
    """
    found = Invitation.objects.filter(sent_at__isnull=False)
    if client_ids is not None:
        found = found.filter(client__in=list(client_ids))
    done = _completions(client_ids)
    held: dict[int, list[Request]] = {}
    rows = found.order_by("client_id", "id").values_list(
        "id", "client_id", "version__questionnaire__kind", "campaign_id", "sent_at", "opened_at"
    )
    for key, client, population, campaign, sent_at, opened_at in (
        rows.iterator(chunk_size=5000) if client_ids is None else rows
    ):
        if sent_at is not None:
            outcome = done.get(key) or ("nc" if opened_at is None else "r")
            held.setdefault(client, []).append(
                Request(client, population, campaign, sent_at, outcome)
            )
    return held


def _completions(client_ids: Iterable[int] | None) -> dict[int, Outcome]:
    """How complete each standing response by invitation is, by the applicable questions.

    A conditional question counts as asked where it was answered: those left empty are all
    optional, and whether they were on the page cannot be told from the stored rows.
    """
    found = Response.objects.standing().filter(invitation__isnull=False)
    if client_ids is not None:
        found = found.filter(client__in=list(client_ids))
    always = Q(answers__question__show_if__isnull=True)
    scored = Q(answers__question__type=Question.Type.NPS, answers__value__isnull=False)
    asked = _always_asked()
    done: dict[int, Outcome] = {}
    for invitation, version, plain, conditional, core in found.values_list(
        "invitation_id", "version_id"
    ).annotate(
        plain=Count("answers", filter=always),
        conditional=Count("answers", filter=~always),
        core=Count("answers", filter=scored),
    ):
        questions, recommend = asked.get(version, (0, 0))
        verdict = responding.completion(
            answered=plain + conditional,
            asked=questions + conditional,
            core_answered=core,
            core_asked=recommend,
        )
        done[invitation or 0] = _OF_COMPLETION[verdict]
    return done


def _always_asked() -> dict[int, tuple[int, int]]:
    """By version: questions without a condition, and recommend questions."""
    return {
        version: (plain, recommend)
        for version, plain, recommend in Question.objects.values_list("version_id").annotate(
            plain=Count("id", filter=Q(show_if__isnull=True)),
            recommend=Count("id", filter=Q(type=Question.Type.NPS)),
        )
    }
