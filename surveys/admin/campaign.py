"""Making and running campaigns: the pre-flight, the people asked, the buttons."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import (
    Case,
    Count,
    IntegerField,
    OuterRef,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from bank.admin.base import who
from surveys import campaigns, queries, words
from surveys.admin import people, sending, standing, trial, turns
from surveys.admin.audience import AUDIENCE, MAIN, SHARES, WAVE, CampaignForm
from surveys.models import Campaign, Delivery, RosterEntry

if TYPE_CHECKING:
    Page = admin.ModelAdmin[Campaign]
else:
    Page = admin.ModelAdmin

Status = Campaign.Status
READ = ("version", "chosen", "wave", "created_by", "launched_at", "ended_at", "approved_by")
_GONE = ("sent", "delivered", "bounced", "unknown", "failed", "skipped")


@admin.register(Campaign)
class CampaignAdmin(Page):
    """Campaigns. A draft is edited here; afterwards only its buttons change it."""

    form = CampaignForm
    list_display = ("name", "questionnaire", "standing", "send_at", "closes_at", "created_by")
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

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list tells how far each sending campaign has come, and why one has failed."""
        found = super().get_changelist_instance(request)
        found.result_list = found.result_list.annotate(**_progress())
        return found

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def standing(self, campaign: Campaign) -> str:
        """The status in a word and a colour, with its time, progress or reason."""
        return standing.badge(campaign)

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
            return [(None, {"fields": (*MAIN, *READ)})]
        return [
            (None, {"fields": MAIN}),
            (_("Audience"), {"fields": AUDIENCE}),
            (_("Wave"), {"fields": (*WAVE, *SHARES), "description": _wave_help()}),
        ]

    @admin.display(description=gettext_lazy("audience"))
    def chosen(self, campaign: Campaign) -> str:
        """The audience in one line."""
        return words.audience(campaign.audience)

    @admin.display(description=gettext_lazy("wave"))
    def wave(self, campaign: Campaign) -> str:
        """Weeks, draw and places in one line."""
        return words.wave(campaign)

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        """Nothing of a draft; all of what was launched."""
        return () if obj is None or obj.status == Status.DRAFT else READ

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
        fields = {name: data[name] for name in (*MAIN, *WAVE, "role_shares", "audience")}
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
        act, people = site(require_POST(self.act)), site(require_safe(self.people))
        return [
            path("<int:pk>/act/<str:verb>/", act, name="surveys_campaign_act"),
            path(
                "<int:pk>/progress/",
                site(require_safe(self.progress)),
                name="surveys_campaign_progress",
            ),
            path("<int:pk>/test/", site(self.test), name="surveys_campaign_test"),
            path("<int:pk>/people/", people, name="surveys_campaign_people"),
            path(
                "<int:pk>/export/",
                site(require_POST(self.export)),
                name="surveys_campaign_export",
            ),
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
        campaign = self._own(request, pk)
        if verb not in turns.TURNS:
            raise Http404
        shown = turns.take(request, campaign, verb)
        return redirect("admin:surveys_campaign_change", shown.pk)

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Tell how far the sending has come, for a page that looks again."""
        campaign = get_object_or_404(self.get_queryset(request), pk=pk)
        return sending.poll(request, campaign)

    def test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the mail of a draft to colleagues."""
        return trial.page(request, self._own(request, pk), frame=self._frame(request))

    def people(self, request: HttpRequest, pk: int) -> HttpResponse:
        """List who is asked and who is not, why, and until when."""
        campaign = get_object_or_404(self.get_queryset(request), pk=pk)
        return people.page(request, campaign, frame=self._frame(request))

    def export(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Hand out who was asked as a file, or what has failed."""
        campaign = self._own(request, pk)
        if not standing.exports(campaign):
            raise Http404
        return people.export(request, campaign)

    def _own(self, request: HttpRequest, pk: int) -> Campaign:
        """A campaign the person may run: as unknown as any other to a stranger."""
        campaign = get_object_or_404(self.get_queryset(request), pk=pk)
        if not super().has_change_permission(request, campaign):
            raise PermissionDenied
        return campaign

    def _frame(self, request: HttpRequest) -> dict[str, Any]:
        return self.admin_site.each_context(request) | {"opts": self.opts}

    def _standing(self, request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
        may, person, at = super().has_change_permission(request), who(request), timezone.now()
        context: dict[str, Any] = {
            "badge": standing.badge(campaign),
            "links": standing.links(campaign, may=may),
            "export": standing.exports(campaign) if may else "",
        }
        if campaign.status == Status.DRAFT:
            return context | standing.draft(campaign, person, may=may, at=at)
        acts = turns.offered(campaign) if may else []
        return context | {"acts": acts} | sending.standing(request, campaign, at=at)


def _wave_help() -> str:
    return _(
        "Leave this as it is to ask everybody at once. Whose team has no place left in one week "
        "goes in the next; whoever finds none in the whole wave is listed with that reason."
    )


def _progress() -> dict[str, Any]:
    """Of campaigns that are being sent: how many mails are through, of how many; of failed ones
    what the first mail says. Counted for these only."""
    mails = Delivery.objects.filter(
        invitation__campaign=OuterRef("pk"), kind=Delivery.Kind.INVITATION
    ).order_by()
    listed = RosterEntry.objects.filter(campaign=OuterRef("pk"), reason="").order_by()
    number = IntegerField()

    def count(rows: Any, by: str) -> Any:
        counted = Subquery(rows.values(by).annotate(n=Count("pk")).values("n"))
        return Case(When(status=Status.SENDING, then=Coalesce(counted, 0)), output_field=number)

    failed = mails.filter(state=Delivery.State.FAILED).order_by("pk").values("last_error")[:1]
    return {
        "gone": count(mails.filter(state__in=_GONE), "invitation__campaign"),
        "to_go": count(mails, "invitation__campaign") + count(listed, "campaign"),
        "trouble": Case(When(status=Status.FAILED, then=Subquery(failed))),
    }
