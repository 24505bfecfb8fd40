"""What the pages of clients have in common."""

from django.db.models import Model
from django.http import HttpRequest

from bank.admin.base import Audited


class Kept(Audited):
    """Rows that are changed but never deleted: answers, audit lines and figures refer to them."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse for everybody."""
        return False


class Loaded(Kept):
    """Rows that come from the reference files; some of their fields are the bank's to set."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse for everybody."""
        return False
