"""What the invented contacts say: scores, satisfaction and words, with truths planted in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from random import Random
from statistics import NormalDist
from typing import Any

from clients.models import Case
from cxportal.demo import words
from cxportal.demo.asks import HEYU_CASE, Ask
from cxportal.demo.speakers import YEAR, Voice
from cxportal.demo.streams import Plan
from cxportal.demo.turns import DOCUMENT_LIST_ON, moved
from surveys import questionnaires
from surveys.models import Question

BASE, GIANT_BASE = 8.2, 4.5
SPREAD_CLIENT, SPREAD_ANSWER = 1.25, 1.757
CSAT_BASE, SPREAD_ITEM = 4.25, 0.80
# Who is content is so in everything: what the items of one response share beside the score.
SPREAD_MOOD = 0.51
EFFICIENCY = "processing_efficiency"
LOADING = {"processing_efficiency": 0.60, "response_speed": 0.42, "service_attitude": 0.28}
AT_APPROVAL = {"processing_efficiency": -0.45, "response_speed": -0.20, "service_attitude": 0.10}
APPROVAL = "approval"
# The branch that introduced the one-time document list, and what it did there.
LIST_BRANCH, LIST_LIFT = "BR-ZJ", 1.2
LIST_ITEMS = {"processing_efficiency": 0.6, "documentation": 0.6}
COMMENTS = {"detractor": 0.58, "passive": 0.30, "promoter": 0.42}
PARTIAL, BREAK_OFF, EDITED = 0.07, 0.03, 0.01
_IN_REVIEW, _IN_DILIGENCE = {"risk_review", "approval"}, {"due_diligence", "materials_pending"}


@dataclass
class Reply:
    """One submission: the answers by question key."""

    ask: Ask
    submitted_at: datetime
    values: dict[str, Any] = field(default_factory=dict)
    latent: float = 0.0
    topics: list[str] = field(default_factory=list)
    complains: bool = False
    # What was said first, where the contact has corrected an answer.
    before: dict[str, Any] | None = None
    ten: bool = False
    # Where efficiency stands before it is rounded: its mean, and how far chance moved it.
    efficiency: tuple[str, float, float] | None = None

    @property
    def score(self) -> int | None:
        """The answer to the recommend question, where it was asked."""
        return self.values.get("nps")


def make_replies(
    plan: Plan, voices: Sequence[Voice], questions: dict[str, list[Question]]
) -> list[Reply]:
    """Draw what each voice says, from the score stream alone."""
    listed = moved(plan, DOCUMENT_LIST_ON)
    effects: dict[int, float] = {}
    replies: list[Reply] = []
    for voice in voices:
        firm = voice.ask.firm
        if firm.ordinal not in effects:
            drawn = plan.scores(f"client/{firm.ordinal}").gauss(0, SPREAD_CLIENT)
            effects[firm.ordinal] = firm.lean or (0.0 if firm.giant or firm.calm else drawn)
        asked = questions[voice.ask.questionnaire]
        replies.append(_reply(plan, voice, effects[firm.ordinal], listed, asked))
    _even_out(plan, replies)
    turns = count(1)
    for reply in replies:
        dice = plan.scores(f"words/{reply.ask.ordinal}")
        _plant_story(reply.ask, reply)
        _speak(dice, reply, questions[reply.ask.questionnaire], turns)
        planted = reply.ask.firm.giant or reply.ask.firm.lean or reply.ten
        if dice.random() < EDITED and not planted and reply.score is not None:
            first = max(0, reply.score - dice.randint(1, 3))
            reply.before = {**reply.values, "nps": first}
    _plant_zeros(plan, replies)
    return replies


def _even_out(plan: Plan, replies: list[Reply]) -> None:
    """Spread the chance in the efficiency of each stage evenly, so that few answers show it.

    The order of the answers stays; their residuals become one from each equal part of the
    normal distribution.
    """
    since = plan.now - YEAR
    groups: dict[tuple[str, bool], list[Reply]] = {}
    for reply in replies:
        if reply.ask.stage and reply.efficiency:
            key = (reply.ask.stage, reply.submitted_at >= since)
            groups.setdefault(key, []).append(reply)
    normal = NormalDist(0, SPREAD_ITEM)
    for (stage, late), held in groups.items():
        dice = plan.scores(f"even/{stage}/{late}")
        held.sort(key=lambda reply: reply.efficiency[2] if reply.efficiency else 0.0)
        for place, reply in enumerate(held):
            item, mean, _moved = reply.efficiency or ("", 0.0, 0.0)
            drawn = normal.inv_cdf((place + 0.02 + 0.96 * dice.random()) / len(held))
            reply.values[item] = min(max(round(mean + drawn), 1), 5)


def _reply(
    plan: Plan, voice: Voice, effect: float, listed: date, questions: list[Question]
) -> Reply:
    """Draw the latent opinion, then every item that it explains."""
    ask, dice = voice.ask, plan.scores(voice.ask.ordinal)
    lifted = _lifted(ask, voice.at, listed)
    mean = _mean(ask, voice.at) + (LIST_LIFT if lifted else 0.0)
    latent = mean + effect + dice.gauss(0, SPREAD_ANSWER)
    if voice.ten:
        latent = 10.4
    reply = Reply(ask, voice.at, latent=latent, ten=voice.ten)
    mark, planted = dice.random(), ask.firm.giant or bool(ask.firm.lean) or voice.ten
    left_out = mark < PARTIAL and not planted
    stops = PARTIAL <= mark < PARTIAL + BREAK_OFF and not planted
    z, shifts = (latent - mean) / 2.1, _shifts(ask, lifted=lifted)
    mood = plan.scores(f"mood/{voice.ask.ordinal}").gauss(0, SPREAD_MOOD)
    for question in questions:
        if stops and len(reply.values) >= 2:
            break
        if left_out and not question.required:
            continue
        if not questionnaires.holds(question.show_if, reply.values, ask.variables):
            continue
        value = _value(dice, question, (latent, z, mood), shifts)
        if value is None:
            continue
        if question.dimension == EFFICIENCY and question.csat_core and value != "na":
            mean = CSAT_BASE + shifts.get(EFFICIENCY, 0.0)
            reply.efficiency = (question.key, mean, value[1])
        reply.values[question.key] = value[0] if isinstance(value, tuple) else value
    return reply


def _mean(ask: Ask, at: datetime) -> float:
    """The expected score at the moment of answering."""
    if ask.firm.giant:
        return GIANT_BASE
    mean = BASE + {"decider": -0.3, "user": 0.1}.get(ask.person.row.buying_role or "", 0.0)
    stages = {deal.stage_at(at) for deal in ask.deals if deal.open_at(at)}
    mean -= 1.5 if stages & _IN_REVIEW else 0.6 if stages & _IN_DILIGENCE else 0.0
    return mean + _occasion(ask, at)


def _occasion(ask: Ask, at: datetime) -> float:
    """What a drawdown, a close, the start of operation or the end of a loan adds."""
    drawn = any(
        at - timedelta(days=60) <= first <= at
        for deal in ask.deals
        if (first := deal.reached("first_drawdown"))
    )
    lift = 0.3 if drawn else 0.0
    if ask.event in {"financial_close", "first_drawdown"} and _is_project(ask):
        lift += 0.2
    if ask.event == "final_repayment":
        lift += 0.4
    if ask.event == "cod_reached" and ask.milestone and ask.milestone.occurred_at:
        planned = ask.milestone.planned_on or ask.milestone.occurred_at.date()
        months = (ask.milestone.occurred_at.date() - planned).days / 30
        lift += 0.5 - min(1.5, max(0.0, 0.25 * months))
    return lift


def _is_project(ask: Ask) -> bool:
    return ask.deal is not None and ask.deal.case.kind == Case.Kind.PROJECT_FINANCE


def _lifted(ask: Ask, at: datetime, listed: date) -> bool:
    """Whether the one-time document list is in force for this client; giants care for nothing."""
    team = ask.firm.row.team
    here = team is not None and team.code == LIST_BRANCH and not ask.firm.giant
    return here and at.date() >= listed


def _shifts(ask: Ask, *, lifted: bool) -> dict[str, float]:
    """How far the mean of each dimension is moved."""
    shifts = dict(AT_APPROVAL) if ask.stage == APPROVAL else {}
    for name, lift in LIST_ITEMS.items() if lifted else ():
        shifts[name] = shifts.get(name, 0.0) + lift
    return shifts


def _value(
    dice: Random,
    question: Question,
    opinion: tuple[float, float, float],
    shifts: dict[str, float],
) -> Any:
    """One answer, `na`, or None if left out; satisfaction with how far chance has moved it."""
    latent, z, mood = opinion
    if question.type == Question.Type.NPS:
        return min(max(round(latent), 0), 10)
    if question.type in {Question.Type.TEXT, Question.Type.CALLBACK}:
        return None
    if question.type in {Question.Type.SINGLE, Question.Type.MULTI}:
        return _choice(dice, question)
    if question.na_allowed and dice.random() < (0.15 if "digital" in question.key else 0.06):
        return "na"
    if question.type == Question.Type.CES:
        return min(max(round(5.3 + 0.9 * z + dice.gauss(0, 1.0)), 1), 7)
    loading = LOADING.get(question.dimension, 0.40)
    own = (SPREAD_ITEM**2 - loading**2 - SPREAD_MOOD**2) ** 0.5
    moved_by = loading * z + mood + dice.gauss(0, own)
    mean = CSAT_BASE + shifts.get(question.dimension, 0.0)
    return min(max(round(mean + moved_by), 1), 5), moved_by


def _choice(dice: Random, question: Question) -> Any:
    values = [option["value"] for option in question.options]
    if question.type == Question.Type.SINGLE:
        return dice.choice(values)
    return sorted(dice.sample(values, min(len(values), dice.choice((1, 1, 2)))))


def _plant_story(ask: Ask, reply: Reply) -> None:
    """程述安 answers the first drawdown of Heyu with 6."""
    if ask.deal and ask.deal.case.number == HEYU_CASE:
        reply.values["nps"] = 6
        reply.values["nps_reason"] = "资料来回补了三次才有人说清楚，审批到哪一步也总要我们主动问。"
        # Who writes this is not very satisfied with everything.
        story = {"sat_overall": 3, "sat_response": 2, "sat_efficiency": 3, "sat_attitude": 4}
        reply.values.update({key: value for key, value in story.items() if key in reply.values})


def _plant_zeros(plan: Plan, replies: list[Reply]) -> None:
    """Exactly so many answers of the last year are 0; a natural 0 becomes 1."""
    since = plan.now - YEAR + timedelta(days=3)
    for reply in replies:
        if reply.score == 0:
            reply.values["nps"] = 1
        if reply.before and reply.before["nps"] == 0:
            reply.before["nps"] = 1
    # The last word of each contact, so that no later answer takes the 0 out of the figures.
    last = {
        reply.ask.person.row.external_id: reply
        for reply in sorted(replies, key=lambda reply: reply.submitted_at)
        if reply.ask.wave and reply.score is not None
    }
    pool = [
        reply
        for reply in last.values()
        if reply.submitted_at >= since
        and not (reply.ask.firm.giant or reply.ask.firm.lean or reply.ten)
        and reply.latent < BASE
    ]
    pool.sort(key=lambda reply: plan.stream("zero", reply.ask.ordinal).random())
    for reply in pool[: plan.numbers.zeros]:
        reply.values["nps"] = 0


def _speak(dice: Random, reply: Reply, questions: list[Question], turns: Iterator[int]) -> None:
    """A comment for some, in the contact's language, fitting the score."""
    ask = reply.ask
    keys = [
        question.key
        for question in questions
        if question.type == Question.Type.TEXT
        and questionnaires.holds(question.show_if, reply.values, ask.variables)
    ]
    mood = reply.score if reply.score is not None else round(reply.latent)
    group = "promoter" if mood >= 9 else "passive" if mood >= 7 else "detractor"
    approval, slow = ask.stage == APPROVAL, reply.values.get("sat_efficiency", 5)
    # Who found the approval slow has something to say, however well the rest went.
    if approval and isinstance(slow, int) and slow <= 3:
        group = "detractor"
    if not keys or keys[0] in reply.values or dice.random() >= COMMENTS[group]:
        return
    turn = next(turns) if approval and group == "detractor" else 0
    said = words.comment(dice, ask.person.row.language, group, turn=turn)
    reply.values[keys[0]], reply.topics = said
    reply.complains = group == "detractor"
