"""Between the posted fields of the answer page and values; faults in the words of the client."""

import re
from collections.abc import Iterable
from typing import Any

from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from surveys.answering import LONGEST_TEXT, plain
from surveys.models import Question

# Longer than any scale; whatever is longer is judged as the unknown value it is.
_WHOLE = re.compile(r"-?[0-9]{1,4}", re.ASCII)


def read(questions: Iterable[Question], data: MultiValueDict[str, str]) -> dict[str, Any]:
    """The answers as posted: numbers as numbers, repeated fields as lists, the rest as it came."""
    values: dict[str, Any] = {}
    for question in questions:
        given = [field for field in data.getlist(question.key) if field != ""]
        if given:
            values[question.key] = _value(question, given)
    return values


def message(question: Question, code: str, value: Any) -> str:
    """What the client should do about one fault; never what is wrong with them."""
    most: Any = question.max_choices
    if code == "too_long":
        most = question.max_length or LONGEST_TEXT
    words = {"most": most, "now": len(plain(str(value))), "lo": question.lo, "hi": question.hi}
    return _advice(question, code) % words


def _advice(question: Question, code: str) -> str:
    by_code = {
        "too_long": _("Please shorten your text to %(most)s characters; it has %(now)s."),
        "too_many": _("Please choose at most %(most)s answers."),
        "one": _("Please choose one answer only."),
    }
    by_type: dict[str, str] = {
        Question.Type.TEXT: _("Please write an answer."),
        Question.Type.NPS: _("Please choose a score from %(lo)s to %(hi)s."),
        Question.Type.CSAT: _("Please choose how satisfied you are."),
    }
    other = _("Please choose one of the answers shown.")
    return by_code.get(code) or by_type.get(question.type, other)


def _value(question: Question, given: list[str]) -> Any:
    if question.type == Question.Type.MULTI:
        return given
    if len(given) > 1:
        return given
    only = given[0]
    if question.lo is not None and _WHOLE.fullmatch(only):
        return int(only)
    return only
