"""Shapes of what administrators type about clients and contacts."""

import unicodedata
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from clients.imports import uscc
from clients.models import Case, Client, Contact, Freeze

if TYPE_CHECKING:
    Form = forms.ModelForm[Any]
else:
    Form = forms.ModelForm


class OneLine(Form):
    """Refuses line breaks and control characters: these texts go into mail headers and files."""

    def clean(self) -> dict[str, Any] | None:
        """Look at every text of one line."""
        cleaned = super().clean()
        for name, value in list(self.cleaned_data.items()):
            if isinstance(value, str) and any(
                unicodedata.category(sign) == "Cc" for sign in value
            ):
                self.add_error(name, _("One line without control characters, please."))
        return cleaned


class ClientForm(OneLine):
    """A client, with a credit code that adds up."""

    class Meta:
        model = Client
        exclude = ()

    def clean_code(self) -> str:
        """Codes stand in addresses."""
        code = str(self.cleaned_data["code"])
        if "/" in code or code in {".", ".."}:
            raise forms.ValidationError(_("A code without a slash, please."))
        return code

    def clean_uscc(self) -> str | None:
        """Nothing, or a code whose check sign is right."""
        code = uscc.clean(self.cleaned_data.get("uscc") or "")
        if code and not uscc.is_valid(code):
            raise forms.ValidationError(_("The unified social credit code is not valid."))
        return code or None


class ContactForm(OneLine):
    """A contact."""

    class Meta:
        model = Contact
        exclude = ()


class CaseForm(OneLine):
    """A case; its stage and end follow its milestones."""

    class Meta:
        model = Case
        exclude = ("stage", "closed_on")


class FreezeForm(OneLine):
    """Why a client is to be left alone."""

    class Meta:
        model = Freeze
        fields = ("client", "reason", "cause", "severity")
