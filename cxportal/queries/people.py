"""The people of one client: their last rating, and whether and when they may be asked again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from clients.models import Client, Contact
from cxportal import charts
from cxportal.queries.responses import Line
from surveys import governance
from surveys.models import Invitation


@dataclass(frozen=True)
class Person:
    """One contact as the client page shows it."""

    contact: Contact
    score: int | None
    answered: bool
    reason: str
    free_on: date | None


@dataclass(frozen=True)
class Rated:
    """One row of the chart of ratings."""

    contact: Contact
    y: float
    marks: list[charts.Mark]


def reasons() -> dict[str, str]:
    """Why somebody must not be asked now, short enough to stand behind a name."""
    return {
        "no_consent": _("has not agreed, or has opted out"),
        "contact_cooldown": _("was asked recently"),
        "client_cap": _("enough people of this client were asked"),
        "lower_priority": _("another survey comes first"),
        "decline_freeze": _("an application was declined"),
        "overdue_or_recovery": _("overdue, litigation or recovery"),
        "open_complaint": _("a complaint is open"),
        "compliance_hold": _("compliance hold"),
        "yearly_cap": _("was asked often enough this year"),
        "left_company": _("has left the company"),
        "address_bounced": _("the address bounced"),
        "follow_up_open": _("a follow-up is open"),
    }


def of(
    client: Client, lines: Sequence[Line], *, at: datetime, rules: governance.Book
) -> list[Person]:
    """The contacts who are still there, each with its last open rating; fixed query count."""
    contacts = list(client.contacts.filter(left_on__isnull=True).order_by("external_id"))
    refused = governance.refusals(contacts, at=at, rules=rules)
    names = reasons()
    last: dict[int, Line] = {}
    for line in lines:
        if line.named and line.response.contact_id and line.score is not None:
            last.setdefault(line.response.contact_id, line)
    people = []
    for contact in contacts:
        no = refused.get(contact.pk)
        rated = last.get(contact.pk)
        people.append(
            Person(
                contact,
                None if rated is None else rated.score,
                rated is not None,
                names.get(no.code, no.code) if no else "",
                no.free_on if no else None,
            )
        )
    return people


def silent(client: Client, since: datetime) -> list[Invitation]:
    """Invitations of the last year that went out, newest first."""
    return list(
        client.invitations.filter(sent_at__gte=since)
        .select_related("contact", "version__questionnaire")
        .order_by("-sent_at", "-pk")[:200]
    )


def ratings(
    people: Sequence[Person],
    lines: Sequence[Line],
    invitations: Sequence[Invitation],
    *,
    at: datetime,
) -> list[Rated]:
    """One row per person with a mark per rating; dashed where a question got no answer."""
    start = at - timedelta(days=365)
    shown: dict[int, list[charts.Mark]] = {person.contact.pk: [] for person in people}
    for line in lines:
        known = shown.get(line.response.contact_id or 0)
        when = line.response.submitted_at
        if known is not None and line.named and line.score is not None and when >= start:
            known.append(charts.mark(line.score, _part(when, start, at)))
    for row in invitations:
        known = shown.get(row.contact_id)
        if known is not None and row.state == Invitation.State.INVITED and row.sent_at:
            known.append(charts.mark(None, _part(row.sent_at, start, at)))
    asked = [person for person in people if shown[person.contact.pk]]
    return [
        Rated(person.contact, 46 + 40 * number, shown[person.contact.pk])
        for number, person in enumerate(asked[:12])
    ]


def _part(when: datetime, start: datetime, end: datetime) -> float:
    return (when - start) / (end - start)
