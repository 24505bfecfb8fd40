"""The page of one indicator: its figure, what it is cut by, whether parts and periods differ."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bank.models import User
from metrics import comparing, forms, queries, slicing, words
from metrics.comparing import Change, Course
from metrics.pages import choices, geometry, robust, silent, telling
from metrics.pages.choices import Slice
from metrics.queries import Figure
from metrics.slicing import silence
from metrics.slicing.asking import Ask
from metrics.slicing.grid import Row

# Longer lists are for the export and the interface.
MOST = 200


@dataclass(frozen=True)
class Page:
    """Everything the page shows."""

    metric: str
    name: str
    ask: Ask
    fields: list[choices.Field]
    when: str
    unit: str
    filters: list[str]
    whole: Figure | None
    change: Change | None
    group: str
    slices: list[Slice]
    cut_short: int
    intervals: geometry.Intervals | None
    finding: str
    apart: telling.Told | None
    course: Course | None
    course_words: str
    trend: geometry.Trend | None
    silence: silent.Told | None
    robustness: robust.Told | None


def build(ask: Ask, given: Mapping[str, str], *, viewer: User, at: datetime) -> Page:
    """The page for a question of one metric; the number of queries does not depend on rows."""
    (metric,) = ask.metrics
    whole = _whole(ask, viewer, at)
    rows = _rows(ask, viewer, at) if ask.group_by else []
    shown = _slices(ask, rows[:MOST], viewer)
    course = comparing.course(ask, whole, at=at) if whole else None
    name = words.metrics()[metric]
    apart = telling.parts(ask, shown)
    return Page(
        metric=metric,
        name=name,
        ask=ask,
        fields=choices.fields(given, viewer, queries.periods("bank", 0, metric)),
        when=telling.when(ask, at),
        unit=telling.unit(ask),
        filters=telling.filters(ask, viewer),
        whole=whole,
        change=comparing.change_of(ask, whole, viewer=viewer, at=at) if whole else None,
        group=choices.group_names().get(ask.group_by, ""),
        slices=shown,
        cut_short=max(len(rows) - MOST, 0),
        intervals=_intervals(shown, whole),
        finding=telling.finding(name, shown, apart),
        apart=apart,
        course=course,
        course_words=telling.course(course) if course else "",
        trend=geometry.trend(course) if course and course.drawn else None,
        silence=_silence(ask, viewer, at) if metric == "response_rate" else None,
        robustness=robust.told() if metric == "cei" else None,
    )


def _silence(ask: Ask, viewer: User, at: datetime) -> silent.Told:
    return silent.told(silence.report(ask, viewer=viewer, at=at), viewer)


def _whole(ask: Ask, viewer: User, at: datetime) -> Figure | None:
    """The figure without the cut; what exists of single clients only has none."""
    if ask.group_by == "client" and ask.metrics[0] not in queries.METRICS["bank"]:
        return None
    plain = slicing.uncut(ask)
    (row,) = slicing.rows(plain, None, viewer=viewer, at=at)[:1]
    return row.figure


def _rows(ask: Ask, viewer: User, at: datetime) -> list[Row]:
    found = slicing.rows(ask, forms.units(ask, viewer), viewer=viewer, at=at)
    return list(found[: MOST + 1])


def _slices(ask: Ask, rows: list[Row], viewer: User) -> list[Slice]:
    """Rows by value, those withheld after them, each by its name."""
    names = _names(ask, rows, viewer)
    found = []
    for row in rows:
        key = str(row.slice[ask.group_by])
        if row.figure.n or row.figure.shown or ask.group_by != "client":
            found.append(Slice(names.get(key, key), key, row.figure))
    return sorted(found, key=lambda one: (one.figure.value is None, -(one.figure.value or 0)))


def _names(ask: Ask, rows: list[Row], viewer: User) -> dict[str, str]:
    if ask.group_by != "client":
        return choices.named(ask.group_by, viewer)
    codes = [str(row.slice["client"]) for row in rows]
    return choices.clients(codes, viewer)


def _intervals(slices: list[Slice], whole: Figure | None) -> geometry.Intervals | None:
    drawn = [(one.label, one.figure) for one in slices if one.figure.value is not None]
    if not drawn:
        return None
    base = whole or drawn[0][1]
    return geometry.intervals(drawn, base)


def table(page: Page) -> list[dict[str, Any]]:
    """The rows of the export: every figure with its bases, withheld ones without value."""
    rows = [("", page.whole)] if page.whole else []
    rows += [(one.address, one.figure) for one in page.slices]
    return [{"label": label, "figure": fig} for label, fig in rows]
