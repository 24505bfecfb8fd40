"""Who the clients are and whom we know there."""

from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bank import scope
from bank.models import ApiKey, Team, User, in_language


class Industry(models.Model):
    """A division of GB/T 4754-2017, with its section."""

    code = models.CharField(_("code"), max_length=4, unique=True)
    section = models.CharField(_("section"), max_length=1)
    name_zh = models.CharField(_("name in Chinese"), max_length=100)
    name_en = models.CharField(_("name in English"), max_length=150)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("industry")
        verbose_name_plural = _("industries")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def name(self) -> str:
        """The name in the active language."""
        return in_language(self.name_zh, self.name_en)


class Province(models.Model):
    """A province-level division of GB/T 2260."""

    code = models.CharField(_("code"), max_length=2, unique=True)
    name_zh = models.CharField(_("name in Chinese"), max_length=60)
    name_en = models.CharField(_("name in English"), max_length=60)
    region = models.CharField(_("region"), max_length=40, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("province")
        verbose_name_plural = _("provinces")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def name(self) -> str:
        """The name in the active language."""
        return in_language(self.name_zh, self.name_en)


class ClientQuerySet(models.QuerySet["Client"]):
    """Filters over clients; scope lives here and nowhere else."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only the clients this viewer may see; a stranger sees none."""
        return self.filter(scope.clients_of(viewer))


class Client(models.Model):
    """A legal entity the bank lends to or may lend to; groups and sponsors by `parent`."""

    class Kind(models.TextChoices):
        CORPORATE = "corporate", _("Company")
        SPV = "spv", _("Project company (SPV)")
        GROUP = "group", _("Group")
        FINANCIAL = "financial", _("Financial institution")
        GOVERNMENT = "government", _("Public body")

    class Size(models.TextChoices):
        LARGE = "large", _("Large")
        MEDIUM = "medium", _("Medium")
        SMALL = "small", _("Small")
        MICRO = "micro", _("Micro")

    class Segment(models.TextChoices):
        CORPORATE = "corporate", _("Corporate lending")
        PROJECT_FINANCE = "project_finance", _("Project finance")

    class Status(models.TextChoices):
        PROSPECT = "prospect", _("Prospect")
        ACTIVE = "active", _("Active")
        CLOSED = "closed", _("Closed")

    class RiskClass(models.TextChoices):
        PASS = "pass", _("Pass")
        SPECIAL_MENTION = "special_mention", _("Special mention")
        SUBSTANDARD = "substandard", _("Substandard")
        DOUBTFUL = "doubtful", _("Doubtful")
        LOSS = "loss", _("Loss")

    code = models.CharField(_("client code"), max_length=64, unique=True)
    name_zh = models.CharField(_("name in Chinese"), max_length=300)
    name_en = models.CharField(_("name in English"), max_length=300, blank=True)
    short_name = models.CharField(_("short name"), max_length=100, blank=True)
    uscc = models.CharField(_("unified social credit code"), max_length=18, null=True, blank=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.CORPORATE)
    parent = models.ForeignKey(
        "self",
        verbose_name=_("group or sponsor"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="subsidiaries",
    )
    industry = models.ForeignKey(
        Industry, verbose_name=_("industry"), null=True, blank=True, on_delete=models.PROTECT
    )
    province = models.ForeignKey(
        Province, verbose_name=_("province"), null=True, blank=True, on_delete=models.PROTECT
    )
    size = models.CharField(_("size"), max_length=8, choices=Size, null=True, blank=True)
    segment = models.CharField(
        _("segment"), max_length=16, choices=Segment, default=Segment.CORPORATE
    )
    team = models.ForeignKey(
        Team, verbose_name=_("team"), null=True, blank=True, on_delete=models.PROTECT
    )
    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("relationship manager"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="clients",
    )
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.ACTIVE)
    since = models.DateField(_("client since"), null=True, blank=True)
    # A merged client: from that day on its answers and exposure count under the other.
    merged_into = models.ForeignKey(
        "self",
        verbose_name=_("merged into"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="merged_clients",
    )
    merged_on = models.DateField(_("merged on"), null=True, blank=True)
    # Null: never said. Without a contract, online activity is missing, which is not zero.
    online_contract = models.BooleanField(_("online banking contract"), null=True, blank=True)
    internal_rating = models.CharField(_("internal rating"), max_length=8, null=True, blank=True)
    risk_class = models.CharField(
        _("risk class"), max_length=16, choices=RiskClass, null=True, blank=True
    )
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)

    objects = ClientQuerySet.as_manager()

    class Meta:
        verbose_name = _("client")
        verbose_name_plural = _("clients")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["uscc"], condition=Q(uscc__isnull=False), name="client_uscc_unique"
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | ~Q(parent=models.F("id")),
                name="client_not_its_own_parent",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["corporate", "spv", "group", "financial", "government"]),
                name="client_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["prospect", "active", "closed"]),
                name="client_status_known",
            ),
            models.CheckConstraint(
                condition=Q(segment__in=["corporate", "project_finance"]),
                name="client_segment_known",
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True, merged_on__isnull=True)
                | (
                    Q(merged_into__isnull=False, merged_on__isnull=False)
                    & ~Q(merged_into=models.F("id"))
                ),
                name="client_merged_with_a_day",
            ),
            models.CheckConstraint(condition=~Q(code=""), name="client_code_not_empty"),
            models.CheckConstraint(condition=~Q(name_zh=""), name="client_name_not_empty"),
        ]
        indexes: ClassVar = [models.Index(fields=["manager", "status"], name="client_manager")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def name(self) -> str:
        """The name in the active language, else the other one."""
        return in_language(self.name_zh, self.name_en)

    @property
    def short(self) -> str:
        """The short name where there is one, else the name."""
        return self.short_name or self.name


class ContactQuerySet(models.QuerySet["Contact"]):
    """Filters over contacts."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only contacts of clients this viewer may see."""
        return self.filter(scope.clients_of(viewer, "client__"))


class Contact(models.Model):
    """A person at a client, with a job and a role in buying."""

    class JobRole(models.TextChoices):
        LEGAL_REPRESENTATIVE = "legal_representative", _("Legal representative")
        CHAIRMAN = "chairman", _("Chair")
        GENERAL_MANAGER = "general_manager", _("General manager")
        CFO = "cfo", _("Chief financial officer")
        FINANCE_MANAGER = "finance_manager", _("Finance manager")
        TREASURY_OFFICER = "treasury_officer", _("Treasury officer")
        ACCOUNTANT = "accountant", _("Accountant / handler")
        PROJECT_DIRECTOR = "project_director", _("Project director")
        LEGAL_COUNSEL = "legal_counsel", _("Legal counsel")
        SPONSOR_REPRESENTATIVE = "sponsor_representative", _("Sponsor representative")
        OTHER = "other", _("Other job")

    class BuyingRole(models.TextChoices):
        DECIDER = "decider", _("Decider")
        INFLUENCER = "influencer", _("Influencer")
        USER = "user", _("User")

    class Language(models.TextChoices):
        ZH = "zh", _("Chinese")
        EN = "en", _("English")

    external_id = models.CharField(_("contact number"), max_length=64, unique=True)
    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.PROTECT, related_name="contacts"
    )
    name = models.CharField(_("name"), max_length=100)
    salutation = models.CharField(_("salutation"), max_length=40, blank=True)
    position = models.CharField(_("position"), max_length=100, blank=True)
    job_role = models.CharField(
        _("job role"), max_length=24, choices=JobRole, null=True, blank=True
    )
    buying_role = models.CharField(
        _("buying role"), max_length=12, choices=BuyingRole, null=True, blank=True
    )
    email = models.EmailField(_("e-mail"), max_length=254)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.ZH)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True)
    left_on = models.DateField(_("left on"), null=True, blank=True)
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(email=""), name="contact_email_not_empty"),
            models.CheckConstraint(condition=~Q(name=""), name="contact_name_not_empty"),
            models.CheckConstraint(
                condition=Q(language__in=["zh", "en"]), name="contact_language_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.external_id})"
