"""A link is followed: the invitation behind it, and one line of evidence.

Opening the page is what clients do most often, so on PostgreSQL both are one statement. The line
is committed without waiting for the disk: a crash of the database host may cost the evidence of
its last half second, and never an answer. Everywhere else, and for every other page, the two are
an ordinary read and an ordinary insert with the same outcome.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from surveys import questionnaires
from surveys.models import Hit, Invitation

_AT_ONCE = """
WITH asked AS (
    SELECT * FROM surveys_invitation WHERE survey_digest = %s
), noted AS (
    INSERT INTO surveys_hit
        (invitation_id, page, method, at, address, agent, score, signals, rule, ruled_why)
    SELECT id, %s, %s, %s, %s, %s, %s, '[]', '', '' FROM asked
)
SELECT asked.*, set_config('synchronous_commit', 'off', true) AS committed FROM asked
"""


@dataclass(frozen=True)
class Visit:
    """What a request tells of its sender, as it is written down."""

    page: str
    method: str
    at: datetime
    address: str | None = None
    agent: str = ""
    score: int | None = None


def note(invitation: Invitation, visit: Visit) -> Hit:
    """Write down one visit; it changes nothing else."""
    return Hit.objects.create(invitation=invitation, **vars(visit))


def follow(digest: str, visit: Visit) -> Invitation | None:
    """The invitation of a survey link, and the visit noted; None, and nothing, without one."""
    if connection.vendor != "postgresql":
        return follow_plainly(digest, visit)
    values = [digest, visit.page, visit.method, visit.at, visit.address, visit.agent, visit.score]
    return _first(Invitation.objects.raw(_AT_ONCE, values))


def follow_plainly(digest: str, visit: Visit) -> Invitation | None:
    """The same for every database."""
    invitation = find(survey_digest=digest)
    if invitation is not None:
        note(invitation, visit)
    return invitation


def find(*related: str, **digest: str) -> Invitation | None:
    """The invitation of a link with its version, in one read, or None."""
    return _first(Invitation.objects.select_related(*related).filter(**digest))


def _first(rows: Iterable[Invitation]) -> Invitation | None:
    """The one row, if any; the process remembers the version."""
    for invitation in rows:
        invitation.version = questionnaires.asked(invitation.version_id)
        return invitation
    return None
