"""What came in and did not count: how many answers of one item, for which reason."""

from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet

from bank import scope
from bank.models import ApiKey, User
from clients.models import MilestoneType
from metrics.facts.where import Where
from metrics.formulas.parameters import DEFAULT
from metrics.formulas.periods import Bounds
from surveys import attribution
from surveys.models import Answer, Question, Response
from surveys.models.response import ResponseQuerySet

NPS, COMPOSITE, CES = "nps", "csat", "ces"
DIMENSIONS = tuple(name for name, _weight in DEFAULT.csat.weights)
_VALID = Q(value__gte=F("question__lo"), value__lte=F("question__hi"))


@dataclass(frozen=True)
class Exclusions:
    """Responses of a window and what became of one item in them, every one counted once.

    `standing` of them count as such; of these `valid` hold a valid value, the rest do not
    because of one of the reasons. `replaced` valid ones gave way to a later one of the same
    person.
    """

    received: int
    test: int
    corrected: int
    retracted: int
    not_asked: int
    skipped: int
    not_applicable: int
    other_scale: int
    invalid: int
    valid: int

    def replaced(self, counted: int) -> int:
        """Valid answers that gave way to a later one, when so many counted."""
        return max(self.valid - counted, 0)


def of(item: str, window: Bounds, population: str, where: Where) -> Exclusions:
    """Count the item's answers by what became of them; three queries."""
    responses = received(window, population, where)
    asked_in = Question.objects.filter(_of_item(item)).values("version")
    stands = Q(retracted_at__isnull=True, is_test=False)
    gone = Q(retracted_at__isnull=False, is_test=False)
    found = responses.aggregate(
        received=Count("pk", distinct=True),
        test=Count("pk", filter=Q(is_test=True), distinct=True),
        corrected=Count("pk", filter=gone & Q(replaced_by__isnull=False), distinct=True),
        retracted=Count("pk", filter=gone & Q(replaced_by__isnull=True), distinct=True),
        standing=Count("pk", filter=stands, distinct=True),
        asked=Count("pk", filter=stands & Q(version__in=asked_in), distinct=True),
    )
    held = _held(item, responses.filter(stands))
    told = sum(held.values())
    return Exclusions(
        received=found["received"],
        test=found["test"],
        corrected=found["corrected"],
        retracted=found["retracted"],
        not_asked=found["standing"] - found["asked"],
        skipped=max(found["asked"] - told, 0),
        **held,
    )


def _held(item: str, responses: QuerySet[Response]) -> dict[str, int]:
    """The answers there are, by what they hold; the composite is judged by response."""
    answers = Answer.objects.filter(_of_item(item, "question__"), response__in=responses)
    core = Q(question__lo=DEFAULT.csat.lo, question__hi=DEFAULT.csat.hi)
    on_scale = core if item in {COMPOSITE, *DIMENSIONS} else Q()
    if item == COMPOSITE:
        return _composites(answers, on_scale)
    counted = answers.aggregate(
        valid=Count("pk", filter=on_scale & _VALID),
        not_applicable=Count("pk", filter=Q(na=True)),
        other_scale=Count("pk", filter=~on_scale & Q(na=False, value__isnull=False))
        if on_scale
        else Count("pk", filter=Q(pk__isnull=True)),
        invalid=Count("pk", filter=on_scale & Q(value__isnull=False) & ~_VALID),
    )
    return {name: int(count) for name, count in counted.items()}


def _composites(answers: QuerySet[Answer], on_scale: Q) -> dict[str, int]:
    """By response: enough valid dimensions, or all that is there is not applicable."""
    by_response = answers.values("response").annotate(
        good=Count("pk", filter=on_scale & _VALID), na_=Count("pk", filter=Q(na=True))
    )
    rows = list(by_response.values_list("good", "na_"))
    valid = sum(good >= DEFAULT.csat.min_dims for good, _na in rows)
    empty = sum(good == 0 and na > 0 for good, na in rows)
    return {"valid": valid, "not_applicable": empty, "other_scale": 0, "invalid": 0}


def received(window: Bounds, population: str, where: Where) -> ResponseQuerySet:
    """Every response of a window and population, whatever became of it."""
    return Response.objects.filter(
        conditions(where),
        submitted_at__gte=window.start,
        submitted_at__lt=window.end,
        version__questionnaire__kind=population,
    )


def singles(
    viewer: User | ApiKey, item: str, window: Bounds, population: str, where: Where
) -> QuerySet[Answer]:
    """The valid answers to an item that this viewer may see one by one, newest first."""
    of_item = _of_item(COMPOSITE if item == COMPOSITE else item, "question__")
    return (
        Answer.objects.filter(
            of_item,
            _VALID,
            scope.clients_of(viewer, "response__client__"),
            attribution.may_see(viewer, "response__"),
            response__in=received(window, population, where).standing(),
        )
        .select_related("question", "response__client", "response__contact", "response__version")
        .order_by("-response__submitted_at", "-response_id", "question__position")
    )


def _of_item(item: str, prefix: str = "") -> Q:
    """Questions that ask this item."""
    csat = {f"{prefix}type": Question.Type.CSAT, f"{prefix}csat_core": True}
    if item == COMPOSITE:
        return Q(**csat, **{f"{prefix}dimension__in": DIMENSIONS})
    if item in DIMENSIONS:
        return Q(**csat, **{f"{prefix}dimension": item})
    return Q(**{f"{prefix}type": Question.Type.CES if item == CES else Question.Type.NPS})


def conditions(where: Where) -> Q:
    """The same cut as `where.conditions` makes, over responses."""
    pairs = {
        "version__questionnaire_id": where.questionnaire,
        "invitation__campaign_id": where.campaign,
        "invitation__case__product__family": where.product_family,
        "contact__buying_role": where.buying_role,
        "client__segment": where.segment,
        "client__size": where.size,
    }
    found = Q(**{path: value for path, value in pairs.items() if value is not None})
    if where.stage is not None:
        found &= _of_stage(where.stage)
    if where.industry is not None:
        name = "section" if where.industry.isalpha() else "code"
        found &= Q(**{f"client__industry__{name}": where.industry})
    if where.team is not None:
        found &= Q(client__team__in=scope.teams_below(where.team))
    if where.clients is not None:
        found &= Q(client__in=where.clients) | Q(client__merged_into__in=where.clients)
    return found


def _of_stage(code: str) -> Q:
    """A milestone that enters the stage itself, or one that usually falls into it."""
    falls = MilestoneType.objects.filter(stage=code).values("code")
    elsewhere = (
        MilestoneType.objects.filter(stage__isnull=False).exclude(stage=code).values("code")
    )
    path = "invitation__milestone__code"
    entered = Q(**{path: code}) & ~Q(**{f"{path}__in": elsewhere})
    return entered | Q(**{f"{path}__in": falls})
