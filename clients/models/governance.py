"""What the people at a client allow, and when a client is to be left alone."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clients.models.people import Client, Contact


class Consent(models.Model):
    """What one contact said about one purpose; unknown is a state of its own."""

    class Purpose(models.TextChoices):
        SURVEY = "survey", _("service surveys")
        MARKETING = "marketing", _("product information")

    class State(models.TextChoices):
        YES = "yes", _("agreed")
        NO = "no", _("refused")
        UNKNOWN = "unknown", _("never asked")

    class Source(models.TextChoices):
        PERSON = "person", _("the person")
        STAFF = "staff", _("staff")
        IMPORT = "import", _("import")

    contact = models.ForeignKey(
        Contact, verbose_name=_("contact"), on_delete=models.CASCADE, related_name="consents"
    )
    purpose = models.CharField(_("purpose"), max_length=10, choices=Purpose)
    state = models.CharField(_("state"), max_length=8, choices=State)
    source = models.CharField(_("given by"), max_length=8, choices=Source)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["contact", "purpose"], name="consent_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} · {self.get_state_display()}"


class Suppression(models.Model):
    """An address that must get no survey. Keyed by a digest, so it outlives the contact."""

    class Reason(models.TextChoices):
        OPTED_OUT = "opted_out", _("opted out")
        BOUNCED = "bounced", _("address bounced")

    class Why(models.TextChoices):
        TOO_MANY = "too_many", _("too many surveys")
        NOT_MINE = "not_mine", _("I have nothing to do with this")
        NOT_USEFUL = "not_useful", _("my answers change nothing")
        PRIVACY = "privacy", _("I do not want my data used for this")
        OTHER = "other", _("another reason")

    address_digest = models.CharField(_("address digest"), max_length=64)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    # What the person said of their own accord, after the opt-out had taken effect.
    why = models.CharField(_("because"), max_length=12, choices=Why, blank=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["address_digest", "reason"], name="suppression_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} · {self.address_digest[:8]}"


class FreezeQuerySet(models.QuerySet["Freeze"]):
    """Filters over freezes."""

    def active(self) -> Self:
        """Freezes that have not been lifted."""
        return self.filter(ended_at__isnull=True)


class Freeze(models.Model):
    """A client is to be left alone for a reason, until somebody lifts it."""

    class Reason(models.TextChoices):
        DECLINE_FREEZE = "decline_freeze", _("an application was declined")
        OVERDUE_OR_RECOVERY = "overdue_or_recovery", _("overdue, litigation or recovery")
        OPEN_COMPLAINT = "open_complaint", _("open complaint")
        COMPLIANCE_HOLD = "compliance_hold", _("compliance hold")
        FOLLOW_UP_OPEN = "follow_up_open", _("open follow-up")

    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.CASCADE, related_name="freezes"
    )
    reason = models.CharField(_("reason"), max_length=24, choices=Reason)
    severity = models.CharField(_("severity"), max_length=12, blank=True)
    cause = models.CharField(_("cause"), max_length=120, blank=True)
    started_at = models.DateTimeField(_("since"))
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )

    objects = FreezeQuerySet.as_manager()

    class Meta:
        verbose_name = _("freeze")
        verbose_name_plural = _("freezes")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["client", "reason", "cause"],
                condition=Q(ended_at__isnull=True),
                name="freeze_once_per_cause",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}"
