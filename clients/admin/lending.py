"""The admin of what is lent: looked at here, changed by files; rates are the bank's to set."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from bank.admin.base import Audited, ReadOnly
from clients import lending
from clients.forms import RateForm
from clients.models import (
    ExchangeRate,
    Facility,
    FacilityBalance,
    Profile,
    Statement,
    Transaction,
)

if TYPE_CHECKING:
    Inline = admin.TabularInline[FacilityBalance, Facility]
else:
    Inline = admin.TabularInline


class BalanceInline(Inline):
    """What a facility held on earlier days."""

    model = FacilityBalance
    fields = ("as_of", "limit", "drawn")
    ordering = ("-as_of",)
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse for everybody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse for everybody."""
        return False


@admin.register(Facility)
class FacilityAdmin(ReadOnly):
    """Limits as the bank's system reports them."""

    list_display = (
        "number",
        "client",
        "kind",
        "limit",
        "drawn",
        "currency",
        "ends_on",
        "as_of",
    )
    list_filter = ("currency", "kind", "ends_on")
    list_select_related = ("client",)
    search_fields = ("number", "client__code", "client__name_zh", "case__number")
    ordering = ("number",)
    inlines = (BalanceInline,)


@admin.register(ExchangeRate)
class ExchangeRateAdmin(Audited):
    """Rates from a day on; a change is audited and makes the exposures anew."""

    form = RateForm
    audited = ("currency", "as_of", "rate")
    list_display = ("currency", "as_of", "rate")
    list_filter = ("currency",)
    search_fields = ("currency",)
    date_hierarchy = "as_of"
    ordering = ("-as_of", "currency")

    def save_model(self, request: HttpRequest, obj: ExchangeRate, form: Any, change: Any) -> None:
        """Save, and note who owes in the currency, also in the one it was before."""
        super().save_model(request, obj, form, change)
        was = form.initial.get("currency", obj.currency)
        lending.note_currencies({obj.currency, was}, at=timezone.now())

    def delete_model(self, request: HttpRequest, obj: ExchangeRate) -> None:
        """A rate that goes is a change too."""
        super().delete_model(request, obj)
        lending.note_currencies({obj.currency}, at=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ExchangeRate]) -> None:
        """See `delete_model`."""
        currencies = set(queryset.values_list("currency", flat=True))
        super().delete_queryset(request, queryset)
        lending.note_currencies(currencies, at=timezone.now())


@admin.register(Transaction)
class TransactionAdmin(ReadOnly):
    """Bookings as they were reported."""

    list_display = ("external_id", "client", "kind", "amount", "currency", "booked_at")
    list_filter = ("kind", "currency", "booked_at")
    list_select_related = ("client",)
    search_fields = ("=external_id", "client__code", "=facility__number")
    ordering = ("-pk",)
    # Counting a long table twice a page costs more than the page.
    show_full_result_count = False


@admin.register(Statement)
class StatementAdmin(ReadOnly):
    """Financial figures as they were reported."""

    list_display = ("client", "period_end", "basis", "audited", "currency", "revenue", "equity")
    list_filter = ("basis", "audited", "period_end")
    list_select_related = ("client",)
    search_fields = ("client__code", "client__name_zh")
    ordering = ("-period_end", "client")


@admin.register(Profile)
class ProfileAdmin(ReadOnly):
    """What is known of a client's needs."""

    list_display = ("client", "as_of")
    list_filter = ("as_of",)
    list_select_related = ("client",)
    search_fields = ("client__code", "client__name_zh")
    ordering = ("-as_of", "client")
