"""Writes who was asked and who answered: campaigns, invitations, the ledger, responses."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bank import settings, workdays
from cxportal.demo.answering import Reply
from cxportal.demo.asks import ROLES, Ask
from cxportal.demo.speakers import Voice
from cxportal.demo.streams import Plan, send_time
from cxportal.demo.writing import pour, save
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

WAVE_NAMES = {"04": "上半年", "10": "下半年"}
Invited = dict[str, Invitation]


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


def reminders(plan: Plan, asks: Sequence[Ask], voices: Sequence[Voice]) -> dict[str, datetime]:
    """When those asked in a wave were reminded: the ones that had not answered by then."""
    calendar = workdays.calendar()
    days = int(settings.get("reminder_after_working_days"))
    answered = {voice.ask.ordinal: voice.at for voice in voices}
    found = {}
    for ask in asks:
        if ask.reason or not ask.wave:
            continue
        day = calendar.add(ask.sent_at.date(), days)
        at = send_time(plan.stream("reminder", ask.ordinal), day)
        if at < plan.now and answered.get(ask.ordinal, plan.now) > at:
            found[ask.ordinal] = at
    return found


def invitations(
    plan: Plan,
    asks: Sequence[Ask],
    by_key: dict[str, Version],
    waves: dict[str, Campaign],
    voices: Sequence[Voice],
    reminded: dict[str, datetime],
) -> Invited:
    """Who was asked and who was not, each with its lines in the ledger."""
    heard = {voice.ask.ordinal: voice.at for voice in voices}
    rows = {ask.ordinal: _invitation(plan, ask, by_key[ask.questionnaire], waves) for ask in asks}
    for ordinal, at in heard.items():
        row = rows[ordinal]
        row.state, row.answered_at = Invitation.State.ANSWERED, at
        row.opened_at = at - timedelta(seconds=48)
    save(Invitation, rows.values())
    pour(Delivery, _deliveries(rows, asks, reminded))
    return rows


def _invitation(plan: Plan, ask: Ask, version: Version, waves: dict[str, Campaign]) -> Invitation:
    number = plan.uuid("invitation", ask.ordinal)
    return Invitation(
        uuid=number,
        campaign=waves.get(ask.wave),
        case=ask.deal.case if ask.deal else None,
        milestone=ask.judged,
        contact=ask.person.row,
        client=ask.firm.row,
        version=version,
        language=ask.person.row.language,
        variables=ask.variables if ask.mark else {},
        survey_digest=links.digest(links.survey_token(number)),
        opt_out_digest=links.digest(links.opt_out_token(number)),
        state="skipped" if ask.reason else "invited",
        reason=ask.reason,
        created_at=ask.sent_at - timedelta(days=1),
        sent_at=None if ask.reason else ask.sent_at,
        closes_at=ask.closes_at,
    )


def _deliveries(
    rows: Invited, asks: Sequence[Ask], reminded: dict[str, datetime]
) -> Iterator[Delivery]:
    for ask in asks:
        invitation, state = rows[ask.ordinal], "skipped" if ask.reason else "sent"
        for number, (kind, at) in enumerate(
            [("invitation", ask.sent_at), ("reminder", reminded.get(ask.ordinal))], start=1
        ):
            if at is None:
                continue
            yield Delivery(
                invitation=invitation,
                kind=kind,
                state=state,
                reason=ask.reason,
                message_id=f"<{invitation.uuid}.{number}@yunting-bank.example>",
                attempt=0 if ask.reason else 1,
                next_try_at=at,
                sent_at=None if ask.reason else at,
                relay_reply="" if ask.reason else "250 OK",
            )


def responses(
    plan: Plan,
    replies: Sequence[Reply],
    invited: Invited,
    asked: dict[str, list[Question]],
) -> None:
    """The responses with their answers; who corrected one has two, the first taken back."""
    first = [reply for reply in replies if reply.before is not None]
    taken_back = [_response(plan, reply, invited, "before") for reply in first]
    for row, reply in zip(taken_back, first, strict=True):
        row.submitted_at = reply.submitted_at - timedelta(minutes=20)
        row.retracted_at = reply.submitted_at
    save(Response, taken_back)
    replaced = dict(zip((reply.ask.ordinal for reply in first), taken_back, strict=True))
    rows = [_response(plan, reply, invited, "") for reply in replies]
    for row, reply in zip(rows, replies, strict=True):
        row.replaces = replaced.get(reply.ask.ordinal)
    save(Response, rows)
    pairs = [
        *zip(taken_back, ((r, r.before or {}) for r in first), strict=True),
        *zip(rows, ((r, r.values) for r in replies), strict=True),
    ]
    pour(
        Answer,
        (
            answer(row, question, values[question.key])
            for row, (reply, values) in pairs
            for question in asked[reply.ask.questionnaire]
            if question.key in values
        ),
    )


def _response(plan: Plan, reply: Reply, invited: Invited, part: str) -> Response:
    number = plan.uuid("response", f"{reply.ask.ordinal}{part}")
    invitation = invited[reply.ask.ordinal]
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


def answer(response: Response, question: Question, value: object) -> Answer:
    """The row of one answer."""
    row = Answer(response=response, question=question)
    if value == "na":
        row.na = True
    elif isinstance(value, int):
        row.value = value
    elif isinstance(value, list):
        row.choices = value
    elif question.type == Question.Type.TEXT:
        row.text = str(value)
    else:
        row.choices = [value]
    return row
