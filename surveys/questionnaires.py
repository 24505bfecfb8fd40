"""Versions of a questionnaire: publish them, judge their conditions, fill in their words."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from bank import audit
from bank.models import ApiKey, User
from surveys.models import Question, Questionnaire, Version

OPERATORS = {"eq", "in", "lte", "gte", "between"}
_PLACE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")

# Versions kept in memory; a bank asks a handful at a time.
KEPT = 200
_frozen: dict[tuple[Any, ...], list[Question]] = {}
_asked: dict[int, Version] = {}

Condition = dict[str, Any]
# A message to be translated, and the values it names.
Fault = tuple[str, dict[str, str]]


class NotPossible(Exception):
    """The version cannot be published; `faults` are (message, values) to be translated."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(faults)
        self.faults = faults


def current(questionnaire: Questionnaire) -> Version | None:
    """The newest published version: the one an invitation made now will ask."""
    return questionnaire.versions.published().order_by("-number", "-id").first()


def questions(version: Version) -> list[Question]:
    """The questions in order; those of a published version are read once per process."""
    key = mark(version)
    if key in _frozen:
        return _frozen[key]
    rows = list(version.questions.order_by("position", "id"))
    if version.published_at is not None:
        if len(_frozen) >= KEPT:
            forget()
        _frozen[key] = rows
    return rows


def asked(pk: int) -> Version:
    """The version that an invitation asks: its words are fixed, so it is read once as well."""
    if pk in _asked:
        return _asked[pk]
    row = Version.objects.select_related("questionnaire").get(pk=pk)
    if row.published_at is not None:
        if len(_asked) >= KEPT:
            forget()
        _asked[pk] = row
    return row


def mark(version: Version) -> tuple[Any, ...]:
    """What tells one published wording from another, also after it was mended before use."""
    return (version.pk, version.source_digest, version.published_at)


def forget() -> None:
    """Empty what this process remembers of published versions."""
    _frozen.clear()
    _asked.clear()


def publish(version: Version, *, at: datetime, by: User | ApiKey | None = None) -> Version:
    """Freeze a draft for ever, if both languages are complete and its conditions make sense."""
    with transaction.atomic():
        held = Version.objects.select_for_update().get(pk=version.pk)
        if held.published_at is not None:
            return held
        found = faults(held, list(held.questions.order_by("position", "id")))
        if found:
            raise NotPossible(found)
        held.published_at = at
        held.save(update_fields=["published_at"])
        audit.record("version.publish", held, at=at, by=by, data={"number": held.number})
    return held


def draft_from(version: Version, *, at: datetime, by: User | ApiKey | None = None) -> Version:
    """Copy a version into the questionnaire's one draft; an existing draft stays as it is."""
    with transaction.atomic():
        line = Questionnaire.objects.select_for_update().get(pk=version.questionnaire_id)
        existing = line.versions.filter(published_at__isnull=True).first()
        if existing is not None:
            return existing
        questions = list(version.questions.order_by("position", "id"))
        draft = Version.objects.get(pk=version.pk)
        draft.pk, draft.published_at, draft.source_digest = None, None, ""
        draft._state.adding = True  # noqa: SLF001 - Django's documented way to copy a row
        draft.number = next_number(line)
        draft.save()
        for question in questions:
            question.pk, question.version = None, draft
            question._state.adding = True  # noqa: SLF001 - see above
        Question.objects.bulk_create(questions)
        audit.record("version.draft", draft, at=at, by=by, data={"from": version.number})
    return draft


def next_number(questionnaire: Questionnaire) -> int:
    """The number after the highest one ever used."""
    last = questionnaire.versions.order_by("-number").values_list("number", flat=True).first()
    return (last or 0) + 1


def faults(version: Version, questions: list[Question]) -> list[Fault]:
    """Everything that keeps a version from being published, in the order of the page."""
    if not questions:
        return [(gettext_noop("The version has no question."), {})]
    found: list[Fault] = []
    if bool(version.intro_zh) != bool(version.intro_en):
        found.append((gettext_noop("The introduction is missing in one language."), {}))
    if bool(version.closing_zh) != bool(version.closing_en):
        found.append((gettext_noop("The closing words are missing in one language."), {}))
    scores = [q.key for q in questions if q.type == Question.Type.NPS]
    if len(scores) > 1:
        found.append((gettext_noop("There is more than one recommend question."), {}))
    elif scores and questions[0].type != Question.Type.NPS:
        found.append((gettext_noop("The recommend question must come first."), {}))
    names = {row["name"] for row in version.variables}
    earlier: set[str] = set()
    for question in questions:
        found += _question_faults(question, earlier, names)
        earlier.add(question.key)
    return found


def visible(
    questions: Iterable[Question], values: Mapping[str, Any], variables: Mapping[str, Any]
) -> list[Question]:
    """The questions that these answers make visible; an answer of a hidden one counts for none."""
    shown: list[Question] = []
    counted: dict[str, Any] = {}
    for question in questions:
        if holds(question.show_if, counted, variables):
            shown.append(question)
            if question.key in values:
                counted[question.key] = values[question.key]
    return shown


def holds(
    condition: Condition | None, values: Mapping[str, Any], variables: Mapping[str, Any]
) -> bool:
    """Whether a condition is true; an unanswered, hidden or N/A item makes it false."""
    if not condition:
        return True
    if "any" in condition:
        return any(holds(part, values, variables) for part in condition["any"])
    if "all" in condition:
        return all(holds(part, values, variables) for part in condition["all"])
    if "item" in condition:
        answer = values.get(condition["item"])
    else:
        answer = variables.get(condition.get("var", ""))
    if answer is None or answer in ("", "na", []):
        return False
    given = answer if isinstance(answer, list) else [answer]
    return any(_compare(condition["op"], one, condition["value"]) for one in given)


def possible(condition: Condition | None, variables: Mapping[str, Any]) -> bool | None:
    """True: always shown to this person; False: never; None: earlier answers decide."""
    if not condition:
        return True
    if "any" in condition:
        states = [possible(part, variables) for part in condition["any"]]
        return True if True in states else (None if None in states else False)
    if "all" in condition:
        states = [possible(part, variables) for part in condition["all"]]
        return False if False in states else (None if None in states else True)
    return None if "item" in condition else holds(condition, {}, variables)


def leaves(condition: Condition | None) -> list[Condition]:
    """The single comparisons a condition is made of."""
    if not condition:
        return []
    parts = condition.get("any") or condition.get("all")
    if parts is None:
        return [condition]
    return [leaf for part in parts for leaf in leaves(part)]


def fill(text: str, variables: Mapping[str, Any]) -> str:
    """Put values into `{{name}}`; a name that is not given stays as it was written."""

    def value(match: re.Match[str]) -> str:
        known = variables.get(match[1])
        return match[0] if known is None else str(known)

    return _PLACE.sub(value, text)


def spoken(version: Version, variables: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The values in one language: as planned, else the variable's fallback, else left out.

    A planned value is a text, or {"zh": …, "en": …} where the two languages differ.
    """
    values: dict[str, Any] = {}
    for row in version.variables:
        planned = variables.get(row["name"])
        if isinstance(planned, dict):
            planned = planned.get(language)
        fallback = row.get(f"fallback_{language}") or None
        value = fallback if planned in (None, "") else planned
        if value is not None:
            values[row["name"]] = value
    return values


def _compare(op: str, answer: Any, value: Any) -> bool:
    if op == "eq":
        return bool(answer == value)
    if op == "in":
        return answer in value
    if not isinstance(answer, int):
        return False
    if op == "lte":
        return bool(answer <= value)
    if op == "gte":
        return bool(answer >= value)
    return bool(value[0] <= answer <= value[1])


def _question_faults(question: Question, earlier: set[str], names: set[str]) -> list[Fault]:
    words = {"key": question.key}
    found: list[Fault] = []
    if not (question.text_zh.strip() and question.text_en.strip()):
        found.append(
            (gettext_noop("Question %(key)s: the text is missing in one language."), words)
        )
    if bool(question.hint_zh) != bool(question.hint_en):
        found.append(
            (gettext_noop("Question %(key)s: the hint is missing in one language."), words)
        )
    labels = [*question.options, *question.labels.values()]
    if not all(label.get("zh") and label.get("en") for label in labels):
        found.append(
            (gettext_noop("Question %(key)s: an option is missing in one language."), words)
        )
    if not _answerable(question):
        found.append((gettext_noop("Question %(key)s: there is nothing to choose from."), words))
    if not all(_sound(leaf, earlier, names) for leaf in leaves(question.show_if)):
        found.append(
            (
                gettext_noop(
                    "Question %(key)s: its condition must refer to an earlier question "
                    "or to a variable of this version."
                ),
                words,
            )
        )
    return found


def _answerable(question: Question) -> bool:
    if question.type == Question.Type.TEXT:
        return True
    if question.type in {Question.Type.SINGLE, Question.Type.MULTI, Question.Type.CALLBACK}:
        return len(question.options) > 1
    return question.lo is not None and question.hi is not None


def _sound(leaf: Condition, earlier: set[str], names: set[str]) -> bool:
    known = leaf.get("item") in earlier if "item" in leaf else leaf.get("var") in names
    return known and leaf.get("op") in OPERATORS and "value" in leaf
