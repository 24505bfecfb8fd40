"""What they borrow: cases, the stages they pass and the milestones they reach."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bank import scope
from bank.models import ApiKey, User, in_language
from clients.models.people import Client


class CaseKind(models.TextChoices):
    """The two families of lending the product knows."""

    LOAN = "loan", _("Loan")
    PROJECT_FINANCE = "project_finance", _("Project finance")


class Product(models.Model):
    """A product of the bank's list; rules of eligibility stay in `rules` as shipped."""

    code = models.CharField(_("code"), max_length=60, unique=True)
    family = models.CharField(_("family"), max_length=40)
    name_zh = models.CharField(_("name in Chinese"), max_length=100)
    name_en = models.CharField(_("name in English"), max_length=150)
    is_lending = models.BooleanField(_("lending"), default=False)
    # Whether clients use it through online banking: the base of the engagement index's usage.
    is_online = models.BooleanField(_("used online"), default=False)
    rules = models.JSONField(_("rules"), default=dict)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the active language."""
        return in_language(self.name_zh, self.name_en)


class Stage(models.Model):
    """A stage of the graph of one case kind (reference data)."""

    case_kind = models.CharField(_("case kind"), max_length=16, choices=CaseKind)
    code = models.CharField(_("code"), max_length=40)
    position = models.PositiveSmallIntegerField(_("position"))
    name_zh = models.CharField(_("name in Chinese"), max_length=60)
    name_en = models.CharField(_("name in English"), max_length=80)
    client_label_zh = models.CharField(_("words for the client in Chinese"), max_length=80)
    client_label_en = models.CharField(_("words for the client in English"), max_length=120)
    phase = models.CharField(_("phase"), max_length=40)
    owner_role = models.CharField(_("owner"), max_length=40)
    clock = models.CharField(_("clock"), max_length=20)
    sla_working_days = models.PositiveSmallIntegerField(_("promised working days"), null=True)
    terminal = models.BooleanField(_("terminal"), default=False)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case_kind", "code"], name="stage_unique"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the active language."""
        return in_language(self.name_zh, self.name_en)


class Transition(models.Model):
    """An edge of the graph: from one stage to another by an event (reference data)."""

    case_kind = models.CharField(_("case kind"), max_length=16, choices=CaseKind)
    from_code = models.CharField(_("from"), max_length=40)
    to_code = models.CharField(_("to"), max_length=40)
    event = models.CharField(_("event"), max_length=60)
    actor_role = models.CharField(_("actor"), max_length=40)
    guard = models.TextField(_("guard"), blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("transition")
        verbose_name_plural = _("transitions")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["case_kind", "from_code", "event", "to_code"], name="transition_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_code} → {self.to_code} ({self.event})"


class CaseEvent(models.Model):
    """The name of a transition or client event, for timelines (reference data)."""

    class Subject(models.TextChoices):
        CASE = "case", _("case")
        CLIENT = "client", _("client")

    code = models.CharField(_("code"), max_length=60, unique=True)
    subject = models.CharField(_("subject"), max_length=8, choices=Subject)
    name_zh = models.CharField(_("name in Chinese"), max_length=80)
    name_en = models.CharField(_("name in English"), max_length=120)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("case event")
        verbose_name_plural = _("case events")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the active language."""
        return in_language(self.name_zh, self.name_en)


class MilestoneType(models.Model):
    """A milestone a case may reach, apart from its stages (reference data)."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    position = models.PositiveSmallIntegerField(_("position"))
    name_zh = models.CharField(_("name in Chinese"), max_length=60)
    name_en = models.CharField(_("name in English"), max_length=80)
    case_kinds = models.JSONField(_("case kinds"), default=list)
    stage = models.CharField(_("usual stage"), max_length=40, null=True, blank=True)
    client_visible = models.BooleanField(_("shown to the client"), default=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("milestone type")
        verbose_name_plural = _("milestone types")

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the active language."""
        return in_language(self.name_zh, self.name_en)


class CaseQuerySet(models.QuerySet["Case"]):
    """Filters over cases."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only cases of clients this viewer may see."""
        return self.filter(scope.clients_of(viewer, "client__"))

    def open(self) -> Self:
        """Cases that have not ended."""
        return self.filter(closed_on__isnull=True)


class Case(models.Model):
    """One application for a loan, or one project-finance deal, from enquiry to its end."""

    Kind = CaseKind

    class DeclineReason(models.TextChoices):
        POLICY_EXCLUDED = "policy_excluded", _("outside policy")
        PURPOSE_UNCLEAR = "purpose_unclear", _("purpose unclear or not allowed")
        REPAYMENT_CAPACITY = "repayment_capacity", _("repayment capacity")
        CAPITAL_INSUFFICIENT = "capital_insufficient", _("project capital short")
        SECURITY_INSUFFICIENT = "security_insufficient", _("security short")
        CREDIT_RECORD = "credit_record", _("credit record")
        DOCUMENTS_INCOMPLETE = "documents_incomplete", _("documents incomplete")
        LIMIT_CONCENTRATION = "limit_concentration", _("limit or concentration")
        COMPLIANCE_CONFIDENTIAL = (
            "compliance_confidential",
            _("compliance reason, must not be disclosed"),
        )

    number = models.CharField(_("case number"), max_length=64, unique=True)
    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.PROTECT, related_name="cases"
    )
    kind = models.CharField(_("kind"), max_length=16, choices=CaseKind, default=CaseKind.LOAN)
    product = models.ForeignKey(
        Product, verbose_name=_("product"), null=True, blank=True, on_delete=models.PROTECT
    )
    name = models.CharField(_("name"), max_length=500, blank=True)
    amount = models.DecimalField(
        _("amount"), max_digits=20, decimal_places=2, null=True, blank=True
    )
    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    stage = models.CharField(_("stage"), max_length=40, default="enquiry")
    opened_on = models.DateField(_("opened on"))
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("case manager"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="cases",
    )
    sector = models.CharField(_("project sector"), max_length=60, blank=True)
    # Empty: not declined, or nobody has said why.
    decline_reason = models.CharField(
        _("reason of the refusal"), max_length=24, choices=DeclineReason, blank=True
    )
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["loan", "project_finance"]), name="case_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gte=0), name="case_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(closed_on__gte=models.F("opened_on")),
                name="case_closed_after_opened",
            ),
            models.CheckConstraint(
                condition=Q(currency__regex="^[A-Z]{3}$"), name="case_currency"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["client", "opened_on"], name="case_client")]

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()


class MilestoneQuerySet(models.QuerySet["Milestone"]):
    """Filters over milestones."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only milestones of clients this viewer may see."""
        return self.filter(scope.clients_of(viewer, "case__client__"))


class Milestone(models.Model):
    """A stage entered or a milestone planned or reached by one case, as reported."""

    external_id = models.CharField(_("milestone number"), max_length=120, unique=True)
    case = models.ForeignKey(
        Case, verbose_name=_("case"), on_delete=models.PROTECT, related_name="milestones"
    )
    code = models.CharField(_("stage or milestone"), max_length=40)
    event = models.CharField(_("event"), max_length=60, blank=True)
    planned_on = models.DateField(_("planned on"), null=True, blank=True)
    occurred_at = models.DateTimeField(_("occurred at"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=500, blank=True)
    # History is recorded as it was reported; what the graph does not allow is only marked.
    irregular = models.BooleanField(_("irregular"), default=False)

    objects = MilestoneQuerySet.as_manager()

    class Meta:
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(planned_on__isnull=False) | Q(occurred_at__isnull=False),
                name="milestone_has_a_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["case", "occurred_at"], name="milestone_case"),
            # What happened lately, in whatever case.
            models.Index(
                fields=["occurred_at"],
                condition=Q(occurred_at__isnull=False),
                name="milestone_reached",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id
