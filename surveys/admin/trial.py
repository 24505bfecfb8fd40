"""The page of a test send: to oneself or to colleagues, in both languages."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from bank.admin.base import who
from bank.models import User
from surveys import questionnaires, tasks, trials, words
from surveys.models import Campaign

MOST = 20


class TrialForm(forms.Form):
    """Who gets the test mail."""

    people = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Send to"),
        queryset=User.objects.none(),
        help_text=gettext_lazy("Colleagues with an e-mail address; you are ticked already."),
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, people: QuerySet[User], **fields: Any) -> None:
        super().__init__(*args, **fields)
        field: Any = self.fields["people"]
        field.queryset = people
        field.label_from_instance = lambda person: f"{person.display_name} · {person.email}"

    def clean_people(self) -> list[User]:
        """A handful: a test is no campaign."""
        people = list(self.cleaned_data["people"])
        if len(people) > MOST:
            text = _("Choose at most %(count)d people.")
            raise forms.ValidationError(text % {"count": MOST})
        return people


def page(request: HttpRequest, campaign: Campaign, *, frame: dict[str, Any]) -> HttpResponse:
    """GET asks to whom; POST sends and goes back to the campaign."""
    if campaign.status not in trials.STATUSES:
        raise PermissionDenied
    person = who(request)
    found = User.objects.filter(is_active=True).exclude(email="").order_by("username")
    given = request.POST if request.method == "POST" else None
    form = TrialForm(given, people=found, initial={"people": [person.pk]})
    if form.is_valid():
        return _sent(request, campaign, form.cleaned_data["people"])
    version = campaign.version or questionnaires.current(campaign.questionnaire)
    context = frame | {
        "title": _("Test send"),
        "original": campaign,
        "form": form,
        "version": version,
        "languages": [
            name
            for code, name in words.languages().items()
            if version is not None and trials.speaks(version, code)
        ],
        "current": trials.is_tested(campaign, version),
    }
    return TemplateResponse(request, "admin/surveys/campaign/trial.html", context)


def _sent(request: HttpRequest, campaign: Campaign, people: list[User]) -> HttpResponse:
    back = redirect("admin:surveys_campaign_change", campaign.pk)
    try:
        rows = trials.send(campaign, to=people, at=timezone.now(), by=who(request))
    except trials.NotPossible as refusal:
        messages.error(request, _WHY[refusal.code]())
        return back
    tasks.ring()
    text = ngettext(
        "%(count)d test mail is on its way.", "%(count)d test mails are on their way.", len(rows)
    )
    messages.success(request, text % {"count": len(rows)})
    return back


_WHY: dict[str, Any] = {
    "wrong_status": lambda: _("The campaign's status does not allow this."),
    "no_version": lambda: _("This questionnaire has no published version with a mail."),
    "no_recipients": lambda: _("The audience has no contact."),
    "no_address": lambda: _("Not everybody chosen has an e-mail address."),
}
