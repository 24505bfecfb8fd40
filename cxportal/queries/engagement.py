"""How a client uses the bank, read for a page: the index in its parts, health, and its weeks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Sum
from django.db.models.functions import TruncWeek
from django.utils import timezone
from django.utils.translation import gettext as _

from bank import formats
from clients.models import Client, Outage, Touchpoint, Transaction
from cxportal import charts
from cxportal.queries import engagement_words as words
from metrics.formulas import display
from metrics.formulas.parameters import DEFAULT
from metrics.queries import Figure

WEEKS = 26
WEIGHTS = dict(DEFAULT.engagement.weights)
# Which events each component is made of, and which log tells of them.
KINDS: dict[str, tuple[str, ...]] = {
    "login": (Touchpoint.Kind.LOGIN,),
    "pv": (Touchpoint.Kind.PAGE_VIEW,),
    "ctr": (Touchpoint.Kind.MESSAGE_CLICK,),
    "usage": (Touchpoint.Kind.PRODUCT_USE,),
    "offline": (
        Touchpoint.Kind.VISIT,
        Touchpoint.Kind.MEETING,
        Touchpoint.Kind.CALL,
        Touchpoint.Kind.EVENT,
        Touchpoint.Kind.EMAIL_REPLY,
    ),
}
_LOGS = {
    "login": Outage.Source.ONLINE,
    "pv": Outage.Source.ONLINE,
    "ctr": Outage.Source.MAIL,
    "usage": Outage.Source.PRODUCTS,
}


_PARTS = ("trust", "satisfaction", "loyalty", "health", "cei")


@dataclass(frozen=True)
class Part:
    """One component: its score, what it was counted from, its weight and its share of the index.

    A component that is missing has neither score nor contribution, but a reason.
    """

    name: str
    label: str
    figure: Figure
    quantity: str
    usual: str
    weight: float
    effective: float | None
    contribution: float | None
    reason: str
    behaviour: float | None
    availability: float | None

    @property
    def width(self) -> float:
        """How far the bar of a hundred is filled."""
        return self.figure.value or 0


@dataclass(frozen=True)
class Index:
    """The engagement index of one client with its five parts, as shown."""

    figure: Figure
    band: str
    parts: list[Part]
    coverage: float | None
    first: date | None
    last: date | None
    reference: int | None
    group: str
    change: float | None
    before: float | None
    since: date | None
    bridge: Mapping[str, Any] | None

    @property
    def moved(self) -> bool:
        """Whether the change is known in parts."""
        return self.change is not None


def index(figures: Mapping[str, Figure]) -> Index:
    """The index from the stored rows of one client; contributions as shown add up to it."""
    fig = figures["cei"]
    detail = fig.detail
    known: Mapping[str, Any] = detail.get("components") or {}
    change: Mapping[str, Any] = detail.get("change") or {}
    shown = _shown(known, fig.value)
    moves = _moves(change)
    parts = [
        Part(
            name,
            words.component(name),
            figures[f"cei_{name}"],
            words.quantity(name, figures[f"cei_{name}"]),
            words.usual(name, figures[f"cei_{name}"].detail),
            WEIGHTS[name],
            (known.get(name) or {}).get("weight"),
            shown.get(name),
            words.reason(figures[f"cei_{name}"].gate),
            moves.get((name, "behaviour")),
            moves.get((name, "availability")),
        )
        for name in WEIGHTS
    ]
    told = [figures[f"cei_{name}"].detail for name in WEIGHTS]
    groups = {str(one["group"]) for one in told if one.get("group") is not None}
    return Index(
        fig,
        words.band(fig.label),
        parts,
        detail.get("coverage"),
        _day(detail.get("from")),
        _day(detail.get("to")),
        detail.get("reference"),
        "; ".join(words.group(group) for group in sorted(groups)),
        change.get("value"),
        change.get("before"),
        _day(change.get("since")),
        detail.get("bridge"),
    )


def _shown(known: Mapping[str, Any], total: float | None) -> dict[str, float]:
    """The contributions rounded so that they add up to the index as it is printed."""
    rows = ((name, known.get(name) or {}) for name in WEIGHTS)
    there = {
        name: row["contribution"]
        for name, row in rows
        if row.get("contribution") is not None and not row.get("reason")
    }
    if total is None or not there:
        return {}
    rounded = display.largest_remainder(list(there.values()), total=total)
    return dict(zip(there, rounded, strict=True))


def _moves(change: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """The parts of the change, rounded so that they add up to the change as it is printed."""
    parts: Mapping[str, Mapping[str, float | None]] = change.get("parts") or {}
    kept = {
        (name, kind): float(value)
        for name in WEIGHTS
        for kind in ("behaviour", "availability")
        if (value := (parts.get(name) or {}).get(kind)) is not None
    }
    if not kept:
        return {}
    total = float(change["value"])
    # Parts that cancel out have no total to be shares of; each is then rounded by itself.
    if round(sum(kept.values()), 6) == 0:
        return {key: display.round_half_away(value) or 0.0 for key, value in kept.items()}
    return dict(
        zip(kept, display.largest_remainder(list(kept.values()), total=total), strict=True)
    )


@dataclass(frozen=True)
class Share:
    """One part of health or of the client score; without an answer it has no number."""

    label: str
    score: float | None
    contribution: float | None


@dataclass(frozen=True)
class Health:
    """Relationship health, as it would be without a ceiling, and the ceilings that hold."""

    figure: Figure
    band: str
    parts: list[Share]
    uncapped: float | None
    ceiling: str
    ceilings: list[str]
    reason: str


def health(fig: Figure) -> Health:
    """Health in its parts; the code of the ceiling that applies stands beside both values."""
    detail = fig.detail
    return Health(
        fig,
        words.band(fig.label),
        _shares(detail, detail.get("uncapped")),
        detail.get("uncapped"),
        words.ceiling(detail.get("ceiling", "")),
        [words.ceiling(code) for code in detail.get("ceilings", [])],
        words.reason(fig.gate),
    )


@dataclass(frozen=True)
class Score:
    """The composite client score: health and engagement."""

    figure: Figure
    band: str
    parts: list[Share]
    reason: str


def score(fig: Figure) -> Score:
    """The client score in its parts."""
    return Score(
        fig, words.band(fig.label), _shares(fig.detail, fig.value), words.reason(fig.gate)
    )


def _shares(detail: Mapping[str, Any], total: float | None) -> list[Share]:
    stored: Mapping[str, Any] = detail.get("parts") or {}
    # A database may keep the names of a stored object in an order of its own.
    parts = {name: stored[name] for name in _PARTS if name in stored}
    there = {
        name: row["contribution"] for name, row in parts.items() if row.get("score") is not None
    }
    shown: dict[str, float] = {}
    if total is not None and there and None not in there.values():
        rounded = display.largest_remainder(list(there.values()), total=total)
        shown = dict(zip(there, rounded, strict=True))
    return [
        Share(words.part(name), row.get("score"), shown.get(name)) for name, row in parts.items()
    ]


@dataclass(frozen=True)
class Series:
    """One component's events by week, on a scale of its own."""

    label: str
    columns: list[charts.Bar]
    counts: list[int]
    total: int


@dataclass(frozen=True)
class Weeks:
    """The last half year of events, week by week; weeks without a log are marked."""

    starts: list[date]
    series: list[Series]
    rows: list[tuple[date, list[int], bool]]
    outages: list[Outage]
    total: int


def weeks(client: Client, *, at: datetime) -> Weeks:
    """Events by week and component; three queries for any number of events."""
    monday = timezone.localdate(at) - timedelta(days=timezone.localdate(at).weekday())
    starts = [monday - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    begin = datetime.combine(starts[0], time(), settings.ZONE)
    counted = _counted(client, begin, at)
    outages = list(
        Outage.objects.filter(ends_at__gt=begin, starts_at__lt=at).order_by("starts_at")
    )
    series = []
    for name, kinds in KINDS.items():
        counts = [sum(counted[start, kind] for kind in kinds) for start in starts]
        log = _LOGS.get(name)
        gone = [log is not None and _away(start, log, outages) for start in starts]
        series.append(
            Series(words.component(name), charts.bars(counts, gone), counts, sum(counts))
        )
    rows = [
        (start, [one.counts[number] for one in series], _away(start, None, outages))
        for number, start in enumerate(starts)
    ]
    return Weeks(starts, series, rows[::-1], outages, sum(one.total for one in series))


def _counted(client: Client, begin: datetime, at: datetime) -> Counter[tuple[date, str]]:
    """Events by the Monday of their week and kind; a booked use of a product is one more."""
    found = (
        Touchpoint.objects.filter(client=client, at__gte=begin, at__lte=at)
        .annotate(week=TruncWeek("at", tzinfo=settings.ZONE))
        .values("week", "kind")
        .annotate(total=Sum("quantity"))
        .order_by()
    )
    booked = (
        Transaction.objects.filter(client=client, kind=Transaction.Kind.PRODUCT_USE)
        .filter(booked_at__gte=begin, booked_at__lte=at)
        .annotate(week=TruncWeek("booked_at", tzinfo=settings.ZONE))
        .values("week", "kind")
        .annotate(total=Count("pk"))
        .order_by()
    )
    counted: Counter[tuple[date, str]] = Counter()
    for row in [*found, *booked]:
        counted[row["week"].date(), str(row["kind"])] += int(row["total"])
    return counted


def _away(start: date, source: str | None, outages: Sequence[Outage]) -> bool:
    """Whether a log was away for a part of the week; without a source, any log."""
    begin = datetime.combine(start, time(), settings.ZONE)
    end = begin + timedelta(days=7)
    return any(
        row.starts_at < end and row.ends_at > begin and source in (None, row.source)
        for row in outages
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def headline(figures: Mapping[str, Figure]) -> str:
    """The change of the index in a few words, for the head of the client's pages."""
    change: Mapping[str, Any] = figures["cei"].detail.get("change") or {}
    if change.get("value") is None:
        return ""
    return _("from %(before)s, 90 days earlier") % {"before": formats.number(change["before"], 1)}
