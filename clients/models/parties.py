"""Who takes part in a case, and what befalls a client."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bank import scope
from bank.models import ApiKey, User
from clients.models.cases import Case
from clients.models.people import Client, Contact


class PartyQuerySet(models.QuerySet["Party"]):
    """Filters over parties."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only parties to cases of clients this viewer may see."""
        return self.filter(scope.clients_of(viewer, "case__client__"))


class Party(models.Model):
    """Who takes part in a case and as what: a client of ours, or a name."""

    class Role(models.TextChoices):
        BORROWER = "borrower", _("Borrower")
        BORROWER_SPV = "borrower_spv", _("Project company (SPV)")
        SPONSOR = "sponsor", _("Sponsor")
        GUARANTOR = "guarantor", _("Guarantor")
        LENDER_LEAD = "lender_lead", _("Lead bank")
        LENDER_MEMBER = "lender_member", _("Participating bank")
        AGENT_BANK = "agent_bank", _("Agent bank")
        EPC_CONTRACTOR = "epc_contractor", _("EPC contractor")
        OPERATOR = "operator", _("Operator")
        OFFTAKER = "offtaker", _("Offtaker")
        ADVISER = "adviser", _("Independent adviser")
        GOVERNMENT = "government", _("Public authority")
        SECURITY_AGENT = "security_agent", _("Security agent")
        ACCOUNT_BANK = "account_bank", _("Account bank")
        INSURER = "insurer", _("Insurer")

    case = models.ForeignKey(
        Case, verbose_name=_("case"), on_delete=models.PROTECT, related_name="parties"
    )
    role = models.CharField(_("role"), max_length=16, choices=Role)
    client = models.ForeignKey(
        Client,
        verbose_name=_("client"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="parties",
    )
    name = models.CharField(_("name of the party"), max_length=300, blank=True)
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("contact"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="parties",
    )
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)

    objects = PartyQuerySet.as_manager()

    class Meta:
        verbose_name = _("party")
        verbose_name_plural = _("parties")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case", "role", "client"],
                condition=Q(client__isnull=False),
                name="party_client_unique",
            ),
            models.UniqueConstraint(
                fields=["case", "role", "name"],
                condition=Q(client__isnull=True),
                name="party_name_unique",
            ),
            models.CheckConstraint(
                condition=Q(client__isnull=False) | ~Q(name=""), name="party_is_somebody"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()} {self.name}".strip()


class ClientEventQuerySet(models.QuerySet["ClientEvent"]):
    """Filters over client events."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only events of clients this viewer may see."""
        return self.filter(scope.clients_of(viewer, "client__"))


class ClientEvent(models.Model):
    """Something that happened to a client and not to a case, as reported."""

    external_id = models.CharField(_("event number"), max_length=120, unique=True)
    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.PROTECT, related_name="events"
    )
    # Whom it concerns, such as the complainant; null where the report names nobody.
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("contact"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    # A code of `CaseEvent` with the subject client.
    event = models.CharField(_("event"), max_length=60)
    occurred_at = models.DateTimeField(_("occurred at"))
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)

    objects = ClientEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("client event")
        verbose_name_plural = _("client events")
        indexes: ClassVar = [
            models.Index(fields=["client", "occurred_at"], name="client_event_client"),
            models.Index(fields=["event", "occurred_at"], name="client_event_kind"),
        ]

    def __str__(self) -> str:
        return self.external_id
