"""Admin pages that say a word where the database keeps a bare code."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    Page = admin.ModelAdmin[Any]
else:
    Page = admin.ModelAdmin

Load = Callable[[], Mapping[str, str]]


class Coded(Page):
    """Shows fields of codes in words: their names are loaded once a page, however many rows."""

    coded: ClassVar[Mapping[str, Load]] = {}

    @admin.display(description=_("name"))
    def name(self, row: Any) -> str:
        """The name in the active language, under a heading that is translated."""
        return str(row.name)

    @admin.display(description=_("name"), ordering="name")
    def festival(self, row: Any) -> str:
        """The same of a date in the calendar."""
        return str(row.festival)

    @admin.display(description=_("name"))
    def display_name(self, row: Any) -> str:
        """The same of a person."""
        return str(row.display_name)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Replace each code by its column of words."""
        return self._in_words(super().get_list_display(request), request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Replace codes that are only looked at."""
        fields = super().get_fields(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            fixed = set(super().get_readonly_fields(request, obj))
            return [self._in_words([one], request)[0] if one in fixed else one for one in fields]
        return self._in_words(fields, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The same columns as in the fields."""
        return self._in_words(super().get_readonly_fields(request, obj), request)

    def _in_words(self, names: Any, request: HttpRequest) -> list[Any]:
        return [
            self._in_words(name, request)
            if isinstance(name, list | tuple)
            else self._column(name, request)
            if name in self.coded
            else name
            for name in names
        ]

    def _column(self, name: str, request: HttpRequest) -> Any:
        """The same function for the whole of a request: Django compares them."""
        made: dict[str, Any] = request.__dict__.setdefault("_coded", {})
        key = f"{self.opts.label}.{name}"
        if key not in made:
            made[key] = self._shown(name)
        return made[key]

    def _shown(self, name: str) -> Any:
        loaded: list[Mapping[str, str]] = []

        def show(row: Model) -> str:
            code = getattr(row, name)
            if not code:
                return str(self.get_empty_value_display())
            if not loaded:
                loaded.append(self.coded[name]())
            return in_words(code, loaded[0])

        show.__name__ = name
        field: Any = self.opts.get_field(name)
        return admin.display(description=field.verbose_name, ordering=name)(show)


class CodedFilter(admin.AllValuesFieldListFilter):
    """The values of a coded field, to choose from in words."""

    def choices(self, changelist: Any) -> Any:
        """Name each value but keep what it filters by."""
        page: Any = changelist.model_admin
        words = page.coded[self.field_path]()
        for choice in super().choices(changelist):
            yield {**choice, "display": in_words(str(choice["display"]), words)}


def in_words(code: str, words: Mapping[str, str]) -> str:
    """The word for a code, or for each of several codes with blanks between them."""
    return words.get(code) or " · ".join(words.get(one, one) for one in code.split(" "))
