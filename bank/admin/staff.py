"""Accounts, teams and deputies."""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from bank.admin.base import Audited
from bank.models import Deputy, Role, Team, User

if TYPE_CHECKING:
    AccountPage = UserAdmin[User]
else:
    AccountPage = UserAdmin

# What makes somebody mightier: only a superuser gives it, whatever a form posts.
POWERS = ("role", "is_staff", "is_superuser", "groups", "user_permissions")

# The groups are the roles: loaded with the reference data, never edited by hand.
admin.site.unregister(Group)


@admin.register(User)
class StaffAdmin(Audited, AccountPage):
    """Accounts. Django lets whoever may edit users promote themselves: this one does not."""

    audited = ("username", "role", "team_id", "is_active", "is_staff", "is_superuser")
    list_display = ("username", "display_name", "role", "team", "is_active", "last_login")
    list_filter = ("role", "is_active", ("team", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("team",)
    search_fields = ("username", "name_zh", "name_en", "email")
    autocomplete_fields = ("team",)
    ordering = ("username",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (
            _("Person"),
            {"fields": ("name_zh", "name_en", "title_zh", "title_en", "email", "team")},
        ),
        (_("Rights"), {"fields": ("is_active", *POWERS)}),
        (_("Important dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {
                "classes": ("wide",),
                "fields": ("username", "usable_password", "password1", "password2"),
            },
        ),
    )

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> tuple[str, ...]:
        """Take the powers out of the form of everybody but superusers: posting them is vain."""
        dates = ("last_login", "date_joined")
        return dates if _is_super(request) else (*dates, *POWERS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only a superuser changes a superuser, be it the name, the address or the password."""
        if obj is not None and obj.is_superuser and not _is_super(request):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody is deleted: the audit trail names them. Accounts are switched off."""
        return False

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 - the name that the route gives
        form_url: str = "",
    ) -> HttpResponse:
        """Keep an administrator from taking over the account of a checker or an auditor."""
        target = self.get_object(request, id)
        guarded = target is not None and (
            target.is_superuser or target.role in {Role.ADMINISTRATOR, Role.AUDITOR}
        )
        if guarded and not _is_super(request) and target != request.user:
            raise PermissionDenied
        if request.method != "POST":
            return super().user_change_password(request, id, form_url)
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)


@admin.register(Team)
class TeamAdmin(Audited):
    """The tree of branches, departments and desks."""

    audited = ("code", "parent_id")
    list_display = ("code", "name_zh", "name_en", "parent")
    list_select_related = ("parent",)
    search_fields = ("code", "name_zh", "name_en")
    autocomplete_fields = ("parent",)
    ordering = ("code",)


@admin.register(Deputy)
class DeputyAdmin(Audited):
    """Who stands in for whom, and when."""

    audited = ("principal_id", "deputy_id", "starts_at", "ends_at")
    list_display = ("principal", "deputy", "starts_at", "ends_at")
    list_select_related = ("principal", "deputy")
    list_filter = ("starts_at", "ends_at")
    search_fields = (
        "principal__username",
        "principal__name_zh",
        "deputy__username",
        "deputy__name_zh",
    )
    autocomplete_fields = ("principal", "deputy")
    ordering = ("-starts_at", "-id")


def _is_super(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
