"""Hits: who followed a link, why we think so, and the decision of a person who knows better."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bank.admin.base import ReadOnly, who
from bank.models import Role
from surveys import evidence, words
from surveys.models import Hit, Invitation

if TYPE_CHECKING:
    Rows = admin.TabularInline[Hit, Invitation]
else:
    Rows = admin.TabularInline


class WhyForm(ActionForm):
    """The reason beside the action: without one nothing is decided."""

    reason = forms.CharField(
        label=gettext_lazy("reason"), required=False, max_length=evidence.LONGEST_REASON
    )


class HitRows(Rows):
    """The visits by the links of one invitation, oldest first."""

    model = Hit
    fields = readonly_fields = ("at", "page", "method", "person", "why", "address", "agent")
    ordering = ("at", "id")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hit]:
        """As in the list: where nobody is to be named, no visit is shown."""
        return Hit.objects.visible_to(who(request)).select_related("ruled_by")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse for everybody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse for everybody."""
        return False

    @admin.display(description=gettext_lazy("because"))
    def why(self, row: Hit) -> str:
        """The signals, or the decision of a person."""
        return words.judgement(row)


@admin.register(Hit)
class HitAdmin(ReadOnly):
    """Who or what opened a link; an administrator may decide otherwise, with a reason."""

    list_display = ("at", "page", "method", "person", "why", "invitation", "address", "agent")
    list_filter = ("person", "page", "method")
    list_select_related = ("invitation", "ruled_by")
    search_fields = ("=invitation__uuid", "agent", "=address")
    date_hierarchy = "at"
    ordering = ("-at", "-id")
    fields = (
        ("at", "page", "method"),
        ("invitation", "score"),
        ("address", "agent"),
        ("person", "why", "weight", "rule"),
        ("ruled_by", "ruled_at"),
    )
    readonly_fields = ("person", "why", "weight", "rule", "ruled_by", "ruled_at")
    action_form = WhyForm
    actions = ("call_person", "call_machine")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hit]:
        """Leave out surveys without names: the instant would lead from a person to an answer."""
        seen = Hit.objects.visible_to(who(request)).values("pk")
        return super().get_queryset(request).filter(pk__in=seen)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Let administrators decide; the funnel and the engagement index follow."""
        person = who(request)
        return bool(person.is_superuser or person.role == Role.ADMINISTRATOR)

    @admin.display(description=gettext_lazy("because"))
    def why(self, row: Hit) -> str:
        """The signals, or the decision of a person."""
        return words.judgement(row)

    @admin.action(description=gettext_lazy("Was a person"), permissions=["decide"])
    def call_person(self, request: HttpRequest, queryset: QuerySet[Hit]) -> None:
        """Decide that persons came."""
        self._decide(request, queryset, person=True)

    @admin.action(description=gettext_lazy("Was a machine"), permissions=["decide"])
    def call_machine(self, request: HttpRequest, queryset: QuerySet[Hit]) -> None:
        """Decide that machines came."""
        self._decide(request, queryset, person=False)

    def _decide(self, request: HttpRequest, queryset: QuerySet[Any], *, person: bool) -> None:
        reason, now = request.POST.get("reason", ""), timezone.now()
        rows = list(queryset.order_by("pk"))
        try:
            for row in rows:
                evidence.rule(row, person=person, reason=reason, at=now, by=who(request))
        except evidence.NoReason:
            text = _("Please say why: the reason is kept with the decision.")
            self.message_user(request, text, messages.ERROR)
            return
        self.message_user(request, _("%(count)d visits were decided.") % {"count": len(rows)})
