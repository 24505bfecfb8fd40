"""The admin of clients: search, filters, and the acts of consent; each change is audited."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bank.admin.base import ReadOnly, who
from bank.admin.coded import CodedFilter
from clients import changes, consent, words
from clients.admin.base import Kept
from clients.forms import CaseForm, ClientForm, ContactForm, FreezeForm
from clients.models import (
    Case,
    Client,
    Consent,
    Contact,
    Freeze,
    Milestone,
    Suppression,
)


@admin.register(Client)
class ClientAdmin(Kept):
    """Companies."""

    form = ClientForm
    # Fields from which figures are made.
    measured = frozenset(
        {
            "team",
            "segment",
            "size",
            "status",
            "industry",
            "online_contract",
            "merged_into",
            "merged_on",
        }
    )
    audited = ("code", "team_id", "manager_id", "status", "parent_id", "merged_into_id")
    list_display = ("code", "name", "segment", "team", "manager", "status")
    list_filter = (
        "status",
        "segment",
        "kind",
        "size",
        ("team", admin.RelatedOnlyFieldListFilter),
        ("province", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("team", "manager")
    search_fields = ("code", "name_zh", "name_en", "short_name", "uscc")
    autocomplete_fields = ("parent", "industry", "province", "team", "manager", "merged_into")
    ordering = ("code",)

    def save_model(self, request: HttpRequest, obj: Client, form: Any, change: Any) -> None:
        """Save, and note whose figures follow: also the client it is or was merged into."""
        super().save_model(request, obj, form, change)
        if not change or self.measured & set(form.changed_data):
            around = {obj.merged_into_id, form.initial.get("merged_into")} - {None}
            changes.note({obj.pk, *around}, at=timezone.now())


class HowForm(ActionForm):
    """Beside the actions: how a person who had opted out told us that they come back."""

    how = forms.CharField(label=_("How the person said so"), required=False, max_length=200)


@admin.register(Contact)
class ContactAdmin(Kept):
    """People at clients; what they allow changes by acts only."""

    form = ContactForm
    audited = ("external_id", "client_id", "email", "left_on")
    list_display = ("external_id", "name", "client", "job_role", "language", "left_on")
    list_filter = ("job_role", "buying_role", "language", ("left_on", admin.EmptyFieldListFilter))
    list_select_related = ("client",)
    search_fields = ("external_id", "name", "email", "client__code", "client__name_zh")
    autocomplete_fields = ("client",)
    ordering = ("external_id",)
    measured = frozenset({"client", "buying_role", "job_role", "left_on"})
    action_form = HowForm
    actions = ("note_agreed", "note_refused", "clear_bounce", "come_back")

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: Any) -> None:
        """Save, and note whose figures follow: also the client the person was at before."""
        super().save_model(request, obj, form, change)
        if not change or self.measured & set(form.changed_data):
            before = form.initial.get("client", obj.client_id)
            changes.note({obj.client_id, before}, at=timezone.now())

    @admin.action(permissions=["change"], description=_("Note: agreed to service surveys"))
    def note_agreed(self, request: HttpRequest, queryset: QuerySet[Contact]) -> None:
        """What a person said on the phone; it never overrules what they decided themselves."""
        self._note(request, queryset, Consent.State.YES)

    @admin.action(permissions=["change"], description=_("Note: refused service surveys"))
    def note_refused(self, request: HttpRequest, queryset: QuerySet[Contact]) -> None:
        """See `note_agreed`."""
        self._note(request, queryset, Consent.State.NO)

    @admin.action(permissions=["change"], description=_("Clear bounced address"))
    def clear_bounce(self, request: HttpRequest, queryset: QuerySet[Contact]) -> None:
        """The address works again."""
        cleared = sum(
            consent.clear_bounce(contact, at=timezone.now(), by=who(request))
            for contact in queryset
        )
        messages.success(request, gettext("%(number)s addresses cleared.") % {"number": cleared})

    @admin.action(permissions=["change"], description=_("Note: wishes surveys again"))
    def come_back(self, request: HttpRequest, queryset: QuerySet[Contact]) -> None:
        """The person's own wish after an opt-out; how they said so is kept with it."""
        how = request.POST.get("how", "")
        if not how.strip():
            text = gettext("Please say how the person told us: only they can undo an opt-out.")
            messages.error(request, text)
            return
        for contact in queryset:
            consent.return_(contact, at=timezone.now(), by=who(request), how=how)
        text = gettext("%(number)s persons get surveys again.")
        messages.success(request, text % {"number": len(queryset)})

    def _note(self, request: HttpRequest, queryset: QuerySet[Contact], state: str) -> None:
        kept = []
        for contact in queryset:
            try:
                consent.state(
                    contact,
                    Consent.Purpose.SURVEY,
                    state,
                    Consent.Source.STAFF,
                    at=timezone.now(),
                    by=who(request),
                )
            except consent.NotAllowed:
                kept.append(contact.external_id)
        if kept:
            said = gettext("Decided by the person, therefore unchanged: %(numbers)s")
            messages.warning(request, said % {"numbers": ", ".join(kept)})


@admin.register(Case)
class CaseAdmin(Kept):
    """Loan applications and project-finance deals."""

    coded: ClassVar = {"stage": words.stages}
    form = CaseForm
    audited = ("number", "client_id", "manager_id", "amount")
    list_display = ("number", "name", "client", "kind", "stage", "opened_on", "closed_on")
    list_filter = ("kind", ("stage", CodedFilter), ("closed_on", admin.EmptyFieldListFilter))
    list_select_related = ("client",)
    search_fields = ("number", "name", "client__code", "client__name_zh")
    autocomplete_fields = ("client", "product", "manager")
    ordering = ("-opened_on", "-pk")


@admin.register(Milestone)
class MilestoneAdmin(ReadOnly):
    """The history of cases, as it was reported."""

    coded: ClassVar = {"code": words.steps, "event": words.events}
    list_display = (
        "external_id",
        "case",
        "code",
        "event",
        "planned_on",
        "occurred_at",
        "irregular",
    )
    list_filter = ("irregular", ("code", CodedFilter))
    list_select_related = ("case",)
    search_fields = ("external_id", "case__number")
    ordering = ("-pk",)


@admin.register(Consent)
class ConsentAdmin(ReadOnly):
    """Who agreed to what; it changes on the page of contacts, by acts."""

    list_display = ("contact", "purpose", "state", "source", "at")
    list_filter = ("purpose", "state", "source")
    list_select_related = ("contact",)
    search_fields = ("contact__external_id", "contact__name")
    ordering = ("-at", "-pk")


@admin.register(Suppression)
class SuppressionAdmin(ReadOnly):
    """Addresses that get no survey; only their digest is kept."""

    list_display = ("address_digest", "reason", "why", "at")
    list_filter = ("reason",)
    search_fields = ("address_digest",)
    search_help_text = _("An e-mail address, or the beginning of a digest.")
    ordering = ("-at", "-pk")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Look an address up by its digest: the address itself is not kept."""
        term = consent.digest(search_term) if "@" in search_term else search_term
        return super().get_search_results(request, queryset, term)


@admin.register(Freeze)
class FreezeAdmin(ReadOnly):
    """Clients that are left alone: begun and lifted by acts, never edited."""

    form = FreezeForm
    list_display = ("client", "reason", "severity", "cause", "started_at", "ended_at", "by")
    list_filter = ("reason", ("ended_at", admin.EmptyFieldListFilter))
    list_select_related = ("client", "by")
    search_fields = ("client__code", "client__name_zh", "cause")
    autocomplete_fields = ("client",)
    ordering = ("-started_at", "-pk")
    actions = ("lift",)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Those who may, by permission."""
        return request.user.has_perm("clients.add_freeze")

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Lifting is a change."""
        return request.user.has_perm("clients.change_freeze")

    def save_model(self, request: HttpRequest, obj: Freeze, form: Any, change: Any) -> None:
        """Begin the freeze by the act, which writes the audit line."""
        row = consent.freeze(
            obj.client,
            obj.reason,
            cause=obj.cause,
            severity=obj.severity,
            at=timezone.now(),
            by=who(request),
        )
        obj.pk = row.pk

    @admin.action(permissions=["lift"], description=_("Lift the freeze"))
    def lift(self, request: HttpRequest, queryset: QuerySet[Freeze]) -> None:
        """The client may be asked again, as far as this reason goes."""
        for row in queryset:
            consent.thaw(row, at=timezone.now(), by=who(request))
