"""Making and running campaigns: the pre-flight, the people asked, the buttons."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from bank.admin.base import who
from surveys import campaigns, preflights, queries, reminders, tasks, trials, words
from surveys.admin import sending, trial
from surveys.admin.audience import AUDIENCE, MAIN, CampaignForm
from surveys.models import Campaign, Invitation

if TYPE_CHECKING:
    Page = admin.ModelAdmin[Campaign]
else:
    Page = admin.ModelAdmin

Status = Campaign.Status
LAUNCHED = (Status.SCHEDULED, Status.SENDING, Status.PAUSED, Status.COLLECTING)
# Verb → the states in which its button is there. Two of them ask for the number of people.
ACTS: dict[str, tuple[str, ...]] = {
    "launch": (Status.DRAFT,),
    "pause": (Status.SCHEDULED, Status.SENDING, Status.COLLECTING),
    "resume": (Status.PAUSED,),
    "remind": (Status.COLLECTING,),
    "close": (Status.COLLECTING,),
    "stop": LAUNCHED,
}
COUNTED = {"stop", "close"}
PAGE = 100


@admin.register(Campaign)
class CampaignAdmin(Page):
    """Campaigns. A draft is edited here; afterwards only its buttons change it."""

    form = CampaignForm
    list_display = ("name", "questionnaire", "status", "send_at", "closes_at", "created_by")
    list_select_related = ("questionnaire", "created_by")
    list_filter = ("status", "questionnaire")
    search_fields = ("name", "questionnaire__key", "questionnaire__title_zh")
    autocomplete_fields = ("questionnaire",)
    ordering = ("-created_at", "-pk")
    show_full_result_count = False
    change_form_template = "admin/surveys/campaign/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        """Only what the person may see."""
        seen = queries.campaigns(who(request)).values("pk")
        return super().get_queryset(request).filter(pk__in=seen)

    def get_form(
        self,
        request: HttpRequest,
        obj: Campaign | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 - the admin's own signature
        **fields: Any,
    ) -> Any:
        """Tell the form who fills it in."""
        made = super().get_form(request, obj, change, **fields)
        return type(made.__name__, (made,), {"viewer": who(request)})

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        """The form of a draft; the facts of what was launched."""
        if obj is not None and not self.has_change_permission(request, obj):
            shown: tuple[str, ...] = (*MAIN, "version", "status", "why_paused", "chosen")
            shown += ("created_by", "launched_at", "ended_at")
            return [(None, {"fields": shown})]
        return [(None, {"fields": MAIN}), (_("Audience"), {"fields": AUDIENCE})]

    @admin.display(description=gettext_lazy("audience"))
    def chosen(self, campaign: Campaign) -> str:
        """The audience in one line."""
        return words.audience(campaign.audience)

    @admin.display(description=gettext_lazy("reason of the pause"))
    def why_paused(self, campaign: Campaign) -> str:
        """Why the program paused it."""
        return words.pause(campaign.pause_reason) or "–"

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        """Nothing of a draft; all of what was launched."""
        return () if obj is None or obj.status == Status.DRAFT else ("chosen", "why_paused")

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Only a draft has a form."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or obj.status == Status.DRAFT)

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """What was planned stays on record."""
        return False

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:  # noqa: FBT001
        """Plan or revise by the act, which writes the audit entry."""
        data = form.cleaned_data
        fields = {name: data[name] for name in (*MAIN, "audience")}
        at, by = timezone.now(), who(request)
        if change:
            campaigns.revise(obj, fields=fields, at=at, by=by)
            return
        made = campaigns.plan(**fields, at=at, by=by)
        obj.pk = made.pk
        obj.refresh_from_db()

    def get_urls(self) -> list[URLPattern]:
        """Add the buttons and the list of people."""
        site = self.admin_site.admin_view
        act, people = site(require_POST(self.act)), site(self.people)
        return [
            path("<int:pk>/act/<str:verb>/", act, name="surveys_campaign_act"),
            path(
                "<int:pk>/progress/",
                site(require_safe(self.progress)),
                name="surveys_campaign_progress",
            ),
            path("<int:pk>/test/", site(self.test), name="surveys_campaign_test"),
            path("<int:pk>/people/", people, name="surveys_campaign_people"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show beside the form what a launch would meet, or how far it has come."""
        campaign = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if campaign is not None and request.method == "GET":
            context |= self._standing(request, campaign)
        return super().change_view(request, object_id, form_url, context)

    def act(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Do what a button says, and say in words why not."""
        campaign = get_object_or_404(self.get_queryset(request), pk=pk)
        if not super().has_change_permission(request, campaign):
            raise PermissionDenied
        if verb not in ACTS:
            raise Http404
        back = redirect("admin:surveys_campaign_change", campaign.pk)
        if verb in COUNTED and not _is_counted(request, campaign):
            messages.error(request, _("Type the number of people asked to confirm this."))
            return back
        try:
            _ACT[verb](campaign, at=timezone.now(), by=who(request))
        except campaigns.NotPossible as refusal:
            for note in refusal.blockers:
                messages.error(request, note.text)
            if not refusal.blockers:
                messages.error(request, _("The campaign's status does not allow this."))
            return back
        if verb in {"launch", "resume", "remind"}:
            tasks.ring()
        messages.success(request, _DONE[verb]())
        return back

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Tell how far the sending has come, for a page that looks again."""
        campaign = get_object_or_404(self.get_queryset(request), pk=pk)
        return sending.poll(request, campaign)

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the mail of a draft to colleagues."""
        campaign = get_object_or_404(self.get_queryset(request), pk=pk)
        if not super().has_change_permission(request, campaign):
            raise PermissionDenied
        frame = self.admin_site.each_context(request) | {"opts": self.opts}
        return trial.page(request, campaign, frame=frame)

    def people(self, request: HttpRequest, pk: int) -> HttpResponse:
        """List who is asked and who is not, why, and until when."""
        campaign = get_object_or_404(self.get_queryset(request), pk=pk)
        reason = request.GET.get("reason", "")
        if campaign.status == Status.DRAFT:
            found: Any = _planned(campaign, reason)
        else:
            found = queries.invitations(who(request), campaign=campaign)
            found = found.filter(reason=reason) if reason else found
        rows = Paginator(found, PAGE).get_page(request.GET.get("p"))
        names = words.reasons()
        for row in rows:
            row.reason = names.get(row.reason, row.reason)
        context = self.admin_site.each_context(request) | {
            "title": _("People"),
            "opts": self.opts,
            "original": campaign,
            "rows": rows,
            "reason": reason,
        }
        return TemplateResponse(request, "admin/surveys/campaign/people.html", context)

    def _standing(self, request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
        may = super().has_change_permission(request)
        names = words.reasons()
        context: dict[str, Any] = {
            "testable": may and campaign.status in trials.STATUSES,
            "acts": [
                {"verb": verb, "label": _LABELS[verb](), "counted": verb in COUNTED}
                for verb, states in ACTS.items()
                if may and campaign.status in states
            ],
        }
        if campaign.status == Status.DRAFT:
            flight = campaigns.preflight(campaign, at=timezone.now())
            context["preflight"] = flight
            context["excluded"] = _named(flight.excluded, names)
            if flight.blockers:
                context["acts"] = []
        else:
            context |= sending.standing(request, campaign, at=timezone.now())
        return context


_ACT: dict[str, Any] = {
    "launch": campaigns.launch,
    "pause": campaigns.pause,
    "resume": campaigns.resume,
    "remind": reminders.remind,
    "close": campaigns.close,
    "stop": campaigns.stop,
}
_LABELS: dict[str, Any] = {
    "launch": lambda: _("Launch"),
    "pause": lambda: _("Pause"),
    "resume": lambda: _("Resume"),
    "remind": lambda: _("Remind those who have not answered"),
    "close": lambda: _("Close early"),
    "stop": lambda: _("Stop"),
}
_DONE: dict[str, Any] = {
    "launch": lambda: _("The campaign is launched."),
    "pause": lambda: _("The campaign is paused."),
    "resume": lambda: _("The campaign goes on."),
    "remind": lambda: _("The reminders are queued. Each is judged once more when it leaves."),
    "close": lambda: _("The campaign is closed."),
    "stop": lambda: _("The campaign is stopped."),
}


def _is_counted(request: HttpRequest, campaign: Campaign) -> bool:
    """Whether the number typed is the number of people the campaign planned to ask."""
    return request.POST.get("count", "").strip() == str(queries.funnel(campaign).planned)


def _named(counts: dict[str, int], names: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"code": code, "name": names.get(code, code), "count": count}
        for code, count in counts.items()
    ]


def _planned(campaign: Campaign, reason: str) -> list[Invitation]:
    """The people of a draft as the invitations they would get; nothing is saved."""
    plan = preflights.plan(campaign, at=timezone.now())
    rows = []
    for contact in plan.contacts:
        refusal = plan.refusals.get(contact.pk)
        if reason and (refusal is None or refusal.code != reason):
            continue
        state = Invitation.State.SKIPPED if refusal else Invitation.State.PLANNED
        rows.append(
            Invitation(
                contact=contact,
                client=contact.client,
                state=state,
                reason=refusal.code if refusal else "",
                free_on=refusal.free_on if refusal else None,
            )
        )
    return rows
