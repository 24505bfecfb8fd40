"""Questionnaires and campaigns for machines and scripts."""

from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar, Protocol

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters.rest_framework import CharFilter, ChoiceFilter, FilterSet
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from bank.api.access import viewer
from bank.api.bodies import Empty, Strict
from bank.api.lists import LONGEST, NUMBER, find
from bank.api.resources import Conflict, Resource
from bank.cells import one_line
from bank.models import ApiKey, User
from surveys import audiences, campaigns, queries, questionnaires, tasks, waves
from surveys.models import Campaign, Question, Questionnaire, Version


class QuestionRow(serializers.Serializer[Question]):
    """One question in both languages, with its scale or choices and its condition."""

    key = serializers.CharField()
    type = serializers.ChoiceField(Question.Type.choices)
    dimension = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]
    text_zh = serializers.CharField()
    text_en = serializers.CharField()
    lo = serializers.IntegerField(allow_null=True)
    hi = serializers.IntegerField(allow_null=True)
    na_allowed = serializers.BooleanField()
    labels = serializers.JSONField()
    options = serializers.JSONField()
    max_choices = serializers.IntegerField(allow_null=True)
    max_length = serializers.IntegerField(allow_null=True)
    show_if = serializers.JSONField(allow_null=True)


class QuestionnaireRow(serializers.Serializer[Questionnaire]):
    """A questionnaire and the number of the version that would be asked now."""

    key = serializers.CharField()
    kind = serializers.ChoiceField(Questionnaire.Kind.choices)
    title_zh = serializers.CharField()
    title_en = serializers.CharField()
    is_active = serializers.BooleanField()
    version = serializers.IntegerField(source="current_number", allow_null=True)


class QuestionnairePage(QuestionnaireRow):
    """A questionnaire with the questions of its current version."""

    attribution = serializers.ChoiceField(
        Version.Attribution.choices, source="current.attribution", allow_null=True
    )
    minutes = serializers.IntegerField(source="current.minutes", allow_null=True)
    questions = QuestionRow(many=True, source="current_questions")


class CampaignRow(serializers.Serializer[Campaign]):
    """A campaign; whom it asks is told by its invitations, in scope."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    questionnaire = serializers.CharField(source="questionnaire.key")
    status = serializers.ChoiceField(Campaign.Status.choices)
    send_at = serializers.DateTimeField(allow_null=True)
    closes_at = serializers.DateTimeField()


class CampaignBody(Strict):
    """A draft of a campaign."""

    name = serializers.CharField(max_length=120, validators=[one_line])
    questionnaire = serializers.SlugRelatedField(
        slug_field="key", queryset=Questionnaire.objects.filter(is_active=True)
    )
    audience = serializers.DictField(required=False, default=dict)
    send_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    closes_at = serializers.DateTimeField()
    send_window = serializers.BooleanField(required=False, default=True)
    weeks = serializers.IntegerField(
        required=False,
        help_text="Over how many weeks the mails are spread, 1 to 26; without it, all at once.",
    )
    sample_share = serializers.DecimalField(
        max_digits=5,
        decimal_places=2,
        required=False,
        allow_null=True,
        help_text="Draw this share of those who may be asked, in percent: more than 0, up to 100.",
    )
    sample_size = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="Draw this number of those who may be asked; not with sample_share.",
    )
    sample_seed = serializers.IntegerField(
        required=False, allow_null=True, help_text="Draws the same people again; else by chance."
    )
    team_places = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="At most so many contacts of one team in one week; others go in a later week.",
    )
    role_shares = serializers.DictField(
        child=serializers.IntegerField(),
        required=False,
        help_text="How the places divide among decider, influencer and user; makes 100 percent.",
    )


class Blocked(Conflict):
    """The act does not fit the present state; a launch names what blocks it."""

    def __init__(self, error: campaigns.NotPossible) -> None:
        super().__init__()
        words = {
            "blocked": _("The pre-flight has blockers."),
            "wrong_status": _("The status of the campaign does not allow this."),
        }
        detail: Any = {"detail": words.get(error.code, str(self.default_detail))}
        if error.code == "blocked":
            detail["blockers"] = [asdict(note) for note in error.blockers]
        self.detail = detail


class Act(Protocol):
    """A step in the life of a campaign."""

    def __call__(self, campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> Campaign:
        """Take the step, or say why not."""


def _counts(name: str, fields: str, **more: Any) -> Any:
    """The schema of an answer that is a group of numbers."""
    numbers = {field: serializers.IntegerField() for field in fields.split()}
    return inline_serializer(name, numbers | more)


_NOTES = inline_serializer(
    "Note", {"code": serializers.CharField(), "text": serializers.CharField()}, many=True
)
_REASONS = serializers.DictField(child=serializers.IntegerField())
PREFLIGHT = _counts(
    "Preflight", "selected eligible", blockers=_NOTES, warnings=_NOTES, excluded=_REASONS
)
FUNNEL = _counts(
    "Funnel",
    "planned waiting sent failed unknown delivered opened started completed",
    skipped=_REASONS,
)


class QuestionnaireFilters(FilterSet):
    """Filters of the list of questionnaires."""

    kind = ChoiceFilter(choices=Questionnaire.Kind.choices)


class CampaignFilters(FilterSet):
    """Filters of the list of campaigns."""

    status = ChoiceFilter(choices=Campaign.Status.choices)
    questionnaire = CharFilter(field_name="questionnaire__key", max_length=LONGEST)


class Questionnaires(mixins.ListModelMixin, mixins.RetrieveModelMixin, Resource[Questionnaire]):
    """What is asked; the same for every caller."""

    queryset = Questionnaire.objects.none()
    serializer_class = QuestionnaireRow
    filterset_class = QuestionnaireFilters
    lookup_field = "key"

    def get_queryset(self) -> QuerySet[Questionnaire]:
        """Every questionnaire with the number of its newest published version."""
        newest = Version.objects.published().filter(questionnaire=OuterRef("pk"))
        number = Subquery(newest.order_by("-number").values("number")[:1])
        return Questionnaire.objects.annotate(current_number=number).order_by("key", "pk")

    @extend_schema(responses=QuestionnairePage)
    def retrieve(self, request: Request, key: str) -> Response:
        """Show a questionnaire with the questions of its current version."""
        line: Any = find(self.get_queryset(), key=key)
        line.current = questionnaires.current(line)
        held = line.current
        line.current_questions = questionnaires.questions(held) if held is not None else []
        return Response(QuestionnairePage(line).data)


class Campaigns(mixins.ListModelMixin, mixins.RetrieveModelMixin, Resource[Campaign]):
    """The waves of questions that concern the caller's clients."""

    queryset = Campaign.objects.none()
    serializer_class = CampaignRow
    filterset_class = CampaignFilters
    lookup_value_regex = NUMBER
    write_scope: ClassVar = "manage"

    def get_queryset(self) -> QuerySet[Campaign]:
        """Newest first."""
        return queries.campaigns(viewer(self.request))

    def get_object(self) -> Campaign:
        """Out of scope is as unknown as never heard of."""
        return find(self.get_queryset(), pk=self.kwargs["pk"])

    @extend_schema(request=CampaignBody, responses={201: CampaignRow})
    def create(self, request: Request) -> Response:
        """Make a draft."""
        body = CampaignBody(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            campaign = campaigns.plan(**body.validated_data, at=timezone.now(), by=viewer(request))
        except audiences.Unusable as error:
            raise serializers.ValidationError({"audience": error.errors}) from error
        except waves.Unusable as error:
            raise serializers.ValidationError(error.errors) from error
        return Response(CampaignRow(campaign).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=PREFLIGHT)
    @action(detail=True, methods=["get"])
    def preflight(self, request: Request, pk: str) -> Response:
        """Say what a launch now would meet, counted over the caller's part of the audience."""
        who = viewer(request)
        found = campaigns.preflight(self.get_object(), at=timezone.now(), viewer=who)
        return Response(asdict(found))

    @extend_schema(responses=FUNNEL)
    @action(detail=True, methods=["get"])
    def funnel(self, request: Request, pk: str) -> Response:
        """Count how far the caller's invitations have come."""
        counted = queries.funnel(self.get_object(), viewer=viewer(request))
        return Response(asdict(counted))

    @extend_schema(request=Empty, responses=CampaignRow)
    @action(detail=True, methods=["post"])
    def launch(self, request: Request, pk: str) -> Response:
        """Freeze the version, write every invitation and start sending."""
        answer = self._act(request, campaigns.launch)
        tasks.ring()
        return answer

    @extend_schema(request=Empty, responses=CampaignRow)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Hold what has not left yet."""
        return self._act(request, campaigns.pause)

    @extend_schema(request=Empty, responses=CampaignRow)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Go on where it was paused."""
        answer = self._act(request, campaigns.resume)
        tasks.ring()
        return answer

    @extend_schema(request=Empty, responses=CampaignRow)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> Response:
        """Send nothing more and close every link."""
        return self._act(request, campaigns.stop)

    def _whole(self, request: Request) -> Campaign:
        """The campaign, to whoever sees all whom it asks; others see their part of it only."""
        campaign = self.get_object()
        if not queries.is_whole_to(viewer(request), campaign):
            raise PermissionDenied
        return campaign

    def _act(self, request: Request, act: Act) -> Response:
        campaign = self._whole(request)
        Empty(data=request.data).is_valid(raise_exception=True)
        try:
            campaign = act(campaign, at=timezone.now(), by=viewer(request))
        except campaigns.NotPossible as error:
            raise Blocked(error) from error
        return Response(CampaignRow(campaign).data)
