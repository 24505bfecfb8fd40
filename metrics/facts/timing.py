"""Answers that came of themselves, and those that came after a reminder."""

from django.db.models import Count, Exists, OuterRef, Q

from metrics.facts import exclusions
from metrics.facts.where import Where
from metrics.formulas.answers import Counts
from metrics.formulas.periods import Bounds
from surveys.models import Answer, Delivery, Question


def by_reminder(window: Bounds, population: str, where: Where) -> dict[bool, tuple[Counts, int]]:
    """Recommend answers by whether a reminder had gone before, and their clients; one query."""
    reminded = Delivery.objects.filter(
        invitation=OuterRef("response__invitation"),
        kind=Delivery.Kind.REMINDER,
        state__in=[Delivery.State.SENT, Delivery.State.DELIVERED],
        sent_at__lte=OuterRef("response__submitted_at"),
    )
    found = (
        Answer.objects.filter(
            question__type=Question.Type.NPS,
            value__gte=0,
            value__lte=10,
            response__invitation__isnull=False,
            response__in=exclusions.received(window, population, where).standing(),
        )
        .annotate(late=Exists(reminded))
        .values_list("late")
        .annotate(
            d=Count("pk", filter=Q(value__lte=6)),
            s=Count("pk", filter=Q(value__gte=7, value__lte=8)),
            p=Count("pk", filter=Q(value__gte=9)),
            clients=Count("response__client", distinct=True),
        )
    )
    return {late: (Counts(d, s, p), clients) for late, d, s, p, clients in found}
