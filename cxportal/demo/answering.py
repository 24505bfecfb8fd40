"""What the invented contacts say: scores, satisfaction and words, with truths planted in them."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from cxportal.demo.asking import Ask, waves
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan, office_time, weighted
from surveys.models import Question

BASE = 8.5
SPREAD_CLIENT, SPREAD_ANSWER = 1.25, 1.757
RATES = {"user": 0.40, "influencer": 0.32, "decider": 0.25}
SEASON = {1: 0.95, 2: 0.60, 12: 0.85}
LOADING = {"processing_efficiency": 0.60, "response_speed": 0.42, "service_attitude": 0.28}
AT_APPROVAL = {"processing_efficiency": -0.45, "response_speed": -0.20, "service_attitude": 0.10}
COMMENTS = {"detractor": 0.58, "passive": 0.30, "promoter": 0.42}
# 31.0 % ± .5 of the clients without the two giants have said nothing for twelve months.
SILENT_SHARE = 0.31


@dataclass
class Reply:
    """One submission: the answers by question key."""

    ask: Ask
    submitted_at: datetime
    values: dict[str, Any] = field(default_factory=dict)
    latent: float = 0.0

    @property
    def score(self) -> int | None:
        """The answer to the recommend question, where it was asked."""
        return self.values.get("nps")


def silent_firms(plan: Plan, firms: list[Firm]) -> set[int]:
    """Ordinals of the clients that say nothing for twelve months."""
    others = [firm for firm in firms if not firm.giant]
    wanted = round(len(others) * SILENT_SHARE)
    dumb = [firm.ordinal for firm in others if not _reachable(firm)]
    spoken = [
        firm for firm in others if _reachable(firm) and firm.row.short_name != "禾屿海上风电"
    ]
    rest = sorted(spoken, key=lambda firm: plan.stream("silent", firm.ordinal).random())
    return set((dumb + [firm.ordinal for firm in rest])[:wanted])


def _reachable(firm: Firm) -> bool:
    """Whether a wave finds anybody there to write to."""
    return any(
        person.consent == "yes" and not person.bounced and person.row.left_on is None
        for person in firm.people[:3]
    )


def make_replies(
    plan: Plan, asks: list[Ask], silent: set[int], questions: dict[str, list[Question]]
) -> list[Reply]:
    """Every response to the invitations that were sent."""
    sent = [ask for ask in asks if not ask.reason and ask.sent_at < plan.now]
    _plant_voices(plan, sent, silent)
    since = plan.now - timedelta(days=365)
    replies = []
    for ask in sent:
        at = _answered_at(plan, ask)
        quiet = ask.firm.ordinal in silent and (at or ask.sent_at) >= since
        if at is None or at >= plan.now or quiet:
            continue
        replies.append(_reply(plan, ask, at, questions[ask.questionnaire]))
    _plant_zeros(plan, replies, since)
    return replies


def _plant_voices(plan: Plan, sent: list[Ask], silent: set[int]) -> None:
    """The giants answer the last wave; so does one contact of each client that is not silent."""
    last = waves(plan)[-1][0]
    mute: dict[int, Ask] = {}
    for ask in sent:
        if ask.wave != last or ask.firm.ordinal in silent:
            continue
        if ask.firm.giant:
            ask.must_answer = True
        at = _answered_at(plan, ask)
        spoken = at is not None and at < plan.now
        mute.setdefault(ask.firm.ordinal, ask)
        if spoken:
            ask.firm.heard = True
    for ask in mute.values():
        ask.must_answer = ask.must_answer or not ask.firm.heard


def _answered_at(plan: Plan, ask: Ask) -> datetime | None:
    """When the contact answered, or None; most on the same day, some after the reminder."""
    dice = plan.stream("response", ask.ordinal)
    rate = RATES[ask.person.row.buying_role or "user"]
    rate += 0.05 if not ask.wave else 0.0
    rate += 0.03 if ask.firm.row.segment == "project_finance" else 0.0
    effect = plan.stream("willing", ask.firm.ordinal).gauss(0, 0.6)
    odds = rate / (1 - rate) * 2.718281828459045**effect
    chance = (odds / (1 + odds) + 0.06) * SEASON.get(ask.sent_at.month, 1.0)
    if dice.random() >= chance and not ask.must_answer:
        return None
    days = weighted(dice, [(0, 0.45), (2, 0.30), (8, 0.15), (14, 0.10)])
    if ask.event == "first_drawdown" and ask.deal and ask.deal.case.number == "PF-2026-0147":
        return ask.sent_at + timedelta(hours=22, minutes=17)
    if days == 0:
        return ask.sent_at + timedelta(minutes=dice.randrange(3, 240))
    at = office_time(dice, (ask.sent_at + timedelta(days=days)).date())
    # A forced answer of the last wave must not lie ahead of the as-of day.
    return min(at, ask.closes_at - timedelta(minutes=5), _latest(plan, ask, dice))


def _latest(plan: Plan, ask: Ask, dice: Random) -> datetime:
    if not ask.must_answer:
        return ask.closes_at
    return max(plan.now - timedelta(minutes=dice.randrange(90, 900)), ask.sent_at)


def _reply(plan: Plan, ask: Ask, at: datetime, questions: list[Question]) -> Reply:
    """Draw the latent opinion, then every item that it explains."""
    dice = plan.scores(ask.ordinal)
    mean, effect = (
        _mean(ask, at),
        plan.scores(f"client/{ask.firm.ordinal}").gauss(0, SPREAD_CLIENT),
    )
    if ask.firm.giant:
        effect = 0.0
    latent = mean + effect + dice.gauss(0, SPREAD_ANSWER)
    reply = Reply(ask, at, latent=latent)
    strength = (latent - mean) / 2.1
    partial = dice.random() < 0.07 and not ask.firm.giant
    for question in questions:
        if partial and not question.required:
            continue
        value = _value(dice, question, ask, latent, strength)
        if value is not None:
            reply.values[question.key] = value
    _plant_story(ask, reply)
    _speak(dice, ask, reply, questions)
    return reply


def _mean(ask: Ask, at: datetime) -> float:
    """The expected score at the moment of answering."""
    if ask.firm.giant:
        return 4.5
    mean = BASE + {"decider": -0.3, "user": 0.1}.get(ask.person.row.buying_role or "", 0.0)
    deal = ask.deal
    if deal is None:
        return mean
    stage = deal.stage_at(at)
    if stage in {"risk_review", "approval"}:
        mean -= 1.5
    elif stage in {"due_diligence", "materials_pending"}:
        mean -= 0.6
    return mean + {"first_drawdown": 0.3, "cod_reached": 0.5, "final_repayment": 0.4}.get(
        ask.event, 0.0
    )


def _value(dice: Random, question: Question, ask: Ask, latent: float, z: float) -> Any:
    """One answer, `na`, or None for an item that is left out."""
    if question.type == Question.Type.NPS:
        return min(max(round(latent), 0), 10)
    if question.show_if or question.type in {Question.Type.TEXT, Question.Type.CALLBACK}:
        return None
    if question.type in {Question.Type.SINGLE, Question.Type.MULTI}:
        return _choice(dice, question)
    if question.na_allowed and dice.random() < (0.15 if "digital" in question.key else 0.06):
        return "na"
    if question.type == Question.Type.CES:
        return min(max(round(5.3 + 0.9 * z + dice.gauss(0, 1.0)), 1), 7)
    loading = LOADING.get(question.dimension, 0.40)
    shift = AT_APPROVAL.get(question.dimension, 0.0) if ask.event == "approval_communicated" else 0
    drawn = 4.25 + loading * z + shift + dice.gauss(0, (0.64 - loading**2) ** 0.5)
    return min(max(round(drawn), 1), 5)


def _choice(dice: Random, question: Question) -> Any:
    values = [option["value"] for option in question.options]
    if question.type == Question.Type.SINGLE:
        return dice.choice(values)
    return (
        dice.sample(values, dice.randint(1, min(2, len(values)))) if dice.random() < 0.6 else None
    )


def _plant_story(ask: Ask, reply: Reply) -> None:
    """程述安 answers the first drawdown of Heyu with 6."""
    if ask.deal and ask.deal.case.number == "PF-2026-0147" and ask.event == "first_drawdown":
        reply.values["nps"] = 6
        reply.values["nps_reason"] = "资料来回补了三次才有人说清楚，审批到哪一步也总要我们主动问。"
        # Who writes this is not very satisfied with everything.
        story = {"sat_overall": 3, "sat_response": 2, "sat_efficiency": 3, "sat_attitude": 4}
        reply.values.update({key: value for key, value in story.items() if key in reply.values})


def _plant_zeros(plan: Plan, replies: list[Reply], since: datetime) -> None:
    """Exactly so many answers of the last year are 0; a natural 0 becomes 1."""
    for reply in replies:
        if reply.score == 0:
            reply.values["nps"] = 1
    # The last word of each contact, so that no later answer takes the 0 out of the figures.
    last = {
        reply.ask.person.row.external_id: reply
        for reply in sorted(replies, key=lambda reply: reply.submitted_at)
        if reply.ask.wave and reply.score is not None
    }
    pool = [
        reply
        for reply in last.values()
        if reply.submitted_at >= since and not reply.ask.firm.giant and reply.latent < BASE
    ]
    pool.sort(key=lambda reply: plan.stream("zero", reply.ask.ordinal).random())
    for reply in pool[: plan.numbers.zeros]:
        reply.values["nps"] = 0


def _speak(dice: Random, ask: Ask, reply: Reply, questions: list[Question]) -> None:
    """A comment for some, in the contact's language, fitting the score."""
    keys = [q.key for q in questions if q.type == Question.Type.TEXT and not q.show_if]
    mood = reply.score if reply.score is not None else round(reply.latent)
    group = "promoter" if mood >= 9 else "passive" if mood >= 7 else "detractor"
    if not keys or keys[0] in reply.values or dice.random() >= COMMENTS[group]:
        return
    sentiment = {
        "detractor": "negative",
        "passive": weighted(dice, [("neutral", 0.5), ("negative", 0.3), ("positive", 0.2)]),
        "promoter": "positive" if dice.random() < 0.9 else "neutral",
    }[group]
    topic = ("processing_efficiency", 3.0) if ask.event == "approval_communicated" else ("", 0.0)
    reply.values[keys[0]] = _comment(dice, ask.person.row.language, sentiment, topic)


def _comment(dice: Random, language: str, sentiment: str, favourite: tuple[str, float]) -> str:
    """One to three topics joined as the word list says."""
    book = _verbatims()
    rows = [row for row in book["templates"] if row["sentiment"] == sentiment]
    weights = [(row, favourite[1] if row["topic"] == favourite[0] else 1.0) for row in rows]
    count = weighted(dice, [(1, 0.70), (2, 0.22), (3, 0.08)])
    picked: list[str] = []
    for _part in range(count):
        text = dice.choice(weighted(dice, weights)[language])
        for slot, (low, high) in book["meta"]["slots"].items():
            text = text.replace("{" + slot + "}", str(dice.randint(low, high)))
        if text not in picked:
            picked.append(text)
    joined: str = book["meta"]["joining"][language].join(picked)
    return joined


@cache
def _verbatims() -> Any:
    path = Path(__file__).with_name("verbatims.json")
    return json.loads(path.read_text(encoding="utf-8"))
