"""The invitations and the send ledger, to be looked at; a person decides what was lost."""

from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings as configuration
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bank import breaker, mail, settings
from bank.admin.base import ReadOnly, who
from bank.admin.coded import CodedFilter
from surveys import attribution, ledger, queries, tasks, words
from surveys.admin.hit import HitRows
from surveys.models import Delivery, Invitation


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    """Who is asked, and who is not and why."""

    coded: ClassVar = {"reason": words.reasons, "language": words.languages}
    list_display = (
        "contact",
        "client",
        "campaign",
        "state",
        "reason",
        "free_on",
        "sent_at",
        "answered",
    )
    list_select_related = ("contact", "client", "campaign", "version")
    list_filter = (
        "state",
        ("reason", CodedFilter),
        ("language", CodedFilter),
        ("campaign", admin.RelatedOnlyFieldListFilter),
    )
    search_fields = (
        "=uuid",
        "contact__name",
        "=contact__external_id",
        "contact__email",
        "=client__code",
        "client__name_zh",
        "client__name_en",
    )
    # The digests open nothing, but nobody needs to see them either.
    exclude = ("survey_digest", "opt_out_digest", "opened_at", "answered_at")
    readonly_fields = ("opened", "answered")
    inlines = (HitRows,)
    ordering = ("-pk",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        """Only invitations of clients the person may see."""
        return (
            super()
            .get_queryset(request)
            .filter(pk__in=queries.invitations(who(request)).values("pk"))
        )

    @admin.display(description=gettext_lazy("opened at"))
    def opened(self, row: Invitation) -> datetime | None:
        """When a person opened the survey, where that leads to no nameless answer."""
        return row.opened_at if attribution.tells_times(row) else None

    @admin.display(description=gettext_lazy("answered at"))
    def answered(self, row: Invitation) -> datetime | None:
        """When the answer came, where that leads to no nameless answer."""
        return row.answered_at if attribution.tells_times(row) else None


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly):
    """The ledger: one row a mail, and what the relay said."""

    coded: ClassVar = {"reason": words.reasons, "channel": words.channels}
    list_display = (
        "contact",
        "campaign",
        "kind",
        "state",
        "reason",
        "attempt",
        "next_try_at",
        "sent_at",
        "last_error",
        "relay_reply",
    )
    list_select_related = ("invitation__contact", "invitation__campaign")
    list_filter = (
        "state",
        "kind",
        ("reason", CodedFilter),
        ("invitation__campaign", admin.RelatedOnlyFieldListFilter),
    )
    change_list_template = "admin/surveys/delivery/change_list.html"
    search_fields = (
        "=message_id",
        "invitation__contact__name",
        "invitation__contact__email",
        "=invitation__client__code",
    )
    ordering = ("-pk",)
    show_full_result_count = False
    actions = ("send_again", "consider_sent")

    @admin.display(description=gettext_lazy("contact"))
    def contact(self, row: Delivery) -> str:
        """The person the mail is for."""
        return str(row.invitation.contact)

    @admin.display(description=gettext_lazy("campaign"))
    def campaign(self, row: Delivery) -> str:
        """The campaign the mail belongs to."""
        return str(row.invitation.campaign or "–")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Only mails to clients the person may see."""
        seen = queries.invitations(who(request)).values("pk")
        return super().get_queryset(request).filter(invitation__in=seen)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show above the list how the relay stands and what it is asked for."""
        context = {"relay": _relay(self.get_queryset(request))} | (extra_context or {})
        return super().changelist_view(request, context)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Let those decide on lost mails who may run campaigns."""
        return request.user.has_perm("surveys.change_campaign")

    @admin.action(description=gettext_lazy("Send once more"), permissions=["decide"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Queue lost mails again, with the same message id and link."""
        self._decide(request, queryset, ledger.send_again)
        tasks.ring()

    @admin.action(description=gettext_lazy("Consider sent"), permissions=["decide"])
    def consider_sent(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Take lost mails for arrived."""
        self._decide(request, queryset, ledger.consider_sent)

    def _decide(self, request: HttpRequest, queryset: QuerySet[Delivery], act: Any) -> None:
        lost = list(queryset.filter(state=Delivery.State.UNKNOWN).order_by("pk"))
        for delivery in lost:
            act(delivery, at=timezone.now(), by=who(request))
        text = _("%(count)d mails were decided; only those with an unknown outcome can be.")
        self.message_user(request, text % {"count": len(lost)})


def _relay(mails: QuerySet[Delivery]) -> dict[str, Any]:
    """The relay, its breaker and its limits, and how many of these mails wait for a person."""
    rate = settings.get("mails_per_minute")
    return {
        "name": mail.relay_name(),
        "standing": breaker.standing(at=timezone.now()),
        "held": mail.held(),
        "rate": rate if rate < settings.UNLIMITED else None,
        "connections": settings.get("smtp_connections"),
        "unknown": mails.filter(state=Delivery.State.UNKNOWN).count(),
        "log": configuration.RELAY_LOG,
    }
