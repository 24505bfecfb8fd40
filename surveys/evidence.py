"""Who or what opened a link: evidence only, never an answer and never an opt-out."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, Subquery

from surveys.models import Hit, Invitation

# What mail gateways, link checkers and scripts call themselves; the rest is taken for a person.
MACHINES = (
    "bot|crawl|spider|scan|preview|proxy|prefetch|monitor|check|fetch|curl|wget|python|java/"
    "|go-http|okhttp|libwww|headless|safelinks|mimecast|proofpoint|barracuda|symantec|facebookext"
)


def note_hit(  # noqa: PLR0913 - one row, one argument per column
    invitation: Invitation,
    *,
    page: str,
    method: str,
    at: datetime,
    address: str | None = None,
    agent: str = "",
    score: int | None = None,
) -> Hit:
    """Write down one opening of a link; the text of the visitor is cut to what a column holds."""
    printable = "".join(sign for sign in agent[:300] if sign.isprintable())
    return Hit.objects.create(
        invitation=invitation,
        page=page,
        method=method[:8],
        at=at,
        address=address or None,
        agent=printable,
        score=score,
    )


def persons(prefix: str = "") -> Q:
    """Hits that look like a person: a GET of the survey by something that is no known machine."""
    return (
        Q(
            **{f"{prefix}page": Hit.Page.SURVEY, f"{prefix}method": "GET"},
        )
        & ~Q(**{f"{prefix}agent": ""})
        & ~Q(**{f"{prefix}agent__iregex": MACHINES})
    )


def judge_visits() -> int:
    """Date the first opening by a person where it is missing; return how many were dated.

    Done apart from the visit, so that opening the page stays one read and one line of evidence.
    """
    visits = Hit.objects.filter(persons(), invitation=OuterRef("pk")).order_by("at", "id")
    waiting = Invitation.objects.filter(Exists(visits), opened_at__isnull=True)
    return waiting.update(opened_at=Subquery(visits.values("at")[:1]))
