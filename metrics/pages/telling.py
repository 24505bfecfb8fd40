"""What the pages of the indicators say in sentences: of when, of whom, and what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from bank import formats
from bank.models import User
from metrics import comparing, wording
from metrics.comparing import Apart, Course, Pair
from metrics.formulas import display
from metrics.pages import choices
from metrics.pages.choices import Slice
from metrics.slicing.asking import Ask
from metrics.windows import WHOLE

# More pairs than these are for a statistician.
_PAIRS = 40


@dataclass(frozen=True)
class PairRow:
    """One pair in words."""

    label: str
    difference: str
    interval: str
    p: str
    verdict: str


@dataclass(frozen=True)
class Told:
    """Whether parts differ, in words, with the pairs that were tested."""

    words: str
    sentence: str
    pairs: list[PairRow]


def when(ask: Ask, at: datetime) -> str:
    """The days of the period, and that it is not over yet."""
    first, last = ask.span.bounds.start, ask.span.bounds.end - timedelta(seconds=1)
    if ask.span.key == WHOLE:
        return _("the whole life of the campaign")
    text = _("%(first)s to %(last)s") % {
        "first": formats.day(first),
        "last": formats.day(min(last, at)),
    }
    running = ask.span.running(at) and not ask.span.key.startswith("rolling")
    return f"{text} · {_('to date')}" if running else text


def unit(ask: Ask) -> str:
    """Whose figure it is."""
    filters = ask.filters
    held = filters.client or filters.campaign or filters.team
    return held.name if held else _("Whole bank")


def filters(ask: Ask, viewer: User) -> list[str]:
    """What is filtered by, in words."""
    names = choices.group_names()
    given = {
        name: code for name, code in ask.filters.given().items() if name not in {"team", "client"}
    }
    return [
        _("%(name)s: %(value)s")
        % {"name": names[name], "value": choices.named(name, viewer).get(str(code), str(code))}
        for name, code in given.items()
    ]


def parts(ask: Ask, slices: Sequence[Slice]) -> Told | None:
    """What the tests of the parts shown say; teams only beside each other."""
    if not ask.group_by or ask.group_by == "client":
        return None
    kept = list(slices)
    if ask.group_by == "team":
        apart_ = set(comparing.beside_each_other([one.figure.scope_id for one in kept]))
        kept = [one for one in kept if one.figure.scope_id in apart_]
    found = comparing.apart([one.figure for one in kept])
    if found is None:
        return None
    sentence = _ranking(ask, found)
    pairs = [_pair(pair, kept) for pair in found.pairs[:_PAIRS]]
    return Told(_tested(found), sentence, pairs)


def _ranking(ask: Ask, found: Apart) -> str:
    if found.differs:
        return ""
    if ask.group_by == "team":
        return _("The present sample does not support ranking the teams.")
    return wording.ranking(found.differs)


def _tested(found: Apart) -> str:
    if found.q is None:
        return _("One pair, so the pair itself is tested.")
    values = {
        "q": formats.number(found.q, 1),
        "df": found.df,
        "p": display.p_value(found.p_value),
    }
    text = _("All parts at once: Q = %(q)s, df = %(df)s, p = %(p)s.") % values
    more = (
        _("Pairs are corrected together (Holm).")
        if found.pairs
        else _("Pairs are not tested: the parts together are not distinguishable.")
    )
    return f"{text} {more}"


def _pair(pair: Pair, slices: Sequence[Slice]) -> PairRow:
    one, other = slices[pair.one], slices[pair.other]
    unit_ = wording.unit(one.figure.metric)
    word = "changed" if pair.differs else "not_distinguishable"
    return PairRow(
        _("%(other)s less %(one)s") % {"one": one.label, "other": other.label},
        unit_.change(pair.diff),
        _between(unit_.change(pair.low), unit_.change(pair.high)),
        display.p_value(pair.p_adjusted),
        pgettext("parts", "different") if pair.differs else wording.verdict(word, ""),
    )


def _between(low: str, high: str) -> str:
    return _("%(low)s to %(high)s") % {"low": low, "high": high}


def finding(name: str, slices: Sequence[Slice], apart: Told | None) -> str:
    """What the interval chart shows, for who does not see it: only what may be shown."""
    shown = [one for one in slices if one.figure.value is not None]
    if not shown:
        return name
    ends = {
        "name": name,
        "high": shown[0].label,
        "highest": wording.written(shown[0].figure),
        "low": shown[-1].label,
        "lowest": wording.written(shown[-1].figure),
    }
    text = _("%(name)s: from %(lowest)s (%(low)s) to %(highest)s (%(high)s).") % ends
    return f"{text} {apart.sentence}".strip() if apart else text


def course(found: Course) -> str:
    """What the quarters tell: a trend only where the test allows the word."""
    told = []
    if found.n < 8:
        told.append(_("Fewer than 8 complete quarters: no trend is tested."))
    elif found.word:
        word = {"rising": _("rising"), "falling": _("falling")}[found.word]
        told.append(
            _("The figure is %(word)s (Mann-Kendall, p = %(p)s).")
            % {"word": word, "p": display.p_value(found.p_value)}
        )
    else:
        told.append(
            _("No trend can be told (Mann-Kendall, p = %(p)s).")
            % {"p": display.p_value(found.p_value)}
        )
    signals = sorted(found.control.signals) if found.control else []
    if signals:
        told.append(_("Outside the limits: %(periods)s.") % {"periods": ", ".join(signals)})
    elif found.control:
        told.append(_("No quarter lies outside the limits."))
    return " ".join(told)
