"""Brings the figures up to date: of one client, of whoever is stale, of everybody.

A client's figures and the note of what they were made from are written together, under the
client's own lock. The figures above it follow under one lock for all: who does not get it
leaves the work to the holder, who looks again before leaving.
"""

from collections.abc import Iterable, Iterator
from dataclasses import astuple
from datetime import datetime

from django.db import connection, transaction

from metrics import queries, storing
from metrics.facts import pools, population, replies, requests
from metrics.facts.pools import Pool
from metrics.facts.population import Membership, RowCounts
from metrics.facts.replies import Reply
from metrics.facts.requests import Request
from metrics.models import ClientState, Measurement, Scope
from metrics.storing import Unit
from metrics.windows import Windows

_BLOCK = 500
_ROUNDS = 10
_LOCK = 7_301_442_020


def refresh(client_id: int, *, at: datetime) -> None:
    """Recompute the figures of one client; those above it stay due until `refresh_stale`."""
    _refresh_block([client_id], at)


def refresh_stale(*, at: datetime) -> int:
    """Recompute every client whose rows or day differ from its note, then the rest once.

    Returns how many clients were stale. Two at once do no harm, and nothing is lost if either
    dies: what is not finished is found again by its counts.
    """
    stale = queries.stale_clients(at=at)
    for block in _blocks(stale):
        _refresh_block(block, at)
    for _round in range(_ROUNDS):
        due = ClientState.objects.filter(aggregates_due=True).exists()
        if not due or not _refresh_aggregates(at):
            break
    return len(stale)


def refresh_all(*, at: datetime) -> int:
    """Recompute everything from the raw rows, in blocks; the result equals the incremental one.

    This heals what no count shows: a team that moved to another place in the tree.
    """
    known = ClientState.objects.values_list("client_id", flat=True)
    everybody = sorted({*population.counts(), *known})
    for block in _blocks(everybody):
        _refresh_block(block, at)
    _refresh_aggregates(at)
    return len(everybody)


def _blocks(client_ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(client_ids), _BLOCK):
        yield client_ids[start : start + _BLOCK]


def _refresh_block(client_ids: list[int], at: datetime) -> None:
    windows = Windows(at)
    with transaction.atomic():
        states = _locked(client_ids, windows)
        # Counted before read: an answer that comes in between leaves its client stale.
        counts = population.counts(client_ids)
        parameter_set = storing.parameters(at=at)
        made: list[Measurement] = []
        for client, given, asked in _everything(client_ids):
            found = pools.sort(
                client, given, asked, lambda row: [(row.population, k) for k in windows.of(row.at)]
            )
            for (kind, period), bucket in found.items():
                pool = Pool()
                pool.add(bucket, eligible=True)
                unit = Unit(Scope.CLIENT, client, kind, period)
                made += storing.build(
                    unit, pool, eligible=None, parameter_set=parameter_set, at=at
                )
        storing.store(Scope.CLIENT, client_ids, made)
        _note(states, counts, windows)


def _locked(client_ids: list[int], windows: Windows) -> list[ClientState]:
    """The notes of these clients, made where missing, locked in the order of the numbers."""
    ordered = sorted(client_ids)
    ClientState.objects.bulk_create(
        [
            ClientState(client_id=client, responses=-1, revisions=-1, as_of=windows.today)
            for client in ordered
        ],
        ignore_conflicts=True,
    )
    found = ClientState.objects.select_for_update().filter(client_id__in=ordered)
    return list(found.order_by("client_id"))


def _note(states: list[ClientState], counts: dict[int, RowCounts], windows: Windows) -> None:
    for state in states:
        held = counts.get(state.client_id, RowCounts())
        state.responses, state.revisions, state.invitations, state.place = astuple(held)
        state.as_of, state.aggregates_due = windows.today, True
    ClientState.objects.bulk_update(
        states,
        ["responses", "revisions", "invitations", "place", "as_of", "aggregates_due"],
        batch_size=_BLOCK,
    )


def _refresh_aggregates(at: datetime) -> bool:
    """Recompute bank, teams and campaigns; False if somebody else is at it."""
    windows = Windows(at)
    with transaction.atomic():
        if not _alone():
            return False
        due = list(ClientState.objects.filter(aggregates_due=True))
        members = population.membership()
        made = _aggregates(windows, members, storing.parameters(at=at))
        storing.withhold_complements(made[Scope.TEAM], made[Scope.BANK], members.parents)
        for scope, rows in made.items():
            storing.store(scope, None, rows)
        _settle(due)
    return True


def _aggregates(
    windows: Windows, members: Membership, parameter_set: str
) -> dict[str, list[Measurement]]:
    found: dict[Unit, Pool] = {}
    for client, given, asked in _everything(None):
        _fold(found, client, given, asked, windows, members)
    made: dict[str, list[Measurement]] = {Scope.BANK: [], Scope.TEAM: [], Scope.CAMPAIGN: []}
    for unit, pool in _with_units_above(found, members).items():
        known = pool.invited if unit.scope == Scope.CAMPAIGN else members.eligible[unit.scope_id]
        made[unit.scope] += storing.build(
            unit, pool, eligible=known, parameter_set=parameter_set, at=windows.at
        )
    return made


def _fold(
    found: dict[Unit, Pool],
    client: int,
    given: list[Reply],
    asked: list[Request],
    windows: Windows,
    members: Membership,
) -> None:
    """Add one client to the pools of its own team, 0 for none, and of its campaigns."""
    team = next(iter(members.teams.get(client, ())), 0)
    held = pools.sort(
        client, given, asked, lambda row: [(row.population, k) for k in windows.with_trend(row.at)]
    )
    for (kind, period), bucket in held.items():
        unit = Unit(Scope.TEAM, team, kind, period)
        found.setdefault(unit, Pool()).add(bucket, eligible=client in members.active)
    waves = pools.sort(client, given, asked, lambda row: _wave_keys(row, windows))
    for unit, bucket in waves.items():
        found.setdefault(unit, Pool()).add(bucket, eligible=bool(bucket.outcomes))


def _with_units_above(found: dict[Unit, Pool], members: Membership) -> dict[Unit, Pool]:
    """The pools of campaigns as they are, and those of teams merged upwards to the bank.

    In a fixed order: sums of fractions depend on it in their last digit.
    """
    above: dict[Unit, Pool] = {}
    for unit in sorted(found, key=astuple):
        if unit.scope == Scope.CAMPAIGN:
            above[unit] = found[unit]
            continue
        owners = [(Scope.TEAM, team) for team in members.chains.get(unit.scope_id, ())]
        for scope, scope_id in [(Scope.BANK, 0), *owners]:
            key = Unit(scope, scope_id, unit.population, unit.period)
            above.setdefault(key, Pool()).merge(found[unit])
    return above


def _wave_keys(row: Reply | Request, windows: Windows) -> list[Unit]:
    if row.campaign is None:
        return []
    return [
        Unit(Scope.CAMPAIGN, row.campaign, row.population, key)
        for key in windows.with_whole(row.at)
    ]


def _everything(
    client_ids: Iterable[int] | None,
) -> Iterator[tuple[int, list[Reply], list[Request]]]:
    """Each client with its replies and requests, those with replies by number first."""
    asked = requests.by_client(client_ids)
    for client, given in replies.by_client(client_ids):
        yield client, given, asked.pop(client, [])
    for client, held in asked.items():
        yield client, [], held


def _settle(due: list[ClientState]) -> None:
    """Take clients off the list, but for those refreshed again since it was read."""
    seen = {state.pk: _fingerprint(state) for state in due}
    now = ClientState.objects.select_for_update().filter(pk__in=seen).order_by("client_id")
    done = [state.pk for state in now if _fingerprint(state) == seen[state.pk]]
    ClientState.objects.filter(pk__in=done).update(aggregates_due=False)


def _fingerprint(state: ClientState) -> tuple[object, ...]:
    return state.responses, state.revisions, state.invitations, state.as_of


def _alone() -> bool:
    """Take the lock on all aggregates; SQLite's write transaction is one already."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
