"""The unified social credit code of GB 32100-2015."""

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES = {sign: value for value, sign in enumerate(ALPHABET)}


def clean(text: str) -> str:
    """Capital letters, without blanks and hyphens."""
    return "".join(text.split()).replace("-", "").upper()


def is_valid(code: str) -> bool:
    """Eighteen signs, six digits of a district, and the right check sign at the end."""
    if len(code) != 18 or not code.isascii() or not code[2:8].isdigit():
        return False
    if any(sign not in _VALUES for sign in code):
        return False
    total = sum(_VALUES[sign] * pow(3, place, 31) for place, sign in enumerate(code[:17]))
    return _VALUES[code[17]] == (31 - total % 31) % 31
