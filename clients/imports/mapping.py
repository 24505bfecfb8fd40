"""A mapping file: which of their columns fills ours, and how their values become ours."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from clients.imports import cells
from clients.imports.cells import Column
from clients.imports.reporting import Say, Unfit, Unreadable

FILE_RULES = "@rows"
_RULE_KEYS = {
    "column",
    "constant",
    "template",
    "format",
    "values",
    "no_answer",
    "times",
    "cut",
}
_FILE_KEYS = {"sheet", "only", "first_of_key", "skip_without_any"}
_PLACE = re.compile(r"\{([^{}]+)\}")

Getter = Callable[[Sequence[object]], object]


@dataclass(frozen=True)
class Rule:
    """How one of our columns is filled."""

    column: str = ""
    constant: object = None
    template: str = ""
    format: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    no_answer: frozenset[str] = frozenset()
    times: Decimal | None = None
    cut: bool = False

    def translate(self, cell: object, column: Column) -> object:
        """Their cell in our words; None where it means no answer."""
        text = cells.as_text(cell)
        if text in self.no_answer or (text == "" and "" not in self.values):
            return None
        if self.values:
            return self.values.get(text, self.values.get("*", cell))
        if self.format:
            return cells.by_format(cell, self.format)
        if self.times is not None:
            return _product(text, self.times)
        if self.cut and column.longest and len(text) > column.longest:
            return f"{text[: column.longest - 1]}…"
        return cell


@dataclass(frozen=True)
class Map:
    """A mapping file that has been read; empty, it stands for a file in our own columns."""

    rules: Mapping[str, Rule | None] = field(default_factory=dict)
    sheet: str = ""
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    first_of_key: bool = False
    skip_without_any: tuple[str, ...] = ()


def read(path: Path) -> Map:
    """Read a mapping file of the disk."""
    try:
        return loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Unreadable(
            _("The mapping file cannot be opened: %(why)s."), why=error.strerror
        ) from error
    except UnicodeError as error:
        raise Unreadable(_("The mapping file is not valid JSON: %(why)s."), why=error) from error


def loads(text: str) -> Map:
    """Read a mapping that was typed or pasted."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(_("The mapping file is not valid JSON: %(why)s."), why=error) from error
    return load(content)


def load(content: object) -> Map:
    """Understand a mapping; a key that means nothing is an error, not a hope."""
    if not isinstance(content, dict):
        raise Unreadable(_("The mapping must be a JSON object: our column → their column."))
    options = content.get(FILE_RULES, {})
    if not isinstance(options, dict) or set(options) - _FILE_KEYS:
        raise _bad(FILE_RULES, _("its keys are %(keys)s"), keys=", ".join(sorted(_FILE_KEYS)))
    rules = {name: _rule(name, rule) for name, rule in content.items() if name != FILE_RULES}
    return Map(
        rules=rules,
        sheet=_typed(options, "sheet", str, ""),
        only=_only(_typed(options, "only", dict, {})),
        first_of_key=_typed(options, "first_of_key", bool, False),  # noqa: FBT003 - a default
        skip_without_any=tuple(map(str, _typed(options, "skip_without_any", list, []))),
    )


def getters(mapping: Map, header: list[str], columns: Sequence[Column]) -> dict[str, Getter]:
    """For each of our columns that the file or the mapping fills: how to get it from a row."""
    by_name = {column.name: column for column in columns}
    for name in mapping.rules:
        if name not in by_name:
            raise _bad(name, _("there is no such column of this kind"))
    places = _places(header)
    found: dict[str, Getter] = {}
    for column in columns:
        if column.name in mapping.rules:
            rule = mapping.rules[column.name]
            if rule is not None:
                found[column.name] = _ruled(rule, column, places)
        else:
            place = _own_place(column, header, places, exact=bool(mapping.rules))
            if place is not None:
                found[column.name] = _at(place)
    return found


def selector(mapping: Map, header: list[str]) -> Callable[[Sequence[object]], bool] | None:
    """Which rows the mapping wants; None when it wants all."""
    if not mapping.only:
        return None
    places = _places(header)
    wanted = [(_place(name, places), texts) for name, texts in mapping.only.items()]

    def keep(row: Sequence[object]) -> bool:
        return all(cells.as_text(_cell(row, place)) in texts for place, texts in wanted)

    return keep


def fold(name: str) -> str:
    """A header as it is compared: width, case, blanks and a star for "needed" do not matter."""
    return "".join(name.split()).replace("＊", "*").strip("*").casefold().replace("（", "(")


def _places(header: list[str]) -> dict[str, int]:
    return {name: place for place, name in reversed(list(enumerate(header))) if name}


def _place(name: str, places: Mapping[str, int]) -> int:
    try:
        return places[" ".join(name.split())]
    except KeyError:
        raise Unreadable(
            _("The mapping names the column “%(column)s”, which the file does not have."),
            column=name,
        ) from None


def _own_place(
    column: Column, header: list[str], places: Mapping[str, int], *, exact: bool
) -> int | None:
    """Where the file has our own column; beside a mapping only under its exact name."""
    if exact:
        return places.get(column.name, places.get(column.zh))
    names = {fold(column.name), fold(column.zh), fold(column.en)}
    found = [place for place, name in enumerate(header) if fold(name) in names]
    if len(found) > 1:
        raise Unreadable(_("The column “%(column)s” occurs twice."), column=column.name)
    return found[0] if found else None


def _cell(row: Sequence[object], place: int) -> object:
    return row[place] if place < len(row) else None


def _at(place: int) -> Getter:
    return lambda row: row[place] if place < len(row) else None


def _ruled(rule: Rule, column: Column, places: Mapping[str, int]) -> Getter:
    if rule.constant is not None:
        constant = rule.constant
        return lambda _row: constant
    if rule.template:
        return _templated(rule, column, places)
    place = _place(rule.column, places)
    return lambda row: rule.translate(_cell(row, place), column)


def _templated(rule: Rule, column: Column, places: Mapping[str, int]) -> Getter:
    parts = _PLACE.split(rule.template)
    named = [(part, _place(part, places)) for part in parts[1::2]]

    def get(row: Sequence[object]) -> object:
        texts = [cells.as_text(_cell(row, place)) for _name, place in named]
        if not all(texts):
            return None
        filled = [*parts]
        filled[1::2] = texts
        return rule.translate("".join(filled), column)

    return get


def _product(text: str, times: Decimal) -> str:
    try:
        return str(Decimal(text.replace(",", "")) * times)
    except ArithmeticError as error:
        raise Unfit(_("a number")) from error


def _rule(name: str, rule: object) -> Rule | None:
    if rule is None:
        return None
    if isinstance(rule, str):
        return Rule(column=rule)
    if not isinstance(rule, dict) or set(rule) - _RULE_KEYS:
        raise _bad(
            name,
            _("a column name, null, or an object with %(keys)s"),
            keys=", ".join(sorted(_RULE_KEYS)),
        )
    if len({"column", "constant", "template"} & set(rule)) != 1:
        raise _bad(name, _("exactly one of column, constant and template is needed"))
    values = _typed(rule, "values", dict, {}, name)
    missing = _typed(rule, "no_answer", list, [], name)
    return Rule(
        column=_typed(rule, "column", str, "", name),
        constant=rule.get("constant"),
        template=_typed(rule, "template", str, "", name),
        format=_typed(rule, "format", str, "", name),
        values={cells.as_text(theirs): ours for theirs, ours in values.items()},
        no_answer=frozenset(cells.as_text(item) for item in missing),
        times=_factor(rule.get("times"), name),
        cut=_typed(rule, "cut", bool, False, name),  # noqa: FBT003 - a default
    )


def _factor(value: object, name: str) -> Decimal | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _bad(name, _("times is a number"))
    return Decimal(str(value))


def _only(content: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    if not all(isinstance(texts, list) for texts in content.values()):
        raise _bad(FILE_RULES, _("only is an object: their column → list of values"))
    return {
        name: frozenset(cells.as_text(item) for item in texts) for name, texts in content.items()
    }


def _typed(
    content: Mapping[str, Any], key: str, kind: type, default: Any, name: str = FILE_RULES
) -> Any:
    value = content.get(key, default)
    if not isinstance(value, kind):
        raise _bad(name, _("%(key)s has the wrong type"), key=key)
    return value


def _bad(name: str, why: Any, **values: object) -> Unreadable:
    return Unreadable(
        _("Mapping of “%(column)s” is not understood: %(why)s."),
        column=name,
        why=Say(why, **values),
    )
