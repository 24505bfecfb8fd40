"""What every list page shares: pages, filters from the address, and their chips."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import QueryDict  # noqa: TID251 - the filters of a page live in its address

PAGE_SIZE = 25


@dataclass(frozen=True)
class Chip:
    """One filter in force: its words, and the key that takes it away."""

    key: str
    label: str
    value: str


def page_of(rows: QuerySet[Any], number: str | None) -> Page[Any]:
    """One page of the rows; a number out of range means the nearest page, never an error."""
    return Paginator(rows, PAGE_SIZE).get_page(number)


def word(query: QueryDict, key: str, *, longest: int = 100) -> str:
    """A text filter as it was typed, without blanks around it; NUL never reaches a database."""
    return (query.get(key) or "").replace("\x00", "").strip()[:longest]


def one_of(query: QueryDict, key: str, allowed: Callable[[str], bool]) -> str:
    """A filter that is one of known values; anything else counts as not set."""
    value = word(query, key)
    return value if value and allowed(value) else ""


def day(query: QueryDict, key: str) -> date | None:
    """A date filter; what is no date counts as not set."""
    try:
        return date.fromisoformat(word(query, key, longest=10))
    except ValueError:
        return None


def score_range(query: QueryDict, key: str) -> tuple[int, int] | None:
    """A range of ratings such as 0-6 or 9; what is none counts as not set."""
    low, _, high = word(query, key, longest=5).partition("-")
    if not low.isdecimal() or (high and not high.isdecimal()):
        return None
    first, last = int(low), int(high or low)
    return (first, last) if first <= last <= 10 else None
