"""The triggers: an administrator switches and tunes them; and what each has seen."""

from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bank import formats
from bank.admin.base import Audited, ReadOnly, who
from bank.admin.coded import CodedFilter, in_words
from clients.models import CaseKind
from surveys import preflights, questionnaires, reference, vocabulary, words
from surveys.models import Delivery, Occasion, Trigger

if TYPE_CHECKING:
    Form = forms.ModelForm[Trigger]
else:
    Form = forms.ModelForm


class CodesField(forms.CharField):
    """A list of codes, one a line."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 40})

    def prepare_value(self, value: Any) -> Any:
        """Show a list line by line, and what was typed as it was typed."""
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """The codes in their order, each once."""
        return list(dict.fromkeys(super().clean(value).split()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Blanks and lines do not count."""
        return (initial or []) != (data or "").split()


ONE_A_LINE = gettext_lazy("One code a line.")


class TriggerForm(Form):
    """Refuses what a trigger could not act on, with the place and the reason."""

    case_kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Case kinds"),
        choices=CaseKind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    events = CodesField(
        label=gettext_lazy("Events"),
        help_text=gettext_lazy(
            "One a line: an event of cases, or stage:…, milestone:…, touchpoint:…, client:…, "
            "schedule:Apr,Oct."
        ),
    )
    targets = CodesField(
        label=gettext_lazy("Roles in order of preference"), required=False, help_text=ONE_A_LINE
    )
    party_roles = CodesField(
        label=gettext_lazy("Parties of a case"), required=False, help_text=ONE_A_LINE
    )

    class Meta:
        model = Trigger
        fields = (
            "name_zh",
            "name_en",
            "is_active",
            "case_kinds",
            "events",
            "questionnaire",
            "context",
            "target_kind",
            "targets",
            "party_roles",
            "max_contacts",
            "delay_working_days",
            "link_valid_days",
            "cooldown_days",
            "client_pause_days",
            "once",
            "remind_after",
            "priority",
            "sample_share",
            "wave_window_days",
        )

    def clean_events(self) -> list[str]:
        """Refuse events that cannot happen."""
        events: list[str] = self.cleaned_data["events"]
        kinds = self.cleaned_data.get("case_kinds", [])
        strange = vocabulary.strange_events(events, kinds, vocabulary.stored())
        if strange:
            text = _("These events do not exist for the chosen kinds of case: %(codes)s.")
            raise ValidationError(text % {"codes": ", ".join(strange)})
        return events

    def clean_targets(self) -> list[str]:
        """Refuse roles that nobody can have; a wave or a case needs at least one."""
        targets: list[str] = self.cleaned_data["targets"]
        kind = self.cleaned_data.get("target_kind", "")
        strange = vocabulary.strange_targets(targets, kind)
        if strange:
            text = _("No contact can have these roles: %(codes)s.")
            raise ValidationError(text % {"codes": ", ".join(strange)})
        if not targets and kind != Trigger.TargetKind.EVENT_PERSON:
            raise ValidationError(_("Name at least one role."))
        return targets

    def clean_party_roles(self) -> list[str]:
        """Refuse what no party of a case is."""
        roles: list[str] = self.cleaned_data["party_roles"]
        strange = vocabulary.strange_parties(roles)
        if strange:
            text = _("No party of a case can be this: %(codes)s.")
            raise ValidationError(text % {"codes": ", ".join(strange)})
        return roles

    def clean_context(self) -> str:
        """Refuse a kind of contact that the questionnaires do not know."""
        context: str = self.cleaned_data["context"]
        if context and context not in reference.contexts():
            text = _("There is no kind of contact “%(code)s”.")
            raise ValidationError(text % {"code": context})
        return context

    def clean(self) -> dict[str, Any]:
        """Refuse what only shows in two fields together."""
        values: dict[str, Any] = super().clean() or {}
        scheduled = [one.startswith("schedule:") for one in values.get("events", [])]
        if any(scheduled) and not all(scheduled):
            self.add_error("events", _("A schedule stands alone, without other events."))
        if any(scheduled) and not values.get("wave_window_days"):
            self.add_error("wave_window_days", _("Say how many days the wave stays open."))
        self._check_numbers(values)
        line = values.get("questionnaire")
        mailed = self.instance.delivery == Trigger.Channel.EMAIL
        if line is not None and values.get("is_active") and mailed:
            version = questionnaires.current(line)
            kind = Delivery.Kind.INVITATION.value
            if version is None or not (version.emails or {}).get(kind):
                self.add_error(
                    "questionnaire", _("This questionnaire has no published version with a mail.")
                )
        return values

    def _check_numbers(self, values: dict[str, Any]) -> None:
        """A trigger that can ask nobody, or whose link ends before people have read it."""
        if values.get("sample_share") == 0:
            self.add_error("sample_share", _("With this share nobody is asked; switch it off."))
        shortest = preflights.SHORTEST.days
        mailed = self.instance.delivery == Trigger.Channel.EMAIL
        if mailed and values.get("link_valid_days", shortest) < shortest:
            text = _("A link in a mail must be valid for at least %(days)d days.")
            self.add_error("link_valid_days", text % {"days": shortest})


@admin.register(Trigger)
class TriggerAdmin(Audited):
    """What the bank asks about by itself."""

    form = TriggerForm
    audited = ("is_active", "events", "targets", "party_roles", "delay_working_days", "priority")
    list_display = (
        "code",
        "name",
        "happenings",
        "questionnaire",
        "delay_working_days",
        "priority",
        "delivery",
        "is_active",
    )
    list_select_related = ("questionnaire",)
    list_filter = ("is_active", "delivery", "target_kind")
    search_fields = ("code", "name_zh", "name_en")
    ordering = ("code",)
    fields = ("code", *TriggerForm.Meta.fields, "delivery", "pushed")
    readonly_fields = ("code", "delivery", "pushed")

    @admin.display(description=gettext_lazy("events"))
    def happenings(self, row: Trigger) -> str:
        """The events in words."""
        known = words.happenings()
        single = [
            f"schedule:{month}" if event.startswith("schedule:") else month
            for event in row.events
            for month in event.removeprefix("schedule:").split(",")
        ]
        return " · ".join(in_words(event, known) for event in single)

    def save_model(self, request: HttpRequest, obj: Trigger, form: Any, change: Any) -> None:
        """A wave that began before its trigger was switched on is not begun late."""
        if obj.is_active and "is_active" in form.changed_data:
            obj.active_since = timezone.now()
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Triggers come with the program."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Trigger | None = None) -> bool:
        """A trigger is switched off, not deleted: what it has seen stays."""
        return False


def _refusal(reason: str, free_on: str | None) -> str:
    if free_on is None:
        return reason
    day = formats.day(date.fromisoformat(free_on))
    return _("%(reason)s (free again on %(day)s)") % {"reason": reason, "day": day}


@admin.register(Occasion)
class OccasionAdmin(ReadOnly):
    """Each event a trigger has seen: asked, waiting, or why nobody was asked."""

    coded: ClassVar = {"event": words.happenings, "reason": words.passes}
    list_display = (
        "trigger",
        "event",
        "client",
        "case",
        "happened_at",
        "due_at",
        "state",
        "reason",
    )
    list_select_related = ("trigger", "client", "case")
    list_filter = ("state", ("reason", CodedFilter), ("trigger", admin.RelatedOnlyFieldListFilter))
    search_fields = ("=client__code", "client__name_zh", "client__name_en", "=case__number")
    fields = (
        "trigger",
        "event",
        "client",
        "case",
        "milestone",
        "slot",
        "happened_at",
        "due_at",
        "state",
        "reason",
        "not_asked",
        "judged_at",
    )
    readonly_fields = ("not_asked",)
    ordering = ("-pk",)
    show_full_result_count = False

    @admin.display(description=gettext_lazy("contacts not asked"))
    def not_asked(self, row: Occasion) -> str:
        """Each contact number with the reason that spoke against it, and when it is over."""
        known = words.passes()
        return " · ".join(
            f"{number}: {_refusal(known.get(one['reason'], one['reason']), one['free_on'])}"
            for number, one in row.refused.items()
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Occasion]:
        """Only occasions of clients the person may see."""
        seen = Occasion.objects.visible_to(who(request)).values("pk")
        return super().get_queryset(request).filter(pk__in=seen)
