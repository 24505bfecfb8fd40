"""Which clients there are, to which teams they belong, and how many rows each one has."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, Sum

from bank.models import Team
from clients.models import Client
from surveys.models import Invitation, Response


@dataclass(frozen=True)
class Membership:
    """Each client's teams at present, from its own up to the root, and who is eligible.

    `chains` holds the same line upwards for each team. `eligible` counts clients with status
    active, by team; under 0 those of the whole bank.
    """

    teams: dict[int, tuple[int, ...]]
    chains: dict[int, tuple[int, ...]]
    active: frozenset[int]
    eligible: Counter[int]
    parents: dict[int, int | None]


@dataclass(frozen=True, slots=True)
class RowCounts:
    """What a client's figures were made from; any change of them changes one of these.

    `responses` counts the standing ones, `revisions` is summed over all, retracted ones too:
    so a retraction lowers the first, and a correction or a repeated import raises the second.
    `invitations` counts those sent plus those opened. `place` is team and status: a client
    that moves or is closed counts elsewhere.
    """

    responses: int = 0
    revisions: int = 0
    invitations: int = 0
    place: str = ""


def membership() -> Membership:
    """Teams and eligible clients as they are now; two queries."""
    parents: dict[int, int | None] = dict(Team.objects.values_list("id", "parent_id"))
    chains = {team: _chain(team, parents) for team in parents}
    teams: dict[int, tuple[int, ...]] = {}
    active: set[int] = set()
    eligible: Counter[int] = Counter()
    for client, team, status in Client.objects.values_list("id", "team_id", "status"):
        teams[client] = chains.get(team or 0, ())
        if status == Client.Status.ACTIVE:
            active.add(client)
            eligible.update([0, *teams[client]])
    return Membership(teams, chains, frozenset(active), eligible, parents)


def counts(client_ids: Iterable[int] | None = None) -> dict[int, RowCounts]:
    """The row counts of each client; three queries."""
    clients = Client.objects.all()
    responses = Response.objects.all()
    invitations = Invitation.objects.filter(sent_at__isnull=False)
    if client_ids is not None:
        ids = list(client_ids)
        clients = clients.filter(pk__in=ids)
        responses = responses.filter(client__in=ids)
        invitations = invitations.filter(client__in=ids)
    asked = {
        client: sent + opened
        for client, sent, opened in invitations.values_list("client_id").annotate(
            sent=Count("id"), opened=Count("opened_at")
        )
    }
    stands = Q(retracted_at__isnull=True, is_test=False)
    given = {
        client: (standing, revisions)
        for client, standing, revisions in responses.values_list("client_id").annotate(
            standing=Count("id", filter=stands), revisions=Sum("revision")
        )
    }
    return {
        client: RowCounts(*given.get(client, (0, 0)), asked.get(client, 0), f"{team}/{status}")
        for client, team, status in clients.values_list("pk", "team_id", "status")
    }


def _chain(team: int, parents: dict[int, int | None]) -> tuple[int, ...]:
    """The team and all above it; a circle in the data ends where it closes."""
    chain: list[int] = []
    step: int | None = team
    while step is not None and step not in chain:
        chain.append(step)
        step = parents.get(step)
    return tuple(chain)
