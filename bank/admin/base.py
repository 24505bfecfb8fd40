"""What the admin pages of every app are built on."""

from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from bank import audit
from bank.admin.coded import Coded


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
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Do an action, such as deleting what is ticked, whole or not at all."""
        with transaction.atomic():
            return super().response_action(request, queryset, *args, **kwargs)

    def _record(self, request: HttpRequest, obj: Model, verb: str, message: Any) -> None:
        now = {name: getattr(obj, name) for name in self.audited}
        data = {"message": message, "now": now}
        audit.record(
            f"{obj._meta.model_name}.{verb}", obj, at=timezone.now(), by=who(request), data=data
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


def who(request: HttpRequest) -> Any:
    """The person at the page; the site lets in nobody else."""
    return request.user
