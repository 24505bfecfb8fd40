"""The buttons of a campaign: which are there in which state, and what each says and does."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bank.admin.base import who
from bank.models import User
from surveys import campaigns, queries, reminders, tasks
from surveys.models import Campaign

Status = Campaign.Status


class TimesForm(forms.Form):
    """When a scheduled campaign is sent and closes, anew."""

    send_at = forms.DateTimeField(label=capfirst(gettext_lazy("send from")))
    closes_at = forms.DateTimeField(label=capfirst(gettext_lazy("closes at")))


@dataclass(frozen=True)
class Turn:
    """One button. `counted` asks for the number of people, `form` for more values."""

    states: tuple[str, ...]
    act: Callable[..., Any]
    label: Callable[[], str]
    done: Callable[[], str]
    counted: bool = False
    rings: bool = False
    form: type[forms.Form] | None = None


TURNS: dict[str, Turn] = {
    "launch": Turn(
        (Status.DRAFT,),
        campaigns.launch,
        lambda: _("Launch"),
        lambda: _("The campaign is launched."),
        rings=True,
    ),
    "submit": Turn(
        (Status.DRAFT,),
        campaigns.submit,
        lambda: _("Submit to a second administrator"),
        lambda: _("The campaign waits for the agreement of a second administrator."),
    ),
    "approve": Turn(
        (Status.DRAFT,),
        campaigns.approve,
        lambda: _("Agree to this campaign"),
        lambda: _("You have agreed to the campaign as it stands. A change makes this void."),
    ),
    "reschedule": Turn(
        (Status.SCHEDULED,),
        campaigns.reschedule,
        lambda: _("Reschedule"),
        lambda: _("The campaign is scheduled anew."),
        form=TimesForm,
    ),
    "withdraw": Turn(
        (Status.SCHEDULED,),
        campaigns.withdraw,
        lambda: _("Back to draft"),
        lambda: _("The campaign is a draft again. Nothing has left."),
    ),
    "pause": Turn(
        (Status.SENDING,),
        campaigns.pause,
        lambda: _("Pause"),
        lambda: _("The campaign is paused."),
    ),
    "resume": Turn(
        (Status.PAUSED,),
        campaigns.resume,
        lambda: _("Resume"),
        lambda: _("The campaign goes on."),
        rings=True,
    ),
    "retry": Turn(
        (Status.FAILED,),
        campaigns.retry,
        lambda: _("Send what has failed once more"),
        lambda: _("The mails that had failed are queued once more."),
        rings=True,
    ),
    "remind": Turn(
        (Status.COLLECTING,),
        reminders.remind,
        lambda: _("Remind those who have not answered"),
        lambda: _("The reminders are queued. Each is judged once more when it leaves."),
        rings=True,
    ),
    "close": Turn(
        (Status.COLLECTING,),
        campaigns.close,
        lambda: _("Close early"),
        lambda: _("The campaign is closed."),
        counted=True,
    ),
    "stop": Turn(
        (Status.SENDING, Status.PAUSED),
        campaigns.stop,
        lambda: _("Stop"),
        lambda: _("The campaign is stopped."),
        counted=True,
    ),
    "copy": Turn(
        (Status.CLOSED, Status.STOPPED),
        campaigns.copy,
        lambda: _("Copy"),
        lambda: _("This is the copy: a draft with the same choices that invites nobody yet."),
    ),
}
_WHY: dict[str, Callable[[], str]] = {
    "wrong_status": lambda: _("The campaign's status does not allow this."),
    "same_person": lambda: _(
        "Another administrator must agree: not the one who submitted or last changed it."
    ),
    "has_left": lambda: _("Some mail is on its way already. Stop the campaign instead."),
}


def offered(campaign: Campaign) -> list[dict[str, Any]]:
    """The buttons of a campaign that was launched, for a page."""
    return [
        _shown(verb, turn, campaign)
        for verb, turn in TURNS.items()
        if campaign.status in turn.states
    ]


def offered_for_draft(
    campaign: Campaign, person: User, *, blocked: bool, needs_checker: bool, at: datetime
) -> list[dict[str, Any]]:
    """The buttons of a draft: what a blocker or the other person's turn forbids is not there."""
    verbs = []
    if not blocked:
        verbs.append("launch")
    if needs_checker and campaign.approved_at is None:
        if campaign.submitted_at is not None and campaigns.may_approve(campaign, person):
            verbs.append("approve")
        elif campaign.submitted_by_id != person.pk:
            verbs.append("submit")
    shown = [_shown(verb, TURNS[verb], campaign) for verb in verbs]
    if shown and verbs[0] == "launch" and campaign.send_at and campaign.send_at > at:
        shown[0]["label"] = _("Schedule")
    return shown


def take(request: HttpRequest, campaign: Campaign, verb: str) -> Campaign:
    """Do what a button says and tell it, or say in words why not; return what to show then."""
    turn = TURNS[verb]
    if campaign.status not in turn.states:
        messages.error(request, _WHY["wrong_status"]())
        return campaign
    if turn.counted and not _is_counted(request, campaign):
        messages.error(request, _("Type the number of people asked to confirm this."))
        return campaign
    values = _values(request, turn)
    if values is None:
        return campaign
    try:
        found = turn.act(campaign, **values, at=timezone.now(), by=who(request))
    except campaigns.NotPossible as refusal:
        for note in refusal.blockers:
            messages.error(request, note.text)
        if not refusal.blockers:
            messages.error(request, _WHY[refusal.code]())
        return campaign
    if turn.rings:
        tasks.ring()
    messages.success(request, turn.done())
    return found if isinstance(found, Campaign) else campaign


def _values(request: HttpRequest, turn: Turn) -> dict[str, Any] | None:
    """What the button's form says; None where it cannot be read, and that is told."""
    if turn.form is None:
        return {}
    form = turn.form(request.POST)
    if form.is_valid():
        return dict(form.cleaned_data)
    for name, texts in form.errors.items():
        messages.error(
            request, f"{form.fields[name].label}: {' '.join(str(text) for text in texts)}"
        )
    return None


def _shown(verb: str, turn: Turn, campaign: Campaign) -> dict[str, Any]:
    times = {"send_at": campaign.send_at, "closes_at": campaign.closes_at}
    return {
        "verb": verb,
        "label": turn.label(),
        "counted": turn.counted,
        "form": turn.form(initial=times) if turn.form else None,
    }


def _is_counted(request: HttpRequest, campaign: Campaign) -> bool:
    """Whether the number typed is the number of people the campaign planned to ask."""
    return request.POST.get("count", "").strip() == str(queries.funnel(campaign).planned)
