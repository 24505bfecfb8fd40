"""The shape of what is typed: at the sign-in page, and in the admin for keys and settings."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from bank import keys, settings, words
from bank.models import ApiKey, Setting

if TYPE_CHECKING:
    KeyBase = forms.ModelForm[ApiKey]
    SettingBase = forms.ModelForm[Setting]
else:
    KeyBase = SettingBase = forms.ModelForm


class SignInForm(AuthenticationForm):
    """One message whatever failed: it must not tell who works here or who was switched off."""

    error_messages = {
        "invalid_login": _("User name or password is wrong. Check both and try again."),
        "inactive": _("User name or password is wrong. Check both and try again."),
    }

    # Set by the view when this name and this address have failed too often.
    slowed = False

    def clean(self) -> dict[str, Any]:
        """Refuse a slowed attempt in the words of a wrong one, without trying the password."""
        if self.slowed:
            raise self.get_invalid_login_error()
        return super().clean()


class KeyForm(KeyBase):
    """A new key: its scopes as boxes to tick."""

    scopes = forms.MultipleChoiceField(
        label=capfirst(_("scopes")),
        choices=[(scope, gettext_lazy(words.SCOPES[scope])) for scope in keys.SCOPES],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = ApiKey
        fields = ("name", "scopes", "team", "expires_at")


class SettingForm(SettingBase):
    """One value, typed as its kind asks."""

    class Meta:
        model = Setting
        fields = ("value",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shipped = settings.DEFAULTS.get(self.instance.key)
        if "value" not in self.fields:
            return
        if isinstance(shipped, bool):
            self.fields["value"] = forms.BooleanField(label=capfirst(_("value")), required=False)
        elif isinstance(shipped, int):
            self.fields["value"] = forms.IntegerField(label=capfirst(_("value")))
        elif isinstance(shipped, str):
            self.fields["value"] = forms.CharField(label=capfirst(_("value")), required=False)

    def clean_value(self) -> Any:
        """Let the setting itself judge its value."""
        value = self.cleaned_data["value"]
        try:
            settings.check(self.instance.key, value)
        except settings.Invalid as error:
            raise forms.ValidationError(str(error)) from error
        return value
