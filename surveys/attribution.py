"""What was promised about single answers: who may see them, and whose they are."""

from django.db.models import Q

from bank import scope
from bank.models import ApiKey, User
from surveys.models import Invitation, Response, Version

OPEN = [Version.Attribution.RELATIONSHIP_TEAM, Version.Attribution.ANONYMOUS_OPTIONAL]


def may_see(viewer: User | ApiKey, prefix: str = "") -> Q:
    """Responses whose single answers and words this viewer may see; scope is judged apart.

    A machine sees only what was promised to the relationship team: what it passes on is no
    longer ours to guard. Administrators and auditors stand for the experience team.
    """
    path = f"{prefix}version__attribution"
    if isinstance(viewer, ApiKey):
        return Q(**{path: Version.Attribution.RELATIONSHIP_TEAM})
    if scope.sees_all(viewer):
        return Q()
    return Q(**{f"{path}__in": OPEN})


def sees(viewer: User | ApiKey, response: Response) -> bool:
    """Whether the answers of this one response may be shown; the same rule as `may_see`."""
    promise = response.version.attribution
    if isinstance(viewer, ApiKey):
        return promise == Version.Attribution.RELATIONSHIP_TEAM
    return scope.sees_all(viewer) or promise in OPEN


def names_person(viewer: User | ApiKey, response: Response) -> bool:
    """Whether contact and link of this response may be named to the viewer.

    An anonymous response has a contact only where the person left one.
    """
    if response.version.attribution == Version.Attribution.ANONYMOUS_OPTIONAL:
        return response.contact_id is not None and not isinstance(viewer, ApiKey)
    return sees(viewer, response)


def tells_times(invitation: Invitation) -> bool:
    """Whether it may be told when this person opened and answered.

    Where nobody is to be named, no instant may lead from a person to an answer.
    """
    return invitation.version.attribution != Version.Attribution.ANONYMOUS_OPTIONAL
