"""The admin of what happens: events and parties as reported; outages are the bank's to tell."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from bank.admin.base import Audited, ReadOnly
from bank.admin.coded import CodedFilter
from clients import lending, words
from clients.forms import OutageForm
from clients.models import ClientEvent, Outage, Party, Touchpoint


@admin.register(Touchpoint)
class TouchpointAdmin(ReadOnly):
    """Engagement events; the same number is the same event for ever."""

    coded: ClassVar = {"source": words.sources}
    list_display = ("event_id", "client", "kind", "at", "quantity", "source")
    list_filter = ("kind", "at")
    list_select_related = ("client",)
    search_fields = ("=event_id", "client__code", "=contact__external_id")
    ordering = ("-pk",)
    # Counting a long table twice a page costs more than the page.
    show_full_result_count = False


@admin.register(Outage)
class OutageAdmin(Audited):
    """Times in which a log recorded nothing; what they hide is missing, not zero."""

    form = OutageForm
    audited = ("source", "starts_at", "ends_at")
    list_display = ("source", "starts_at", "ends_at", "note")
    list_filter = ("source",)
    search_fields = ("note",)
    ordering = ("-starts_at",)

    def save_model(self, request: HttpRequest, obj: Outage, form: Any, change: Any) -> None:
        """Save, and note that figures have to be made anew."""
        super().save_model(request, obj, form, change)
        lending.note_outage(at=timezone.now())

    def delete_model(self, request: HttpRequest, obj: Outage) -> None:
        """An outage that never was is a change too."""
        super().delete_model(request, obj)
        lending.note_outage(at=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Outage]) -> None:
        """See `delete_model`."""
        super().delete_queryset(request, queryset)
        lending.note_outage(at=timezone.now())


@admin.register(Party)
class PartyAdmin(ReadOnly):
    """Who takes part in a case."""

    list_display = ("case", "role", "client", "party", "contact")
    list_filter = ("role",)
    list_select_related = ("case", "client", "contact")
    search_fields = ("case__number", "client__code", "name")
    ordering = ("-pk",)

    @admin.display(description=Party._meta.get_field("name").verbose_name, ordering="name")
    def party(self, row: Party) -> str:
        """The name as reported; `name` is a column of words elsewhere."""
        return row.name


@admin.register(ClientEvent)
class ClientEventAdmin(ReadOnly):
    """Events of clients that belong to no case."""

    coded: ClassVar = {"event": words.events}
    list_display = ("external_id", "client", "contact", "event", "occurred_at")
    list_filter = (("event", CodedFilter), "occurred_at")
    list_select_related = ("client", "contact")
    search_fields = ("external_id", "client__code", "client__name_zh")
    ordering = ("-pk",)
