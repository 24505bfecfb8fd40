"""Puts the generated bank into the database, in bulk and in an order that keys allow."""

from collections.abc import Iterable, Sequence
from datetime import time, timedelta
from typing import TypeVar

from django.db import models

from clients import consent
from clients.models import Case, Client, Consent, Contact, Milestone, Suppression
from cxportal.demo.answering import Reply
from cxportal.demo.asking import ROLES, Ask
from cxportal.demo.deals import Deal
from cxportal.demo.firms import Firm, Person
from cxportal.demo.people import asked_on
from cxportal.demo.streams import Plan, instant
from surveys import links
from surveys.models import (
    Answer,
    Campaign,
    Delivery,
    Invitation,
    Question,
    Response,
    Version,
)

BATCH = 2_000
M = TypeVar("M", bound=models.Model)
WAVE_NAMES = {"04": "上半年", "10": "下半年"}


def save(model: type[M], rows: Iterable[M]) -> list[M]:
    """Insert rows in batches; they have their keys afterwards."""
    return model.objects.bulk_create(list(rows), batch_size=BATCH)  # type: ignore[attr-defined,no-any-return]


def clients(firms: Sequence[Firm]) -> None:
    """Companies first, then the project companies that point to a sponsor."""
    save(Client, (firm.row for firm in firms if firm.row.parent is None))
    projects = [firm.row for firm in firms if firm.row.parent is not None]
    for row in projects:
        row.parent = row.parent  # the sponsor has its key now
    save(Client, projects)


def contacts(plan: Plan, firms: Sequence[Firm]) -> None:
    """The people with their consent and the addresses that bounce."""
    people = [person for firm in firms for person in firm.people]
    for firm in firms:
        for person in firm.people:
            person.row.client = firm.row
    save(Contact, (person.row for person in people))
    save(Consent, (_consent(plan, person) for person in people if person.consent != "unknown"))
    Suppression.objects.bulk_create(
        [row for person in people for row in _suppressions(plan, person)], ignore_conflicts=True
    )


def _consent(plan: Plan, person: Person) -> Consent:
    return Consent(
        contact=person.row,
        purpose=Consent.Purpose.SURVEY,
        state=person.consent,
        source=Consent.Source.PERSON,
        at=instant(asked_on(plan, person), time(9, 30)),
    )


def _suppressions(plan: Plan, person: Person) -> list[Suppression]:
    digest, at = consent.digest(person.row.email), plan.now - timedelta(days=30)
    rows = []
    if person.bounced:
        rows.append(Suppression(address_digest=digest, reason="bounced", at=at))
    if person.consent == "no":
        rows.append(Suppression(address_digest=digest, reason="opted_out", at=at))
    return rows


def cases(deals: Sequence[Deal]) -> None:
    """Cases and their milestones."""
    for deal in deals:
        deal.case.client = deal.firm.row
    save(Case, (deal.case for deal in deals))
    for deal in deals:
        for milestone in deal.milestones:
            milestone.case = deal.case
    save(Milestone, (milestone for deal in deals for milestone in deal.milestones))


def versions() -> dict[str, Version]:
    """The newest published version of each questionnaire, by key."""
    found: dict[str, Version] = {}
    for version in Version.objects.published().select_related("questionnaire").order_by("number"):
        found[version.questionnaire.key] = version
    return found


def questions(by_key: dict[str, Version]) -> dict[str, list[Question]]:
    """The questions of those versions, in order."""
    found: dict[str, list[Question]] = {key: [] for key in by_key}
    keys = {version.pk: key for key, version in by_key.items()}
    rows = Question.objects.filter(version__in=keys).order_by("version_id", "position")
    for question in rows:
        found[keys[question.version_id]].append(question)
    return found


def campaigns(plan: Plan, asks: Sequence[Ask], version: Version) -> dict[str, Campaign]:
    """One campaign for each wave; all but an open one are closed."""
    found: dict[str, Campaign] = {}
    for key in sorted({ask.wave for ask in asks if ask.wave}):
        mine = [ask for ask in asks if ask.wave == key]
        first, last = min(a.sent_at for a in mine), max(a.closes_at for a in mine)
        year, month = key.split("-")
        found[key] = Campaign(
            name=f"{year} 年{WAVE_NAMES[month]}客户关系调查",
            questionnaire=version.questionnaire,
            version=version,
            status="closed" if last < plan.now else "collecting",
            audience={"buying_roles": list(ROLES)},
            send_at=first,
            closes_at=last,
            created_at=first - timedelta(days=5),
            launched_at=first - timedelta(days=1),
            ended_at=last if last < plan.now else None,
            is_demo=True,
        )
    save(Campaign, found.values())
    return found


def invitations(
    plan: Plan, asks: Sequence[Ask], by_key: dict[str, Version], waves: dict[str, Campaign]
) -> dict[str, Invitation]:
    """Who was asked and who was not, each with its line in the ledger."""
    rows = {ask.ordinal: _invitation(plan, ask, by_key[ask.questionnaire], waves) for ask in asks}
    save(Invitation, rows.values())
    save(Delivery, (_delivery(rows[ask.ordinal], ask) for ask in asks))
    return rows


def _invitation(plan: Plan, ask: Ask, version: Version, waves: dict[str, Campaign]) -> Invitation:
    number = plan.uuid("invitation", ask.ordinal)
    milestone = (
        next((m for m in ask.deal.milestones if m.event == ask.event), None) if ask.deal else None
    )
    return Invitation(
        uuid=number,
        campaign=waves.get(ask.wave),
        case=ask.deal.case if ask.deal else None,
        milestone=milestone,
        contact=ask.person.row,
        client=ask.firm.row,
        version=version,
        language=ask.person.row.language,
        survey_digest=links.digest(links.survey_token(number)),
        opt_out_digest=links.digest(links.opt_out_token(number)),
        state="skipped" if ask.reason else "invited",
        reason=ask.reason,
        created_at=ask.sent_at - timedelta(days=1),
        sent_at=None if ask.reason else ask.sent_at,
        closes_at=ask.closes_at,
    )


def _delivery(invitation: Invitation, ask: Ask) -> Delivery:
    return Delivery(
        invitation=invitation,
        state="skipped" if ask.reason else "sent",
        reason=ask.reason,
        message_id=f"<{invitation.uuid}.1@yunting-bank.example>",
        attempt=0 if ask.reason else 1,
        next_try_at=ask.sent_at,
        sent_at=None if ask.reason else ask.sent_at,
        relay_reply="" if ask.reason else "250 OK",
    )


def responses(
    plan: Plan,
    replies: Sequence[Reply],
    invited: dict[str, Invitation],
    asked: dict[str, list[Question]],
) -> None:
    """The responses with their answers; their invitations become answered."""
    rows = []
    for reply in replies:
        invitation = invited[reply.ask.ordinal]
        invitation.state = Invitation.State.ANSWERED
        invitation.opened_at = reply.submitted_at - timedelta(seconds=48)
        invitation.answered_at = reply.submitted_at
        rows.append(_response(plan, reply, invitation))
    save(Response, rows)
    save(
        Answer,
        (
            _answer(row, question, reply.values[question.key])
            for row, reply in zip(rows, replies, strict=True)
            for question in asked[reply.ask.questionnaire]
            if question.key in reply.values
        ),
    )
    Invitation.objects.bulk_update(
        [invited[reply.ask.ordinal] for reply in replies],
        ["state", "opened_at", "answered_at"],
        batch_size=500,
    )


def _response(plan: Plan, reply: Reply, invitation: Invitation) -> Response:
    number = plan.uuid("response", reply.ask.ordinal)
    return Response(
        response_id=f"D-{number.hex[:16]}",
        invitation=invitation,
        client=reply.ask.firm.row,
        contact=reply.ask.person.row,
        version_id=invitation.version_id,
        language=invitation.language,
        channel="email",
        submitted_at=reply.submitted_at,
        is_demo=True,
    )


def _answer(response: Response, question: Question, value: object) -> Answer:
    answer = Answer(response=response, question=question)
    if value == "na":
        answer.na = True
    elif isinstance(value, int):
        answer.value = value
    elif isinstance(value, list):
        answer.choices = value
    elif question.type == Question.Type.TEXT:
        answer.text = str(value)
    else:
        answer.choices = [value]
    return answer


def flush() -> int:
    """Delete demo rows only; the audit trail stays, since nothing may leave it."""
    asked = Invitation.objects.filter(client__is_demo=True)
    for response in Response.objects.filter(client__is_demo=True, replaces__isnull=False):
        response.replaces = None
        response.save(update_fields=["replaces"])
    total = 0
    for rows in (
        Response.objects.filter(client__is_demo=True),
        Delivery.objects.filter(invitation__in=asked),
        asked,
        Campaign.objects.filter(is_demo=True, invitations__isnull=True),
        Milestone.objects.filter(case__client__is_demo=True),
        Case.objects.filter(client__is_demo=True),
        Contact.objects.filter(client__is_demo=True),
        Client.objects.filter(is_demo=True, parent__isnull=False),
        Client.objects.filter(is_demo=True),
    ):
        total += rows.delete()[0]
    return total
