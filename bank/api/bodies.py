"""What a request may bring: JSON that a database can hold, and no field that nobody named."""

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, serializers, status
from rest_framework.fields import empty
from rest_framework.parsers import JSONParser

DEEPEST = 40
LARGEST = 2**63 - 1
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class TooLarge(exceptions.APIException):
    """More than one request may bring."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("The body is too large.")
    default_code = "too_large"


class Strict(serializers.Serializer[Any]):
    """A body in which every field must be one that may be written."""

    def run_validation(self, data: Any = empty) -> Any:
        """Refuse a body that is null; the framework would say so in English only."""
        if data is None and self.root is self:
            words = [_("An object with the fields of this resource is needed.")]
            raise serializers.ValidationError({"non_field_errors": words})
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> Any:
        """Refuse unknown and read-only fields by their names."""
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            strange = sorted(set(data) - known)
            if strange:
                words = [_("There is no field of this name.")]
                raise serializers.ValidationError({name[:60]: words for name in strange[:20]})
        return super().to_internal_value(data)


class Empty(Strict):
    """The body of an act that needs none."""


class SafeJSONParser(JSONParser):
    """JSON that a database can hold: bounded depth and integers, no NUL, no lone surrogate."""

    # Of a list whose items are judged one by one, values are left to who judges them.
    itemwise = False

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the parsed body, or refuse it with the reason."""
        text = stream.read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if len(text) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise TooLarge
        try:
            body = json.loads(text.decode("utf-8"), parse_constant=_no_constant)
            _inspect(body, itemwise=self.itemwise and isinstance(body, list))
        except UnicodeDecodeError as error:
            raise exceptions.ParseError(_("The body is not UTF-8.")) from error
        except RecursionError as error:
            raise exceptions.ParseError(_("The body is nested too deeply.")) from error
        except ValueError as error:
            raise exceptions.ParseError(
                _("The body is not valid JSON: %(reason)s") % {"reason": str(error)[:200]}
            ) from error
        return body


class ItemwiseJSONParser(SafeJSONParser):
    """The same for a list of which each item is taken or refused by itself."""

    itemwise = True


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _inspect(body: Any, *, itemwise: bool = False) -> None:
    """Refuse what JSON allows and a database does not."""
    waiting: list[tuple[Any, int]] = [([body], 0)]
    while waiting:
        value, depth = waiting.pop()
        parts = (*value, *value.values()) if isinstance(value, dict) else value
        if parts and depth > DEEPEST:
            raise RecursionError
        for part in parts:
            if isinstance(part, dict | list):
                waiting.append((part, depth + 1))
            elif not itemwise and not _storable(part):
                raise ValueError("a value holds a character or a number that cannot be stored")


def _storable(value: Any) -> bool:
    """Whether a scalar fits every column it may end in."""
    if isinstance(value, str):
        return _UNSTORABLE.search(value) is None
    if isinstance(value, int | float):
        return abs(value) <= LARGEST
    return True
