"""Pages, filters and keys of rows, as every list takes them."""

import re
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db.models import Model, QuerySet
from django.forms import IntegerField
from django.http import Http404
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import CharFilter, IsoDateTimeFilter, NumberFilter
from rest_framework.pagination import PageNumberPagination

from bank import scope
from bank.models import Team

# Every list takes these; `format` chooses between JSON and YAML of the schema.
ALWAYS = frozenset({"page", "page_size", "format"})
# Longest text of a search or filter.
LONGEST = 200
LARGEST = 2**63 - 1
NUMBER = r"[0-9]{1,18}"
_BLANK_OFFSET = re.compile(r"(T[\d:.]+) (\d\d:?\d\d)$", re.ASCII)

Row = TypeVar("Row", bound=Model)


def public(link: str | None) -> str | None:
    """The same address as the world sees it."""
    if link is None:
        return None
    parts = urlsplit(link)
    return settings.PUBLIC_BASE_URL + urlunsplit(("", "", parts.path, parts.query, ""))


class Pages(PageNumberPagination):
    """Pages of 50, at most 200 rows; links are built from the public address, never a request."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def get_next_link(self) -> str | None:
        """The address of the next page."""
        return public(super().get_next_link())

    def get_previous_link(self) -> str | None:
        """The address of the page before."""
        return public(super().get_previous_link())


class KeyFilter(NumberFilter):
    """A filter by the number of a row; what no row can have is refused before the database."""

    field_class = IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, min_value=0, max_value=LARGEST, **kwargs)

    def get_max_validator(self) -> None:
        """Leave the bound to the field."""


class _Instant(IsoDateTimeField):
    """Reads `+08:00` too where an address turned the bare plus into a blank."""

    def strptime(self, value: str, format: str) -> Any:  # noqa: A002 - the name it has there
        """Put the plus back behind a time of day."""
        return super().strptime(_BLANK_OFFSET.sub(r"\1+\2", value), format)


class InstantFilter(IsoDateTimeFilter):
    """A filter by an instant; without an offset it is meant in the reporting zone."""

    field_class = _Instant


class TeamFilter(CharFilter):
    """A filter by the code of a team: its rows and those of the teams below it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, max_length=LONGEST, **kwargs)

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        """Leave the list as it is without a code; an unknown one leaves nothing."""
        if not value:
            return qs
        team = Team.objects.filter(code=value).first()
        return qs.filter(**{f"{self.field_name}__in": scope.teams_below(team.pk if team else 0)})


def find(rows: QuerySet[Row], **key: Any) -> Row:
    """The one row of this key among those in scope; anything else is 404."""
    if any("\x00" in str(part) for part in key.values()):
        raise Http404
    found = rows.filter(**key).first()
    if found is None:
        raise Http404
    return found
