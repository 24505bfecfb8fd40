"""The doors for lists of events: touchpoints and transactions, up to a thousand in one call."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from bank import rows
from bank.api.access import viewer
from bank.api.bodies import ItemwiseJSONParser
from bank.api.resources import Resource
from bank.rows import Column
from clients import ingesting
from clients.ingesting import Taken
from clients.models import Touchpoint, Transaction

TOUCHPOINT = (
    Column("event_id", rows.text(160), needed=True),
    Column("client_code", rows.text(64), needed=True),
    Column("contact_external_id", rows.key(64)),
    Column("kind", rows.one_of(Touchpoint.Kind.values), needed=True),
    Column("at", rows.moment, needed=True),
    Column("quantity", rows.whole(), blank=1),
    Column("duration_s", rows.whole()),
    Column("product_code", rows.key(40)),
    Column("source", rows.text(60), blank=""),
)
TRANSACTION = (
    Column("external_id", rows.text(160), needed=True),
    Column("client_code", rows.text(64), needed=True),
    Column("facility_number", rows.key(64)),
    Column("kind", rows.one_of(Transaction.Kind.values)),
    Column("product_code", rows.key(40)),
    Column("amount", rows.money),
    Column("currency", rows.currency, blank="CNY"),
    Column("booked_at", rows.moment, needed=True),
    Column("days_past_due", rows.whole()),
)


class TouchpointReport(serializers.Serializer[Any]):
    """One touchpoint; the same `event_id` is the same event for ever."""

    event_id = serializers.CharField(max_length=160)
    client_code = serializers.CharField(max_length=64)
    contact_external_id = serializers.CharField(max_length=64, required=False, allow_null=True)
    kind = serializers.ChoiceField(Touchpoint.Kind.choices)
    at = serializers.DateTimeField()
    quantity = serializers.IntegerField(min_value=0, max_value=rows.GREATEST, default=1)
    duration_s = serializers.IntegerField(
        min_value=0, max_value=rows.GREATEST, required=False, allow_null=True
    )
    product_code = serializers.CharField(max_length=40, required=False, allow_null=True)
    source = serializers.CharField(  # type: ignore[assignment]  # as in the file
        max_length=60, required=False, allow_blank=True
    )


class TransactionReport(serializers.Serializer[Any]):
    """One booking; the same `external_id` is the same booking for ever."""

    external_id = serializers.CharField(max_length=160)
    client_code = serializers.CharField(max_length=64)
    facility_number = serializers.CharField(max_length=64, required=False, allow_null=True)
    kind = serializers.ChoiceField(Transaction.Kind.choices, required=False, allow_null=True)
    product_code = serializers.CharField(max_length=40, required=False, allow_null=True)
    amount = serializers.DecimalField(20, 2, required=False, allow_null=True)
    currency = serializers.CharField(min_length=3, max_length=3, default="CNY")
    booked_at = serializers.DateTimeField()
    days_past_due = serializers.IntegerField(
        min_value=0, max_value=rows.GREATEST, required=False, allow_null=True
    )


class RejectionRow(serializers.Serializer[Any]):
    """An item that was not taken: its place in the list, the field, and why."""

    index = serializers.IntegerField()
    field = serializers.CharField()
    reason = serializers.CharField()


class TakenRow(serializers.Serializer[Taken]):
    """What became of a list; `duplicates` were known before and changed nothing."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = RejectionRow(many=True)


Act = Callable[..., Taken]


class Touchpoints(Resource[Touchpoint]):
    """What clients do: logins, page views, messages, visits, calls."""

    queryset = Touchpoint.objects.none()
    serializer_class = TouchpointReport
    write_scope: ClassVar = "ingest"
    keys_only: ClassVar = True
    parser_classes = (ItemwiseJSONParser,)

    @extend_schema(request=TouchpointReport(many=True), responses=TakenRow)
    def create(self, request: Request) -> Response:
        """Report up to 1,000 touchpoints; what is wrong is named, the rest is taken."""
        return _take(request, TOUCHPOINT, ingesting.touchpoints)


class Transactions(Resource[Transaction]):
    """What was booked: drawdowns, repayments, interest, fees, uses of products."""

    queryset = Transaction.objects.none()
    serializer_class = TransactionReport
    write_scope: ClassVar = "ingest"
    keys_only: ClassVar = True
    parser_classes = (ItemwiseJSONParser,)

    @extend_schema(request=TransactionReport(many=True), responses=TakenRow)
    def create(self, request: Request) -> Response:
        """Report up to 1,000 bookings; what is wrong is named, the rest is taken."""
        return _take(request, TRANSACTION, ingesting.transactions)


def _take(request: Request, columns: Sequence[Column], act: Act) -> Response:
    """Read the list, hand over what can be read, and answer for every item."""
    items = request.data
    if not isinstance(items, list) or not items:
        raise exceptions.ParseError(_("A list of items is needed."))
    if len(items) > rows.MOST:
        raise exceptions.ParseError(_("At most %(most)s items in one list.") % {"most": rows.MOST})
    found, rejected = rows.read(items, columns)
    taken = act(found, at=timezone.now(), by=viewer(request))
    everything = sorted([*rejected, *taken.rejected], key=lambda one: one.index)
    return Response(
        {
            "accepted": taken.accepted,
            "duplicates": taken.duplicates,
            "rejected": [
                {"index": one.index, "field": one.field, "reason": one.reason}
                for one in everything
            ],
        }
    )
