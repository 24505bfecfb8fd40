"""What happened with one client, newest first: records, contacts, permissions, mails, answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from bank import formats
from bank.models import in_language
from clients.models import (
    Case,
    CaseEvent,
    Client,
    ClientEvent,
    Consent,
    Freeze,
    MilestoneType,
    Touchpoint,
    Transaction,
)
from cxportal.queries.responses import Line
from cxportal.queries.stages import Clockwork, Progress
from surveys.models import Invitation

# What two people did together; logins, pages and clicks are counted, not told one by one.
TOGETHER = (
    Touchpoint.Kind.VISIT,
    Touchpoint.Kind.MEETING,
    Touchpoint.Kind.CALL,
    Touchpoint.Kind.EVENT,
    Touchpoint.Kind.EMAIL_REPLY,
)
_MOST = 100


@dataclass(frozen=True)
class Event:
    """One line of the timeline."""

    at: datetime
    node: str
    words: str
    case: Case | None = None
    response_id: str = ""


def of(
    progress: Sequence[Progress],
    works: Clockwork,
    touches: Sequence[Touchpoint],
    freezes: Sequence[Freeze],
    lines: Sequence[Line],
    invitations: Sequence[Invitation],
) -> list[Event]:
    """What was read already in one line of time, newest first; at most one query of its own."""
    events = [*_reached(progress, works), *_frozen(freezes)]
    events += [Event(row.at, "", met(row)) for row in touches]
    events += [_sent(row) for row in invitations]
    events += [_answered(line) for line in lines]
    return _newest_first(events)


def besides(client: Client) -> list[Event]:
    """What only the whole history tells: money, events of the client, consents; three queries."""
    return [*_drawn(client), *_befell(client), *_consented(client)]


def _newest_first(events: Iterable[Event]) -> list[Event]:
    return sorted(events, key=lambda event: event.at, reverse=True)


def whole(events: Sequence[Event], client: Client) -> list[Event]:
    """The line of time with what only the history tells."""
    return _newest_first([*events, *besides(client)])


def milestone_names() -> dict[str, str]:
    """The milestones that are no stages, by code, in the active language."""
    return {row.code: row.name for row in MilestoneType.objects.all()}


def _reached(progress: Sequence[Progress], works: Clockwork) -> Iterable[Event]:
    reached = [(item, row) for item in progress for row in item.milestones if row.occurred_at]
    # Names beside those of the stages are read only where some milestone is no stage.
    known = all((item.case.kind, row.code) in works.stages for item, row in reached)
    names = {} if known else milestone_names()
    for item, row in reached:
        if row.occurred_at:
            words = _name(item.case, row.code, works, names)
            yield Event(row.occurred_at, "k-d", words, item.case)


def _name(case: Case, code: str, works: Clockwork, names: Mapping[str, str]) -> str:
    stage = works.stages.get((case.kind, code))
    return stage.name if stage else names.get(code, code)


def touches(client: Client) -> list[Touchpoint]:
    """The newest contacts of two people; one query."""
    rows = Touchpoint.objects.filter(client=client, kind__in=TOGETHER)
    return list(rows.select_related("contact").order_by("-at", "-pk")[:_MOST])


def met(row: Touchpoint) -> str:
    """A contact of two people in words: what, with whom, how long."""
    parts = [str(row.get_kind_display())]
    if row.contact:
        parts.append(row.contact.name)
    if row.duration_s:
        parts.append(formats.duration(timedelta(seconds=row.duration_s)))
    return " · ".join(parts)


def _drawn(client: Client) -> Iterable[Event]:
    """Money that went out; what is paid back is in the list of transactions."""
    rows = Transaction.objects.filter(client=client, kind=Transaction.Kind.DRAWDOWN)
    for row in rows.order_by("-booked_at", "-pk")[:_MOST]:
        amount = formats.money(row.amount, row.currency)
        yield Event(row.booked_at, "k-d", f"{row.get_kind_display()} {amount}")


def _befell(client: Client) -> Iterable[Event]:
    """What was reported of the client itself, by the names of the reference."""
    known = CaseEvent.objects.filter(code=OuterRef("event"))
    rows = ClientEvent.objects.filter(client=client).annotate(
        zh=Subquery(known.values("name_zh")[:1]), en=Subquery(known.values("name_en")[:1])
    )
    for row in rows.order_by("-occurred_at", "-pk")[:_MOST]:
        zh, en = row.zh, row.en  # type: ignore[attr-defined]
        yield Event(row.occurred_at, "k-d", in_language(zh or "", en or "") or row.event)


def _consented(client: Client) -> Iterable[Event]:
    """What people said about surveys."""
    given = Consent.objects.filter(contact__client=client, purpose=Consent.Purpose.SURVEY)
    for row in given.exclude(state=Consent.State.UNKNOWN).select_related("contact"):
        agreed = row.state == Consent.State.YES
        words = _("%(person)s agreed to surveys") if agreed else _("%(person)s refused surveys")
        yield Event(row.at, "" if agreed else "k-z", words % {"person": row.contact.name})


def _frozen(freezes: Sequence[Freeze]) -> Iterable[Event]:
    """When the client was to be left alone."""
    for freeze in freezes:
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
