"""The events that triggers wait for: seen once each, with the moment at which to ask.

The work list is what is missing: every event without an occasion, however late it came. There is
no watermark by the time of arrival, so nothing that comes out of order falls through; but only
events are looked for that happened lately enough to be asked about, so a pass reads no history.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from bank import workdays
from clients.models import Client, ClientEvent, Milestone, Stage, Touchpoint, Transition
from surveys.models import Occasion, Trigger
from surveys.models.trigger import MONTHS
from surveys.vocabulary import MEETINGS

State = Occasion.State
Finder = Callable[["Trigger", "Watch"], Iterable[Occasion]]
Rows = QuerySet[Occasion]
TOO_OLD = "too_old"
BLOCK = 1000


@dataclass
class Watch:
    """The calendar and the graph of cases, read once for a whole pass."""

    at: datetime
    calendar: workdays.Calendar = field(default_factory=workdays.calendar)
    stages: set[str] = field(default_factory=set)
    # (kind, from, to) → the events that lead there.
    edges: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)

    @classmethod
    def begin(cls, at: datetime) -> "Watch":
        """Read what a pass needs, in three queries."""
        watch = cls(at)
        watch.stages = set(Stage.objects.values_list("code", flat=True))
        fields = ("case_kind", "from_code", "to_code", "event")
        for kind, start, end, event in Transition.objects.filter(is_active=True).values_list(
            *fields
        ):
            watch.edges.setdefault((kind, start, end), set()).add(event)
        return watch

    def due(self, trigger: Trigger, happened_at: datetime) -> datetime:
        """The moment from which to ask: so many banking days after the day of the event."""
        due = self.calendar.add(day(happened_at), trigger.delay_working_days)
        return max(happened_at, midnight(due))

    def earliest(self, trigger: Trigger) -> datetime:
        """What happened before cannot be asked about any more, however it is counted."""
        days = 2 * (trigger.delay_working_days + trigger.link_valid_days) + 60
        return self.at - timedelta(days=days)

    def is_too_old(self, trigger: Trigger, due_at: datetime) -> bool:
        """Whether a link sent when it was due would have ended by now."""
        days = trigger.wave_window_days or trigger.link_valid_days
        return due_at + timedelta(days=days) <= self.at


def look(at: datetime) -> int:
    """Follow corrections, then write an occasion for each new event; return how many are new."""
    watch = Watch.begin(at)
    follow_corrections(watch)
    return notice(watch)


def notice(watch: Watch) -> int:
    """Write an occasion for each event that a trigger has not seen; return how many."""
    # What is asked on the spot, by a code at the desk or in a page, needs no occasion.
    triggers = Trigger.objects.filter(is_active=True, delivery=Trigger.Channel.EMAIL)
    return sum(_notice(trigger, watch) for trigger in triggers.order_by("priority", "pk"))


def follow_corrections(watch: Watch) -> int:
    """Move what is not decided yet to the time that its milestone now has.

    What was decided stays: nobody is asked again because a date was mended. An entry that was
    too old was not decided, only its time was judged.
    """
    waiting = Occasion.objects.filter(state=State.WAITING)
    gone = Q(milestone__isnull=False, milestone__occurred_at__isnull=True)
    gone |= Q(touchpoint__isnull=True, event__startswith="touchpoint:")
    gone |= Q(client_event__isnull=True, event__startswith="client:")
    waiting.filter(gone).delete()
    # What was too old is looked at again where its milestone has been moved into reach.
    longest = min(map(watch.earliest, Trigger.objects.all()), default=watch.at)
    again = Occasion.objects.filter(reason=TOO_OLD, milestone__occurred_at__gt=longest)
    moved = ~Q(happened_at=F("milestone__occurred_at"))
    rows = [
        row
        for found in (waiting.filter(milestone__isnull=False), again)
        for row in found.filter(moved).select_related("trigger", "milestone").order_by("pk")
    ]
    for row in rows:
        if row.milestone is not None and row.milestone.occurred_at is not None:
            _place(row, row.trigger, row.milestone.occurred_at, watch)
    if rows:
        Occasion.objects.bulk_update(rows, ["happened_at", "due_at", "state", "reason"], BLOCK)
    return len(rows)


def in_order(rows: Rows) -> Rows:
    """Occasions in the order in which they are judged, with what they point to."""
    return rows.select_related(
        "trigger__questionnaire", "case__product", "client", "milestone", "touchpoint",
        "client_event",
    ).order_by("trigger__priority", "due_at", "pk")  # fmt: skip


def midnight(on: date) -> datetime:
    """The beginning of a day in the bank's zone."""
    return datetime.combine(on, time(), settings.ZONE)


def day(at: datetime) -> date:
    """The day of a moment in the bank's zone."""
    return at.astimezone(settings.ZONE).date()


def waves(trigger: Trigger, at: datetime) -> Iterator[tuple[str, datetime]]:
    """Slot and first moment of the waves of this year, the one before and the one after."""
    months = [
        MONTHS.index(month) + 1
        for event in trigger.events
        if event.startswith("schedule:")
        for month in event.removeprefix("schedule:").split(",")
    ]
    year = day(at).year
    for number in (year - 1, year, year + 1):
        for month in sorted(months):
            yield f"{number}-{month:02d}", midnight(date(number, month, 1))


def _notice(trigger: Trigger, watch: Watch) -> int:
    """See what one trigger waits for, block by block."""
    seen = 0
    for find in _finders(trigger):
        while True:
            rows = list(find(trigger, watch))
            if rows:
                Occasion.objects.bulk_create(rows, ignore_conflicts=True)
            seen += len(rows)
            if len(rows) < BLOCK:
                break
    return seen


def _finders(trigger: Trigger) -> list[Finder]:
    """How the kinds of event are found that the trigger names."""
    prefixes = {event.rpartition(":")[0] for event in trigger.events}
    found: dict[Finder, set[str]] = {
        _milestones: {"", "stage", "milestone"},
        _touchpoints: {"touchpoint"},
        _client_events: {"client"},
        _waves: {"schedule"},
    }
    return [find for find, handled in found.items() if handled & prefixes]


def _codes(trigger: Trigger, prefix: str) -> list[str]:
    """The codes behind a prefix; without a prefix the events of cases."""
    if not prefix:
        return [event for event in trigger.events if ":" not in event]
    start = f"{prefix}:"
    return [event[len(start) :] for event in trigger.events if event.startswith(start)]


def _unseen(trigger: Trigger, name: str, rows: QuerySet[Any]) -> QuerySet[Any]:
    seen = Occasion.objects.filter(trigger=trigger, **{name: OuterRef("pk")})
    return rows.filter(~Exists(seen)).order_by("pk")[:BLOCK]


def _milestones(trigger: Trigger, watch: Watch) -> Iterable[Occasion]:
    """Stages entered and milestones reached by cases of the trigger's kinds."""
    plain = _codes(trigger, "")
    named = [*_codes(trigger, "stage"), *_codes(trigger, "milestone")]
    rows = Milestone.objects.filter(
        occurred_at__gt=watch.earliest(trigger), case__kind__in=trigger.case_kinds
    ).select_related("case")
    condition = Q(event__in=plain) | Q(code__in=named)
    implied = _implied(trigger, plain, watch)
    if implied:
        rows = rows.annotate(previous=_previous(watch.stages))
        for kind, start, end in implied:
            condition |= Q(event="", code=end, previous=start, case__kind=kind)
    for row in _unseen(trigger, "milestone", rows.filter(condition)):
        yield _place(
            Occasion(
                trigger=trigger,
                event=_event(row, named, watch),
                client_id=row.case.client_id,
                case=row.case,
                milestone=row,
            ),
            trigger,
            row.occurred_at,
            watch,
        )


def _implied(trigger: Trigger, plain: Sequence[str], watch: Watch) -> list[tuple[str, str, str]]:
    """The steps that only one event makes: there the event need not be reported."""
    return [
        edge
        for edge, events in watch.edges.items()
        if edge[0] in trigger.case_kinds and len(events) == 1 and events & set(plain)
    ]


def _previous(stages: set[str]) -> Subquery:
    """The stage a case was in before an entry."""
    before = Q(occurred_at__lt=OuterRef("occurred_at")) | Q(
        occurred_at=OuterRef("occurred_at"), external_id__lt=OuterRef("external_id")
    )
    entries = Milestone.objects.filter(before, case=OuterRef("case"), code__in=stages)
    return Subquery(entries.order_by("-occurred_at", "-external_id").values("code")[:1])


def _event(row: Milestone, named: Sequence[str], watch: Watch) -> str:
    if row.code in named:
        return f"{'stage' if row.code in watch.stages else 'milestone'}:{row.code}"
    if row.event:
        return row.event
    previous: str = getattr(row, "previous", "")
    return next(iter(watch.edges.get((row.case.kind, previous, row.code), {""})))


def _touchpoints(trigger: Trigger, watch: Watch) -> Iterable[Occasion]:
    """Visits, calls and meetings."""
    codes = _codes(trigger, "touchpoint")
    rows = Touchpoint.objects.filter(
        kind__in=MEETINGS, source__in=codes, at__gt=watch.earliest(trigger)
    )
    for row in _unseen(trigger, "touchpoint", rows):
        new = Occasion(
            trigger=trigger,
            event=f"touchpoint:{row.source}",
            client_id=row.client_id,
            touchpoint=row,
        )
        yield _place(new, trigger, row.at, watch)


def _client_events(trigger: Trigger, watch: Watch) -> Iterable[Occasion]:
    codes = _codes(trigger, "client")
    rows = ClientEvent.objects.filter(event__in=codes, occurred_at__gt=watch.earliest(trigger))
    for row in _unseen(trigger, "client_event", rows):
        new = Occasion(
            trigger=trigger,
            event=f"client:{row.event}",
            client_id=row.client_id,
            client_event=row,
        )
        yield _place(new, trigger, row.occurred_at, watch)


def _waves(trigger: Trigger, watch: Watch) -> Iterable[Occasion]:
    """Each active client once in a wave that has begun since the trigger was switched on."""
    window = timedelta(days=trigger.wave_window_days or trigger.link_valid_days)
    for slot, starts in waves(trigger, watch.at):
        if not starts <= watch.at < starts + window or starts < trigger.active_since:
            continue
        seen = Occasion.objects.filter(trigger=trigger, slot=slot, client=OuterRef("pk"))
        clients = Client.objects.filter(
            ~Exists(seen), status=Client.Status.ACTIVE, merged_into__isnull=True
        )
        month = MONTHS[int(slot[-2:]) - 1]
        for client in clients.order_by("pk")[:BLOCK]:
            new = Occasion(trigger=trigger, event=f"schedule:{month}", client=client, slot=slot)
            yield _place(new, trigger, starts, watch)


def _place(row: Occasion, trigger: Trigger, happened_at: datetime, watch: Watch) -> Occasion:
    """Give an occasion its time, and say at once where that is too long ago."""
    row.happened_at = happened_at
    row.due_at = watch.due(trigger, happened_at)
    old = watch.is_too_old(trigger, row.due_at)
    row.state = State.PASSED if old else State.WAITING
    row.reason = TOO_OLD if old else ""
    return row
