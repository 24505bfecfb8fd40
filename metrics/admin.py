"""The stored figures to look at: nothing is changed by hand, and the gate holds here too."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Case, CharField, OuterRef, QuerySet, Subquery, Value, When
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from bank import formats
from bank.admin.base import ReadOnly
from bank.admin.coded import CodedFilter
from bank.models import Team
from clients.models import Client
from metrics import queries, wording, words
from metrics.models import (
    ClientState,
    Measurement,
    ParameterSet,
    ReferenceDistribution,
    Scope,
)
from surveys.models import Campaign


def _first(rows: QuerySet[Any], field: str, key: str) -> Subquery:
    return Subquery(rows.filter(pk=OuterRef(key)).values(field)[:1])


@admin.register(Measurement)
class MeasurementAdmin(ReadOnly):
    """Figures as any page may show them: withheld ones without value and without detail."""

    coded: ClassVar = {
        "metric": words.metrics,
        "population": words.populations,
        "gate": words.gates,
        "flags": words.gates,
    }
    list_display = ("metric", "unit", "population", "period", "shown", "ends", "n", "gate")
    list_filter = (
        "scope",
        ("population", CodedFilter),
        ("metric", CodedFilter),
        ("gate", CodedFilter),
    )
    search_fields = ("metric", "period", "unit_code")
    fields = (
        "metric",
        "unit",
        "population",
        "period",
        "shown",
        "ends",
        ("n", "clients", "eligible", "coverage"),
        "counted",
        ("method", "version", "parameter_set"),
        ("zone", "as_of"),
        ("gate", "flags"),
    )
    readonly_fields = ("unit", "shown", "ends", "counted")
    ordering = ("scope", "scope_id", "period", "metric", "id")
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Measurement]:
        """Name the unit in the same query, as its key points to one of three tables."""
        code: Case = Case(
            When(scope=Scope.CLIENT, then=_first(Client.objects.all(), "code", "scope_id")),
            When(scope=Scope.TEAM, then=_first(Team.objects.all(), "code", "scope_id")),
            When(scope=Scope.CAMPAIGN, then=_first(Campaign.objects.all(), "name", "scope_id")),
            default=Value(""),
            output_field=CharField(),
        )
        found: QuerySet[Measurement] = super().get_queryset(request)
        return found.annotate(unit_code=code)

    @admin.display(description=_("unit"), ordering="scope")
    def unit(self, row: Measurement) -> str:
        """Scope and code of what the figure speaks of."""
        return f"{row.get_scope_display()} {getattr(row, 'unit_code', None) or ''}".strip()

    @admin.display(description=_("value"))
    def shown(self, row: Measurement) -> str:
        """The figure after the gate."""
        return wording.written(queries.figure_of(row))

    @admin.display(description=_("interval"))
    def ends(self, row: Measurement) -> str:
        """The interval after the gate."""
        return wording.ends(queries.figure_of(row))

    @admin.display(description=_("numbers put in"))
    def counted(self, row: Measurement) -> str:
        """The numbers put in after the gate."""
        detail = queries.figure_of(row).detail
        return ", ".join(f"{key} {value}" for key, value in sorted(detail.items()))


@admin.register(ParameterSet)
class ParameterSetAdmin(ReadOnly):
    """The parameter sets figures were made with."""

    list_display = ("key",)
    search_fields = ("key",)
    ordering = ("key",)


@admin.register(ClientState)
class ClientStateAdmin(ReadOnly):
    """What each client's figures know of its rows."""

    list_display = (
        "client_code",
        "responses",
        "revisions",
        "invitations",
        "as_of",
        "noted",
    )
    list_filter = ("noted", "as_of")
    search_fields = ("code",)
    readonly_fields = ("client_code",)
    ordering = ("client_id",)
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[ClientState]:
        """Name the client in the same query."""
        found: QuerySet[ClientState] = super().get_queryset(request)
        return found.annotate(code=_first(Client.objects.all(), "code", "client_id"))

    @admin.display(description=_("client code"), ordering="code")
    def client_code(self, row: ClientState) -> str:
        """The bank's code of the client."""
        return getattr(row, "code", None) or str(row.client_id)


@admin.register(ReferenceDistribution)
class ReferenceAdmin(ReadOnly):
    """What engagement is measured by. A new version is frozen by `rebase_reference` only."""

    list_display = ("version", "quantity", "segment", "size", "ends", "clients", "frozen_at")
    list_filter = ("version", "quantity", "segment", "size")
    search_fields = ("quantity", "segment", "size")
    fields = (
        ("version", "quantity", "segment", "size"),
        "ends",
        ("prior", "strength"),
        "clients",
        ("quarters", "zone", "parameter_set", "frozen_at"),
    )
    readonly_fields = ("ends",)
    ordering = ("-version", "quantity", "segment", "size")
    list_per_page = 50

    @admin.display(description=_("bounds"))
    def ends(self, row: ReferenceDistribution) -> str:
        """From where to where a score goes, in the unit of the quantity."""
        return formats.number_interval(*row.ends, 3)
