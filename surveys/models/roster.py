"""What a launch decided for each contact, until the invitation is written."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bank import scope
from bank.models import ApiKey, User
from clients.models import Client, Contact
from surveys.models.campaign import Campaign


class RosterQuerySet(models.QuerySet["RosterEntry"]):
    """Filters over rosters."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only entries of clients this viewer may see."""
        return self.filter(scope.clients_of(viewer, "client__"))


class RosterEntry(models.Model):
    """One contact of a launched campaign whose invitation is still to be written.

    The launch decides on everybody at one instant; writing the invitations of many takes longer
    than a request may. An entry goes when its invitation is there, in one transaction.
    """

    campaign = models.ForeignKey(
        Campaign, verbose_name=_("campaign"), on_delete=models.CASCADE, related_name="roster"
    )
    contact = models.ForeignKey(
        Contact, verbose_name=_("contact"), on_delete=models.CASCADE, related_name="+"
    )
    # The client at the time of the launch.
    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.CASCADE, related_name="+"
    )
    # Empty: asked from `first_at` on.
    reason = models.CharField(_("reason"), max_length=24, blank=True)
    free_on = models.DateField(_("free again on"), null=True, blank=True)
    first_at = models.DateTimeField(_("send from"), null=True, blank=True)

    objects = RosterQuerySet.as_manager()

    class Meta:
        verbose_name = _("entry of a roster")
        verbose_name_plural = _("rosters")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["campaign", "contact"], name="roster_once"),
            models.CheckConstraint(
                condition=Q(reason="", first_at__isnull=False)
                | ~Q(reason="") & Q(first_at__isnull=True),
                name="roster_asked_or_why_not",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} · {self.reason or self.first_at}"
