"""Why an invitation must not go: the bank's rules, one row each."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from bank.models import in_language


class SuppressionRule(models.Model):
    """Why an invitation must not go: one row per rule, tuned by an administrator."""

    class Scope(models.TextChoices):
        ALL = "all", _("every questionnaire")
        PUSHED = "pushed", _("pushed questionnaires")

    class Action(models.TextChoices):
        SKIP = "skip", _("do not ask")
        POSTPONE = "postpone", _("ask later")

    code = models.CharField(_("code"), max_length=24, unique=True)
    position = models.PositiveSmallIntegerField(_("position"))
    name_zh = models.CharField(_("name in Chinese"), max_length=120)
    name_en = models.CharField(_("name in English"), max_length=160)
    scope = models.CharField(_("scope"), max_length=8, choices=Scope)
    action = models.CharField(_("action"), max_length=8, choices=Action)
    parameter = models.JSONField(_("parameter"), null=True, blank=True)
    exempt = models.JSONField(_("exempt triggers"), default=list, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    # The row as it was shipped: a field is overwritten only while it still equals this.
    loaded = models.JSONField(default=dict, editable=False)

    class Meta:
        verbose_name = _("suppression rule")
        verbose_name_plural = _("suppression rules")

    def __str__(self) -> str:
        return self.code

    @property
    def name(self) -> str:
        """The rule in plain words, in the active language."""
        return in_language(self.name_zh, self.name_en)
