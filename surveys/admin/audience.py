"""The form of a draft: its audience is chosen field by field."""

import re
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy

from bank.cells import one_line
from bank.models import Team, User
from clients.models import Client, Contact
from surveys import audiences
from surveys.models import Campaign

if TYPE_CHECKING:
    Form = forms.ModelForm[Campaign]
else:
    Form = forms.ModelForm
MAIN = ("name", "questionnaire", "send_at", "closes_at", "send_window", "remind_after")
AUDIENCE = ("client_codes", "segment", "team", "size", "job_roles", "buying_roles")
APART = re.compile(r"[\s,;，；、]+")


class CampaignForm(Form):
    """The fields of a draft; the audience is chosen field by field."""

    client_codes = forms.CharField(
        label=capfirst(gettext_lazy("client codes")),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("One or many, apart by blanks, commas or lines."),
    )
    segment = forms.ChoiceField(
        label=capfirst(gettext_lazy("segment")),
        required=False,
        choices=[("", "–"), *Client.Segment.choices],
    )
    team = forms.ModelChoiceField(
        label=capfirst(gettext_lazy("team")),
        required=False,
        queryset=Team.objects.order_by("code"),
        help_text=gettext_lazy("With all teams below it."),
    )
    size = forms.ChoiceField(
        label=capfirst(gettext_lazy("size")),
        required=False,
        choices=[("", "–"), *Client.Size.choices],
    )
    job_roles = forms.MultipleChoiceField(
        label=capfirst(gettext_lazy("job roles")), required=False, choices=Contact.JobRole.choices
    )
    buying_roles = forms.MultipleChoiceField(
        label=capfirst(gettext_lazy("buying roles")),
        required=False,
        choices=Contact.BuyingRole.choices,
    )

    class Meta:
        model = Campaign
        fields = MAIN

    # Whom the form is shown to; set by the page, since a form does not know its request.
    viewer: ClassVar[User]

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        audience = self.instance.audience if self.instance.pk else {}
        for name in AUDIENCE:
            value = audience.get(name)
            if name == "client_codes" and value:
                value = "\n".join(value)
            if name == "team" and value:
                value = Team.objects.filter(code=value).first()
            if name in self.fields:
                self.initial.setdefault(name, value)

    def clean_name(self) -> str:
        """Without line breaks: it is shown in headings and may end in a mail."""
        name: str = self.cleaned_data["name"]
        one_line(name)
        return name

    def clean(self) -> dict[str, Any]:
        """Judge the audience by the same rules as the API, and say what is wrong where."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        team = data.get("team")
        chosen = {name: data.get(name) for name in AUDIENCE} | {
            "client_codes": [
                one for one in re.split(r"[\s,;，；、]+", data["client_codes"]) if one
            ],
            "team": team.code if team else None,
        }
        try:
            data["audience"] = audiences.check(chosen, by=self.viewer)
            if not data["audience"]:
                self.add_error(None, audiences.nobody())
        except audiences.Unusable as error:
            for name, texts in error.errors.items():
                self.add_error(name if name in self.fields else None, texts)
        return data
