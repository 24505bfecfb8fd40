"""Whom we ask and when: campaigns and invitations."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from bank import scope
from bank.models import ApiKey, User
from clients.models import Case, Client, Contact, Milestone
from surveys.models.questionnaire import Questionnaire, Version
from surveys.models.trigger import Occasion

# Half a year: a longer wave would meet the next one.
MOST_WEEKS = 26


def _person(name: Any) -> "models.ForeignKey[User | None, User | None]":
    """A member of staff who did something to a campaign."""
    return models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=name,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )


class Campaign(models.Model):
    """One wave of one questionnaire to a chosen audience."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        SENDING = "sending", _("Sending")
        PAUSED = "paused", _("Paused")
        COLLECTING = "collecting", _("Collecting")
        CLOSED = "closed", pgettext_lazy("campaign", "Closed")
        STOPPED = "stopped", _("Stopped")
        FAILED = "failed", _("Failed")

    name = models.CharField(_("name"), max_length=120)
    questionnaire = models.ForeignKey(
        Questionnaire, verbose_name=_("questionnaire"), on_delete=models.PROTECT
    )
    # Fixed at launch: what was asked never changes afterwards.
    version = models.ForeignKey(
        Version, verbose_name=_("version"), null=True, blank=True, on_delete=models.PROTECT
    )
    status = models.CharField(
        _("status"), max_length=12, choices=Status, default=Status.DRAFT, db_index=True
    )
    # {"client_codes": […]} or any of {"segment", "team", "job_roles", "buying_roles", "size"}
    audience = models.JSONField(_("audience"), default=dict)
    send_at = models.DateTimeField(_("send from"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes at"))
    send_window = models.BooleanField(
        _("only in working hours"),
        default=True,
        help_text=_("Switch off to send outside working hours; the choice is audited."),
    )
    # How the mails are spread: one week is all at once, more have their working days each.
    weeks = models.PositiveSmallIntegerField(
        _("weeks of sending"),
        default=1,
        help_text=_("More than one spreads the mails over the working days of these weeks."),
    )
    # A share or a number of those who may be asked, drawn by the seed; both empty: everybody.
    sample_share = models.DecimalField(
        _("share to ask, in percent"), max_digits=5, decimal_places=2, null=True, blank=True
    )
    sample_size = models.PositiveIntegerField(_("number to ask"), null=True, blank=True)
    sample_seed = models.PositiveIntegerField(_("seed of the draw"), default=0)
    team_places = models.PositiveIntegerField(
        _("places per team and week"),
        null=True,
        blank=True,
        help_text=_("At most so many contacts of one team are asked in one week."),
    )
    # {"decider": 40, …}: how the places of a team and week are shared, in percent; empty: not.
    role_shares = models.JSONField(_("shares by buying role"), default=dict, blank=True)
    remind_after = models.PositiveSmallIntegerField(
        _("working days until the reminder"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(90)],
        help_text=_("Empty: as the bank's settings say. 0: no reminder. There is never a second."),
    )
    created_by = _person(_("created by"))
    created_at = models.DateTimeField(_("created at"))
    # Whoever changed the draft last is its maker, and never the one who agrees to it.
    changed_by = _person(_("changed by"))
    changed_at = models.DateTimeField(_("changed at"), null=True, blank=True)
    submitted_by = _person(_("submitted by"))
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    approved_by = _person(_("approved by"))
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    launched_at = models.DateTimeField(_("launched at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    # Why the program paused it: {"code": …} and what the sentence of the code needs; see
    # `surveys.words.pause`. Empty when a person did.
    pause_reason = models.JSONField(_("reason of the pause"), default=dict, blank=True)
    # When a test mail last left, and the digest of what it said.
    tested_at = models.DateTimeField(_("tested at"), null=True, blank=True, editable=False)
    tested_content = models.CharField(max_length=64, blank=True, editable=False)
    # Bounces before this moment have paused the campaign already and do not do it again.
    watched_from = models.DateTimeField(null=True, blank=True, editable=False)
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status="draft") | Q(version__isnull=False),
                name="campaign_launched_has_version",
            ),
            models.CheckConstraint(
                condition=Q(weeks__gte=1, weeks__lte=MOST_WEEKS), name="campaign_weeks_in_reach"
            ),
            models.CheckConstraint(
                condition=(Q(sample_share__isnull=True) | Q(sample_size__isnull=True))
                & (Q(sample_share__isnull=True) | Q(sample_share__gt=0, sample_share__lte=100))
                & (Q(sample_size__isnull=True) | Q(sample_size__gte=1)),
                name="campaign_sample_makes_sense",
            ),
            models.CheckConstraint(
                condition=Q(team_places__isnull=True) | Q(team_places__gte=1),
                name="campaign_places_make_sense",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True)
                | Q(submitted_by__isnull=False, approved_by__isnull=False)
                & ~Q(approved_by=F("submitted_by")),
                name="campaign_approved_by_another",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Filters over invitations."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only invitations to clients this viewer may see; a test invites nobody."""
        return self.filter(scope.clients_of(viewer, "client__"), test_of__isnull=True)

    def open(self, at: datetime) -> Self:
        """Those who got their mail, have not answered, and still may."""
        return self.filter(state=Invitation.State.INVITED, sent_at__isnull=False, closes_at__gt=at)


class Invitation(models.Model):
    """Who is asked, and by which link. The links are kept as digests only."""

    class State(models.TextChoices):
        PLANNED = "planned", _("waiting")
        SKIPPED = "skipped", _("not asked")
        INVITED = "invited", _("invited")
        ANSWERED = "answered", _("answered")
        WITHDRAWN = "withdrawn", _("withdrawn")

    uuid = models.UUIDField(_("number"), default=uuid.uuid4, unique=True, editable=False)
    campaign = models.ForeignKey(
        Campaign,
        verbose_name=_("campaign"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="invitations",
    )
    case = models.ForeignKey(
        Case, verbose_name=_("case"), null=True, blank=True, on_delete=models.PROTECT
    )
    milestone = models.ForeignKey(
        Milestone, verbose_name=_("milestone"), null=True, blank=True, on_delete=models.PROTECT
    )
    # On what a trigger asked; a campaign's invitation has none.
    occasion = models.ForeignKey(
        Occasion,
        verbose_name=_("occasion"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="invitations",
    )
    contact = models.ForeignKey(
        Contact, verbose_name=_("contact"), on_delete=models.PROTECT, related_name="invitations"
    )
    # The client at the time of asking: a contact who moves later does not take answers along.
    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.PROTECT, related_name="invitations"
    )
    version = models.ForeignKey(Version, verbose_name=_("version"), on_delete=models.PROTECT)
    language = models.CharField(_("language"), max_length=2)
    # Values of the questionnaire's variables, as they were when the invitation was planned.
    variables = models.JSONField(_("variables"), default=dict)
    survey_digest = models.CharField(_("survey link digest"), max_length=64, unique=True)
    opt_out_digest = models.CharField(_("opt-out link digest"), max_length=64, unique=True)
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.PLANNED, db_index=True
    )
    reason = models.CharField(_("reason"), max_length=24, blank=True)
    free_on = models.DateField(_("free again on"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    opened_at = models.DateTimeField(_("opened at"), null=True, blank=True)
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes at"))
    # A test of this campaign to a colleague. Contact and client only lend it their place: their
    # values are not shown, nothing is sent to them, and nothing counts.
    test_of = models.ForeignKey(
        Campaign,
        verbose_name=_("test of"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="tests",
        db_index=False,
        editable=False,
    )
    test_for = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("tested by"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        editable=False,
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["campaign", "contact"],
                condition=Q(campaign__isnull=False),
                name="invitation_once_per_campaign",
            ),
            models.UniqueConstraint(
                fields=["case", "milestone", "contact"],
                condition=Q(milestone__isnull=False),
                name="invitation_once_per_milestone",
            ),
            models.UniqueConstraint(
                fields=["occasion", "contact"],
                condition=Q(occasion__isnull=False),
                name="invitation_once_per_occasion",
            ),
            models.CheckConstraint(
                condition=~Q(state="skipped") | ~Q(reason=""), name="invitation_skip_has_reason"
            ),
            # What nobody may count by mistake hangs on no campaign and was never sent to anybody.
            models.CheckConstraint(
                condition=Q(test_of__isnull=True, test_for__isnull=True)
                | Q(
                    test_of__isnull=False,
                    test_for__isnull=False,
                    campaign__isnull=True,
                    occasion__isnull=True,
                    case__isnull=True,
                    sent_at__isnull=True,
                ),
                name="invitation_test_stands_apart",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["closes_at"], condition=Q(state="invited"), name="invitation_open"
            ),
            models.Index(
                fields=["test_of"], condition=Q(test_of__isnull=False), name="invitation_tests"
            ),
            models.Index(fields=["contact", "sent_at"], name="invitation_contact_sent"),
            models.Index(fields=["client", "sent_at"], name="invitation_client_sent"),
        ]

    def __str__(self) -> str:
        return str(self.uuid)

    @property
    def is_test(self) -> bool:
        """Whether a colleague tries a campaign out by this link."""
        return self.test_of_id is not None
