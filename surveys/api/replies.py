"""Invitations, responses and the timeline of a client for machines and scripts."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from django_filters.rest_framework import CharFilter, ChoiceFilter, FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.request import Request
from rest_framework.response import Response

import clients.queries
from bank.api.access import viewer
from bank.api.lists import LONGEST, InstantFilter, KeyFilter, find
from bank.api.resources import Resource
from bank.models import ApiKey, User
from clients.models import Client
from clients.queries import Entry
from surveys import answering, attribution, queries
from surveys.models import Answer, Invitation
from surveys.models import Response as Reply

# A client's records beyond this many are read from their own resources.
ENTRIES = 1000
KINDS = [
    *("stage", "milestone", "contact", "event", "consent", "freeze", "thaw"),
    *("invited", "answered"),
]


class InvitationRow(serializers.Serializer[Invitation]):
    """Who was asked, or why not."""

    uuid = serializers.UUIDField()
    campaign = serializers.IntegerField(source="campaign_id", allow_null=True)
    contact = serializers.CharField(source="contact.external_id")
    client = serializers.CharField(source="client.code")
    state = serializers.ChoiceField(Invitation.State.choices)
    reason = serializers.CharField()
    free_on = serializers.DateField(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    opened_at = serializers.DateTimeField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: Invitation) -> dict[str, Any]:
        """Keep back the instants that would lead to a nameless answer."""
        row = dict(super().to_representation(instance))
        if not attribution.tells_times(instance):
            row["opened_at"] = row["answered_at"] = None
        return row


class ReplyRow(serializers.Serializer[Reply]):
    """A response; contact, invitation and answers are null where they were promised not to be."""

    response_id = serializers.CharField()
    invitation = serializers.SerializerMethodField()
    client = serializers.CharField(source="client.code")
    contact = serializers.SerializerMethodField()
    questionnaire = serializers.CharField(source="version.questionnaire.key")
    version = serializers.IntegerField(source="version.number")
    language = serializers.CharField()
    channel = serializers.CharField()
    submitted_at = serializers.DateTimeField()
    answers = serializers.SerializerMethodField()

    @extend_schema_field(OpenApiTypes.UUID)
    def get_invitation(self, reply: Reply) -> str | None:
        """The invitation, where the person may be named."""
        if reply.invitation is None or not self._named(reply):
            return None
        return str(reply.invitation.uuid)

    def get_contact(self, reply: Reply) -> str | None:
        """The contact, where the person may be named."""
        if reply.contact is None or not self._named(reply):
            return None
        return reply.contact.external_id

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_answers(self, reply: Reply) -> dict[str, Any] | None:
        """The answers by question key, where the caller may see them."""
        if not attribution.sees(self.context["viewer"], reply):
            return None
        return answering.values_of(reply.answers.all())

    def _named(self, reply: Reply) -> bool:
        return attribution.names_person(self.context["viewer"], reply)


class InvitationFilters(FilterSet):
    """Filters of the list of invitations."""

    campaign = KeyFilter()
    client = CharFilter(field_name="client__code", max_length=LONGEST)
    state = ChoiceFilter(choices=Invitation.State.choices)


class ReplyFilters(FilterSet):
    """Filters of the list of responses; `since` includes its instant."""

    campaign = KeyFilter(field_name="invitation__campaign")
    client = CharFilter(field_name="client__code", max_length=LONGEST)
    questionnaire = CharFilter(field_name="version__questionnaire__key", max_length=LONGEST)
    since = InstantFilter(field_name="submitted_at", lookup_expr="gte")


class Invitations(mixins.ListModelMixin, Resource[Invitation]):
    """Who was asked, or why not."""

    queryset = Invitation.objects.none()
    serializer_class = InvitationRow
    filterset_class = InvitationFilters

    def get_queryset(self) -> QuerySet[Invitation]:
        """Oldest first."""
        return queries.invitations(viewer(self.request)).select_related("version")


class Replies(mixins.ListModelMixin, Resource[Reply]):
    """What came back and counts, as far as was promised."""

    queryset = Reply.objects.none()
    serializer_class = ReplyRow
    filterset_class = ReplyFilters

    def get_queryset(self) -> QuerySet[Reply]:
        """Oldest first; the answers come in one query of their own."""
        answers = Answer.objects.select_related("question").order_by("question__position", "pk")
        rows = Reply.objects.visible_to(viewer(self.request)).standing()
        return (
            rows.select_related("client", "contact", "invitation", "version__questionnaire")
            .prefetch_related(Prefetch("answers", queryset=answers))
            .order_by("submitted_at", "pk")
        )

    def get_serializer_context(self) -> dict[str, Any]:
        """Attribution is judged for the caller."""
        return {**super().get_serializer_context(), "viewer": viewer(self.request)}


class EntryRow(serializers.Serializer[Any]):
    """One line of a timeline, in the language of the request."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(KINDS)
    title = serializers.CharField()
    detail = serializers.CharField()
    case = serializers.CharField(source="case.number", allow_null=True)


class Timeline(Resource[Client]):
    """What happened with one client, newest first: records, questions and answers."""

    queryset = Client.objects.none()
    serializer_class = EntryRow

    @extend_schema(parameters=[OpenApiParameter("code", str, OpenApiParameter.PATH)])
    def list(self, request: Request, code: str) -> Response:
        """List the newest thousand entries."""
        who = viewer(request)
        client = find(Client.objects.visible_to(who), code=code)
        entries = [*clients.queries.timeline(client, limit=ENTRIES), *_asked(client, who)]
        entries.sort(key=lambda entry: entry.at, reverse=True)
        page: Any = self.paginate_queryset(entries[:ENTRIES])
        return self.get_paginated_response(EntryRow(page, many=True).data)


def _asked(client: Client, who: User | ApiKey) -> Iterator[Entry]:
    """Mails and answers; a person is named only as far as the promise allows."""
    sent = client.invitations.filter(sent_at__isnull=False).order_by("-sent_at", "-pk")
    related = ("contact", "version__questionnaire")
    for row in sent.select_related(*related)[:ENTRIES]:
        yield _entry(row.sent_at, "invited", row.version.questionnaire.title, row.contact.name)
    replies = client.responses.standing().order_by("-submitted_at", "-pk")
    for reply in replies.select_related(*related)[:ENTRIES]:
        named = attribution.names_person(who, reply) and reply.contact is not None
        person = reply.contact.name if named and reply.contact else _("A contact")
        yield _entry(reply.submitted_at, "answered", reply.version.questionnaire.title, person)


def _entry(at: datetime | None, kind: str, title: str, detail: str) -> Entry:
    if at is None:
        raise ValueError(kind)
    return Entry(at, kind, title, detail)
