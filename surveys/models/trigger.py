"""On what the bank asks by itself: triggers, and each occasion that one of them has seen."""

from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from bank import scope
from bank.models import ApiKey, User, in_language
from clients.models import Case, Client, ClientEvent, Milestone, Touchpoint
from surveys.models.questionnaire import Questionnaire

# As the case model writes the months of a schedule.
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Trigger(models.Model):
    """Which event asks whom, with which questionnaire and when; tuned by an administrator."""

    class TargetKind(models.TextChoices):
        JOB_ROLE = "job_role", _("by job role")
        BUYING_ROLE = "buying_role", _("one of each buying role")
        EVENT_PERSON = "event_person", _("the person of the event")

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        QR = "qr", _("QR code")
        IN_PAGE = "in_page", _("in the page")

    code = models.CharField(_("code"), max_length=24, unique=True)
    name_zh = models.CharField(_("name in Chinese"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=160)
    # Kinds of case whose events count; empty where the event belongs to a client.
    case_kinds = models.JSONField(_("case kinds"), default=list, blank=True)
    # An event of the case kind, or stage:…, milestone:…, touchpoint:…, client:…, schedule:….
    events = models.JSONField(_("events"), default=list)
    questionnaire = models.ForeignKey(
        Questionnaire, verbose_name=_("questionnaire"), on_delete=models.PROTECT
    )
    context = models.CharField(_("kind of contact"), max_length=40, blank=True)
    delay_working_days = models.PositiveSmallIntegerField(
        _("working days after the event"), validators=[MaxValueValidator(90)]
    )
    target_kind = models.CharField(_("whom to ask"), max_length=12, choices=TargetKind)
    targets = models.JSONField(_("roles in order of preference"), default=list, blank=True)
    party_roles = models.JSONField(_("parties of a case"), default=list, blank=True)
    max_contacts = models.PositiveSmallIntegerField(
        _("contacts at most"), validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    cooldown_days = models.PositiveSmallIntegerField(
        _("days before the same contact again"), validators=[MaxValueValidator(3650)]
    )
    client_pause_days = models.PositiveSmallIntegerField(
        _("days before the same client again"), default=0, validators=[MaxValueValidator(3650)]
    )
    once = models.BooleanField(
        _("once only"),
        default=True,
        help_text=_("Ask once per case, or once per client where there is no case."),
    )
    link_valid_days = models.PositiveSmallIntegerField(
        _("days the link is valid"), validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    remind_after = models.PositiveSmallIntegerField(
        _("working days until the reminder"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(90)],
        help_text=_("Empty: as the bank's settings say. 0: no reminder. There is never a second."),
    )
    priority = models.PositiveSmallIntegerField(
        _("priority"),
        validators=[MinValueValidator(1), MaxValueValidator(99)],
        help_text=_("1 goes first."),
    )
    delivery = models.CharField(_("how it is asked"), max_length=8, choices=Channel)
    pushed = models.BooleanField(_("pushed"), default=True)
    wave_window_days = models.PositiveSmallIntegerField(
        _("days a wave stays open"), null=True, blank=True, validators=[MaxValueValidator(180)]
    )
    sample_share = models.DecimalField(
        _("share that is asked"),
        max_digits=4,
        decimal_places=3,
        default=1,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("1 is everybody, 0.2 every fifth event."),
    )
    is_active = models.BooleanField(_("switched on"), default=True)
    # A wave that began before this moment is not begun late.
    active_since = models.DateTimeField(_("switched on at"), editable=False)
    # The row as it was shipped: a field is overwritten only while it still equals this.
    loaded = models.JSONField(default=dict, editable=False)

    class Meta:
        verbose_name = _("trigger")
        verbose_name_plural = _("triggers")

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        """What happened, in the active language."""
        return in_language(self.name_zh, self.name_en)


class OccasionQuerySet(models.QuerySet["Occasion"]):
    """Filters over occasions."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only occasions of clients this viewer may see."""
        return self.filter(scope.clients_of(viewer, "client__"))

    def waiting(self) -> Self:
        """Occasions on which it is not yet decided whom to ask, of triggers that are on."""
        return self.filter(state=Occasion.State.WAITING, trigger__is_active=True)


class Occasion(models.Model):
    """One event that one trigger has seen: whom it asked is in the invitations, else the reason.

    A row is written once for each event and stays, so that nothing is considered twice.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ASKED = "asked", pgettext_lazy("occasion", "asked")
        PASSED = "passed", _("not asked")

    trigger = models.ForeignKey(
        Trigger, verbose_name=_("trigger"), on_delete=models.PROTECT, related_name="occasions"
    )
    # As the trigger writes it, such as `first_drawdown` or `milestone:financial_close`.
    event = models.CharField(_("event"), max_length=80)
    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.PROTECT, related_name="+"
    )
    case = models.ForeignKey(
        Case,
        verbose_name=_("case"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    milestone = models.ForeignKey(
        Milestone,
        verbose_name=_("milestone"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    touchpoint = models.ForeignKey(
        Touchpoint,
        verbose_name=_("touchpoint"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    client_event = models.ForeignKey(
        ClientEvent,
        verbose_name=_("client event"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    # The year and month of a schedule, such as 2027-04.
    slot = models.CharField(_("wave"), max_length=7, blank=True)
    happened_at = models.DateTimeField(_("happened at"))
    due_at = models.DateTimeField(_("due at"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    reason = models.CharField(_("reason"), max_length=24, blank=True)
    # Contact number → the `reason` that spoke against it, and the day it is `free_on` again.
    refused = models.JSONField(_("contacts not asked"), default=dict, blank=True)
    judged_at = models.DateTimeField(_("judged at"), null=True, blank=True)

    objects = OccasionQuerySet.as_manager()

    class Meta:
        verbose_name = _("occasion")
        verbose_name_plural = _("occasions")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["milestone", "trigger"],
                condition=Q(milestone__isnull=False),
                name="occasion_once_per_milestone",
            ),
            models.UniqueConstraint(
                fields=["touchpoint", "trigger"],
                condition=Q(touchpoint__isnull=False),
                name="occasion_once_per_touchpoint",
            ),
            models.UniqueConstraint(
                fields=["client_event", "trigger"],
                condition=Q(client_event__isnull=False),
                name="occasion_once_per_event",
            ),
            models.UniqueConstraint(
                fields=["client", "trigger", "slot"],
                condition=~Q(slot=""),
                name="occasion_once_per_wave",
            ),
            models.CheckConstraint(
                condition=~Q(state="passed") | ~Q(reason=""), name="occasion_pass_has_reason"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="occasion_due"),
        ]

    def __str__(self) -> str:
        return f"{self.trigger_id} {self.event} {self.happened_at:%Y-%m-%d}"
