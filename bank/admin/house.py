"""The audit trail, the settings and the calendar of the bank."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bank import settings, words
from bank.admin.base import Audited, ReadOnly, who
from bank.admin.coded import Coded, CodedFilter
from bank.forms import SettingForm
from bank.models import AuditEntry, Holiday, Setting


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    """The trail, newest first."""

    list_display = ("number", "at", "actor_label", "act", "subject_type", "subject_id")
    coded: ClassVar = words.TRAIL
    list_filter = ("at", ("act", CodedFilter))
    search_fields = ("=subject_id", "actor_label", "act")
    ordering = ("-id",)
    # Counting a long trail twice a page costs more than the page.
    show_full_result_count = False
    list_per_page = 50


@admin.register(Setting)
class SettingAdmin(Coded):
    """The bank's own values. They are shipped, so none is added or deleted."""

    form = SettingForm
    list_display = ("key", "label", "value")
    search_fields = ("key",)
    ordering = ("key",)
    fields = ("key", "label", "value", "loaded")
    readonly_fields = ("key", "label", "loaded")

    @admin.display(description=_("meaning"))
    def label(self, row: Setting) -> str:
        """What the setting means."""
        return settings.label(row.key)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Setting]:
        """Leave out the program's own marks."""
        return super().get_queryset(request).filter(key__in=settings.DEFAULTS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Settings come with the program."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Setting | None = None) -> bool:
        """A setting without a row would fall back unseen."""
        return False

    def save_model(self, request: HttpRequest, obj: Setting, form: Any, change: bool) -> None:  # noqa: FBT001
        """Change the value by the act, which writes the audit entry."""
        settings.put(obj.key, form.cleaned_data["value"], at=timezone.now(), by=who(request))


@admin.register(Holiday)
class HolidayAdmin(Audited):
    """The banking calendar. A wrong date is turned into the other kind, not deleted."""

    audited = ("date", "kind", "name", "provisional")
    list_display = ("date", "kind", "festival", "provisional")
    list_filter = ("kind", "provisional")
    search_fields = ("name", "date")
    ordering = ("-date",)

    def has_delete_permission(self, request: HttpRequest, obj: Holiday | None = None) -> bool:
        """A deleted date would come back with the next load."""
        return False

    def save_model(self, request: HttpRequest, obj: Holiday, form: Any, change: bool) -> None:  # noqa: FBT001
        """What a person has changed is no guess any more, so no load replaces it."""
        if change and form.changed_data and "provisional" not in form.changed_data:
            obj.provisional = False
        super().save_model(request, obj, form, change)
