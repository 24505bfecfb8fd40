"""One answer per link: submit it, correct it; nothing is ever overwritten."""

import logging
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from django.db import transaction

from bank import audit
from surveys import questionnaires, visits
from surveys.models import Answer, Invitation, Question, Response, Version
from surveys.signals import response_submitted
from surveys.visits import Visit

logger = logging.getLogger(__name__)

LONGEST_TEXT = 4000
# The question under which somebody anonymous may say who they are.
WHO = "contact_optional"
_CHOICES = {Question.Type.SINGLE, Question.Type.CALLBACK}

Values = Mapping[str, Any]


class Closed(Exception):
    """The link takes no answer any more: expired, withdrawn, or its campaign has ended."""


class Invalid(Exception):
    """Some answers cannot be taken; `faults` maps question keys to codes."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__(faults)
        self.faults = faults


def is_open(invitation: Invitation, at: datetime) -> bool:
    """Whether the link takes an answer, or the correction of one, at this instant.

    The row says it all: a campaign that ends early moves the instant at which its links close.
    """
    if invitation.state in {Invitation.State.WITHDRAWN, Invitation.State.SKIPPED}:
        return False
    return at < invitation.closes_at


def judge(
    questions: list[Question], values: Values, variables: Values
) -> tuple[dict[str, Any], dict[str, str]]:
    """Split into answers to keep and faults by key; answers of hidden questions are dropped."""
    kept: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for question in questionnaires.visible(questions, values, variables):
        value = values.get(question.key)
        if question.type == Question.Type.TEXT and isinstance(value, str):
            value = plain(value)
        if value in (None, "", []):
            if question.required:
                faults[question.key] = "missing"
        elif fault := _fault(question, value):
            faults[question.key] = fault
        else:
            kept[question.key] = value
    return kept, faults


def submit(
    invitation: Invitation,
    values: Values,
    *,
    at: datetime,
    language: str,
    channel: str = "email",
    visit: Visit | None = None,
) -> Response:
    """Record the answers of a link once; whoever comes second gets the response that stands.

    `visit` is who sent them, noted with them: it is told apart later, and never loses an answer.
    """
    with transaction.atomic():
        held = _lock(invitation)
        if held.state == Invitation.State.ANSWERED:
            return Response.objects.of_link(held)
        if not is_open(held, at):
            raise Closed(str(held.uuid))
        response = Response(
            response_id=_number(held),
            channel=channel,
            language=language,
            submitted_at=at,
        )
        _store(response, held, values)
        held.state, held.answered_at = Invitation.State.ANSWERED, at
        held.opened_at = held.opened_at or at
        held.save(update_fields=["state", "answered_at", "opened_at"])
        if visit is not None:
            visits.note(held, visit)
        audit.record("response.submit", response, at=at, data=_what(response), label="contact")
    return response


def correct(
    response: Response,
    values: Values,
    *,
    at: datetime,
    language: str,
    visit: Visit | None = None,
) -> Response:
    """Replace an answer by a new one that points to it; both stay, only the last one counts.

    The same answers again, or a correction of what has been replaced meanwhile, change nothing.
    """
    if response.invitation is None:
        raise Closed(response.response_id)
    with transaction.atomic():
        held = _lock(response.invitation)
        standing = Response.objects.of_link(held)
        if standing.pk != response.pk:
            return standing
        if not is_open(held, at):
            raise Closed(str(held.uuid))
        kept, _faults = judge(questionnaires.questions(held.version), values, held.variables)
        if kept == answers_of(standing):
            return standing
        Response.objects.filter(pk=standing.pk).update(retracted_at=at)
        correction = Response(
            response_id=_number(held, Response.objects.filter(invitation=held).count()),
            channel=standing.channel,
            language=language,
            submitted_at=at,
            replaces=standing,
        )
        _store(correction, held, values)
        if visit is not None:
            visits.note(held, visit)
        what = _what(correction) | {"replaces": standing.response_id}
        audit.record("response.correct", correction, at=at, data=what, label="contact")
    return correction


def answers_of(response: Response) -> dict[str, Any]:
    """The stored answers by question key, in the form in which they were submitted."""
    return values_of(response.answers.select_related("question").order_by("question__position"))


def values_of(answers: Iterable[Answer]) -> dict[str, Any]:
    """The same for answers at hand, with their questions, in the order of the page."""
    values: dict[str, Any] = {}
    for answer in answers:
        question = answer.question
        if answer.na:
            values[question.key] = "na"
        elif question.type == Question.Type.TEXT:
            values[question.key] = answer.text
        elif question.type == Question.Type.MULTI:
            values[question.key] = answer.choices
        elif question.type in _CHOICES:
            values[question.key] = "".join(answer.choices[:1])
        else:
            values[question.key] = answer.value
    return values


def plain(text: str) -> str:
    """The text without control characters; line breaks and tabs stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in {"Cc", "Cs"}
    ).strip()


def _lock(invitation: Invitation) -> Invitation:
    """The invitation as it is now, ours until the transaction ends (SQLite has one writer)."""
    rows = Invitation.objects.select_for_update().filter(pk=invitation.pk)
    now = rows.values_list("state", "closes_at", "opened_at", "answered_at").get()
    invitation.state, invitation.closes_at, invitation.opened_at, invitation.answered_at = now
    return invitation


def _number(held: Invitation, versions: int = 0) -> str:
    """A number made from the link's; where nobody is to be named, one that leads nowhere."""
    if held.version.attribution == Version.Attribution.ANONYMOUS_OPTIONAL:
        return f"R-{uuid4().hex[:16]}"
    return f"R-{held.uuid.hex[:16]}" + (f"-{versions + 1}" if versions else "")


def _store(response: Response, held: Invitation, values: Values) -> None:
    """Write the response with its answers, and ring the bell once they are committed."""
    questions = questionnaires.questions(held.version)
    kept, faults = judge(questions, values, held.variables)
    if faults:
        raise Invalid(faults)
    nameless = held.version.attribution == Version.Attribution.ANONYMOUS_OPTIONAL
    response.invitation, response.version = held, held.version
    response.client_id, response.is_test = held.client_id, held.is_test
    unnamed = held.is_test or (nameless and not kept.get(WHO))
    response.contact_id = None if unnamed else held.contact_id
    response.save(force_insert=True)
    Answer.objects.bulk_create(
        _answer(response, question, kept[question.key])
        for question in questions
        if question.key in kept
    )
    if not held.is_test:
        transaction.on_commit(partial(_ring, response.pk), robust=True)


def _answer(response: Response, question: Question, value: Any) -> Answer:
    answer = Answer(response=response, question=question)
    if value == "na" and question.lo is not None:
        answer.na = True
    elif question.type == Question.Type.TEXT:
        answer.text = value
    elif question.type == Question.Type.MULTI:
        answer.choices = value
    elif question.type in _CHOICES:
        answer.choices = [value]
    else:
        answer.value = value
    return answer


def _fault(question: Question, value: Any) -> str:
    if question.type == Question.Type.TEXT:
        if not isinstance(value, str):
            return "unknown"
        return "too_long" if len(value) > (question.max_length or LONGEST_TEXT) else ""
    options = {option["value"] for option in question.options}
    if question.type == Question.Type.MULTI:
        return _multi_fault(question, value, options)
    if question.type in _CHOICES:
        if isinstance(value, list):
            return "one"
        return "" if value in options else "unknown"
    return _scale_fault(question, value)


def _multi_fault(question: Question, value: Any, options: set[str]) -> str:
    if not isinstance(value, list) or not set(value) <= options:
        return "unknown"
    if len(set(value)) != len(value):
        return "unknown"
    most = question.max_choices
    return "too_many" if most is not None and len(value) > most else ""


def _scale_fault(question: Question, value: Any) -> str:
    if isinstance(value, list):
        return "one"
    if value == "na":
        return "" if question.na_allowed else "unknown"
    if not isinstance(value, int) or isinstance(value, bool):
        return "unknown"
    lowest, highest = question.lo, question.hi
    if lowest is None or highest is None or not lowest <= value <= highest:
        return "unknown"
    return ""


def _what(response: Response) -> dict[str, Any]:
    """For the audit trail: which response, never what was said."""
    return {"response": response.response_id, "version": response.version_id}


def _ring(response_id: int) -> None:
    """Tell whoever listens; a listener that fails is logged and never costs an answer."""
    for receiver, error in response_submitted.send_robust(Response, response_id=response_id):
        if isinstance(error, Exception):
            logger.error("A receiver of response_submitted failed: %r", receiver, exc_info=error)
