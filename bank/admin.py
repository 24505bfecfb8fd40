"""The admin of the bank's own things; every change here leaves an audit entry."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bank import audit, keys, settings, words
from bank.coded import Coded, CodedFilter
from bank.forms import KeyForm, SettingForm
from bank.models import ApiKey, AuditEntry, Deputy, Holiday, Role, Setting, Team, User

if TYPE_CHECKING:
    AccountPage = UserAdmin[User]
else:
    AccountPage = UserAdmin

TIMES = ("created_at", "expires_at", "revoked_at", "last_used_at")
# What makes somebody mightier: only a superuser gives it, whatever a form posts.
POWERS = ("role", "is_staff", "is_superuser", "groups", "user_permissions")

# The groups are the roles: loaded with the reference data, never edited by hand.
admin.site.unregister(Group)


class Audited(Coded):
    """Writes an audit entry wherever Django writes its own history line, in one transaction."""

    audited: ClassVar[tuple[str, ...]] = ()

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Note a new row."""
        self._record(request, obj, "add", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """Note a change, also of a password."""
        self._record(request, obj, "change", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Note each row that goes, while it is still there."""
        for obj in queryset:
            self._record(request, obj, "delete", str(obj))
        return super().log_deletions(request, queryset)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """Do an action, such as deleting what is ticked, whole or not at all."""
        with transaction.atomic():
            return super().response_action(request, queryset)

    def _record(self, request: HttpRequest, obj: Model, verb: str, message: Any) -> None:
        now = {name: getattr(obj, name) for name in self.audited}
        data = {"message": message, "now": now}
        audit.record(
            f"{obj._meta.model_name}.{verb}", obj, at=timezone.now(), by=_who(request), data=data
        )


class ReadOnly(Coded):
    """A page to look at: nothing is added, changed or deleted, by no permission."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse for everybody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse for everybody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse for everybody."""
        return False


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
        who: Any = request.user
        key, secret = keys.make(
            obj.name,
            scopes=form.cleaned_data["scopes"],
            team=obj.team,
            at=timezone.now(),
            by=who,
            expires_at=obj.expires_at,
        )
        obj.pk = key.pk
        obj.refresh_from_db()
        messages.warning(request, _("The key, shown this once: %(secret)s") % {"secret": secret})

    @admin.action(description=_("Revoke the selected keys"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        """Make the selected keys worthless at once."""
        for key in queryset:
            keys.revoke(key, at=timezone.now(), by=_who(request))
        self.message_user(request, _("The keys are revoked."))


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
        settings.put(obj.key, form.cleaned_data["value"], at=timezone.now(), by=_who(request))


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


def _who(request: HttpRequest) -> Any:
    return request.user


def _is_super(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
