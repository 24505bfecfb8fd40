"""The answer page: shaped rows for the template, and pages kept ready and cut at names.

A published version never changes, so its page is rendered once per language and score of the
link; a visit fills in the names. Pages with errors or answers are rendered each time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings as django_settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import escape

from bank import settings
from bank.models import in_language
from surveys import answering, forms, links, questionnaires
from surveys.models import Invitation, Question, Version

# Classes that static/client.css knows; a version with more conditions shows the rest always.
SLOTS = 12
KEPT = 400
_PLACE = re.compile("\x01([^\x02]*)\x02")
_cut: dict[tuple[Any, ...], list[str]] = {}

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Option:
    """One radio button or check box."""

    id: str
    value: str
    label: str
    checked: bool
    shows: str


@dataclass(frozen=True)
class Item:
    """One question as the template prints it."""

    key: str
    shape: str
    text: str
    hint: str
    number: str
    required: bool
    slot: int
    options: list[Option]
    na: Option | None
    ends: tuple[str, str] | None
    value: str
    max_length: int
    note: Any
    fault: str
    anchor: str

    @property
    def described(self) -> str:
        """The ids of the texts that explain the control, for those who do not see them."""
        ids = [f"{self.key}-e"] if self.fault else []
        return " ".join([*ids, f"{self.key}-h"] if self.hint else ids)

    @property
    def css(self) -> str:
        """The classes of the question's box."""
        revealed = f" if if-{self.slot}" if self.slot else ""
        return f"q{revealed}{' q-err' if self.fault else ''}"


@dataclass(frozen=True)
class Sheet:
    """Everything of one visit that decides what the page looks like."""

    version: Version
    language: str
    variables: Values
    values: Values = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)
    # The score that came with the link, and is not recorded by opening it.
    score: int | None = None


def ready(invitation: Invitation, language: str, score: int | None) -> str:
    """The untouched page of one invitation, from the store of pages kept ready."""
    version = invitation.version
    shown = tuple(
        questionnaires.possible(question.show_if, invitation.variables)
        for question in questionnaires.questions(version)
    )
    about = invitation.case is not None
    key = (version.pk, version.source_digest, version.published_at, language, shown, about, score)
    parts = _cut.get(key)
    if parts is None:
        parts = _PLACE.split(_uncut(invitation, language, score))
        if len(_cut) >= KEPT:
            _cut.clear()
        if version.published_at is not None:
            _cut[key] = parts
    filled = list(parts)
    names = _personal(invitation, language)
    filled[1::2] = [names.get(name, "") for name in parts[1::2]]
    return "".join(filled)


def forget() -> None:
    """Empty the store of pages."""
    _cut.clear()


def render(
    invitation: Invitation | None, sheet: Sheet, *, extra: dict[str, Any] | None = None
) -> str:
    """The page with the answers and faults of the sheet; without invitation it is a preview."""
    words = questionnaires.spoken(sheet.version, sheet.variables, sheet.language)
    return render_to_string("surveys/answer.html", _context(invitation, sheet, words, extra or {}))


def items(sheet: Sheet, words: Values) -> list[Item]:
    """The questions that can be shown at all, numbered where no answer decides on them."""
    asked = [
        (question, questionnaires.possible(question.show_if, sheet.variables))
        for question in questionnaires.questions(sheet.version)
    ]
    asked = [(question, state) for question, state in asked if state is not False]
    slots = _slots(asked)
    total = sum(1 for question, _state in asked if question.key not in slots)
    rows: list[Item] = []
    count = 0
    for question, _state in asked:
        slot = slots.get(question.key, 0)
        count += question.key not in slots
        number = "" if question.key in slots else f"{count} / {total}"
        rows.append(_item(question, sheet, words, (slot, number, asked, slots)))
    return rows


def hotline(words: Values) -> str:
    """The phone number planned for the invitation, else the bank's own."""
    return str(words.get("hotline") or settings.get("hotline"))


def _uncut(invitation: Invitation, language: str, score: int | None) -> str:
    """Render the page with marks where names go."""
    version = invitation.version
    planned = {row["name"] for row in version.variables}
    words = {name: f"\x01{name}\x02" for name in planned}
    question = next(iter(questionnaires.questions(version)), None)
    values = {question.key: score} if question is not None and score is not None else {}
    sheet = Sheet(version, language, invitation.variables, values, score=score)
    context = _context(invitation, sheet, words, {})
    context["opt_out"] = "\x01/opt_out\x02"
    context["about"] = "\x01/about\x02" if invitation.case is not None else ""
    return render_to_string("surveys/answer.html", context)


def _personal(invitation: Invitation, language: str) -> dict[str, str]:
    words = questionnaires.spoken(invitation.version, invitation.variables, language)
    names = {name: str(escape(value)) for name, value in words.items()}
    if "hotline" not in words and any(
        row["name"] == "hotline" for row in invitation.version.variables
    ):
        names["hotline"] = str(escape(hotline(words)))
    names["/opt_out"] = _opt_out(invitation)
    names["/about"] = str(escape(invitation.case.name)) if invitation.case is not None else ""
    return names


def _opt_out(invitation: Invitation) -> str:
    return reverse("surveys:opt_out", args=[links.opt_out_token(invitation.uuid)])


def _context(
    invitation: Invitation | None, sheet: Sheet, words: Values, extra: dict[str, Any]
) -> dict[str, Any]:
    version = sheet.version
    rows = items(sheet, words)
    return {
        "language": sheet.language,
        "bank_name": in_language(django_settings.BANK_NAME_ZH, django_settings.BANK_NAME_EN),
        "title": version.questionnaire.title,
        "intro": questionnaires.fill(in_language(version.intro_zh, version.intro_en), words),
        "attribution": version.attribution,
        "items": rows,
        "count": sum(1 for row in rows if row.number),
        "faulty": [row for row in rows if row.fault],
        "hotline": hotline(words),
        "opt_out": _opt_out(invitation) if invitation is not None else "",
        "about": invitation.case.name if invitation is not None and invitation.case else "",
        "preview": invitation is None,
        "editing": None,
    } | extra


def _slots(asked: list[tuple[Question, bool | None]]) -> dict[str, int]:
    """A number for each question that a single earlier choice can reveal on the page itself."""
    slots: dict[str, int] = {}
    for question, state in asked:
        if state is None and len(slots) < SLOTS and _revealing(question, asked):
            slots[question.key] = len(slots) + 1
    return slots


def _revealing(question: Question, asked: list[tuple[Question, bool | None]]) -> bool:
    """Whether the condition is one choice, or any of several, among questions with choices."""
    condition = question.show_if or {}
    if "all" in condition:
        return False
    parts = condition.get("any") or [condition]
    texts = {one.key for one, _state in asked if one.type == Question.Type.TEXT}
    return all("op" in part and part.get("item") not in texts for part in parts)


def _item(
    question: Question, sheet: Sheet, words: Values, place: tuple[int, str, Any, dict[str, int]]
) -> Item:
    slot, number, asked, slots = place
    given = sheet.values.get(question.key)
    revealed = [(one, slots[one.key]) for one, _state in asked if one.key in slots]
    options, na = _options(question, given, revealed)
    fault = sheet.faults.get(question.key, "")
    every = [*options, *([na] if na else [])]
    preset = sheet.score if question.type == Question.Type.NPS else None
    return Item(
        key=question.key,
        shape=_shape(question),
        text=questionnaires.fill(in_language(question.text_zh, question.text_en), words),
        hint=questionnaires.fill(in_language(question.hint_zh, question.hint_en), words),
        number=number,
        required=question.required,
        slot=slot,
        options=options,
        na=na,
        ends=_ends(question),
        value=given if isinstance(given, str) else "",
        max_length=question.max_length or answering.LONGEST_TEXT,
        note=preset,
        fault=forms.message(question, fault, given) if fault else "",
        anchor=every[0].id if every else f"{question.key}-t",
    )


def _shape(question: Question) -> str:
    if question.type == Question.Type.TEXT:
        return "text"
    if question.type == Question.Type.MULTI:
        return "multi"
    return "scale" if question.lo is not None and not _all_labelled(question) else "list"


def _all_labelled(question: Question) -> bool:
    if question.lo is None or question.hi is None:
        return False
    return all(str(value) in question.labels for value in range(question.lo, question.hi + 1))


def _ends(question: Question) -> tuple[str, str] | None:
    if question.lo is None or _all_labelled(question):
        return None
    low, high = (question.labels.get(str(end), {}) for end in (question.lo, question.hi))
    return (_word(low), _word(high))


def _options(
    question: Question, given: Any, revealed: list[tuple[Question, int]]
) -> tuple[list[Option], Option | None]:
    """Choices in their order; a fully labelled scale from the best down; N/A apart."""
    chosen = given if isinstance(given, list) else [given]

    def option(value: Any, label: str) -> Option:
        shows = [
            f"shows-{slot}"
            for one, slot in revealed
            if any(
                leaf.get("item") == question.key
                and questionnaires.holds(leaf, {question.key: value}, {})
                for leaf in questionnaires.leaves(one.show_if)
            )
        ]
        name = f"{question.key}-{value}"
        return Option(name, str(value), label, value in chosen, " ".join(shows))

    if question.lo is None or question.hi is None:
        return [option(row["value"], _word(row)) for row in question.options], None
    scale = [
        option(value, _word(question.labels.get(str(value), {})))
        for value in range(question.lo, question.hi + 1)
    ]
    if _all_labelled(question):
        scale.reverse()
    na = question.labels.get("na", {"zh": "不适用", "en": "Not applicable"})
    return scale, option("na", _word(na)) if question.na_allowed else None


def _word(row: Mapping[str, str]) -> str:
    return in_language(row.get("zh", ""), row.get("en", ""))
