"""What is lent and how it goes: facilities, their balances, transactions, rates, statements."""

from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from bank import scope
from bank.models import ApiKey, User
from clients.models.cases import Case, Product
from clients.models.people import Client

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

_CURRENCY = "^[A-Z]{3}$"


class FacilityQuerySet(models.QuerySet["Facility"]):
    """Filters over facilities."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only facilities of clients this viewer may see."""
        return self.filter(scope.clients_of(viewer, "client__"))


class Facility(models.Model):
    """One limit granted to a client. Limit and drawn amount are those of its newest balance."""

    number = models.CharField(_("facility number"), max_length=64, unique=True)
    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.PROTECT, related_name="facilities"
    )
    case = models.ForeignKey(
        Case,
        verbose_name=_("case"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="facilities",
    )
    kind = models.CharField(_("kind"), max_length=60, blank=True)
    limit = models.DecimalField(_("limit"), max_digits=20, decimal_places=2, null=True, blank=True)
    drawn = models.DecimalField(_("drawn"), max_digits=20, decimal_places=2, null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    as_of = models.DateField(_("as of"))
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)

    objects = FacilityQuerySet.as_manager()

    class Meta:
        verbose_name = _("facility")
        verbose_name_plural = _("facilities")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(currency__regex=_CURRENCY), name="facility_currency"
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True)
                | Q(starts_on__isnull=True)
                | Q(ends_on__gte=F("starts_on")),
                name="facility_ends_after_start",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["client", "ends_on"], name="facility_client")]

    def __str__(self) -> str:
        return self.number


class FacilityBalance(models.Model):
    """Limit and drawn amount of one facility on one day, kept so that past exposure stays known.

    Both are in the facility's currency; null means not reported. They are recorded as reported,
    negative ones too: exposure counts these as 0.
    """

    facility = models.ForeignKey(
        Facility, verbose_name=_("facility"), on_delete=models.CASCADE, related_name="balances"
    )
    as_of = models.DateField(_("as of"))
    limit = models.DecimalField(_("limit"), max_digits=20, decimal_places=2, null=True, blank=True)
    drawn = models.DecimalField(_("drawn"), max_digits=20, decimal_places=2, null=True, blank=True)

    class Meta:
        verbose_name = _("facility balance")
        verbose_name_plural = _("facility balances")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["facility", "as_of"], name="balance_once_per_day"),
        ]

    def __str__(self) -> str:
        return f"{self.facility_id} {self.as_of}"


class ExchangeRate(models.Model):
    """What one unit of a currency is worth in the reporting currency from a day on."""

    currency = models.CharField(_("currency"), max_length=3)
    as_of = models.DateField(_("valid from"))
    rate = models.DecimalField(
        _("rate"),
        max_digits=18,
        decimal_places=8,
        help_text=_("Units of the reporting currency for one unit of this currency."),
    )

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["currency", "as_of"], name="rate_once_per_day"),
            models.CheckConstraint(condition=Q(rate__gt=Decimal(0)), name="rate_positive"),
            models.CheckConstraint(condition=Q(currency__regex=_CURRENCY), name="rate_currency"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.as_of}"


class TransactionQuerySet(models.QuerySet["Transaction"]):
    """Filters over transactions."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only transactions of clients this viewer may see."""
        return self.filter(scope.clients_of(viewer, "client__"))


class Transaction(models.Model):
    """One booking as the bank's core system reports it: once, whatever the number of reports.

    The amount keeps its sign: money that goes back is negative.
    """

    class Kind(models.TextChoices):
        DRAWDOWN = "drawdown", _("Drawdown")
        REPAYMENT = "repayment", _("Principal repayment")
        INTEREST = "interest", _("Interest payment")
        FEE = "fee", _("Fee")
        PRODUCT_USE = "product_use", _("Product use")

    external_id = models.CharField(_("transaction number"), max_length=160, unique=True)
    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.PROTECT, related_name="transactions"
    )
    facility = models.ForeignKey(
        Facility,
        verbose_name=_("facility"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="transactions",
    )
    kind = models.CharField(
        _("kind"), max_length=12, choices=Kind, null=True, blank=True, default=None
    )
    product = models.ForeignKey(
        Product, verbose_name=_("product"), null=True, blank=True, on_delete=models.PROTECT
    )
    amount = models.DecimalField(
        _("amount"), max_digits=20, decimal_places=2, null=True, blank=True
    )
    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    booked_at = models.DateTimeField(_("booked at"))
    days_past_due = models.PositiveIntegerField(_("days past due"), null=True, blank=True)

    objects = TransactionQuerySet.as_manager()

    class Meta:
        verbose_name = _("transaction")
        verbose_name_plural = _("transactions")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(currency__regex=_CURRENCY), name="transaction_currency"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["client", "booked_at"], name="transaction_client"),
        ]

    def __str__(self) -> str:
        return self.external_id


class StatementQuerySet(models.QuerySet["Statement"]):
    """Filters over statements."""

    def visible_to(self, viewer: User | ApiKey) -> Self:
        """Only statements of clients this viewer may see."""
        return self.filter(scope.clients_of(viewer, "client__"))


def _amount(label: "_StrOrPromise") -> "models.DecimalField[Decimal | None, Decimal | None]":
    return models.DecimalField(label, max_digits=22, decimal_places=2, null=True, blank=True)


class Statement(models.Model):
    """Financial figures of one client for one period, in units of `currency`.

    A file may tell them in thousands or ten thousands; `unit` keeps what it used, the amounts
    are multiplied out. Null means not reported, never 0.
    """

    class Basis(models.TextChoices):
        ANNUAL = "annual", _("annual")
        HALF = "half", _("half-year")
        QUARTER = "quarter", _("quarter")

    AMOUNTS: ClassVar = (
        "total_assets",
        "current_assets",
        "current_liabilities",
        "retained_earnings",
        "total_liabilities",
        "equity",
        "total_debt",
        "revenue",
        "cost_of_sales",
        "ebit",
        "ebitda",
        "interest_expense",
        "net_profit",
        "cfo",
        "cfi",
        "cff",
        "inventory",
        "receivables",
        "prepayments",
        "payables",
        "advances_received",
    )

    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.PROTECT, related_name="statements"
    )
    period_end = models.DateField(_("period end"))
    basis = models.CharField(_("basis"), max_length=8, choices=Basis)
    audited = models.BooleanField(_("audited"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, default="CNY")
    unit = models.PositiveIntegerField(_("unit of the file"), default=1)
    total_assets = _amount(_("total assets"))
    current_assets = _amount(_("current assets"))
    current_liabilities = _amount(_("current liabilities"))
    retained_earnings = _amount(_("retained earnings"))
    total_liabilities = _amount(_("total liabilities"))
    equity = _amount(_("equity"))
    total_debt = _amount(_("total debt"))
    revenue = _amount(_("revenue"))
    cost_of_sales = _amount(_("cost of sales"))
    ebit = _amount(_("EBIT"))
    ebitda = _amount(_("EBITDA"))
    interest_expense = _amount(_("interest expense"))
    net_profit = _amount(_("net profit"))
    cfo = _amount(_("operating cash flow"))
    cfi = _amount(_("investing cash flow"))
    cff = _amount(_("financing cash flow"))
    inventory = _amount(_("inventory"))
    receivables = _amount(_("receivables"))
    prepayments = _amount(_("prepayments"))
    payables = _amount(_("payables"))
    advances_received = _amount(_("advances received"))
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)

    objects = StatementQuerySet.as_manager()

    class Meta:
        verbose_name = _("financial statement")
        verbose_name_plural = _("financial statements")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["client", "period_end", "basis"], name="statement_unique"
            ),
            models.CheckConstraint(condition=Q(unit__in=[1, 1000, 10000]), name="statement_unit"),
            models.CheckConstraint(
                condition=Q(currency__regex=_CURRENCY), name="statement_currency"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.period_end} {self.basis}"


class Profile(models.Model):
    """What is known of a client's needs on one day: the fields named by the products' rules."""

    client = models.ForeignKey(
        Client, verbose_name=_("client"), on_delete=models.PROTECT, related_name="profiles"
    )
    as_of = models.DateField(_("as of"))
    # {field of `signal_fields_used`: number, truth value or word}; absent means not known.
    values = models.JSONField(_("values"), default=dict)
    is_demo = models.BooleanField(_("demo"), default=False, editable=False)

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client", "as_of"], name="profile_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id} {self.as_of}"
