from datetime import date
from decimal import Decimal

import pytest

from bank.cells import safe_cell, safe_header


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://evil")',
        "+1",
        "-2+3+cmd|'/C calc'!A0",
        "@SUM(A1)",
        "＝1",
        "＋1",
        "－1",
        "＠x",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "-5",
    ],
)
def test_text_that_starts_like_a_formula_gets_an_apostrophe(text):
    assert safe_cell(text) == f"'{text}"


def test_nul_before_a_formula_does_not_hide_it():
    assert safe_cell("\x00=1") == "'=1"


@pytest.mark.parametrize("value", [-5, -5.5, Decimal("-1.5"), None, True, date(2026, 1, 1)])
def test_values_that_are_no_text_stay_what_they_are(value):
    assert safe_cell(value) is value


@pytest.mark.parametrize("text", ["", "张伟", "a=b", "3-4", "first\nsecond", "O'Neil"])
def test_plain_text_stays_as_it_is(text):
    assert safe_cell(text) == text


def test_control_characters_go_and_length_is_bounded():
    assert safe_cell("a\x00b\x1bc") == "abc"
    assert len(safe_cell("=" * 40_000)) == 32_767


@pytest.mark.parametrize(
    "text",
    [
        "张\r\nBcc: x@evil.example",
        "张\nBcc: x@evil.example",
        "张\u2028Bcc: x@evil.example",
        "张\x85Bcc: x@evil.example",
        " 张\x00Bcc: x@evil.example\r\n",
    ],
)
def test_header_stays_on_one_line(text):
    assert safe_header(text) == "张 Bcc: x@evil.example"
