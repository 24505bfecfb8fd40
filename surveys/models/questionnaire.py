"""What we ask: questionnaires, their frozen versions and the questions of each."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bank.models import in_language


class Questionnaire(models.Model):
    """A line of questioning; its kind is a population of its own in every figure."""

    class Kind(models.TextChoices):
        RELATIONAL = "relational", _("relationship survey")
        TRANSACTIONAL = "transactional", _("transaction survey")
        PULSE = "pulse", _("pulse")

    key = models.CharField(_("key"), max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    title_zh = models.CharField(_("title in Chinese"), max_length=120)
    title_en = models.CharField(_("title in English"), max_length=160)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("questionnaire")
        verbose_name_plural = _("questionnaires")

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """The title in the active language."""
        return in_language(self.title_zh, self.title_en)


class VersionQuerySet(models.QuerySet["Version"]):
    """Filters over versions."""

    def published(self) -> Self:
        """Versions that may be asked; the newest has the highest number."""
        return self.filter(published_at__isnull=False)


class Version(models.Model):
    """One wording of a questionnaire in both languages. Published means frozen for ever."""

    class Attribution(models.TextChoices):
        RELATIONSHIP_TEAM = "relationship_team", _("relationship team sees single answers")
        EXPERIENCE_TEAM_ONLY = "experience_team_only", _("experience team only")
        ANONYMOUS_OPTIONAL = "anonymous_optional", _("anonymous unless the person says who")

    questionnaire = models.ForeignKey(
        Questionnaire,
        verbose_name=_("questionnaire"),
        on_delete=models.PROTECT,
        related_name="versions",
    )
    number = models.PositiveSmallIntegerField(_("number"))
    attribution = models.CharField(_("who sees the answers"), max_length=24, choices=Attribution)
    minutes = models.PositiveSmallIntegerField(_("minutes"), default=1)
    intro_zh = models.TextField(_("introduction in Chinese"), blank=True)
    intro_en = models.TextField(_("introduction in English"), blank=True)
    closing_zh = models.TextField(_("closing words in Chinese"), blank=True)
    closing_en = models.TextField(_("closing words in English"), blank=True)
    # {"invitation": {"subject_zh": …, "preheader_zh": …, "body_zh": …, …_en}, "reminder": {…}}
    emails = models.JSONField(_("mails"), default=dict)
    variables = models.JSONField(_("variables"), default=list)
    # Digest of the shipped definition, so that loading the same text again changes nothing.
    source_digest = models.CharField(max_length=64, blank=True, editable=False)
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("questionnaire version")
        verbose_name_plural = _("questionnaire versions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["questionnaire", "number"], name="version_unique"),
            # One draft at a time: two editors would otherwise publish past each other.
            models.UniqueConstraint(
                fields=["questionnaire"],
                condition=Q(published_at__isnull=True),
                name="version_one_draft",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.questionnaire.title} · {self.number}"


class Question(models.Model):
    """One item of a version. `lo`, `hi`, `reversed` come from the catalogue, never from data."""

    class Type(models.TextChoices):
        NPS = "nps", _("recommend question, 0 to 10")
        CSAT = "csat", _("satisfaction, 1 to 5")
        CES = "ces", _("ease, 1 to 7")
        RATING = "rating", _("other scale")
        SINGLE = "single", _("single choice")
        MULTI = "multi", _("multiple choice")
        TEXT = "text", _("text")
        CALLBACK = "callback", _("call-back request")

    version = models.ForeignKey(
        Version, verbose_name=_("version"), on_delete=models.CASCADE, related_name="questions"
    )
    position = models.PositiveSmallIntegerField(_("position"))
    key = models.SlugField(_("key"), max_length=60)
    type = models.CharField(_("type"), max_length=10, choices=Type)
    dimension = models.CharField(_("dimension"), max_length=40, blank=True)
    csat_core = models.BooleanField(_("part of the CSAT composite"), default=False)
    required = models.BooleanField(_("required"), default=False)
    text_zh = models.TextField(_("question in Chinese"))
    text_en = models.TextField(_("question in English"))
    hint_zh = models.CharField(_("hint in Chinese"), max_length=200, blank=True)
    hint_en = models.CharField(_("hint in English"), max_length=200, blank=True)
    lo = models.SmallIntegerField(_("lowest value"), null=True, blank=True)
    hi = models.SmallIntegerField(_("highest value"), null=True, blank=True)
    reversed = models.BooleanField(_("reversed"), default=False)
    na_allowed = models.BooleanField(_("may be not applicable"), default=False)
    # {"1": {"zh": …, "en": …}, …, "na": {…}} for scales
    labels = models.JSONField(_("scale labels"), default=dict, blank=True)
    # [{"value", "zh", "en"}, …] for choices, in order
    options = models.JSONField(_("options"), default=list, blank=True)
    max_choices = models.PositiveSmallIntegerField(_("most choices"), null=True, blank=True)
    max_length = models.PositiveSmallIntegerField(_("longest text"), null=True, blank=True)
    # {"item"|"var", "op", "value"} or {"any"|"all": […]}; refers to earlier questions only
    show_if = models.JSONField(_("shown if"), null=True, blank=True)

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "key"], name="question_key_unique"),
            models.CheckConstraint(
                condition=(Q(lo__isnull=True) & Q(hi__isnull=True)) | Q(hi__gt=models.F("lo")),
                name="question_scale_order",
            ),
            # The recommend question has one scale; another scale is another question.
            models.CheckConstraint(
                condition=~Q(type="nps") | Q(lo=0, hi=10), name="question_nps_scale"
            ),
        ]

    def __str__(self) -> str:
        return self.key
