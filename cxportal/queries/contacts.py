"""What the form for logging a contact shows: a new key, the time, what was logged today."""

from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from bank.models import Role, User
from clients.forms import ContactLogForm
from clients.models import Client, Touchpoint

MAY_LOG = (Role.RELATIONSHIP_MANAGER, Role.SUPERVISOR)


def may_log(who: User) -> bool:
    """Whether this person meets clients at all; whose, the scope says."""
    return who.is_superuser or who.role in MAY_LOG


def blank(client: Client, *, at: datetime) -> ContactLogForm:
    """A form for a contact that has just ended."""
    now = at.astimezone(settings.ZONE).replace(second=0, microsecond=0)
    return ContactLogForm(client, initial={"key": uuid4(), "happened_at": now})


def logged_today(client: Client, who: User, *, at: datetime) -> QuerySet[Touchpoint]:
    """What this person logged today and may still take back; one query."""
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = Touchpoint.objects.filter(client=client, logged_by=who, logged_at__gte=midnight)
    return rows.select_related("contact").order_by("-at", "-pk")
