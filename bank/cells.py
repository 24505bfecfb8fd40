"""Untrusted text on its way into spreadsheets and mail headers."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# What a spreadsheet takes as the start of a formula, in both widths.
STARTERS = tuple("=+-@＝＋－＠\t\r\n\x00")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
LONGEST = 32_767


def safe_cell(value: object) -> object:
    """Return numbers and dates as they are; text can no longer start a formula.

    A leading apostrophe makes a spreadsheet show the rest as text; `clients.imports` takes it off.
    """
    if not isinstance(value, str):
        return value
    text = _CONTROL.sub("", value)
    dangerous = value.startswith(STARTERS) or text.lstrip().startswith(STARTERS)
    return f"'{text}"[:LONGEST] if dangerous else text[:LONGEST]


def safe_header(text: str) -> str:
    """One line without control characters: nothing can begin a further mail header."""
    return _BREAKS.sub(" ", text).strip()


def one_line(text: str) -> None:
    """Refuse what is not one line where it is typed, instead of folding it where it is sent."""
    if _BREAKS.search(text):
        raise ValidationError(_("One line without control characters, please."))
