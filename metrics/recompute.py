"""Brings the figures up to date: of one client, of whoever is stale, of everybody.

A client's figures and the note of what they were made from are written together, under the
client's own lock, and with them the windows that the figures above it owe. These follow under
one lock for all: who does not get it leaves the work to the holder, who looks again before
leaving. Nothing is lost by a kill: what is not finished is found again, by its counts or by the
note that still stands.
"""

from collections.abc import Sequence
from datetime import datetime, time
from functools import partial
from itertools import chain

from django.db import connection, transaction

from bank import slots
from clients.models import ChangeNote
from metrics import engaging, queries, sources, storing
from metrics.engaging import Past
from metrics.facts import mergers, population, tables
from metrics.facts.answers import Kept
from metrics.facts.mergers import Mergers
from metrics.facts.population import History
from metrics.models import ClientState, DueWindows, Measurement, Scope
from metrics.since import Since
from metrics.sources import Block, Work
from metrics.storing import Stamp, Target
from metrics.windows import EVERYTHING, ROLLING, WHOLE, Windows

_BLOCK = 2_500
_ROUNDS = 10
_LOCK = 7_301_442_020
_MANY = (Scope.BANK, Scope.TEAM, Scope.CAMPAIGN)
_NOTED = [
    *("responses", "revisions", "invitations", "place", "months", "worth", "past", "as_of"),
    "noted",
]

# When nobody works; the day before is whole by then.
NIGHT = time(2, 10)


def refresh(client_id: int, *, at: datetime) -> None:
    """Recompute the figures of one client; those above it stay due until `refresh_stale`."""
    _refresh_block([client_id], at, mergers.known())


def refresh_stale(*, at: datetime) -> int:
    """Recompute every client whose rows, day or facts have changed, then what is above once.

    Returns how many clients were stale. Two at once do no harm.
    """
    _take_notes(at)
    stale = queries.stale_clients(at=at)
    _refresh_blocks(stale, at)
    for _round in range(_ROUNDS):
        if not DueWindows.objects.exists() or not _refresh_due(at):
            break
    return len(stale)


def refresh_all(*, at: datetime, past: bool = False) -> int:
    """Recompute everything from the raw rows, in blocks; the result equals the incremental one.

    This heals what no count shows: a team that moved to another place in the tree. With `past`
    the engagement of quarters that are over is measured again too; else it stands.
    """
    storing.forget()
    _take_notes(at)
    known = ClientState.objects.values_list("client_id", flat=True)
    everybody = sorted({*population.places(), *known})
    if past:
        ClientState.objects.update(past="")
    _refresh_blocks(everybody, at, whole=True)
    DueWindows.objects.create(keys=[EVERYTHING], at=at)
    _refresh_due(at)
    return len(everybody)


def refresh_nightly(*, at: datetime) -> bool:
    """Recompute everything once a night, whoever rings how often; say whether it was done."""
    return slots.daily("refresh-all", partial(refresh_all, at=at), hour=NIGHT, at=at)


def _take_notes(at: datetime) -> None:
    """Turn notes of changes into marks on the clients, which stand until they are refreshed."""
    if not ChangeNote.objects.exists():
        return
    with transaction.atomic():
        notes = list(ChangeNote.objects.select_for_update(skip_locked=True).order_by("pk"))
        ids = sorted({client for note in notes for client in note.client_ids})
        today = Windows(at).today
        ClientState.objects.bulk_create(
            [ClientState.blank(client, today, noted=True) for client in ids],
            batch_size=1000,
            update_conflicts=True,
            unique_fields=["client_id"],
            update_fields=["noted"],
        )
        ChangeNote.objects.filter(pk__in=[note.pk for note in notes]).delete()


def _refresh_blocks(client_ids: list[int], at: datetime, *, whole: bool = False) -> None:
    known = mergers.known() if client_ids else Mergers(())
    for start in range(0, len(client_ids), _BLOCK):
        _refresh_block(client_ids[start : start + _BLOCK], at, known, whole=whole)


def _refresh_block(
    client_ids: Sequence[int], at: datetime, known: Mergers, *, whole: bool = False
) -> None:
    windows, ids = Windows(at), known.family(client_ids)
    with transaction.atomic():
        if tables.is_many(ids):
            tables.unhurried()
        states = _locked(ids, windows)
        # Counted before read: an answer that comes in between leaves its client stale.
        histories = population.histories(ids)
        keys = windows.of_clients({month for held in histories.values() for month in held.months})
        answering = frozenset() if whole else _answering(states, histories, windows)
        stamp = storing.stamp(at=at)
        past = Past(_reopened(states, histories, windows, stamp), windows, stamp)
        block = Block(ids, keys, windows, known, stamp, answering, past)
        rows = chain.from_iterable(source(block) for source in sources.CLIENT_SOURCES)
        target = Target(
            Scope.CLIENT,
            windows.closed([*keys, *past.keys]),
            ids,
            resting=past.resting(ids),
            engaged=sorted(answering),
        )
        storing.write(target, rows, at=at)
        due = _note(states, histories, windows, past.mark) | past.moved()
        if due:
            DueWindows.objects.create(keys=sorted(due), at=at)


def _answering(
    states: list[ClientState], histories: dict[int, History], windows: Windows
) -> frozenset[int]:
    """The clients of whom nothing but answers and requests can have changed since today's run."""
    return frozenset(
        state.client_id
        for state in states
        if not state.noted
        and state.responses >= 0
        and state.as_of == windows.today
        and state.place == histories.get(state.client_id, History({}, "")).place
    )


def _reopened(
    states: list[ClientState], histories: dict[int, History], windows: Windows, stamp: Stamp
) -> list[int]:
    """The clients whose past quarters of engagement are to be measured, again or at last."""
    mark = engaging.mark(windows, stamp)
    return [
        state.client_id
        for state in states
        if state.noted
        or state.responses < 0
        or state.past != mark
        or state.place != histories.get(state.client_id, History({}, "")).place
    ]


def _locked(client_ids: list[int], windows: Windows) -> list[ClientState]:
    """The states of these clients, made where missing, locked in the order of the numbers."""
    wanted = ClientState.objects.select_for_update().filter(client_id__in=client_ids)
    found = list(wanted.order_by("client_id"))
    if len(found) == len(client_ids):
        return found
    known = {state.client_id for state in found}
    ClientState.objects.bulk_create(
        [ClientState.blank(client, windows.today) for client in client_ids if client not in known],
        ignore_conflicts=True,
    )
    return list(wanted.order_by("client_id"))


def _note(
    states: list[ClientState], histories: dict[int, History], windows: Windows, mark: str
) -> set[str]:
    """Note what the figures were made from; return the windows that are due above."""
    noted = [state.client_id for state in states if state.noted or state.responses < 0]
    worth = population.worth(noted) if noted else {}
    due: set[str] = set()
    changed = []
    for state in states:
        history = histories.get(state.client_id, History({}, ""))
        owed = _owed(state, history, worth, windows)
        if owed or state.noted or state.past != mark:
            due |= owed
            state.past = mark
            changed.append(_taken(state, history, worth, windows))
    ClientState.objects.bulk_create(
        changed,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["client_id"],
        update_fields=_NOTED,
    )
    return due


def _taken(
    state: ClientState, history: History, worth: dict[int, str], windows: Windows
) -> ClientState:
    counts = history.counts
    state.responses, state.revisions = counts.responses, counts.revisions
    state.invitations, state.place = counts.invitations, history.place
    state.months = {key: list(held) for key, held in sorted(history.months.items())}
    state.worth = worth.get(state.client_id, state.worth)
    state.as_of, state.noted = windows.today, False
    return state


def _owed(
    state: ClientState, history: History, worth: dict[int, str], windows: Windows
) -> set[str]:
    """The windows above a client whose figures do not know it as it is now."""
    moved = state.place != history.place
    if moved or state.responses < 0 or state.worth != worth.get(state.client_id, state.worth):
        return {EVERYTHING}
    owed = set() if state.as_of == windows.today else {*ROLLING, *windows.trend}
    if state.noted:
        # What the client does beside answering is told by these, and what is open with it.
        owed |= {*ROLLING}
    for month in state.months.keys() | history.months.keys():
        if list(state.months.get(month, ())) != list(history.months.get(month, ())):
            owed |= windows.touched_by(month)
    return owed


def _refresh_due(at: datetime) -> bool:
    """Recompute the windows due of bank, teams and campaigns; False if somebody else is at it."""
    windows = Windows(at)
    with transaction.atomic():
        if not _alone():
            return False
        tables.unhurried()
        notes = dict(DueWindows.objects.values_list("pk", "keys"))
        owed = {key for keys in notes.values() for key in keys}
        everything = windows.of_units(*population.span())
        everything += [key for key in engaging.quarters(windows) if key not in everything]
        owed = set(everything) if EVERYTHING in owed else windows.with_followers(owed, everything)
        keys = sorted(owed)
        befores = [earlier for key in keys if (earlier := windows.before(key))]
        stamp, members = storing.stamp(at=at), population.members()
        known, cells = mergers.known(), sources.cells(members)
        kept, since = Kept(windows.hull([*keys, *befores])), Since()
        for key in keys:
            own = None if key == WHOLE else kept
            _refresh_window(Work(key, windows, known, members, cells, stamp, own), since)
        kept.drop()
        _drop(everything)
        DueWindows.objects.filter(pk__in=notes).delete()
    return True


def _refresh_window(work: Work, since: Since) -> None:
    made = [row for source in sources.UNIT_SOURCES for row in source(work)]
    made = since.told(work, storing.withhold(made, work.members.parents))
    closed = work.windows.closed([work.key])
    for scope in _MANY:
        target = Target(scope, closed, periods=[work.key])
        storing.write(target, [row for row in made if row.scope == scope], at=work.stamp.at)


def _drop(everything: list[str]) -> None:
    """Delete what was stored of windows that exist no more, such as the oldest of the trend."""
    gone = Measurement.objects.filter(scope__in=_MANY).exclude(period__in=everything)
    gone.delete()


def _alone() -> bool:
    """Take the lock on all figures above clients; SQLite's write transaction is one already."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
