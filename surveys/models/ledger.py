"""What became of each invitation's mails: the ledger of deliveries."""

from datetime import datetime
from itertools import takewhile
from typing import ClassVar, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from surveys.models.campaign import Invitation

# Taken so often without an end, a row is no longer taken together with others.
SUSPECT = 2


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """The send ledger: what is due, what was lost, who holds a claim."""

    def due(self, at: datetime) -> Self:
        """Deliveries that may be claimed at this instant."""
        return self.filter(
            state__in=[Delivery.State.QUEUED, Delivery.State.RETRY], next_try_at__lte=at
        )

    def claim(self, at: datetime, *, holder: str, until: datetime, limit: int) -> list[int]:
        """Take up to `limit` due deliveries of this queryset; nobody else gets the same ones.

        What was taken before without an end goes alone: it may be what ended its senders.
        Rows that another sender is just taking are passed over, not waited for. SQLite has no
        row locks and needs none: there the transaction itself is the only writer.
        """
        with transaction.atomic():
            free = self.due(at).select_for_update(skip_locked=True, of=("self",))
            rows = list(free.order_by("id").values_list("pk", "taken")[:limit])
            good = [pk for pk, _taken in takewhile(lambda row: row[1] < SUSPECT, rows)]
            keys = good or [pk for pk, _taken in rows[:1]]
            Delivery.objects.filter(pk__in=keys).update(
                state=Delivery.State.CLAIMED,
                claimed_by=holder,
                lease_until=until,
                taken=F("taken") + 1,
            )
        return keys

    def unrecorded(self) -> Self:
        """Sent mails that are not yet recorded among the touchpoints of their clients."""
        arrived = [Delivery.State.SENT, Delivery.State.DELIVERED]
        return self.filter(state__in=arrived, recorded=False, sent_at__isnull=False)

    def expired(self, at: datetime) -> Self:
        """Claimed or marked deliveries whose holder has been silent past its lease."""
        return self.filter(
            state__in=[Delivery.State.CLAIMED, Delivery.State.SENDING], lease_until__lte=at
        )


class Delivery(models.Model):
    """One message of one invitation: queued → claimed → sending → sent, or why not.

    Sent means that the relay took it; where its log is read, it says what came of it afterwards.
    """

    class Kind(models.TextChoices):
        INVITATION = "invitation", _("invitation")
        REMINDER = "reminder", _("reminder")

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        CLAIMED = "claimed", _("claimed")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        DELIVERED = "delivered", _("delivered")
        BOUNCED = "bounced", _("bounced")
        RETRY = "retry", _("to be tried again")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("skipped")
        UNKNOWN = "unknown", _("unknown")

    invitation = models.ForeignKey(
        Invitation,
        verbose_name=_("invitation"),
        on_delete=models.PROTECT,
        related_name="deliveries",
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.INVITATION)
    channel = models.CharField(_("channel"), max_length=8, default="email")
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.QUEUED)
    reason = models.CharField(_("reason"), max_length=24, blank=True)
    message_id = models.CharField(_("message id"), max_length=120, unique=True)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    # How often the outcome was lost; a second loss waits for a person.
    losses = models.PositiveSmallIntegerField(_("lost outcomes"), default=0)
    # Taken by senders that did not bring it to an end: written before its letter is made, so a
    # row that kills its sender is known by it.
    taken = models.PositiveSmallIntegerField(_("taken without an end"), default=0)
    claimed_by = models.CharField(_("claimed by"), max_length=60, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    next_try_at = models.DateTimeField(_("next try at"))
    last_error = models.CharField(_("last error"), max_length=500, blank=True)
    relay_reply = models.CharField(_("reply of the relay"), max_length=500, blank=True)
    # The relay's own number of the mail, where its log is read.
    queue_id = models.CharField(_("number in the relay"), max_length=32, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    # When the last word on it came, good or bad.
    settled_at = models.DateTimeField(_("last outcome at"), null=True, blank=True)
    # Whether the touchpoint of this mail is written; the sweep looks for those without.
    recorded = models.BooleanField(_("recorded"), default=False, editable=False)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("send ledger")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["invitation", "kind", "channel"], name="delivery_unique"
            ),
            models.CheckConstraint(
                condition=~Q(state="skipped") | ~Q(reason=""), name="delivery_skip_has_reason"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_try_at", "id"],
                condition=Q(state__in=["queued", "retry"]),
                name="delivery_due",
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(state__in=["claimed", "sending"]),
                name="delivery_lease",
            ),
            models.Index(
                fields=["id"],
                condition=Q(state__in=["sent", "delivered"], recorded=False),
                name="delivery_unrecorded",
            ),
            models.Index(fields=["queue_id"], condition=~Q(queue_id=""), name="delivery_queue_id"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.get_state_display()}"
