"""Clients, contacts, cases and milestones for machines and scripts."""

from typing import Any, ClassVar

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from django_filters.rest_framework import CharFilter, ChoiceFilter, FilterSet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from bank.api.access import viewer
from bank.api.bodies import Strict
from bank.api.lists import LONGEST, TeamFilter, find
from bank.api.resources import Resource, Unprocessable
from clients import cases, queries
from clients.models import Case, CaseKind, Client, Consent, Contact, Milestone

NUMBER = OpenApiParameter("number", str, OpenApiParameter.PATH, description="Number of the case.")
# Codes and numbers are the bank's own words and may hold anything.
KEY = ".+"


class ClientRow(serializers.Serializer[Client]):
    """A client with the field names of the import file."""

    code = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()
    short_name = serializers.CharField()
    uscc = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(Client.Kind.choices)
    parent_code = serializers.CharField(source="visible_parent", allow_null=True)
    industry = serializers.CharField(source="industry.code", allow_null=True)
    province = serializers.CharField(source="province.code", allow_null=True)
    size = serializers.ChoiceField(Client.Size.choices, allow_null=True)
    segment = serializers.ChoiceField(Client.Segment.choices)
    team = serializers.CharField(source="team.code", allow_null=True)
    manager = serializers.CharField(source="manager.username", allow_null=True)
    status = serializers.ChoiceField(Client.Status.choices)
    since = serializers.DateField(allow_null=True)
    internal_rating = serializers.CharField(allow_null=True)
    risk_class = serializers.ChoiceField(Client.RiskClass.choices, allow_null=True)


class ContactRow(serializers.Serializer[Contact]):
    """A contact; address and phone are for whoever may see the client."""

    external_id = serializers.CharField()
    client_code = serializers.CharField(source="client.code")
    name = serializers.CharField()
    salutation = serializers.CharField()
    position = serializers.CharField()
    job_role = serializers.ChoiceField(Contact.JobRole.choices, allow_null=True)
    buying_role = serializers.ChoiceField(Contact.BuyingRole.choices, allow_null=True)
    email = serializers.CharField()
    phone = serializers.CharField()
    language = serializers.ChoiceField(Contact.Language.choices)
    time_zone = serializers.CharField()
    survey_consent = serializers.ChoiceField(Consent.State.choices)
    left_on = serializers.DateField(allow_null=True)


class CaseRow(serializers.Serializer[Case]):
    """A case with the field names of the import file; the amount is a text, exact to the cent."""

    number = serializers.CharField()
    client_code = serializers.CharField(source="client.code")
    kind = serializers.ChoiceField(CaseKind.choices)
    product_code = serializers.CharField(source="product.code", allow_null=True)
    name = serializers.CharField()
    amount = serializers.DecimalField(max_digits=20, decimal_places=2, allow_null=True)
    currency = serializers.CharField()
    stage = serializers.CharField()
    opened_on = serializers.DateField()
    closed_on = serializers.DateField(allow_null=True)
    manager = serializers.CharField(source="manager.username", allow_null=True)
    sector = serializers.CharField()


class MilestoneRow(serializers.Serializer[Milestone]):
    """A stage entered or a milestone planned or reached."""

    external_id = serializers.CharField()
    case_number = serializers.CharField(source="case.number")
    code = serializers.CharField()
    event = serializers.CharField()
    planned_on = serializers.DateField(allow_null=True)
    occurred_at = serializers.DateTimeField(allow_null=True)
    note = serializers.CharField()
    irregular = serializers.BooleanField()


class MilestoneBody(Strict):
    """A report of one stage or milestone; `correction` allows it to replace an earlier one."""

    external_id = serializers.CharField(max_length=120)
    case_number = serializers.CharField(required=False)
    code = serializers.CharField(max_length=40)
    event = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    planned_on = serializers.DateField(required=False, allow_null=True, default=None)
    occurred_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    correction = serializers.BooleanField(required=False, default=False)

    def validate_case_number(self, value: str) -> str:
        """The address names the case already; another one here is a mistake."""
        if value != self.context["number"]:
            raise serializers.ValidationError(_("This is not the case of the address."))
        return value


class ClientFilters(FilterSet):
    """Filters of the list of clients."""

    q = CharFilter(method="search", max_length=LONGEST, label="words in code or name")
    segment = ChoiceFilter(choices=Client.Segment.choices)
    team = TeamFilter(field_name="team")
    status = ChoiceFilter(choices=Client.Status.choices)
    manager = CharFilter(field_name="manager__username", max_length=LONGEST)

    def search(self, rows: QuerySet[Client], name: str, value: str) -> QuerySet[Client]:
        """Keep the clients in which every word occurs."""
        return rows.filter(pk__in=queries.clients(viewer(self.request), q=value).values("pk"))


class ContactFilters(FilterSet):
    """Filters of the list of contacts."""

    client = CharFilter(field_name="client__code", max_length=LONGEST)


class CaseFilters(FilterSet):
    """Filters of the list of cases."""

    client = CharFilter(field_name="client__code", max_length=LONGEST)
    kind = ChoiceFilter(choices=CaseKind.choices)
    stage = CharFilter(max_length=LONGEST)
    team = TeamFilter(field_name="client__team")
    manager = CharFilter(field_name="manager__username", max_length=LONGEST)


class Clients(mixins.ListModelMixin, mixins.RetrieveModelMixin, Resource[Client]):
    """The clients in the caller's scope."""

    queryset = Client.objects.none()
    serializer_class = ClientRow
    filterset_class = ClientFilters
    lookup_field = "code"
    lookup_value_regex = KEY

    def get_queryset(self) -> QuerySet[Client]:
        """The parent is named only where it is in scope itself."""
        seen = Client.objects.visible_to(viewer(self.request))
        parents = seen.filter(pk=OuterRef("parent")).values("code")
        related = seen.select_related("team", "manager", "industry", "province")
        return related.annotate(visible_parent=Subquery(parents[:1])).order_by("code", "pk")

    def get_object(self) -> Client:
        """Out of scope is as unknown as never heard of."""
        return find(self.get_queryset(), code=self.kwargs["code"])


class Contacts(mixins.ListModelMixin, Resource[Contact]):
    """The people at the clients in the caller's scope."""

    queryset = Contact.objects.none()
    serializer_class = ContactRow
    filterset_class = ContactFilters

    def get_queryset(self) -> QuerySet[Contact]:
        """Consent that was never asked for is `unknown`."""
        given = Consent.objects.filter(contact=OuterRef("pk"), purpose=Consent.Purpose.SURVEY)
        unknown = Consent.State.UNKNOWN.value
        return (
            Contact.objects.visible_to(viewer(self.request))
            .select_related("client")
            .annotate(survey_consent=Coalesce(Subquery(given.values("state")[:1]), Value(unknown)))
            .order_by("external_id", "pk")
        )


class Cases(mixins.ListModelMixin, mixins.RetrieveModelMixin, Resource[Case]):
    """The cases of the clients in the caller's scope."""

    queryset = Case.objects.none()
    serializer_class = CaseRow
    filterset_class = CaseFilters
    lookup_field = "number"
    lookup_value_regex = KEY

    def get_queryset(self) -> QuerySet[Case]:
        """Cases with what their row names."""
        rows = Case.objects.visible_to(viewer(self.request))
        return rows.select_related("client", "product", "manager").order_by("number", "pk")

    def get_object(self) -> Case:
        """Out of scope is as unknown as never heard of."""
        return find(self.get_queryset(), number=self.kwargs["number"])


class Milestones(mixins.ListModelMixin, Resource[Milestone]):
    """The stages and milestones of one case, and the door through which machines report them."""

    queryset = Milestone.objects.none()
    serializer_class = MilestoneRow
    write_scope: ClassVar = "ingest"

    def get_queryset(self) -> QuerySet[Milestone]:
        """Oldest report first."""
        return self._case().milestones.select_related("case").order_by("pk")

    @extend_schema(parameters=[NUMBER])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what was reported of the case."""
        return super().list(request, *args, **kwargs)

    @extend_schema(
        parameters=[NUMBER],
        request=MilestoneBody,
        responses={200: MilestoneRow, 201: MilestoneRow},
    )
    def create(self, request: Request, number: str) -> Response:
        """Report one stage or milestone; the same report again answers 200 and does nothing."""
        case = self._case()
        body = MilestoneBody(data=request.data, context={"number": case.number})
        body.is_valid(raise_exception=True)
        facts = dict(body.validated_data)
        facts.pop("case_number", None)
        correction = facts.pop("correction")
        try:
            milestone, new = cases.receive(
                case,
                cases.Report(**facts),
                correction=correction,
                at=timezone.now(),
                by=viewer(request),
            )
        except cases.Refused as error:
            raise Unprocessable(str(error)) from error
        answer = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return Response(MilestoneRow(milestone).data, status=answer)

    def _case(self) -> Case:
        rows = Case.objects.visible_to(viewer(self.request))
        return find(rows, number=self.kwargs["number"])
