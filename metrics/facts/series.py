"""Where a series breaks: a line of questions that asks in other words, or on another scale."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from metrics.facts.columns import COMPOSITE, DIMENSIONS, NPS
from metrics.formulas.periods import Bounds
from surveys.models import Question, Response, Version


def broken(metrics: Iterable[str], population: str, windows: tuple[Bounds, Bounds]) -> set[str]:
    """The metrics whose question was changed between two windows; two queries.

    Each line of questions is compared with itself: other lines may come and go.
    """
    asked = _asked(population, windows)
    questions = Question.objects.filter(
        Q(type__in=[Question.Type.NPS, Question.Type.CES])
        | Q(type=Question.Type.CSAT, csat_core=True),
        version__in=asked,
    )
    words: dict[tuple[int, str], tuple[set[object], set[object]]] = {}
    for question in questions.order_by("pk"):
        line, told = asked[question.version_id]
        sides = words.setdefault((line, _item(question)), (set(), set()))
        form = (question.text_zh, question.text_en, question.lo, question.hi, question.reversed)
        for side, there in zip(sides, told, strict=True):
            if there:
                side.add(form)
    items = {item for (_line, item), (one, two) in words.items() if one and two and one != two}
    return {metric for metric in metrics if _items_of(metric) & items}


def _asked(
    population: str, windows: tuple[Bounds, Bounds]
) -> dict[int, tuple[int, tuple[bool, bool]]]:
    """The versions that were answered in a window: their line, and in which of the two."""
    there = [
        Exists(
            Response.objects.filter(
                version=OuterRef("pk"),
                retracted_at__isnull=True,
                is_test=False,
                submitted_at__gte=window.start,
                submitted_at__lt=window.end,
            )
        )
        for window in windows
    ]
    found = Version.objects.filter(questionnaire__kind=population).annotate(
        early=there[0], late=there[1]
    )
    return {
        pk: (line, (early, late))
        for pk, line, early, late in found.values_list("pk", "questionnaire_id", "early", "late")
        if early or late
    }


def _item(question: Question) -> str:
    return question.dimension if question.type == Question.Type.CSAT else str(question.type)


def _items_of(metric: str) -> set[str]:
    if metric.startswith("nps") or metric in {"recommend_mean", "client_label"}:
        return {NPS}
    if metric == COMPOSITE:
        return set(DIMENSIONS)
    return {metric.removeprefix("csat_")}
