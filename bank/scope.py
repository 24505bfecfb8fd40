"""Which clients a viewer may see: the one place that decides on rows."""

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from bank.models import ApiKey, Deputy, Role, Team, User

# The tree of teams is shallow: head office, branch, department, desk and two to spare.
DEPTH = 6


def teams_below(team_id: int) -> QuerySet[Team]:
    """The team and every team under it, as one subquery."""
    condition = Q(pk=team_id)
    path = "parent"
    for _level in range(DEPTH - 1):
        condition |= Q(**{path: team_id})
        path = f"{path}__parent"
    return Team.objects.filter(condition)


def sees_all(viewer: User | ApiKey) -> bool:
    """Auditor, administrator, superuser and a key without a team see every client."""
    if isinstance(viewer, ApiKey):
        return viewer.team_id is None
    return viewer.is_superuser or viewer.role in {Role.AUDITOR, Role.ADMINISTRATOR}


def clients_of(viewer: User | ApiKey, prefix: str = "") -> Q:
    """The condition on clients; `prefix` is the path to the client, such as `client__`.

    A relationship manager sees the clients of whom they are manager or, at this moment, the
    deputy of the manager; a supervisor and a key with a team see the team and all below it.
    """
    if sees_all(viewer):
        return Q()
    if isinstance(viewer, ApiKey) or viewer.role == Role.SUPERVISOR:
        if viewer.team_id is None:
            return Q(pk__in=[])
        return Q(**{f"{prefix}team__in": teams_below(viewer.team_id)})
    if viewer.role != Role.RELATIONSHIP_MANAGER:
        return Q(pk__in=[])
    stood_in_for = Deputy.objects.filter(
        deputy=viewer, starts_at__lte=Now(), ends_at__gt=Now()
    ).values("principal")
    return Q(**{f"{prefix}manager": viewer}) | Q(**{f"{prefix}manager__in": stood_in_for})


def teams_of(viewer: User | ApiKey) -> QuerySet[Team]:
    """The teams whose figures as a whole this viewer may see."""
    if sees_all(viewer):
        return Team.objects.all()
    if isinstance(viewer, ApiKey) or viewer.role == Role.SUPERVISOR:
        return teams_below(viewer.team_id or 0)
    return Team.objects.none()
