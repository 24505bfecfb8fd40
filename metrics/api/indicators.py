"""The figures a caller may see: of the bank, teams, campaigns and clients."""

import re
from collections.abc import Sequence
from typing import Any, ClassVar, NoReturn

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from bank import scope
from bank.api.access import viewer
from bank.api.lists import NUMBER, find
from bank.api.resources import Resource
from bank.models import ApiKey, Role, Team, User
from clients.models import Client
from metrics import queries
from metrics.api.grid import Grid, IndicatorRow, Unit
from metrics.models import Measurement, Scope
from surveys.models import Campaign, Questionnaire
from surveys.queries import campaigns

# Named by the interface; they come with later orders.
LATER = frozenset(
    {
        "from",
        "to",
        "segment",
        "size",
        "industry",
        "product_family",
        "stage",
        "questionnaire",
        "buying_role",
    }
)
PERIOD = "rolling12m"
WHOLE = "all"
_MONTH = r"[1-9]\d{3}-(?:0[1-9]|1[0-2])"
_PERIOD = re.compile(rf"rolling90|rolling12m|(?:rolling3m:)?{_MONTH}|[1-9]\d{{3}}Q[1-4]", re.ASCII)


def _parameter(name: str, text: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.QUERY, description=text, **more)


METRIC = _parameter("metric", "Name of a metric; without one, all of the unit.")
WHEN = _parameter("period", "2026Q3, 2026-10, rolling90, rolling12m (default), rolling3m:2026-10.")
POPULATION = _parameter(
    "population", "Kind of questionnaire; relational unless told.", enum=Questionnaire.Kind.values
)
CODE = OpenApiParameter("code", str, OpenApiParameter.PATH, description="Code of the client.")


class ClientIndicators(Resource[Measurement]):
    """The figures of one client in the caller's scope."""

    queryset = Measurement.objects.none()
    serializer_class = IndicatorRow
    takes: ClassVar = frozenset({"metric", "period", "population"})

    @extend_schema(parameters=[CODE, METRIC, WHEN, POPULATION])
    def list(self, request: Request, code: str) -> Response:
        """List the client's figures of one period, one row a metric."""
        client = find(Client.objects.visible_to(viewer(request)), code=code)
        unit = _client(client, _population(request))
        return _page(self, Grid([unit], _metrics(request, Scope.CLIENT), _period(request)))


class Indicators(Resource[Measurement]):
    """The figures of the bank, of teams, campaigns and clients."""

    queryset = Measurement.objects.none()
    serializer_class = IndicatorRow
    takes: ClassVar = LATER | {"metric", "period", "population", "team", "campaign", "group_by"}

    @extend_schema(
        parameters=[
            METRIC,
            WHEN,
            POPULATION,
            _parameter("team", "Code of a team: its figure as a whole."),
            OpenApiParameter("campaign", int, description="Number of a campaign."),
            _parameter(
                "group_by", "One row a unit in scope.", enum=["team", "campaign", "client"]
            ),
        ]
    )
    def list(self, request: Request) -> Response:
        """List figures of one period: one row a metric, or one a metric and group."""
        _refuse_later(request)
        return _page(self, _grid(request))


def _page(view: Resource[Measurement], grid: Grid) -> Response:
    rows: Any = view.paginate_queryset(grid)
    return view.get_paginated_response(IndicatorRow(rows, many=True).data)


def _grid(request: Request) -> Grid:
    """The units asked for, as far as the caller may see their figures."""
    group, who = request.query_params.get("group_by", ""), viewer(request)
    team, campaign = (request.query_params.get(name) for name in ("team", "campaign"))
    if group not in {"", "team", "campaign", "client"}:
        _refuse("group_by", _("Group by team, campaign or client."))
    if (team and campaign) or (team and group == "campaign") or (campaign and group == "team"):
        _refuse("team", _("A team and a campaign cannot be combined yet."))
    if campaign and group == "client":
        _refuse("campaign", _("A campaign cannot be split by client yet."))
    if group == "client":
        return _by_client(request, who, team)
    if campaign or group == "campaign":
        return _by_campaign(request, who, campaign)
    if team or group == "team" or _limited(who):
        return _by_team(request, who, team, whole=group == "team")
    bank = Unit(Scope.BANK, 0, {}, _population(request))
    return Grid([bank], _metrics(request, Scope.BANK), _period(request))


def _by_team(request: Request, who: User | ApiKey, code: str | None, *, whole: bool) -> Grid:
    """One team, or each; a key of a team that names none gets its own."""
    teams = _teams(who)
    if code is None and not whole and isinstance(who, ApiKey):
        teams = teams.filter(pk=who.team_id or 0)
    elif code is not None:
        found = find(teams, code=code)
        teams = (
            teams.filter(pk__in=scope.teams_below(found.pk))
            if whole
            else teams.filter(pk=found.pk)
        )
    kind = _population(request)
    return Grid(
        teams.order_by("code", "pk"),
        _metrics(request, Scope.TEAM),
        _period(request),
        lambda row: Unit(Scope.TEAM, row.pk, {"team": row.code}, kind),
    )


def _by_campaign(request: Request, who: User | ApiKey, number: str | None) -> Grid:
    """One campaign, or each; its figures are of the kind of its questionnaire."""
    rows: QuerySet[Campaign] = campaigns(who)
    if _limited(who):
        codes = list(scope.teams_of(who).values_list("code", flat=True))
        rows = rows.filter(audience__within__in=codes)
    if number is not None:
        if not re.fullmatch(NUMBER, number):
            raise Http404
        rows = rows.filter(pk=find(rows, pk=number).pk)
    if request.query_params.get("population"):
        rows = rows.filter(questionnaire__kind=_population(request))
    return Grid(
        rows,
        _metrics(request, Scope.CAMPAIGN),
        _period(request, default=WHOLE),
        lambda row: Unit(Scope.CAMPAIGN, row.pk, {"campaign": row.pk}, row.questionnaire.kind),
    )


def _by_client(request: Request, who: User | ApiKey, code: str | None) -> Grid:
    """Each client in scope, of one team and those below it where one is named."""
    rows = Client.objects.visible_to(who)
    if code is not None:
        rows = rows.filter(team__in=scope.teams_below(find(_teams(who), code=code).pk))
    kind = _population(request)
    return Grid(
        rows.order_by("code", "pk"),
        _metrics(request, Scope.CLIENT),
        _period(request),
        lambda row: _client(row, kind),
    )


def _client(client: Client, population: str) -> Unit:
    return Unit(Scope.CLIENT, client.pk, {"client": client.code}, population)


def _limited(who: User | ApiKey) -> bool:
    """A key of a team sees nothing that reaches beyond it; for staff the bank is everybody's."""
    return isinstance(who, ApiKey) and not scope.sees_all(who)


def _teams(who: User | ApiKey) -> QuerySet[Team]:
    """Teams whose figures as a whole may be seen; a manager's own is one of them."""
    if isinstance(who, User) and who.role == Role.RELATIONSHIP_MANAGER and not who.is_superuser:
        return Team.objects.filter(pk=who.team_id or 0)
    return scope.teams_of(who)


def _metrics(request: Request, unit: str) -> Sequence[str]:
    asked, known = request.query_params.get("metric"), queries.METRICS[unit]
    if asked is None:
        return known
    if asked not in known:
        _refuse(
            "metric",
            _("This unit has no such metric; known are: %(names)s.") % {"names": ", ".join(known)},
        )
    return (asked,)


def _period(request: Request, default: str = PERIOD) -> str:
    asked = request.query_params.get("period", default)
    if asked != default and not _PERIOD.fullmatch(asked):
        _refuse("period", _("Write a period as 2026Q3, 2026-10, rolling90 or rolling12m."))
    return asked


def _population(request: Request) -> str:
    asked = request.query_params.get("population", queries.RELATIONAL)
    if asked not in Questionnaire.Kind.values:
        _refuse("population", _("The population is relational, transactional or pulse."))
    return asked


def _refuse_later(request: Request) -> None:
    for name in sorted(LATER & set(request.query_params)):
        _refuse(name, _("Figures cannot be cut by %(name)s yet.") % {"name": name})


def _refuse(name: str, words: str) -> NoReturn:
    raise serializers.ValidationError({name: [words]})
