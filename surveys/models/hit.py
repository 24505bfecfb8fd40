"""Who or what followed the links of a mail, and how that was judged."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bank import scope
from bank.models import ApiKey, User
from surveys.models.campaign import Invitation
from surveys.models.questionnaire import Version


class HitQuerySet(models.QuerySet["Hit"]):
    """Filters over hits."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only hits of clients in scope, without surveys in which nobody is to be named.

        There the instant of a visit would lead from a person to an answer.
        """
        return self.filter(scope.clients_of(viewer, "invitation__client__")).exclude(
            invitation__version__attribution=Version.Attribution.ANONYMOUS_OPTIONAL
        )

    def openings(self) -> Self:
        """Visits of the survey by persons: the first one opens it, and is a click of its mail."""
        return self.filter(person=True, page=Hit.Page.SURVEY)


class Hit(models.Model):
    """Somebody or something followed a link. Evidence only: never an answer or an opt-out."""

    class Page(models.TextChoices):
        SURVEY = "survey", _("survey")
        OPT_OUT = "opt_out", _("opt-out")
        TRAP = "trap", _("link or field that no person sees")

    invitation = models.ForeignKey(
        Invitation, verbose_name=_("invitation"), on_delete=models.CASCADE, related_name="hits"
    )
    page = models.CharField(_("page"), max_length=8, choices=Page)
    method = models.CharField(_("method"), max_length=8)
    at = models.DateTimeField(_("at"))
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    agent = models.CharField(_("user agent"), max_length=300, blank=True)
    score = models.SmallIntegerField(_("score in the link"), null=True, blank=True)
    # Null: not judged yet. True on any page: who came, not what they wanted.
    person = models.BooleanField(_("by a person"), null=True, editable=False)
    # The judgement: the signals found, their weight, and the rule that weighed them.
    signals = models.JSONField(_("signals"), default=list, editable=False)
    weight = models.PositiveSmallIntegerField(_("weight"), null=True, editable=False)
    rule = models.CharField(_("rule"), max_length=8, blank=True, editable=False)
    # An administrator knows better; the clock never judges this hit again.
    ruled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("decided by"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="+",
    )
    ruled_at = models.DateTimeField(_("decided at"), null=True, blank=True, editable=False)
    ruled_why = models.CharField(_("reason"), max_length=200, blank=True, editable=False)

    objects = HitQuerySet.as_manager()

    class Meta:
        verbose_name = _("hit")
        verbose_name_plural = _("hits")
        indexes: ClassVar = [
            models.Index(fields=["invitation", "at"], name="hit_invitation"),
            models.Index(fields=["address", "at"], name="hit_address"),
            models.Index(
                fields=["id"], condition=Q(person__isnull=True), name="hit_waits_for_judgement"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.page} {self.at:%Y-%m-%d %H:%M}"
