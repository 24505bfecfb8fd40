"""Keys of machines."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bank import keys, words
from bank.admin.base import who
from bank.admin.coded import Coded
from bank.forms import KeyForm
from bank.models import ApiKey

TIMES = ("created_at", "expires_at", "revoked_at", "last_used_at")


@admin.register(ApiKey)
class ApiKeyAdmin(Coded):
    """Keys of machines: made here, shown once, revoked; never edited and never deleted."""

    form = KeyForm
    list_display = ("name", "prefix", "rights", "team", "expires_at", "revoked_at", "last_used_at")
    list_select_related = ("team",)
    list_filter = ("revoked_at",)
    search_fields = ("name", "prefix")
    autocomplete_fields = ("team",)
    ordering = ("-created_at", "-id")
    actions = ("revoke",)
    asked = ("name", "scopes", "team", "expires_at")
    shown = ("name", "prefix", "rights", "team", "created_by", *TIMES)

    @admin.display(description=_("scopes"))
    def rights(self, row: ApiKey) -> str:
        """The scopes in words, not as the list they are kept in."""
        return " · ".join(words.said(words.SCOPES).get(one, one) for one in row.scopes)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        """Ask for what a key is made from; show everything but the digest."""
        return self.shown if obj else self.asked

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """A key in use does not change under the hands of a machine."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """A revoked key stays: it explains what was done with it."""
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Let those revoke who may change keys."""
        return request.user.has_perm("bank.change_apikey")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:  # noqa: FBT001
        """Make the key and show its secret, this once."""
        key, secret = keys.make(
            obj.name,
            scopes=form.cleaned_data["scopes"],
            team=obj.team,
            at=timezone.now(),
            by=who(request),
            expires_at=obj.expires_at,
        )
        obj.pk = key.pk
        obj.refresh_from_db()
        messages.warning(request, _("The key, shown this once: %(secret)s") % {"secret": secret})

    @admin.action(description=_("Revoke the selected keys"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Make the selected keys worthless at once."""
        for key in queryset:
            keys.revoke(key, at=timezone.now(), by=who(request))
        self.message_user(request, _("The keys are revoked."))
