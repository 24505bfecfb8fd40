"""The comments of the invented contacts, put together from the word list."""

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from cxportal.demo.streams import weighted

# What is complained about at approval; the other topics share the rest.
AT_APPROVAL = {
    "processing_efficiency": 0.34,
    "communication": 0.16,
    "documentation": 0.15,
    "internal_coordination": 0.10,
}
GOLDEN = 0.6180339887498949
EMPTY = {"zh": ("无", "没有"), "en": ("none",)}


def comment(dice: Random, language: str, group: str, *, turn: int) -> tuple[str, list[str]]:
    """One to three topics joined as the word list says, and which topics they are.

    `turn` counts the complaints about approvals: their first topics are spread evenly.
    """
    if not turn and dice.random() < 0.06:
        return dice.choice(EMPTY[language]), []
    sentiment = _sentiment(dice, group)
    book = _book()
    rows = [row for row in book["templates"] if row["sentiment"] == sentiment]
    first = AT_APPROVAL if turn else {}
    rest = (1 - sum(first.values())) / (len(rows) - len(first))
    weights = [(row, first.get(row["topic"], rest)) for row in rows]
    picked: dict[str, str] = {}
    for part in range(weighted(dice, [(1, 0.70), (2, 0.22), (3, 0.08)])):
        row = _in_turn(weights, turn) if turn and not part else weighted(dice, weights)
        picked.setdefault(row["topic"], _filled(dice, dice.choice(row[language])))
    return _ended(dice, language, sentiment, list(picked.values())), list(picked)


def _in_turn(weights: list[tuple[Any, float]], turn: int) -> Any:
    """The row of the turn: steps of the golden section fall evenly on all shares."""
    mark = turn * GOLDEN % 1
    for row, weight in sorted(weights, key=lambda pair: -pair[1]):
        mark -= weight
        if mark < 0:
            return row
    return weights[-1][0]


def _sentiment(dice: Random, group: str) -> str:
    if group == "passive":
        moods = [("neutral", 0.5), ("negative", 0.3), ("positive", 0.2)]
        return weighted(dice, moods)
    if group == "promoter":
        return "positive" if dice.random() < 0.9 else "neutral"
    return "negative"


def _filled(dice: Random, text: str) -> str:
    slots: dict[str, list[int]] = _book()["meta"]["slots"]
    for slot, (low, high) in slots.items():
        text = text.replace("{" + slot + "}", str(dice.randint(low, high)))
    return text


def _ended(dice: Random, language: str, sentiment: str, parts: list[str]) -> str:
    """Begin and end as people do; thanks do not go with a complaint, nor wishes with praise."""
    meta = _book()["meta"]
    unfit = {"negative": ("谢谢", "Thanks"), "positive": ("望改进", "improve")}.get(sentiment, ())
    endings = [one for one in meta["suffixes"][language] if not any(word in one for word in unfit)]
    start = dice.choice(meta["prefixes"][language])
    joined = meta["joining"][language].join(parts)
    return f"{start}{joined}{dice.choice(endings)}"


@cache
def _book() -> Any:
    path = Path(__file__).with_name("verbatims.json")
    return json.loads(path.read_text(encoding="utf-8"))
