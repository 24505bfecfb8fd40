"""Questionnaires and their versions: a draft is edited, a published version is only read."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Max, Model, Q, QuerySet
from django.forms import JSONField, ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from bank.admin.base import Audited, who
from surveys import http, pages, questionnaires, reference, sheets
from surveys.models import Question, Questionnaire, Version

if TYPE_CHECKING:
    Rows = admin.TabularInline[Version, Questionnaire]
    Blocks = admin.StackedInline[Question, Version]
    Form = ModelForm[Version]
else:
    Rows, Blocks, Form = admin.TabularInline, admin.StackedInline, ModelForm


# The texts of one mail, as they are to be filled in.
MAIL = {
    f"{part}_{language}": ""
    for language in ("zh", "en")
    for part in ("subject", "preheader", "body")
}


class VersionRows(Rows):
    """The versions of a questionnaire, each with a link to its page."""

    model = Version
    fields = readonly_fields = ("number", "attribution", "minutes", "published_at")
    ordering = ("-number",)
    show_change_link = True
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse: a version is made on its own page, or from an earlier one."""
        return False


@admin.register(Questionnaire)
class QuestionnaireAdmin(Audited):
    """The lines of questioning."""

    audited = ("key", "kind", "is_active")
    list_display = ("key", "kind", "title_zh", "title_en", "is_active", "newest", "draft")
    list_filter = ("kind", "is_active")
    search_fields = ("key", "title_zh", "title_en")
    ordering = ("key",)
    inlines = (VersionRows,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Questionnaire]:
        """Count versions along, so that the list asks once whatever its length."""
        published = Q(versions__published_at__isnull=False)
        rows: QuerySet[Questionnaire] = super().get_queryset(request)
        return rows.annotate(
            newest_number=Max("versions__number", filter=published),
            drafts=Count("versions", filter=~published),
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> tuple[str, ...]:
        """Figures and imports name the key, and the kind is a population: both stay."""
        return ("key", "kind") if obj is not None else ()

    @admin.display(description=_("published version"), ordering="newest_number")
    def newest(self, row: Any) -> int | None:
        """The number that is asked now."""
        number: int | None = row.newest_number
        return number

    @admin.display(description=_("draft"), boolean=True, ordering="drafts")
    def draft(self, row: Any) -> bool:
        """Whether somebody is working on the next version."""
        return bool(row.drafts)


class QuestionBlocks(Blocks):
    """The questions in order, both languages side by side."""

    model = Question
    extra = 0
    ordering = ("position", "id")
    fields = (
        ("position", "key", "type"),
        ("text_zh", "text_en"),
        ("hint_zh", "hint_en"),
        ("required", "na_allowed", "csat_core", "dimension"),
        ("lo", "hi", "reversed", "labels"),
        ("options", "max_choices", "max_length"),
        "show_if",
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow in a draft only."""
        return _is_draft(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow in a draft only."""
        return _is_draft(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Allow in a draft only."""
        return _is_draft(obj) and super().has_delete_permission(request, obj)


class VersionForm(Form):
    """Refuses a second draft in words, and variables without a name."""

    emails = JSONField(label=capfirst(_("mails")), required=False)

    def clean_emails(self) -> dict[str, Any]:
        """A questionnaire that is not sent by mail has none."""
        emails: dict[str, Any] = self.cleaned_data["emails"] or {}
        return emails

    def clean_questionnaire(self) -> Questionnaire:
        """One draft at a time: two editors would publish past each other."""
        line: Questionnaire = self.cleaned_data["questionnaire"]
        others = line.versions.filter(published_at__isnull=True).exclude(pk=self.instance.pk)
        if others.exists():
            raise ValidationError(gettext("This questionnaire has a draft already."))
        return line

    def clean_variables(self) -> list[dict[str, Any]]:
        """Each variable is an object that says its name."""
        rows: Any = self.cleaned_data["variables"]
        named = isinstance(rows, list) and all(
            isinstance(row, dict) and isinstance(row.get("name"), str) for row in rows
        )
        if not named:
            raise ValidationError(gettext('A list of objects with a "name" is needed.'))
        result: list[dict[str, Any]] = rows
        return result


@admin.register(Version)
class VersionAdmin(Audited):
    """One wording in both languages; publishing freezes it."""

    form = VersionForm
    audited = ("number", "attribution", "minutes")
    change_form_template = "admin/surveys/version/change_form.html"
    list_display = ("questionnaire", "number", "status", "attribution", "minutes", "published_at")
    list_filter = (("published_at", admin.EmptyFieldListFilter), "attribution")
    list_select_related = ("questionnaire",)
    search_fields = ("questionnaire__key", "questionnaire__title_zh", "questionnaire__title_en")
    autocomplete_fields = ("questionnaire",)
    ordering = ("questionnaire__key", "-number", "id")
    inlines = (QuestionBlocks,)
    fields = (
        ("questionnaire", "number", "published_at"),
        ("attribution", "minutes"),
        ("intro_zh", "intro_en"),
        ("closing_zh", "closing_en"),
        "emails",
        "variables",
    )
    readonly_fields: ClassVar = ["number", "published_at"]

    @admin.display(description=_("status"))
    def status(self, row: Version) -> str:
        """Draft or published."""
        return gettext("published") if row.published_at else gettext("draft")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A published version is read, never changed."""
        return (obj is None or _is_draft(obj)) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A draft may be thrown away; what was published stays for ever."""
        return obj is not None and _is_draft(obj) and super().has_delete_permission(request, obj)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Start with the variables every mail needs."""
        return super().get_changeform_initial_data(request) | {
            "emails": {"invitation": MAIL, "reminder": MAIL},
            "variables": reference.usual_variables(),
        }

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The questionnaire of a version does not change once it exists."""
        return [*self.readonly_fields, *(["questionnaire"] if obj is not None else [])]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Give a new draft the next number."""
        if not change:
            obj.number = questionnaires.next_number(obj.questionnaire)
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        """Add the buttons and the preview to the addresses of a version."""
        view, name = self.admin_site.admin_view, "surveys_version_%s"
        return [
            path("<int:pk>/publish/", view(require_POST(self.publish)), name=name % "publish"),
            path("<int:pk>/draft/", view(require_POST(self.draft)), name=name % "draft"),
            path("<int:pk>/preview/", view(require_safe(self.preview)), name=name % "preview"),
            *super().get_urls(),
        ]

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Publish a draft, or say everything that keeps it from being published."""
        version = self._version(request, pk, change=True)
        try:
            questionnaires.publish(version, at=timezone.now(), by=who(request))
        except questionnaires.NotPossible as refusal:
            for text, words in refusal.faults:
                self.message_user(request, gettext(text) % words, messages.ERROR)
        else:
            self.message_user(request, gettext("The version is published."), messages.SUCCESS)
        return redirect("admin:surveys_version_change", pk)

    def draft(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Open the questionnaire's draft, made from this version where there is none."""
        version = self._version(request, pk, change=True)
        draft = questionnaires.draft_from(version, at=timezone.now(), by=who(request))
        return redirect("admin:surveys_version_change", draft.pk)

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The survey as a client will see it, with invented names; nothing is stored."""
        version = self._version(request, pk, change=False)
        asked = request.GET.get("lang", "")
        language = asked if asked in http.LANGUAGES else "zh"
        examples = {row["name"]: row.get(f"example_{language}") for row in version.variables}
        sheet = sheets.Sheet(version, language, examples)
        with translation.override(http.LANGUAGES[language]):
            return http.send(pages.render(None, sheet), language)

    def _version(self, request: HttpRequest, pk: int, *, change: bool) -> Version:
        allowed = super().has_change_permission(request) if change else None
        if not (self.has_view_permission(request) if allowed is None else allowed):
            raise PermissionDenied
        version = Version.objects.select_related("questionnaire").filter(pk=pk).first()
        if version is None:
            raise Http404
        return version


def _is_draft(version: Any) -> bool:
    return version is None or version.published_at is None
