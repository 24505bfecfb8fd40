"""How a client's experience stands, as the rules that fired; no score is made of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bank import formats
from clients.models import Freeze
from cxportal.queries.responses import Line
from cxportal.queries.stages import Progress

_YEAR = timedelta(days=365)
_SHOWN = 6


@dataclass(frozen=True)
class Reason:
    """One rule that fired: its mark, its colour, and the sentence with the fact."""

    icon: str
    tone: str
    words: str
    response_id: str = ""
    case: str = ""


@dataclass(frozen=True)
class Standing:
    """`attention` when a rule speaks against, `sound` when none does, else `unknown`."""

    state: str
    reasons: list[Reason]

    @property
    def words(self) -> str:
        """The state in words."""
        return {
            "attention": _("attention"),
            "sound": _("no concern"),
            "unknown": _("not known"),
        }[self.state]


def of(
    lines: Sequence[Line],
    progress: Sequence[Progress],
    freezes: Sequence[Freeze],
    *,
    at: datetime,
) -> Standing:
    """The rules over what this viewer may see; no query of its own."""
    reasons = [*_rated(lines, at), *_late(progress), *_frozen(freezes), *_silent(lines, at)]
    order = {"zhu": 0, "hu": 1, "qing": 2, "muted": 3}
    reasons.sort(key=lambda reason: order[reason.tone])
    against = any(reason.tone in {"zhu", "hu"} for reason in reasons)
    state = "attention" if against else "sound" if lines else "unknown"
    return Standing(state, reasons[:_SHOWN])


def _rated(lines: Sequence[Line], at: datetime) -> Iterable[Reason]:
    """The newest open rating of each person of the last year, against the ones before."""
    by_person: dict[int, list[Line]] = {}
    for line in lines:
        fresh = line.response.submitted_at >= at - _YEAR
        if line.named and line.score is not None and line.response.contact_id and fresh:
            by_person.setdefault(line.response.contact_id, []).append(line)
    for found in by_person.values():
        reason = _one(found)
        if reason:
            yield reason


def _one(newest_first: Sequence[Line]) -> Reason | None:
    scores = [line.score for line in newest_first if line.score is not None]
    last = newest_first[0]
    told = {
        "person": last.name,
        "score": formats.score(scores[0], 10),
        "day": formats.day_in_text(last.response.submitted_at),
        "course": " → ".join(str(score) for score in reversed(scores[:3])),
    }
    fell = [one < two for one, two in pairwise(scores)]
    if scores[0] <= 6:
        words = _("%(person)s gave %(score)s on %(day)s")
        if fell[:2] == [True, True]:
            words = _("%(person)s gave %(score)s on %(day)s, second fall in a row (%(course)s)")
        return Reason("alert", "zhu", words % told, last.response.response_id)
    if fell[:2] == [True, True]:
        words = _("%(person)s fell twice in a row (%(course)s)")
        return Reason("down", "hu", words % told, last.response.response_id)
    if scores[0] >= 9 and len(scores) > 1 and scores[0] > scores[1]:
        told["course"] = f"{scores[1]} → {scores[0]}"
        words = _("%(person)s rose to %(score)s (%(course)s)")
        return Reason("up", "qing", words % told, last.response.response_id)
    return None


def _late(progress: Sequence[Progress]) -> Iterable[Reason]:
    for item in progress:
        if item.late:
            words = ngettext(
                "%(case)s: %(stage)s is %(days)s working day late",
                "%(case)s: %(stage)s is %(days)s working days late",
                item.late,
            ) % {"case": item.case.number, "stage": item.stage_name, "days": item.late}
            yield Reason("timer", "zhu", words, case=item.case.number)


def _frozen(freezes: Sequence[Freeze]) -> Iterable[Reason]:
    for row in freezes:
        words = _("Since %(day)s: %(reason)s") % {
            "day": formats.day_in_text(row.started_at),
            "reason": row.get_reason_display(),
        }
        yield Reason("lock", "hu", words)


def _silent(lines: Sequence[Line], at: datetime) -> Iterable[Reason]:
    """Somebody answered before, nobody within a year."""
    if lines and lines[0].response.submitted_at < at - _YEAR:
        last = formats.day_in_text(lines[0].response.submitted_at)
        yield Reason(
            "clock", "hu", _("No answer for 12 months; the last was on %(day)s") % {"day": last}
        )
