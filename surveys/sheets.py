"""One visit of the answer page, shaped for the template: questions, options, what reveals what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bank.models import in_language
from surveys import answering, forms, questionnaires
from surveys.models import Question, Version

# Classes that static/client.css knows; a version with more conditions shows the rest always.
SLOTS = 12

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
