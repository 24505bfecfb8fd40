"""Responses and answers: evidence that is looked at and never typed."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bank.admin.base import ReadOnly, who
from bank.admin.coded import CodedFilter
from surveys import attribution, words
from surveys.models import Answer, Response

if TYPE_CHECKING:
    Rows = admin.TabularInline[Answer, Response]
else:
    Rows = admin.TabularInline


class AnswerRows(Rows):
    """The answers of one response in the order of the page."""

    model = Answer
    fields = readonly_fields = ("question", "value", "na", "text", "choices")
    ordering = ("question__position", "id")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Answer]:
        """Read the questions along."""
        return super().get_queryset(request).select_related("question")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse for everybody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse for everybody."""
        return False


class DoubtFilter(admin.SimpleListFilter):
    """Responses that a machine seems to have sent: they count, and a person looks at them."""

    title = _("sent by")
    parameter_name = "doubt"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """One choice beside all."""
        return [("1", _("possibly a machine"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Response]) -> QuerySet[Response]:
        """Those whose form was sent as programs send it."""
        doubted = Response.objects.doubted().values("pk")
        return queryset.filter(pk__in=doubted) if self.value() else queryset


@admin.register(Response)
class ResponseAdmin(ReadOnly):
    """What came back, as far as it was promised to the viewer."""

    coded: ClassVar = {"language": words.languages, "channel": words.channels}
    list_display = (
        "response_id",
        "client",
        "questionnaire",
        "submitted_at",
        "language",
        "channel",
        "retracted_at",
    )
    list_filter = (
        "version__questionnaire",
        ("channel", CodedFilter),
        ("language", CodedFilter),
        "is_test",
        DoubtFilter,
    )
    search_fields = ("response_id", "client__code", "client__name_zh", "client__name_en")
    date_hierarchy = "submitted_at"
    ordering = ("-submitted_at", "-id")
    inlines = (AnswerRows,)
    fields = (
        ("response_id", "submitted_at", "retracted_at"),
        ("client", "person", "questionnaire"),
        ("language", "channel", "revision", "is_test"),
        "replaces",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Response]:
        """Only what lies in the viewer's scope and was promised to them."""
        viewer = who(request)
        rows = Response.objects.visible_to(viewer).filter(attribution.may_see(viewer))
        return rows.select_related("client", "contact", "version__questionnaire")

    @admin.display(description=_("questionnaire"), ordering="version__questionnaire__key")
    def questionnaire(self, row: Response) -> str:
        """The questionnaire with the number of its version."""
        return f"{row.version.questionnaire.title} · {row.version.number}"

    @admin.display(description=_("contact"))
    def person(self, row: Response) -> str:
        """The contact; an anonymous response has one only where the person left it."""
        return "" if row.contact is None else str(row.contact)
