"""Facilities for machines and scripts."""

from django.db.models import QuerySet
from django_filters.rest_framework import CharFilter, FilterSet
from rest_framework import mixins, serializers

from bank.api.access import viewer
from bank.api.lists import LONGEST
from bank.api.resources import Resource
from clients.models import Facility


class FacilityRow(serializers.Serializer[Facility]):
    """A facility as of its newest balance; amounts are texts, exact to the cent."""

    number = serializers.CharField()
    client_code = serializers.CharField(source="client.code")
    case_number = serializers.CharField(source="case.number", allow_null=True)
    kind = serializers.CharField()
    limit = serializers.DecimalField(max_digits=20, decimal_places=2, allow_null=True)
    drawn = serializers.DecimalField(max_digits=20, decimal_places=2, allow_null=True)
    currency = serializers.CharField()
    starts_on = serializers.DateField(allow_null=True)
    ends_on = serializers.DateField(allow_null=True)
    as_of = serializers.DateField()


class FacilityFilters(FilterSet):
    """Filters of the list of facilities."""

    client = CharFilter(field_name="client__code", max_length=LONGEST)
    case = CharFilter(field_name="case__number", max_length=LONGEST)


class Facilities(mixins.ListModelMixin, Resource[Facility]):
    """The limits granted to the clients in the caller's scope."""

    queryset = Facility.objects.none()
    serializer_class = FacilityRow
    filterset_class = FacilityFilters

    def get_queryset(self) -> QuerySet[Facility]:
        """Facilities with what their row names."""
        rows = Facility.objects.visible_to(viewer(self.request))
        return rows.select_related("client", "case").order_by("number", "pk")
