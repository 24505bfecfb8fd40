"""The shape of one row of figures."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from metrics.slicing.grid import Row


@extend_schema_field({"oneOf": [{"type": "number"}, {"type": "string"}], "nullable": True})
class Value(serializers.FloatField):
    """A number; for `client_label` its word."""


class IndicatorRow(serializers.Serializer[Any]):
    """One figure of one unit; a withheld one has no value, and `gate` says why."""

    metric = serializers.CharField()
    slice = serializers.DictField(child=serializers.CharField())
    period = serializers.CharField()
    value = Value(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    n = serializers.IntegerField()
    clients = serializers.IntegerField()
    eligible = serializers.IntegerField(allow_null=True)
    coverage = serializers.FloatField(allow_null=True)
    coverage_exposure = serializers.FloatField(allow_null=True)
    method = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    parameter_set = serializers.CharField()
    as_of = serializers.DateTimeField(allow_null=True)
    gate = serializers.CharField()

    def to_representation(self, instance: Row) -> dict[str, Any]:
        """Take each field from the figure."""
        fig = instance.figure
        row: dict[str, Any] = {str(name): getattr(fig, str(name), None) for name in self.fields}
        row["slice"] = dict(instance.slice)
        # Other figures have a band as their word; their value stays the number.
        row["value"] = fig.label if fig.metric == "client_label" and fig.label else fig.value
        row["as_of"] = self.fields["as_of"].to_representation(fig.as_of) if fig.as_of else None
        return row
