"""Shapes of what administrators type about clients and contacts."""

import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bank import currencies
from clients import touchpoints
from clients.imports import uscc
from clients.models import Case, Client, Contact, ExchangeRate, Freeze, Outage, Touchpoint

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

    def clean(self) -> dict[str, Any] | None:
        """Merged into another client, on a day, and in no circle."""
        cleaned = super().clean()
        after, day = self.cleaned_data.get("merged_into"), self.cleaned_data.get("merged_on")
        if bool(after) != bool(day):
            self.add_error(
                "merged_on" if after else "merged_into",
                _("A merged client needs its successor and the day."),
            )
        seen = {self.instance.pk}
        while after is not None and after.pk not in seen:
            seen.add(after.pk)
            after = after.merged_into
        if after is not None and self.instance.pk is not None:
            self.add_error("merged_into", _("A client cannot be merged into itself."))
        return cleaned

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


class RateForm(OneLine):
    """A rate, with a currency as ISO 4217 writes it."""

    class Meta:
        model = ExchangeRate
        fields = ("currency", "as_of", "rate")

    def clean_currency(self) -> str:
        """A currency, in capitals."""
        currency = str(self.cleaned_data["currency"]).upper()
        if not currencies.known(currency):
            raise forms.ValidationError(_("A currency of ISO 4217 such as CNY."))
        return currency

    def clean_rate(self) -> Decimal:
        """A rate that is not positive would turn exposure over."""
        rate: Decimal = self.cleaned_data["rate"]
        if rate <= 0:
            raise forms.ValidationError(_("A rate above 0, please."))
        return rate


class OutageForm(OneLine):
    """A time without a log."""

    class Meta:
        model = Outage
        fields = ("source", "starts_at", "ends_at", "note")

    def clean(self) -> dict[str, Any] | None:
        """It ends after it began."""
        cleaned = super().clean()
        starts, ends = self.cleaned_data.get("starts_at"), self.cleaned_data.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", _("An outage ends after it began."))
        return cleaned


class ContactLogForm(forms.Form):
    """A visit, meeting, call, event or reply, as somebody of the bank remembers it."""

    # New for each form shown: the same form sent twice is the same contact.
    key = forms.UUIDField(widget=forms.HiddenInput)
    kind = forms.ChoiceField(
        label=_("What"), choices=[(kind.value, kind.label) for kind in Touchpoint.TOGETHER]
    )
    contact = forms.ModelChoiceField(
        label=_("With whom"),
        queryset=Contact.objects.none(),
        required=False,
        empty_label=_("nobody in particular"),
    )
    happened_at = forms.DateTimeField(
        label=_("When"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
    )
    minutes = forms.IntegerField(
        label=_("Minutes"),
        required=False,
        min_value=1,
        max_value=touchpoints.LONGEST_MINUTES,
    )

    def __init__(self, client: Client, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.auto_id = "log-%s"
        people = client.contacts.filter(left_on__isnull=True).order_by("name", "pk")
        self.fields["contact"].queryset = people  # type: ignore[attr-defined]
        self.fields["contact"].label_from_instance = _named  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.widget.attrs["class"] = "inp"

    def what(self) -> touchpoints.Logged:
        """What was typed, once it is valid."""
        return touchpoints.Logged(**self.cleaned_data)


def _named(contact: Contact) -> str:
    return f"{contact.name} · {contact.position}" if contact.position else contact.name
