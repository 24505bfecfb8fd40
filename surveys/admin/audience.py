"""The form of a draft: its audience and its wave are chosen field by field."""

import re
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy

from bank.cells import one_line
from bank.models import Team, User
from clients.models import Client, Contact
from surveys import audiences, waves
from surveys.models import Campaign

if TYPE_CHECKING:
    Form = forms.ModelForm[Campaign]
else:
    Form = forms.ModelForm
MAIN = ("name", "questionnaire", "send_at", "closes_at", "send_window", "remind_after")
AUDIENCE = ("client_codes", "segment", "team", "size", "job_roles", "buying_roles")
WAVE = ("weeks", "sample_share", "sample_size", "team_places")
SHARES = {f"share_{role}": role for role in waves.ROLES}
APART = re.compile(r"[\s,;，；、]+")


def _share(label: Any) -> forms.IntegerField:
    """What part of a team's places a role has."""
    return forms.IntegerField(label=capfirst(label), required=False, min_value=0, max_value=100)


class CampaignForm(Form):
    """The fields of a draft; audience and shares are chosen field by field."""

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

    share_decider = _share(gettext_lazy("share of deciders, in percent"))
    share_influencer = _share(gettext_lazy("share of influencers, in percent"))
    share_user = _share(gettext_lazy("share of users, in percent"))

    class Meta:
        model = Campaign
        fields = (*MAIN, *WAVE)

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
        if "weeks" in self.fields:
            self.fields["weeks"].required = False
        for name, role in SHARES.items():
            if name in self.fields:
                self.initial.setdefault(name, (self.instance.role_shares or {}).get(role))

    def clean_weeks(self) -> int:
        """Nothing said is one week: all at once."""
        weeks: int | None = self.cleaned_data["weeks"]
        return 1 if weeks is None else weeks

    def clean_name(self) -> str:
        """Without line breaks: it is shown in headings and may end in a mail."""
        name: str = self.cleaned_data["name"]
        one_line(name)
        return name

    def clean(self) -> dict[str, Any]:
        """Judge audience and wave by the same rules as the API, and say what is wrong where."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        self._judge_times(data)
        self._judge_wave(data)
        team = data.get("team")
        chosen = {name: data.get(name) for name in AUDIENCE} | {
            "client_codes": [one for one in APART.split(data["client_codes"]) if one],
            "team": team.code if team else None,
        }
        try:
            data["audience"] = audiences.check(chosen, by=self.viewer)
            if not data["audience"]:
                self.add_error(None, audiences.nobody())
        except audiences.Unusable as error:
            self._tell(error.errors)
        return data

    def _judge_times(self, data: dict[str, Any]) -> None:
        send_at, closes_at = data.get("send_at"), data.get("closes_at")
        if send_at and closes_at and closes_at <= send_at:
            self.add_error("closes_at", gettext("It closes before it is sent."))

    def _judge_wave(self, data: dict[str, Any]) -> None:
        shares = {role: data[name] for name, role in SHARES.items() if data.get(name) is not None}
        wave = {name: data.get(name) for name in WAVE if name not in self.errors}
        try:
            data |= {"role_shares": shares} | waves.check(wave | {"role_shares": shares})
        except waves.Unusable as error:
            self._tell(error.errors)

    def _tell(self, errors: dict[str, list[str]]) -> None:
        """Put each sentence at its field; what concerns the shares together, at the first."""
        for name, texts in errors.items():
            place = "share_decider" if name == "role_shares" else name
            self.add_error(place if place in self.fields else None, texts)
