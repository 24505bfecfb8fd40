"""Stored figures: what was computed, from how much, how surely, by which formula and when."""

import math
from datetime import date
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Scope(models.TextChoices):
    """The unit a figure speaks of; `scope_id` is its primary key, 0 for the bank."""

    BANK = "bank", _("bank")
    TEAM = "team", _("team")
    CAMPAIGN = "campaign", _("campaign")
    CLIENT = "client", _("client")


class ParameterSet(models.Model):
    """The parameters a figure was made with, found again by their digest."""

    key = models.CharField(_("key"), max_length=20, unique=True)
    values = models.JSONField(_("values"))

    class Meta:
        verbose_name = _("parameter set")
        verbose_name_plural = _("parameter sets")

    def __str__(self) -> str:
        return self.key


class Measurement(models.Model):
    """One figure of one unit, population and period. Null means not defined, never 0.

    `value`, `low` and `high` are raw: every door passes them through the display gate first.
    """

    metric = models.CharField(_("metric"), max_length=40)
    # Kind of questionnaire; empty for what no survey tells: engagement, silence.
    population = models.CharField(_("population"), max_length=16, blank=True)
    scope = models.CharField(_("unit"), max_length=10, choices=Scope)
    scope_id = models.BigIntegerField(_("unit number"), default=0)
    # A part of the unit: pairs of name and value by name, "segment=corporate&stage=approval".
    slice = models.CharField(_("part"), max_length=120, default="", blank=True)
    period = models.CharField(_("period"), max_length=24)
    value = models.FloatField(_("value"), null=True)
    low = models.FloatField(_("lower end"), null=True)
    high = models.FloatField(_("upper end"), null=True)
    label = models.CharField(_("label"), max_length=16, blank=True)
    n = models.IntegerField(_("answers"), default=0)
    clients = models.IntegerField(pgettext_lazy("number", "clients"), default=0)
    eligible = models.IntegerField(_("eligible"), null=True)
    coverage = models.FloatField(_("coverage of clients"), null=True)
    coverage_exposure = models.FloatField(_("coverage of exposure"), null=True)
    method = models.CharField(_("method"), max_length=24)
    version = models.PositiveSmallIntegerField(_("version"))
    parameter_set = models.CharField(_("parameter set"), max_length=20)
    zone = models.CharField(_("zone"), max_length=60)
    as_of = models.DateTimeField(_("as of"))
    # Reasons to withhold, joined by a blank; empty means that it may be shown.
    gate = models.CharField(_("withheld because"), max_length=80, blank=True)
    flags = models.CharField(_("flags"), max_length=80, blank=True)
    # The numbers put in: counts by score, classes, shares.
    detail = models.JSONField(_("numbers put in"), default=dict)
    # Set when a figure of a period that was over has changed.
    restated_at = models.DateTimeField(_("restated at"), null=True)

    class Meta:
        verbose_name = _("measurement")
        verbose_name_plural = _("measurements")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["scope", "scope_id", "slice", "population", "period", "metric"],
                name="measurement_unique",
            ),
            models.CheckConstraint(
                condition=Q(value__isnull=True)
                | Q(low__isnull=True)
                | Q(high__gte=models.F("low")),
                name="measurement_interval_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.scope} {self.scope_id} {self.period}"


class ClientState(models.Model):
    """How many responses of a client its figures know: the work list compares counts."""

    client_id = models.BigIntegerField(_("client"), unique=True)
    responses = models.IntegerField(pgettext_lazy("number", "responses"))
    revisions = models.BigIntegerField(_("revisions"))
    invitations = models.IntegerField(pgettext_lazy("number", "invitations"), default=0)
    # Team, status, segment and successor as the figures above the client know them.
    place = models.CharField(_("place"), max_length=100, default="", blank=True)
    # The same numbers by local month, which tell what is due above: {"2026-11": [1, 1, 2]}.
    months = models.JSONField(_("months"), default=dict, blank=True)
    # A mark of its facilities and of the rates.
    worth = models.CharField(_("exposure"), max_length=16, default="", blank=True)
    # By which quarter and parameters the engagement of past quarters was made.
    past = models.CharField(_("past quarters"), max_length=40, default="", blank=True)
    as_of = models.DateField(_("day of the windows"))
    # Set while facts that no count shows wait to be taken in.
    noted = models.BooleanField(_("facts changed"), default=False)

    class Meta:
        verbose_name = _("state of a client's figures")
        verbose_name_plural = _("state of the figures")

    def __str__(self) -> str:
        return str(self.client_id)

    @classmethod
    def blank(cls, client_id: int, day: date, *, noted: bool = False) -> Self:
        """The state of a client whose figures were never made."""
        return cls(client_id=client_id, responses=-1, revisions=-1, as_of=day, noted=noted)


class DueWindows(models.Model):
    """Windows that the figures above clients owe; `*` is all of them.

    Noted in the transaction that refreshes a client, taken away in the one that makes up for it.
    """

    keys = models.JSONField(_("periods"), default=list)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("figures due")
        verbose_name_plural = _("figures due")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} · {' '.join(self.keys)}"


class ReferenceDistribution(models.Model):
    """What engagement was usual when a reference was frozen: one quantity of one group of clients.

    A score is the place between `low` and `high`, so it moves by the client's own doing alone.
    A group is a segment and a size class; empty ones stand for all of them.
    """

    class Quantity(models.TextChoices):
        LOGIN = "login", _("logins per user")
        PV = "pv", _("page views per user")
        CTR = "ctr", _("click rate")
        DEPTH = "depth", _("product transactions")
        OFFLINE = "offline", _("points of personal contacts")

    version = models.PositiveSmallIntegerField(_("version"))
    quantity = models.CharField(_("quantity"), max_length=10, choices=Quantity)
    segment = models.CharField(_("segment"), max_length=16, blank=True)
    size = models.CharField(_("size"), max_length=8, blank=True)
    # Quantiles of log1p of the quantity, of the click rate itself.
    low = models.FloatField(_("lower bound"))
    high = models.FloatField(_("upper bound"))
    # The usual click rate and how many messages it weighs; of click rates only.
    prior = models.FloatField(_("usual rate"), null=True)
    strength = models.FloatField(_("weight of the usual rate"), null=True)
    clients = models.IntegerField(pgettext_lazy("number", "clients"))
    # Quantiles in even steps, for comparing with other ways of scoring.
    shape = models.JSONField(_("quantiles"), default=list)
    quarters = models.JSONField(_("as-of days"), default=list)
    zone = models.CharField(_("zone"), max_length=60)
    parameter_set = models.CharField(_("parameter set"), max_length=20)
    frozen_at = models.DateTimeField(_("frozen at"))

    class Meta:
        verbose_name = _("frozen reference")
        verbose_name_plural = _("frozen references")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["version", "quantity", "segment", "size"], name="reference_unique"
            ),
            models.CheckConstraint(
                condition=Q(high__gte=models.F("low")), name="reference_bounds_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.quantity} {self.segment}/{self.size}"

    @property
    def ends(self) -> tuple[float, float]:
        """The bounds in the unit of the quantity."""
        if self.quantity == self.Quantity.CTR:
            return self.low, self.high
        return math.expm1(self.low), math.expm1(self.high)


class RobustnessReport(models.Model):
    """What one other choice would do to the engagement index, told once for each reference."""

    version = models.PositiveSmallIntegerField(_("version"))
    variant = models.CharField(_("choice"), max_length=20)
    day = models.DateField(_("as-of day"))
    clients = models.IntegerField(pgettext_lazy("number", "clients"))
    # Null below three clients, or where all have the same index.
    rank_correlation = models.FloatField(_("rank correlation"), null=True)
    moved = models.IntegerField(_("clients whose band differs"))
    parameter_set = models.CharField(_("parameter set"), max_length=20)

    class Meta:
        verbose_name = _("robustness of the engagement index")
        verbose_name_plural = _("robustness of the engagement index")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["version", "variant"], name="robustness_unique"),
            models.CheckConstraint(
                condition=Q(moved__gte=0, moved__lte=models.F("clients")),
                name="robustness_moved_of_clients",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.variant}"
