"""Who of those asked answers, and when: chance, and the voices and silences planted in it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from random import Random

from bank import workdays
from clients.models import Client
from cxportal.demo.asks import HEYU, HEYU_CASE, Ask, waves
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan, instant, office_time, weighted

RATES = {"user": 0.40, "influencer": 0.32, "decider": 0.25}
SEASON = {1: 0.95, 2: 0.60, 12: 0.85}
GOLDEN_WEEK = 0.50
# 31 % of the whole exposure has said nothing for twelve months; the giants are never among them.
SILENT_SHARE, SILENT_SLACK = Decimal("0.31"), Decimal("0.002")
YEAR = timedelta(days=365)
SMALL_CELL = 4
TENS, TENS_MINUTES, TENS_BRANCH = 9, 20, "BR-GD"


@dataclass
class Voice:
    """One answer to come: to which invitation, when, and whether its score is planted."""

    ask: Ask
    at: datetime
    ten: bool = False


def speak(plan: Plan, firms: Sequence[Firm], asks: Sequence[Ask]) -> list[Voice]:
    """Every answer there will be, in order of the invitations."""
    sent = [ask for ask in asks if not ask.reason]
    hall = _Hall(plan, sent)
    hall.fill_small_cell()
    hall.hear_giants_and_movers(firms)
    hall.collect_tens()
    silent = hall.silence(firms)
    hall.wake(firms, silent)
    return hall.voices(silent)


class _Hall:
    """The invitations that were sent, with when each is answered, if at all."""

    def __init__(self, plan: Plan, sent: Sequence[Ask]) -> None:
        self.plan, self.sent = plan, sent
        self.last = waves(plan)[-1][0]
        self.since = plan.now - YEAR
        self.times = {ask.ordinal: answered_at(plan, ask) for ask in sent}
        self.tens: set[str] = set()
        self.kept: set[int] = set()
        self.by_firm: dict[int, list[Ask]] = {}
        for ask in sent:
            self.by_firm.setdefault(ask.firm.ordinal, []).append(ask)

    def in_last_wave(self, firm: Firm) -> list[Ask]:
        """Whom the last wave reached at this client."""
        return [ask for ask in self.by_firm.get(firm.ordinal, []) if ask.wave == self.last]

    def force(self, ask: Ask) -> None:
        """This invitation is answered, whatever chance said."""
        if self.times[ask.ordinal] is None:
            ask.must_answer = True
            self.times[ask.ordinal] = answered_at(self.plan, ask)

    def fill_small_cell(self) -> None:
        """The project finance of the smallest branch has exactly four answers of the year."""
        cell = [
            firm for firm in {ask.firm.ordinal: ask.firm for ask in self.sent}.values()
            if firm.row.kind == Client.Kind.SPV and firm.row.team
            and firm.row.team.code == "BR-SN"
        ]  # fmt: skip
        reached = [self.in_last_wave(firm) for firm in cell]
        depth = max(map(len, reached), default=0)
        order = [mine[n] for n in range(depth) for mine in reached if n < len(mine)]
        chosen = {ask.ordinal for ask in order[:SMALL_CELL]}
        for firm in cell:
            self.kept.add(firm.ordinal)
            for ask in self.by_firm.get(firm.ordinal, []):
                if ask.ordinal in chosen:
                    self.force(ask)
                elif ask.wave and ask.sent_at > self.since - timedelta(days=60):
                    self.times[ask.ordinal] = None

    def hear_giants_and_movers(self, firms: Sequence[Firm]) -> None:
        """The giants answer the last wave; who changes employer answers before and after."""
        for firm in firms:
            if firm.giant:
                for ask in self.in_last_wave(firm):
                    self.force(ask)
            moved = [p.moved_on for p in firm.people if p.moved_on]
            for ask in self.by_firm.get(firm.ordinal, []) if moved else ():
                late = ask.person.moved_on and ask.sent_at.date() > moved[0] - timedelta(days=150)
                if late and ask.wave:
                    self.force(ask)

    def collect_tens(self) -> None:
        """One manager's clients give nine tens within twenty minutes."""
        desks: dict[str, list[Ask]] = {}
        for ask in self.sent:
            firm = ask.firm
            team = firm.row.team.code if firm.row.team else ""
            plain = firm.manager != "chen" and not (firm.giant or firm.lean or firm.strong)
            if team == TENS_BRANCH and plain and ask.wave == self.last and not firm.merged_on:
                desks.setdefault(firm.manager, []).append(ask)
        if not desks:
            return
        manager = max(sorted(desks), key=lambda name: len(desks[name]))
        start = waves(self.plan)[-1][1]
        day = workdays.calendar().add(start, 6)
        begin = instant(day, time(15, 4))
        early = [ask for ask in desks[manager] if ask.sent_at < begin][:TENS]
        for number, ask in enumerate(early):
            seconds = number * TENS_MINUTES * 60 // (TENS + 1)
            self.times[ask.ordinal] = begin + timedelta(seconds=seconds)
            ask.must_answer = True
            self.tens.add(ask.ordinal)
            self.kept.add(ask.firm.ordinal)

    def silence(self, firms: Sequence[Firm]) -> set[int]:
        """The clients that say nothing for twelve months, by their share of the exposure."""
        others = [firm for firm in firms if not firm.giant and not firm.merged_on]
        whole = sum((firm.exposure for firm in firms if not firm.merged_on), Decimal(0))
        heirs = {firm.heir.ordinal for firm in firms if firm.heir}
        mute = [f for f in others if not self.in_last_wave(f) and not self._heard(f)]
        found = {firm.ordinal for firm in mute}
        total = sum((firm.exposure for firm in mute), Decimal(0))
        loud = found | self.kept | heirs | self._judges()
        rest = [
            firm for firm in others
            if firm.ordinal not in loud
            and not (firm.lean or firm.strong or firm.row.short_name == HEYU)
        ]  # fmt: skip
        average = float(whole) / len(others)
        # Large ones are more likely to come first: fewer clients then make up the share.
        rest.sort(
            key=lambda firm: (
                self.plan.stream("silent", firm.ordinal).random()
                / (1 + float(firm.exposure) / average) ** 0.5
            )
        )
        low, high = (whole * (SILENT_SHARE + d * SILENT_SLACK) for d in (-1, 1))
        for place, firm in enumerate(rest):
            if total >= low:
                break
            chosen: Firm | None = firm
            if total + firm.exposure > high:
                # The next one is too much: somebody further on may fill what is left.
                fits = (one for one in rest[place:] if low <= total + one.exposure <= high)
                chosen = next(fits, None)
            if chosen is not None:
                total += chosen.exposure
                found.add(chosen.ordinal)
        return found

    def _judges(self) -> set[int]:
        """The clients that judge an approval within the year: few enough as it is."""
        return {
            ask.firm.ordinal for ask in self.sent
            if ask.stage == "approval" and (at := self.times[ask.ordinal]) and at > self.since
        }  # fmt: skip

    def _heard(self, firm: Firm) -> bool:
        """Whether somebody there answered a wave within the year, by a margin of days."""
        return any(
            self.since + timedelta(days=3) < at < self.plan.now
            for ask in self.by_firm.get(firm.ordinal, [])
            if ask.wave and (at := self.times[ask.ordinal])
        )

    def wake(self, firms: Iterable[Firm], silent: set[int]) -> None:
        """Every other client that chance left silent gets one answer in the last wave."""
        for firm in firms:
            if firm.ordinal in silent or self._heard(firm):
                continue
            for ask in self.in_last_wave(firm)[:1]:
                self.force(ask)

    def voices(self, silent: set[int]) -> list[Voice]:
        """What is answered by the as-of day, without the silent ones of the last year."""
        found = []
        for ask in self.sent:
            at = self.times[ask.ordinal]
            if at is None or at >= self.plan.now:
                continue
            if ask.firm.ordinal in silent and at >= self.since - timedelta(days=1):
                continue
            found.append(Voice(ask, at, ten=ask.ordinal in self.tens))
        return found


def answered_at(plan: Plan, ask: Ask) -> datetime | None:
    """When the contact answers, or None; most on the same day, some after the reminder."""
    dice = plan.stream("response", ask.ordinal)
    rate = RATES[ask.person.row.buying_role or "user"]
    rate += 0.05 if not ask.wave else 0.0
    rate += 0.03 if ask.firm.row.segment == Client.Segment.PROJECT_FINANCE else 0.0
    if ask.firm.willing is None:
        ask.firm.willing = plan.stream("willing", ask.firm.ordinal).gauss(0, 0.6)
    odds = rate / (1 - rate) * math.exp(ask.firm.willing)
    season = SEASON.get(ask.sent_at.month, 1.0)
    if (ask.sent_at.month, ask.sent_at.day) in {(10, day) for day in range(1, 8)}:
        season = GOLDEN_WEEK
    if dice.random() >= (odds / (1 + odds) + 0.06) * season and not ask.must_answer:
        return None
    if ask.deal and ask.deal.case.number == HEYU_CASE:
        return ask.sent_at + timedelta(hours=22, minutes=17)
    days = weighted(dice, [(0, 0.45), (2, 0.30), (8, 0.15), (14, 0.10)])
    if days == 0:
        return ask.sent_at + timedelta(minutes=dice.randrange(3, 240))
    at = office_time(dice, _workday(ask.sent_at + timedelta(days=days), dice).date())
    return min(at, ask.closes_at - timedelta(minutes=5), _latest(plan, ask, dice))


def _workday(at: datetime, dice: Random) -> datetime:
    """The same day, but of the weekends only one in seven."""
    if at.weekday() >= workdays.SATURDAY and dice.random() < 0.86:
        return at + timedelta(days=7 - at.weekday())
    return at


def _latest(plan: Plan, ask: Ask, dice: Random) -> datetime:
    """A forced answer must not lie ahead of the as-of day."""
    if not ask.must_answer:
        return ask.closes_at
    return max(plan.now - timedelta(minutes=dice.randrange(90, 900)), ask.sent_at)
