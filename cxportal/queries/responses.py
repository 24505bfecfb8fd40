"""Responses as a page may show them: the promise made with each questionnaire is kept here."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Prefetch, Q

from bank import scope
from bank.models import Team, User, in_language
from clients.models import MilestoneType, Stage
from surveys import attribution, questionnaires
from surveys.models import Answer, Hit, Question, Response
from surveys.models.response import ResponseQuerySet

# More are nobody's reading: a gateway that came back each day.
VISITS = 100
_TOP = 4  # of the five steps of satisfaction
_SHOWN = (Question.Type.NPS, Question.Type.TEXT, Question.Type.CSAT)
# What a list never shows: it would be read, and parsed, for every line.
_LONG = (
    *(f"version__{name}" for name in ("intro_zh", "intro_en", "closing_zh", "closing_en")),
    *(f"version__{name}" for name in ("emails", "variables")),
    "invitation__variables",
    *(f"invitation__campaign__{name}" for name in ("audience", "role_shares", "pause_reason")),
)


@dataclass(frozen=True)
class Line:
    """One response in a list: not `open` hides its answers, not `named` its person."""

    response: Response
    open: bool
    named: bool
    score: int | None
    satisfaction: int | None
    comment: str

    @property
    def name(self) -> str:
        """Who answered, where it may be told."""
        contact = self.response.contact
        return contact.name if self.named and contact else ""


@dataclass(frozen=True)
class Item:
    """One question of a response with its answer in words."""

    question: Question
    text: str
    value: int | None
    words: str
    is_text: bool
    group: str


@dataclass(frozen=True)
class Filters:
    """What the list of responses may be narrowed to."""

    scores: tuple[int, int] | None = None
    campaign: int | None = None
    questionnaire: str = ""
    since: date | None = None
    until: date | None = None
    q: str = ""
    client: str = ""
    kind: str = ""
    stage: str = ""
    segment: str = ""
    team: Team | None = None


def found(viewer: User, filters: Filters) -> ResponseQuerySet:
    """Standing responses in scope, newest first; a filter on answers meets open ones only."""
    rows = Response.objects.visible_to(viewer).standing()
    if filters.scores:
        rows = scored(rows, viewer, *filters.scores)
    if filters.campaign is not None:
        rows = rows.filter(invitation__campaign=filters.campaign)
    if filters.questionnaire:
        rows = rows.filter(version__questionnaire__key=filters.questionnaire)
    rows = _narrowed(rows, filters)
    if filters.client:
        rows = rows.filter(client__code=filters.client)
    if filters.since:
        rows = rows.filter(submitted_at__gte=_midnight(filters.since))
    if filters.until:
        rows = rows.filter(submitted_at__lt=_midnight(filters.until + timedelta(days=1)))
    if filters.q:
        rows = rows.filter(_words(viewer, filters.q))
    return rows.order_by("-submitted_at", "-pk")


def _narrowed(rows: ResponseQuerySet, filters: Filters) -> ResponseQuerySet:
    """The filters by which a cell of the overview is opened."""
    if filters.kind:
        rows = rows.filter(version__questionnaire__kind=filters.kind)
    if filters.segment:
        rows = rows.filter(client__segment=filters.segment)
    if filters.team:
        rows = rows.filter(client__team__in=scope.teams_below(filters.team.pk))
    if filters.stage:
        rows = rows.filter(_judges(filters.stage))
    return rows


def _judges(stage: str) -> Q:
    """Answers about a stage, as the figures cut them: that of the milestone which asked.

    A milestone that is a stage of its kind of case speaks of itself; any other of the stage it
    usually falls into.
    """
    own = Stage.objects.filter(
        code=OuterRef("invitation__milestone__code"),
        case_kind=OuterRef("invitation__milestone__case__kind"),
    )
    usual = MilestoneType.objects.filter(stage=stage).values("code")
    falls = ~Exists(own) & Q(invitation__milestone__code__in=usual)
    return Q(Exists(own.filter(code=stage))) | falls


def scored(rows: ResponseQuerySet, viewer: User, low: int, high: int) -> ResponseQuerySet:
    """Only responses whose rating lies in the range and may be seen by this viewer."""
    ratings = Answer.objects.filter(
        response=OuterRef("pk"), question__type=Question.Type.NPS, value__range=(low, high)
    )
    return rows.filter(attribution.may_see(viewer)).filter(Exists(ratings))


def low_scores(viewer: User, *, team: Team | None, limit: int = 5) -> list[Line]:
    """The latest ratings from 0 to 6 in scope, with their words."""
    rows = scored(Response.objects.visible_to(viewer).standing(), viewer, 0, 6)
    if team:
        # Numbers, not a second search of the tree, which leads the planner astray.
        below = list(scope.teams_below(team.pk).values_list("pk", flat=True))
        rows = rows.filter(client__team__in=below)
    # Found first, then read: so many tables at once cost the planner more than the reading.
    newest = list(rows.order_by("-submitted_at", "-pk").values_list("pk", flat=True)[:limit])
    known = Response.objects.filter(pk__in=newest).order_by("-submitted_at", "-pk")
    return lines(with_answers(known), viewer)


def satisfied(lines: Iterable[Line], since: datetime) -> dict[str, dict[str, int]]:
    """Answers of 4 or 5, and all answers, on the three core dimensions; by kind of survey.

    For bases too small for a share: only single answers that this viewer may see are counted.
    """
    counted: dict[str, dict[str, int]] = {}
    for line in lines:
        if not line.open or line.response.submitted_at < since:
            continue
        answers: list[Answer] = line.response.listed  # type: ignore[attr-defined]
        values = [row.value for row in answers if row.core and row.value is not None]  # type: ignore[attr-defined]
        if values:
            kind = line.response.version.questionnaire.kind
            known = counted.setdefault(kind, {"n": 0, "top": 0})
            known["n"] += len(values)
            known["top"] += sum(value >= _TOP for value in values)
    return counted


def with_answers(rows: ResponseQuerySet) -> ResponseQuerySet:
    """The rows with all that a list shows, in a fixed number of queries; no long texts."""
    answers = (
        Answer.objects.filter(question__type__in=_SHOWN)
        .only("response", "value", "text")
        .annotate(type=F("question__type"), core=F("question__csat_core"))
        .order_by("question__position", "pk")
    )
    return (
        rows.select_related("client", "contact", "version__questionnaire", "invitation__campaign")
        .defer(*_LONG)
        .prefetch_related(Prefetch("answers", queryset=answers, to_attr="listed"))
    )


def lines(responses: Iterable[Response], viewer: User) -> list[Line]:
    """The responses as lines of a list; they come from `with_answers`."""
    return [_line(response, viewer) for response in responses]


def items(response: Response, viewer: User) -> list[Item]:
    """Every answer in the order of the questionnaire; nothing when the promise forbids it."""
    if not attribution.sees(viewer, response):
        return []
    answers = response.answers.select_related("question").order_by("question__position", "pk")
    values = _variables(response)
    return [_item(answer, values) for answer in answers]


def _variables(response: Response) -> dict[str, Any]:
    """What the questions named when they were asked, in the reader's language."""
    planned = response.invitation.variables if response.invitation else {}
    spoken = questionnaires.spoken(response.version, planned, in_language("zh", "en"))
    return spoken | {"bank_name": in_language(settings.BANK_NAME_ZH, settings.BANK_NAME_EN)}


def history(response: Response) -> list[Response]:
    """All submissions by the same link, oldest first; a single one has no history."""
    if response.invitation_id is None:
        return []
    rows = Response.objects.filter(invitation=response.invitation_id)
    found_rows = list(rows.order_by("submitted_at", "pk"))
    return found_rows if len(found_rows) > 1 else []


def visits(response: Response, viewer: User) -> list[Hit]:
    """Who followed the links of this invitation, oldest first, where persons may be named."""
    if response.invitation_id is None or not attribution.names_person(viewer, response):
        return []
    rows = Hit.objects.visible_to(viewer).filter(invitation=response.invitation_id)
    return list(rows.select_related("ruled_by").order_by("at", "pk")[:VISITS])


def _line(response: Response, viewer: User) -> Line:
    open_ = attribution.sees(viewer, response)
    answers: list[Answer] = response.listed if open_ else []  # type: ignore[attr-defined]
    comments = [answer.text for answer in answers if answer.text]
    return Line(
        response,
        open_,
        attribution.names_person(viewer, response),
        _first(answers, Question.Type.NPS),
        _first(answers, Question.Type.CSAT),
        comments[0] if comments else "",
    )


def _first(answers: list[Answer], kind: str) -> int | None:
    values = [row.value for row in answers if row.type == kind and row.value is not None]  # type: ignore[attr-defined]
    return values[0] if values else None


def _words(viewer: User, words: str) -> Q:
    """Search in names of clients, and in people and comments as far as they may be seen."""
    comments = Answer.objects.filter(response=OuterRef("pk"), text__icontains=words)
    inside = Q(contact__name__icontains=words) | Q(Exists(comments))
    return (
        Q(client__name_zh__icontains=words)
        | Q(client__name_en__icontains=words)
        | Q(client__code__icontains=words)
        | (attribution.may_see(viewer) & inside)
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), settings.ZONE)


def _item(answer: Answer, values: dict[str, Any]) -> Item:
    question = answer.question
    is_text = question.type == Question.Type.TEXT
    group = ""
    if question.type == Question.Type.NPS and answer.value is not None:
        group = "nps"
    return Item(
        question,
        questionnaires.fill(in_language(question.text_zh, question.text_en), values),
        answer.value,
        answer.text if is_text else _spoken(answer),
        is_text,
        group,
    )


def _spoken(answer: Answer) -> str:
    """The answer's label: of the scale, or of the options chosen."""
    question = answer.question
    if answer.choices:
        names = {str(option["value"]): option for option in question.options}
        chosen = [_label(names.get(str(code)), str(code)) for code in answer.choices]
        return "; ".join(chosen)
    key = "na" if answer.na else str(answer.value)
    return _label(question.labels.get(key), answer.text)


def _label(both: dict[str, Any] | None, otherwise: str) -> str:
    return in_language(both.get("zh", ""), both.get("en", "")) if both else otherwise
