"""What happened with one client, newest first: records, permissions, mails, answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from clients.models import Case, Client, Consent, MilestoneType
from cxportal.queries.responses import Line
from cxportal.queries.stages import Clockwork, Progress
from surveys.models import Invitation


@dataclass(frozen=True)
class Event:
    """One line of the timeline."""

    at: datetime
    node: str
    words: str
    case: Case | None = None
    response_id: str = ""


def of(
    client: Client,
    progress: Sequence[Progress],
    works: Clockwork,
    lines: Sequence[Line],
    invitations: Sequence[Invitation],
) -> list[Event]:
    """Everything in one line of time; three queries of its own."""
    events = [*_reached(progress, works), *_permissions(client)]
    events += [_sent(row) for row in invitations]
    events += [_answered(line) for line in lines]
    return sorted(events, key=lambda event: event.at, reverse=True)


def milestone_names() -> dict[str, str]:
    """The milestones that are no stages, by code, in the active language."""
    return {row.code: row.name for row in MilestoneType.objects.all()}


def _reached(progress: Sequence[Progress], works: Clockwork) -> Iterable[Event]:
    names = milestone_names()
    for item in progress:
        for row in item.milestones:
            if row.occurred_at:
                words = _name(item.case, row.code, works, names)
                yield Event(row.occurred_at, "k-d", words, item.case)


def _name(case: Case, code: str, works: Clockwork, names: Mapping[str, str]) -> str:
    stage = works.stages.get((case.kind, code))
    return stage.name if stage else names.get(code, code)


def _permissions(client: Client) -> Iterable[Event]:
    """What people said about surveys, and when the client was to be left alone."""
    given = Consent.objects.filter(contact__client=client, purpose=Consent.Purpose.SURVEY)
    for row in given.exclude(state=Consent.State.UNKNOWN).select_related("contact"):
        agreed = row.state == Consent.State.YES
        words = _("%(person)s agreed to surveys") if agreed else _("%(person)s refused surveys")
        yield Event(row.at, "" if agreed else "k-z", words % {"person": row.contact.name})
    for freeze in client.freezes.all():
        reason = {"reason": freeze.get_reason_display()}
        yield Event(freeze.started_at, "k-z", _("No surveys: %(reason)s") % reason)
        if freeze.ended_at:
            yield Event(freeze.ended_at, "", _("Surveys again after: %(reason)s") % reason)


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
