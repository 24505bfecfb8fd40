"""One typed answer of another system: valid, not given, not applicable, or kept out.

The rules for scales are those of the figures (metrics-spec 1.2): never rounded, never clipped.
"""

import math
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as _

from clients.imports import cells
from clients.imports.reporting import Unfit
from surveys.answering import LONGEST_TEXT, plain
from surveys.models import Answer, Question

_NUMBER = re.compile(r"-?[0-9]+(?:\.0+)?")
_LIST = re.compile(r"[;；|,，、\n]")
_NOT_APPLICABLE = frozenset(
    {
        "n/a",
        "na",
        "n.a.",
        "not applicable",
        "no experience",
        "不适用",
        "不了解",
        "-",
        "–",
        "—",
        "——",
    }
)
_ONE = {Question.Type.SINGLE, Question.Type.CALLBACK}


@dataclass(frozen=True)
class Given:
    """The columns of an answer row."""

    value: int | None = None
    na: bool = False
    text: str = ""
    choices: list[str] = field(default_factory=list)

    def differs(self, stored: Answer | None) -> bool:
        """Would storing this change anything?"""
        if stored is None:
            return True
        now = (stored.value, stored.na, stored.text, stored.choices)
        return now != (self.value, self.na, self.text, self.choices)

    def shown(self) -> str:
        """The answer for a preview."""
        if self.na:
            return "n/a"
        if self.value is not None:
            return str(self.value)
        return self.text or "; ".join(self.choices)


def parse(question: Question, cell: object) -> Given | None:
    """The answer in a cell, None where none was given; `Unfit` where it must be kept out."""
    if _is_skipped(cell):
        return None
    if question.lo is not None and question.hi is not None:
        return _scale(cell, question.lo, question.hi)
    value = unicodedata.normalize("NFKC", cells.as_text(cell)).strip()
    if value == "-":
        return None
    if question.type == Question.Type.MULTI:
        return _several(question, value)
    if question.type in _ONE:
        return Given(choices=[_option(question, value)])
    text = plain(cells.as_text(cell))
    if len(text) > LONGEST_TEXT:
        raise Unfit(_("at most %(most)s characters"), most=LONGEST_TEXT)
    return Given(text=text) if text else None


def _is_skipped(cell: object) -> bool:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return True
    return isinstance(cell, str) and cell.strip() == ""


def _scale(cell: object, lowest: int, highest: int) -> Given | None:
    if isinstance(cell, bool):
        raise _outside(lowest, highest)
    value = unicodedata.normalize("NFKC", cells.as_text(cell)).strip().lower()
    if value == "nan":
        return None
    if value in _NOT_APPLICABLE:
        return Given(na=True)
    if not _NUMBER.fullmatch(value) or not lowest <= int(float(value)) <= highest:
        raise _outside(lowest, highest)
    return Given(value=int(float(value)))


def _outside(lowest: int, highest: int) -> Unfit:
    return Unfit(
        _("a whole number from %(lowest)s to %(highest)s"), lowest=lowest, highest=highest
    )


def _several(question: Question, value: str) -> Given:
    chosen = [_option(question, part.strip()) for part in _LIST.split(value) if part.strip()]
    if question.max_choices is not None and len(set(chosen)) > question.max_choices:
        raise Unfit(_("at most %(most)s choices"), most=question.max_choices)
    return Given(choices=list(dict.fromkeys(chosen)))


def _option(question: Question, value: str) -> str:
    folded = value.casefold()
    for option in question.options:
        if folded in {str(option[name]).casefold() for name in ("value", "zh", "en")}:
            code: Any = option["value"]
            return str(code)
    codes = ", ".join(str(option["value"]) for option in question.options)
    raise Unfit(_("one of: %(codes)s"), codes=codes)
