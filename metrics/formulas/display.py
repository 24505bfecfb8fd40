"""How a number is rounded and written, never how it is computed (metrics-spec 2.1-2.3)."""

import math
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

VERSION = 1

NOT_AVAILABLE = "n/a"
_EXACT = Context(prec=700, rounding=ROUND_HALF_UP)


def round_half_away(x: float | None, digits: int = 1) -> float | None:
    """Return x rounded half away from zero on its shortest decimal text.

    Any unit and range; an infinity stays itself and -0.0 becomes 0.0. Null for null and NaN.
    Source: metrics-spec 2.1.
    """
    if x is None or math.isnan(x):
        return None
    if math.isinf(x):
        return x
    step = Decimal(1).scaleb(-digits)
    return float(Decimal(repr(float(x))).quantize(step, context=_EXACT)) + 0.0


def points(x: float | None, *, minus: str = "-") -> str:
    """Return points with sign and one decimal: "+12.3", "-4.5", "0.0"; "n/a" for null.

    `minus` may be U+2212 on screen; exports keep the ASCII hyphen. Source: metrics-spec 2.2.
    """
    shown = round_half_away(x, 1)
    if shown is None:
        return NOT_AVAILABLE
    sign = "" if shown == 0 else "+" if shown > 0 else minus
    return f"{sign}{abs(shown):.1f}"


def interval(low: float | None, high: float | None, *, minus: str = "-") -> str:
    """Return "[-5.5, +42.7]" in points; "n/a" if an end is missing (metrics-spec 2.2)."""
    if low is None or high is None:
        return NOT_AVAILABLE
    return f"[{points(low, minus=minus)}, {points(high, minus=minus)}]"


def p_value(p: float | None) -> str:
    """Return a p-value with three decimals, "<0.001" below that; "n/a" for null (2.2)."""
    shown = round_half_away(p, 3)
    if p is None or shown is None:
        return NOT_AVAILABLE
    return "<0.001" if p < 0.001 else f"{shown:.3f}"


def largest_remainder(
    values: Sequence[float], *, total: float = 100.0, digits: int = 1
) -> list[float]:
    """Return the parts as shown: rounded so that they add up to the rounded total.

    Each part is its share of the shown total, cut to a whole number of the last digit; the
    units left go to the largest remainders, on a tie to the earlier part. Parts that are all
    zero stay zero. Same unit as `total`. Raises ValueError on a part that is not finite.
    Source: metrics-spec 2.3.
    """
    parts = [_fraction(value) for value in values]
    whole = sum(parts, Fraction(0))
    if not any(parts):
        return [0.0] * len(parts)
    scale = Fraction(10) ** digits
    units = int(_fraction(round_half_away(total, digits)) * scale)
    ratio = units / whole if whole else scale
    quotas = [part * ratio for part in parts]
    cut = [math.floor(quota) for quota in quotas]
    order = sorted(range(len(parts)), key=lambda i: (cut[i] - quotas[i], i))
    left = (units if whole else 0) - sum(cut)
    for i in order[:left]:
        cut[i] += 1
    return [float(unit / scale) for unit in cut]


def _fraction(x: float | None) -> Fraction:
    if x is None or not math.isfinite(x):
        raise ValueError("a part of a whole must be a finite number")
    return Fraction(repr(float(x)))
