"""What is true of the bank itself: its people, teams, keys, audit trail, settings, calendar."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.utils import translation
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """The four roles; each is a permission group of the same name."""

    RELATIONSHIP_MANAGER = "relationship_manager", _("Relationship manager")
    SUPERVISOR = "supervisor", _("Supervisor")
    ADMINISTRATOR = "administrator", _("Administrator")
    AUDITOR = "auditor", _("Auditor")


class Team(models.Model):
    """A branch, department or desk; teams form a tree by `parent`."""

    code = models.CharField(_("code"), max_length=32, unique=True)
    name_zh = models.CharField(_("name in Chinese"), max_length=100)
    name_en = models.CharField(_("name in English"), max_length=100)
    parent = models.ForeignKey(
        "self",
        verbose_name=_("parent team"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
    )

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(parent=models.F("id")), name="team_not_its_own_parent"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The team's name in the active language."""
        return in_language(self.name_zh, self.name_en)


class User(AbstractUser):
    """A member of staff. What they may see follows from role, team and portfolio."""

    name_zh = models.CharField(_("name in Chinese"), max_length=60, blank=True)
    name_en = models.CharField(_("name in English"), max_length=60, blank=True)
    title_zh = models.CharField(_("job title in Chinese"), max_length=60, blank=True)
    title_en = models.CharField(_("job title in English"), max_length=60, blank=True)
    role = models.CharField(_("role"), max_length=24, choices=Role, blank=True)
    team = models.ForeignKey(
        Team, verbose_name=_("team"), null=True, blank=True, on_delete=models.PROTECT
    )

    class Meta(AbstractUser.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(role__in=["", *Role.values]), name="user_role_known"
            ),
            # A supervisor without a team would see nothing and never notice.
            models.CheckConstraint(
                condition=~Q(role=Role.SUPERVISOR) | Q(team__isnull=False),
                name="user_supervisor_has_team",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def display_name(self) -> str:
        """The person's name in the active language, else the user name."""
        return in_language(self.name_zh, self.name_en) or self.username


class Deputy(models.Model):
    """One colleague stands in for another between two instants."""

    principal = models.ForeignKey(
        User, verbose_name=_("principal"), on_delete=models.CASCADE, related_name="deputies"
    )
    deputy = models.ForeignKey(
        User, verbose_name=_("deputy"), on_delete=models.CASCADE, related_name="stands_in_for"
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))

    class Meta:
        verbose_name = _("deputy")
        verbose_name_plural = _("deputies")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")), name="deputy_ends_after_start"
            ),
            models.CheckConstraint(
                condition=~Q(principal=models.F("deputy")), name="deputy_is_somebody_else"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deputy_id} for {self.principal_id}"


class ApiKey(models.Model):
    """A machine's key: only its digest is kept. `team` narrows what it sees to a subtree."""

    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=12, unique=True)
    digest = models.CharField(_("digest"), max_length=64)
    scopes = models.JSONField(_("scopes"), default=list)
    team = models.ForeignKey(
        Team, verbose_name=_("team"), null=True, blank=True, on_delete=models.PROTECT
    )
    created_by = models.ForeignKey(
        User, verbose_name=_("created by"), null=True, blank=True, on_delete=models.PROTECT
    )
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class AuditEntry(models.Model):
    """One change of state. Written in the act's transaction, numbered and chained a moment later.

    `number`, `previous` and `digest` stay empty until the one chain writer has passed.
    """

    at = models.DateTimeField(_("at"))
    actor = models.ForeignKey(
        User, verbose_name=_("person"), null=True, blank=True, on_delete=models.PROTECT
    )
    actor_label = models.CharField(_("actor"), max_length=120)
    act = models.CharField(_("act"), max_length=60, db_index=True)
    subject_type = models.CharField(_("kind of object"), max_length=60)
    subject_id = models.CharField(_("object"), max_length=120)
    data = models.JSONField(_("details"), default=dict)
    number = models.BigIntegerField(_("number"), null=True, blank=True, unique=True)
    previous = models.CharField(_("previous digest"), max_length=64, blank=True)
    digest = models.CharField(_("digest"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        indexes: ClassVar = [
            models.Index(fields=["subject_type", "subject_id"], name="audit_subject"),
            models.Index(fields=["id"], condition=Q(number__isnull=True), name="audit_unchained"),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.subject_type} {self.subject_id}"


class Setting(models.Model):
    """A value of the bank that an administrator may change; `loaded` is what was shipped."""

    key = models.CharField(_("key"), max_length=60, unique=True)
    value = models.JSONField(_("value"))
    loaded = models.JSONField(_("shipped value"), null=True, blank=True)

    class Meta:
        verbose_name = _("setting")
        verbose_name_plural = _("settings")

    def __str__(self) -> str:
        return self.key


class RelayState(models.Model):
    """What all processes know of one mail relay: its troubles, its pace, its log."""

    name = models.CharField(_("relay"), max_length=260, unique=True)
    # Failures in a row; from a number on nothing is sent until `open_until`, then one probe.
    errors = models.PositiveIntegerField(_("failures in a row"), default=0)
    failed_at = models.DateTimeField(_("last failure at"), null=True, blank=True)
    last_error = models.CharField(_("last error"), max_length=400, blank=True)
    open_until = models.DateTimeField(_("waits until"), null=True, blank=True)
    probe_until = models.DateTimeField(_("probed until"), null=True, blank=True)
    # The instant until which the mails already granted use up the rate.
    paced_until = models.DateTimeField(_("rate used up to"), null=True, blank=True)
    # How far the relay's log is read, and from which instant on without a gap.
    log_inode = models.BigIntegerField(_("file of the log"), null=True, blank=True)
    log_offset = models.BigIntegerField(_("place in the log"), default=0)
    log_from = models.DateTimeField(_("log read from"), null=True, blank=True)
    log_until = models.DateTimeField(_("log read until"), null=True, blank=True)

    class Meta:
        verbose_name = _("mail relay")
        verbose_name_plural = _("mail relays")

    def __str__(self) -> str:
        return self.name


class Slot(models.Model):
    """A turn of a job that happens by the clock: each is done once, however often it is rung."""

    job = models.CharField(_("job"), max_length=40)
    due_at = models.DateTimeField(_("due at"))
    started_at = models.DateTimeField(_("started at"))
    done_at = models.DateTimeField(_("done at"), null=True)

    class Meta:
        verbose_name = _("turn of a job")
        verbose_name_plural = _("turns of jobs")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["job", "due_at"], name="slot_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.due_at:%Y-%m-%d %H:%M}"


class Holiday(models.Model):
    """A date that differs from the plain week: a day off, or a make-up working day."""

    class Kind(models.TextChoices):
        OFF = "off", _("day off")
        WORKDAY = "workday", _("make-up working day")

    date = models.DateField(_("date"), unique=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    name = models.CharField(_("name"), max_length=60, blank=True)
    provisional = models.BooleanField(_("provisional"), default=False)

    class Meta:
        verbose_name = _("holiday")
        verbose_name_plural = _("banking calendar")

    def __str__(self) -> str:
        return f"{self.date} {self.festival}"

    @property
    def festival(self) -> str:
        """The festival in the active language, where the calendar names it in both."""
        zh, _blank, en = self.name.partition(" ")
        return in_language(zh, en) if en and not zh.isascii() else self.name


def in_language(zh: str, en: str) -> str:
    """Pick the text of the active language; the other one where it is missing."""
    chinese = (translation.get_language() or "en").startswith("zh")
    return (zh or en) if chinese else (en or zh)
