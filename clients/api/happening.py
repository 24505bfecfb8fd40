"""Events of a client for machines and scripts."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from bank.api.access import viewer
from bank.api.bodies import Strict
from bank.api.lists import find
from bank.api.resources import Resource, Unprocessable
from clients import events
from clients.models import Client, ClientEvent

CODE = OpenApiParameter("code", str, OpenApiParameter.PATH, description="Code of the client.")


class EventRow(serializers.Serializer[ClientEvent]):
    """Something that happened to a client."""

    external_id = serializers.CharField()
    client_code = serializers.CharField(source="client.code")
    contact_external_id = serializers.CharField(source="contact.external_id", required=False)
    event = serializers.CharField()
    occurred_at = serializers.DateTimeField()

    def to_representation(self, instance: ClientEvent) -> dict[str, Any]:
        """Name a person only where the report did."""
        row: dict[str, Any] = super().to_representation(instance)
        if instance.contact_id is None:
            row.pop("contact_external_id", None)
        return row


class EventBody(Strict):
    """A report of one event; `event` is one of `client_events` of the case model."""

    external_id = serializers.CharField(max_length=120)
    client_code = serializers.CharField(required=False)
    contact_external_id = serializers.CharField(required=False, allow_null=True, max_length=64)
    event = serializers.CharField(max_length=60)
    occurred_at = serializers.DateTimeField()

    def validate_client_code(self, value: str) -> str:
        """The address names the client already; another one here is a mistake."""
        if value != self.context["code"]:
            raise serializers.ValidationError(_("This is not the client of the address."))
        return value


class Events(mixins.ListModelMixin, Resource[ClientEvent]):
    """The events of one client, and the door through which machines report them."""

    queryset = ClientEvent.objects.none()
    serializer_class = EventRow
    write_scope: ClassVar = "ingest"

    def get_queryset(self) -> QuerySet[ClientEvent]:
        """Oldest first."""
        return (
            self._client().events.select_related("client", "contact").order_by("occurred_at", "pk")
        )

    @extend_schema(parameters=[CODE])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List what was reported of the client."""
        return super().list(request, *args, **kwargs)

    @extend_schema(parameters=[CODE], request=EventBody, responses={200: EventRow, 201: EventRow})
    def create(self, request: Request, code: str) -> Response:
        """Report one event; the same report again answers 200 and does nothing."""
        client = self._client()
        body = EventBody(data=request.data, context={"code": client.code})
        body.is_valid(raise_exception=True)
        facts = dict(body.validated_data)
        facts.pop("client_code", None)
        facts["contact"] = facts.pop("contact_external_id", None)
        try:
            event, new = events.receive(client, **facts, at=timezone.now(), by=viewer(request))
        except events.Refused as error:
            raise Unprocessable(str(error)) from error
        answer = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return Response(EventRow(event).data, status=answer)

    def _client(self) -> Client:
        return find(Client.objects.visible_to(viewer(self.request)), code=self.kwargs["code"])
