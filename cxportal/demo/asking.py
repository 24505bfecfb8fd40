"""Whom the invented bank asked, and when: waves and triggers in order of time."""

import heapq
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from bank import workdays
from clients.models import ClientEvent
from cxportal.demo.asks import HEYU, HEYU_CASE, RELATIONAL, ROLES, Ask, waves
from cxportal.demo.deals import Deal
from cxportal.demo.firms import Firm, Person
from cxportal.demo.restraint import Restraint, present
from cxportal.demo.streams import Plan, instant, send_time
from cxportal.demo.triggers import Cause, causes

WAVE_VALID = 21
WAVE_WINDOW = timedelta(days=60)
# The day the story of Heyu is told on; another as-of day moves it along.
_STORY = instant(date(2026, 11, 24), time(10, 0))


def make_asks(
    plan: Plan,
    firms: Sequence[Firm],
    deals: Sequence[Deal],
    events: Sequence[ClientEvent],
    visits: Sequence[tuple[Firm, datetime]],
) -> list[Ask]:
    """Every invitation in order of time, with the rules of leaving people alone applied."""
    desk = _Desk(plan, firms, deals)
    desk.queue_waves()
    for cause in causes(plan, firms, deals, events, visits):
        desk.queue_cause(cause)
    return desk.run()


class _Desk:
    """Works through what is due in order of time, as the product's own sending does."""

    def __init__(self, plan: Plan, firms: Sequence[Firm], deals: Sequence[Deal]) -> None:
        self.plan, self.firms = plan, firms
        self.calendar = workdays.calendar()
        self.deals: dict[int, list[Deal]] = {}
        for deal in deals:
            self.deals.setdefault(deal.firm.ordinal, []).append(deal)
        self.restraint = Restraint(plan, self.deals)
        self.due: list[tuple[datetime, str, Any]] = []
        self.asks: list[Ask] = []

    def queue_waves(self) -> None:
        """One decider, one influencer and one user of each client in each wave."""
        for key, start in waves(self.plan):
            for firm in self.firms:
                dice = self.plan.stream("wave", f"{key}-{firm.ordinal}")
                day = self.calendar.add(start - timedelta(days=1), 1 + dice.randrange(5))
                for role in ROLES:
                    sent = send_time(dice, day)
                    entry = (sent, f"{key}/{firm.ordinal:06d}/{role}", (key, firm, role, start))
                    heapq.heappush(self.due, entry)

    def queue_cause(self, cause: Cause) -> None:
        """What happened is asked about some banking days later, in the hours for mail."""
        heyu = cause.firm.row.short_name == HEYU
        story = heyu and cause.milestone is not None and cause.milestone.event == "first_drawdown"
        if heyu and not story:
            return
        day = self.calendar.add(cause.day, max(cause.trigger.delay, 1))
        sent = send_time(self.plan.stream("trigger", cause.ordinal), day)
        if story:
            sent = instant(date(2026, 11, 17), time(10, 2)) + (self.plan.now - _STORY)
        if sent < self.plan.now - timedelta(days=2):
            heapq.heappush(self.due, (sent, cause.ordinal, cause))

    def run(self) -> list[Ask]:
        """Decide on everything that is due, first things first."""
        while self.due:
            sent, ordinal, what = heapq.heappop(self.due)
            if isinstance(what, Cause):
                self._ask_after(sent, ordinal, what)
            else:
                self._ask_in_wave(sent, ordinal, *what)
        self.asks.sort(key=lambda ask: (ask.sent_at, ask.ordinal))
        return self.asks

    def _ask_in_wave(
        self, sent: datetime, ordinal: str, key: str, firm: Firm, role: str, start: date
    ) -> None:
        """Ask the first person of the role who may be asked; wait for one who soon may."""
        if firm.merged_on and sent.date() >= firm.merged_on:
            return
        first: Ask | None = None
        waits: list[datetime] = []
        for person in present(self.plan, firm, role, sent.date()):
            number = f"{key}/{person.row.external_id}"
            ask = self._make(number, firm, person, RELATIONAL, (sent, WAVE_VALID))
            ask.wave = key
            ask.reason = self.restraint.refusal(ask, "TR18", 150)
            if not ask.reason:
                self._send(ask, "TR18")
                return
            first = first or ask
            if ask.reason == "contact_cooldown":
                waits.append(self.restraint.free_again(person))
        again = min(waits, default=None)
        if again is not None and again > sent and again.date() < start + WAVE_WINDOW:
            day = self.calendar.add(again.date(), 1)
            later = send_time(self.plan.stream("later", ordinal), day)
            if later < self.plan.now - timedelta(days=2):
                heapq.heappush(self.due, (later, ordinal, (key, firm, role, start)))
                return
        if first is not None:
            self.asks.append(first)

    def _ask_after(self, sent: datetime, ordinal: str, cause: Cause) -> None:
        """Ask as many as the trigger allows, in the order of its jobs."""
        firm, trigger = cause.firm, cause.trigger
        if firm.merged_on and sent.date() >= firm.merged_on:
            return
        people = [
            person
            for job in trigger.jobs
            for person in present(self.plan, firm, "", sent.date())
            if person.row.job_role == job
        ]
        if firm.row.short_name == HEYU:
            people = [firm.people[1]]
        elif not trigger.jobs:
            people = present(self.plan, firm, "user", sent.date())[:1]
        refused: Ask | None = None
        places = trigger.places
        for person in people:
            number = f"{ordinal}/{person.row.external_id}"
            ask = self._make(number, firm, person, trigger.questionnaire, (sent, trigger.valid))
            ask.deal, ask.milestone, ask.mark = cause.deal, cause.milestone, cause.mark
            ask.reason = self.restraint.refusal(ask, trigger.code, trigger.cooldown)
            if ask.reason:
                refused = refused or ask
                continue
            self._send(ask, trigger.code)
            places -= 1
            if not places:
                return
        if refused is not None and places == trigger.places:
            self.asks.append(refused)

    def _make(
        self,
        ordinal: str,
        firm: Firm,
        person: Person,
        questionnaire: str,
        times: tuple[datetime, int],
    ) -> Ask:
        sent, valid = times
        closes = sent + timedelta(days=valid)
        mine = self.deals.get(firm.ordinal, ())
        return Ask(ordinal, firm, person, questionnaire, sent, closes, deals=mine)

    def _send(self, ask: Ask, code: str) -> None:
        ask.must_answer = bool(ask.deal and ask.deal.case.number == HEYU_CASE)
        self.restraint.keep(ask, code)
        self.asks.append(ask)
