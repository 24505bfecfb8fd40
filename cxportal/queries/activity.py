"""What happened with one client, newest first: records, mails, answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from clients import queries
from clients.models import Case, Client
from cxportal.queries.responses import Line
from surveys.models import Invitation

_NODES = {"stage": "k-d", "milestone": "k-d"}


@dataclass(frozen=True)
class Event:
    """One line of the timeline."""

    at: datetime
    node: str
    words: str
    case: Case | None = None
    response_id: str = ""


def of(
    client: Client, lines: Sequence[Line], invitations: Sequence[Invitation], *, limit: int = 12
) -> list[Event]:
    """Milestones, consent, mails and answers in one line of time."""
    events = [
        Event(
            entry.at,
            _NODES.get(entry.kind, ""),
            " · ".join(part for part in (entry.title, entry.detail) if part),
            entry.case,
        )
        for entry in queries.timeline(client)
    ]
    events += [_sent(row) for row in invitations]
    events += [_answered(line) for line in lines]
    events.sort(key=lambda event: event.at, reverse=True)
    return events[:limit]


def _sent(row: Invitation) -> Event:
    words = _("%(survey)s sent to %(person)s") % {
        "survey": row.version.questionnaire.title,
        "person": row.contact.name,
    }
    return Event(row.sent_at or row.created_at, "", words)


def _answered(line: Line) -> Event:
    """An answer whose promise hides it is told without person and rating."""
    response = line.response
    person = line.name or _("A contact")
    if line.score is None:
        words = _("%(person)s answered: %(survey)s") % {
            "person": person,
            "survey": response.version.questionnaire.title,
        }
        return Event(response.submitted_at, "", words, response_id=response.response_id)
    words = _("%(person)s answered, NPS %(score)s") % {"person": person, "score": line.score}
    node = "k-z" if line.score <= 6 else "k-q" if line.score >= 9 else ""
    return Event(response.submitted_at, node, words, response_id=response.response_id)
