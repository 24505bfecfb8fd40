"""Single answers that a page may show, as far as the promise given with the question allows."""

from collections.abc import Iterable
from dataclasses import dataclass

from bank.models import ApiKey, User
from clients.models import Contact
from surveys import attribution
from surveys.models import Answer, Question, Response

DETRACTOR_TO = 6


@dataclass(frozen=True)
class LowScore:
    """A detractor's answer that this viewer may read, with the reason if one was written.

    `contact` is None where the promise does not let the person be named.
    """

    response: Response
    score: int
    reason: str
    contact: Contact | None


def low_scores(viewer: User | ApiKey, *, limit: int = 5) -> list[LowScore]:
    """The latest detractors in the viewer's scope, as far as attribution allows; two queries."""
    readable = Response.objects.visible_to(viewer).standing().filter(attribution.may_see(viewer))
    found = list(
        Answer.objects.filter(
            response__in=readable, question__type=Question.Type.NPS, value__lte=DETRACTOR_TO
        )
        .select_related("response__client", "response__contact", "response__version")
        .order_by("-response__submitted_at", "-response_id")[:limit]
    )
    reasons = _reasons(answer.response_id for answer in found)
    return [
        LowScore(
            answer.response,
            answer.value or 0,
            reasons.get(answer.response_id, ""),
            answer.response.contact if attribution.names_person(viewer, answer.response) else None,
        )
        for answer in found
    ]


def _reasons(response_ids: Iterable[int]) -> dict[int, str]:
    """The first text of each response, by the order of the questions."""
    rows = (
        Answer.objects.filter(response__in=list(response_ids))
        .exclude(text="")
        .filter(question__type=Question.Type.TEXT)
        .order_by("-question__position", "-pk")
        .values_list("response_id", "text")
    )
    return dict(rows)
