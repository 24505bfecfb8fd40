"""Permissions by role: a role is the permission group of the same name."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import QuerySet

from bank.models import User


class RoleBackend(ModelBackend):
    """Reads the group permissions from the group named like the user's one role."""

    def _get_group_permissions(self, user_obj: Any) -> QuerySet[Permission]:
        role = user_obj.role if isinstance(user_obj, User) else ""
        return Permission.objects.filter(group__name=role)
