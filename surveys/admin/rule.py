"""The suppression rules: an administrator tunes them, none is added or deleted."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from bank import settings
from bank.admin.base import Audited
from surveys import governance
from surveys.models import SuppressionRule

if TYPE_CHECKING:
    Form = forms.ModelForm[SuppressionRule]
else:
    Form = forms.ModelForm


class RuleForm(Form):
    """Keeps a parameter in the shape the rule can read."""

    class Meta:
        model = SuppressionRule
        fields = ("position", "name_zh", "name_en", "parameter", "enabled")

    def clean_enabled(self) -> bool:
        """What a person has decided is no setting of ours."""
        enabled = bool(self.cleaned_data["enabled"])
        if not enabled and self.instance.code in governance.ALWAYS:
            raise ValidationError(_("This rule cannot be switched off: it is the person's right."))
        return enabled

    def clean_parameter(self) -> Any:
        """Refuse a value of another shape than the shipped one."""
        value = self.cleaned_data["parameter"]
        if not _fits(self.instance.code, value):
            raise ValidationError(_("The parameter does not have the form this rule needs."))
        return value


def _fits(code: str, value: Any) -> bool:
    shipped = governance.SHIPPED.get(code)
    if code == "quiet_hours" and value is not None:
        try:
            settings.check("send_windows", value)
        except settings.Invalid:
            return False
        return True
    if value is None or shipped is None:
        return value is None or code not in governance.SHIPPED
    numbers = value if isinstance(value, list) else [value]
    same_shape = isinstance(value, list) == isinstance(shipped, list) and (
        not isinstance(value, list) or len(value) == len(shipped)
    )
    return same_shape and all(type(one) is int and 0 < one <= 3650 for one in numbers)


@admin.register(SuppressionRule)
class SuppressionRuleAdmin(Audited):
    """Why people are not asked."""

    form = RuleForm
    audited = ("position", "parameter", "enabled")
    list_display = ("position", "code", "name_zh", "name_en", "action", "parameter", "enabled")
    list_display_links = ("code",)
    list_filter = ("enabled", "action", "scope")
    search_fields = ("code", "name_zh", "name_en")
    ordering = ("position", "pk")
    fields = ("code", "name_zh", "name_en", "scope", "action", "position", "parameter", "enabled")
    readonly_fields = ("code", "scope", "action")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rules come with the program."""
        return False

    def has_delete_permission(
        self, request: HttpRequest, obj: SuppressionRule | None = None
    ) -> bool:
        """A rule is switched off, not deleted: without a row it acts as shipped."""
        return False
