"""The figures a caller may see: of the bank, teams, campaigns, clients and any part of them."""

from typing import Any, ClassVar

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from bank.api.access import viewer
from bank.api.lists import find
from bank.api.resources import Resource
from clients.models import Client, Contact
from metrics import forms, slicing
from metrics.api.grid import IndicatorRow
from metrics.models import Measurement
from metrics.slicing.asking import GROUPS
from surveys.models import Questionnaire

_OF_CLIENT = frozenset(
    {"metric", "period", "from", "to", "population", "stage", "product_family"}
    | {"questionnaire", "buying_role"}
)


def _parameter(name: str, text: str, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.QUERY, description=text, **more)


CODE = OpenApiParameter("code", str, OpenApiParameter.PATH, description="Code of the client.")
OF_ANSWERS = [
    _parameter("metric", "Name of a metric; without one, all of the unit."),
    _parameter("period", "2026Q3, 2026-10, rolling90, rolling12m (default), rolling3m:2026-10."),
    _parameter("from", "First local day, instead of a period."),
    _parameter("to", "The local day after the last one; today is the last without it."),
    _parameter(
        "population",
        "Kind of questionnaire; relational unless told.",
        enum=Questionnaire.Kind.values,
    ),
    _parameter("stage", "Code of the stage of a case that was asked about."),
    _parameter("product_family", "Family of the product of the case."),
    _parameter("questionnaire", "Key of a questionnaire."),
    _parameter("buying_role", "Role of who answered.", enum=Contact.BuyingRole.values),
]
OF_CLIENTS = [
    _parameter("team", "Code of a team, with those below it."),
    OpenApiParameter("campaign", int, description="Number of a campaign."),
    _parameter("segment", "Line of business.", enum=Client.Segment.values),
    _parameter("size", "Size of the client.", enum=Client.Size.values),
    _parameter("industry", "Letter of a section or code of a division of GB/T 4754."),
    _parameter("group_by", "One row for each of these.", enum=GROUPS),
]


class ClientIndicators(Resource[Measurement]):
    """The figures of one client in the caller's scope."""

    queryset = Measurement.objects.none()
    serializer_class = IndicatorRow
    takes: ClassVar = _OF_CLIENT

    @extend_schema(parameters=[CODE, *OF_ANSWERS])
    def list(self, request: Request, code: str) -> Response:
        """List the client's figures of one period, one row a metric."""
        client = find(Client.objects.visible_to(viewer(request)), code=code)
        return _page(self, request, client)


class Indicators(Resource[Measurement]):
    """The figures of the bank, of teams, campaigns, clients, and of any part of them."""

    queryset = Measurement.objects.none()
    serializer_class = IndicatorRow
    takes: ClassVar = forms.NAMES

    @extend_schema(parameters=[*OF_ANSWERS, *OF_CLIENTS])
    def list(self, request: Request) -> Response:
        """List figures of one period: one row a metric, or one a metric and group."""
        return _page(self, request, None)


def _page(view: Resource[Measurement], request: Request, client: Client | None) -> Response:
    who, at = viewer(request), timezone.now()
    try:
        ask = forms.read(request.query_params.dict(), viewer=who, at=at, client=client)
    except forms.NotFound as error:
        raise Http404 from error
    except forms.Refused as error:
        raise serializers.ValidationError(error.errors) from error
    units = forms.units(ask, who)
    rows: Any = view.paginate_queryset(slicing.rows(ask, units, viewer=who, at=at))
    return view.get_paginated_response(IndicatorRow(rows, many=True).data)
