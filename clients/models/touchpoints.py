"""What happened between the bank and a client, online and offline: one row an event."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bank import scope
from bank.models import ApiKey, User
from clients.models.cases import Product
from clients.models.people import Client, Contact


class TouchpointQuerySet(models.QuerySet["Touchpoint"]):
    """Filters over touchpoints."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only touchpoints of clients this viewer may see."""
        return self.filter(scope.clients_of(viewer, "client__"))


class Touchpoint(models.Model):
    """One engagement event of a client; the same event number is the same event for ever.

    Only what people did is recorded here: machine traffic is told apart before.
    """

    class Kind(models.TextChoices):
        LOGIN = "login", _("Login")
        PAGE_VIEW = "page_view", _("Page view")
        MESSAGE_DELIVERED = "message_delivered", _("Message delivered")
        MESSAGE_CLICK = "message_click", _("Message clicked")
        PRODUCT_USE = "product_use", _("Product used")
        VISIT = "visit", _("Visit")
        MEETING = "meeting", _("Meeting")
        CALL = "call", _("Call")
        EVENT = "event", _("Event")
        EMAIL_REPLY = "email_reply", _("E-mail reply")

    # What two people did together; the rest is told by machines, and counted, not told one by one.
    TOGETHER: ClassVar = (Kind.VISIT, Kind.MEETING, Kind.CALL, Kind.EVENT, Kind.EMAIL_REPLY)

    event_id = models.CharField(_("event number"), max_length=160, unique=True)
    client = models.ForeignKey(
        Client,
        verbose_name=_("client"),
        on_delete=models.PROTECT,
        related_name="touchpoints",
        db_index=False,
    )
    contact = models.ForeignKey(
        Contact,
        verbose_name=_("contact"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="touchpoints",
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    at = models.DateTimeField(_("at"))
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    duration_s = models.PositiveIntegerField(_("duration in seconds"), null=True, blank=True)
    product = models.ForeignKey(
        Product, verbose_name=_("product"), null=True, blank=True, on_delete=models.PROTECT
    )
    # A code of the case model's `touchpoint_source`, or the name of the system that reported it.
    source = models.CharField(_("source"), max_length=60, blank=True)
    # Who logged it by hand, and when; empty where a machine told it.
    logged_by = models.ForeignKey(
        User,
        verbose_name=_("logged by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        db_index=False,
    )
    logged_at = models.DateTimeField(_("logged at"), null=True, blank=True)

    objects = TouchpointQuerySet.as_manager()

    class Meta:
        verbose_name = _("touchpoint")
        verbose_name_plural = _("touchpoints")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(event_id=""), name="touchpoint_has_a_number"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["logged_by", "logged_at"],
                condition=Q(logged_by__isnull=False),
                name="touchpoint_logged",
            ),
            # Meetings of people, of whatever client: few among the millions machines report.
            models.Index(
                fields=["source", "at"],
                condition=Q(kind__in=["visit", "meeting", "call", "event", "email_reply"]),
                name="touchpoint_together",
            ),
            models.Index(
                fields=["client", "at"], include=["kind", "contact"], name="touchpoint_client"
            ),
        ]

    def __str__(self) -> str:
        return self.event_id


class Outage(models.Model):
    """A time in which a source of events recorded nothing: missing, which is not zero."""

    class Source(models.TextChoices):
        ONLINE = "online", _("online banking (logins and page views)")
        MAIL = "mail", _("messages")
        PRODUCTS = "products", _("use of products")

    source = models.CharField(_("source"), max_length=10, choices=Source)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("outage of a log")
        verbose_name_plural = _("outages of logs")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "starts_at"], name="outage_unique"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="outage_has_a_length"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.starts_at:%Y-%m-%d}"
