"""Bars: the three groups as parts of a whole, and answers by score."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from bank import formats
from metrics.charts import words
from metrics.charts.scales import px
from metrics.formulas import display

GROUPS = (("d", 0, 6), ("n", 7, 8), ("p", 9, 10))
_LEGIBLE = 8


@dataclass(frozen=True)
class Part:
    """One segment or column: its place and size, the text in or under it, the text beside it."""

    kind: str
    x: str
    width: str
    middle: str
    inner: str
    text: str
    text_x: str = ""
    anchor: str = "middle"
    y: str = ""
    height: str = ""
    text_y: str = ""


@dataclass(frozen=True)
class Bars:
    """Parts of a whole, or columns with the brackets that name their groups."""

    name: str
    parts: list[Part]
    groups: list[Part] = field(default_factory=list)


def stacked(detractors: int, passives: int, promoters: int, *, width: int = 520) -> Bars | None:
    """Detractors, passives and promoters as one bar; the shares shown add up to 100 %."""
    counts = (detractors, passives, promoters)
    if not sum(counts):
        return None
    x, parts = 0.0, []
    shares = display.largest_remainder(counts)
    for (kind, _lo, _hi), count, share in zip(GROUPS, counts, shares, strict=True):
        wide = (width - 4) * count / sum(counts)
        parts.append(
            Part(
                kind=kind,
                x=px(x),
                width=px(wide),
                middle=px(x + wide / 2),
                inner=formats.share(share / 100) if share >= _LEGIBLE else "",
                text=f"{words.group(kind)} {formats.number(count)}",
                text_x={"d": "0", "n": px(width / 2), "p": str(width)}[kind],
                anchor={"d": "start", "n": "middle", "p": "end"}[kind],
            )
        )
        x += wide + 2
    listed = {"d": detractors, "n": passives, "p": promoters}
    return Bars(_("Detractors %(d)s, passives %(n)s, promoters %(p)s") % listed, parts)


def histogram(counts: Sequence[int], *, width: int = 340, height: int = 318) -> Bars | None:
    """Answers by score 0 to 10; a score nobody gave keeps a stub."""
    if len(counts) != 11 or not any(counts):
        return None
    step, base, most = (width - 8) / 11, height - 66, max(counts)
    listed = ", ".join(f"{score}={count}" for score, count in enumerate(counts))
    return Bars(
        _("Answers by score 0 to 10: %(list)s") % {"list": listed},
        [
            _column(score, count, step=step, base=base, most=most)
            for score, count in enumerate(counts)
        ],
        [_bracket(kind, lo, hi, counts, step) for kind, lo, hi in GROUPS],
    )


def _column(score: int, count: int, *, step: float, base: int, most: int) -> Part:
    tall = (base - 34) * count / most
    shown = max(tall, 1.5)
    return Part(
        kind=next(kind for kind, lo, hi in GROUPS if lo <= score <= hi),
        x=px(4 + score * step + 2.5),
        width=px(step - 5),
        middle=px(4 + (score + 0.5) * step),
        inner=str(score),
        text=formats.number(count),
        y=px(base - shown),
        height=px(shown),
        text_y=px(base - tall - 7),
    )


def _bracket(kind: str, lo: int, hi: int, counts: Sequence[int], step: float) -> Part:
    left, right = 4 + lo * step + 3, 4 + (hi + 1) * step - 3
    return Part(
        kind=kind,
        x=px(left),
        width=px(right - left),
        middle=px((left + right) / 2),
        inner=f"{lo}–{hi} · {formats.number(sum(counts[lo : hi + 1]))}",
        text=words.group(kind),
    )
