"""What clients do: logins and pages, messages, calls and visits of the last fifteen months."""

import math
from bisect import bisect
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from random import Random

from bank import workdays
from clients.models import Client, Touchpoint
from cxportal.demo import turns
from cxportal.demo.firms import Firm, Person
from cxportal.demo.streams import Plan, instant, office_time, poisson, weighted

MONTHS = {"small": 15, "medium": 15, "large": 6}
LOGINS = {"user": 0.30, "influencer": 0.08, "decider": 0.03}
PAGES = 6
SOURCES = [
    ("statement_export", 0.10), ("limit_calculator", 0.03), ("document_upload", 0.05),
    ("application_abandoned", 0.01),
]  # fmt: skip
CALLS, VISITS = 0.8, 0.25
_BUSY, _IDLE = 1.5, 0.15
_KINDS = Touchpoint.Kind
_REST = 1 - sum(share for _name, share in SOURCES)
_STEP = math.log(1 - 1 / PAGES)


class Days:
    """The days of the log with how busy each is; those of the outage are empty."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.calendar = workdays.calendar()
        self.start = plan.as_of - timedelta(days=round(MONTHS[plan.size] * 30.44))
        count = (plan.as_of - self.start).days
        self.days = [self.start + timedelta(days=n) for n in range(count)]
        start, end = (at.date() for at in turns.outage(plan))
        loads = [0.0 if start <= day < end else self._load(day) for day in self.days]
        self.marks = list(accumulate(loads))

    def _load(self, day: date) -> float:
        """Half again as much around the dates of tax and month end, little on days off."""
        if not self.calendar.is_workday(day):
            return _IDLE
        last = self.calendar.add(day, 1).month != day.month
        return _BUSY if day.day == 10 or 20 <= day.day <= 25 or last else 1.0

    def arrivals(self, dice: Random, rate: float) -> Iterator[datetime]:
        """Events of a Poisson process whose rate follows the load of the days."""
        mark, whole = dice.expovariate(rate), self.marks[-1]
        while mark < whole:
            yield _minute(dice, self.days[bisect(self.marks, mark)])
            mark += dice.expovariate(rate)


def _minute(dice: Random, day: date) -> datetime:
    """Office hours mostly; never between 23:00 and 06:00."""
    draw = dice.random()
    if draw < 0.45:
        second = 34_200 + int(draw / 0.45 * 7_200)
    elif draw < 0.85:
        second = 52_200 + int((draw - 0.45) / 0.40 * 9_000)
    else:
        second = 21_600 + int((draw - 0.85) / 0.15 * 61_200)
    return instant(day, time(second // 3_600, second // 60 % 60, dice.randrange(60)))


def site_visits(plan: Plan, firms: Sequence[Firm]) -> list[tuple[Firm, datetime]]:
    """The quarterly visits to the sites of project companies, over the whole history."""
    calendar, found = workdays.calendar(), []
    for firm in firms:
        if firm.row.kind != Client.Kind.SPV:
            continue
        dice = plan.stream("site", firm.ordinal)
        day = plan.as_of - timedelta(days=dice.randrange(8, 90))
        while day > max(plan.as_of - timedelta(days=1_000), firm.row.since or plan.as_of):
            found.append((firm, office_time(dice, calendar.add(day, 1))))
            day -= timedelta(days=91)
    return found


def make_touches(
    plan: Plan, firms: Sequence[Firm], visits: Sequence[tuple[Firm, datetime]]
) -> Iterator[Touchpoint]:
    """Everything people did, client by client; what machines did is no touchpoint."""
    days = Days(plan)
    for firm in firms:
        for person in firm.people:
            if firm.row.online_contract:
                yield from _online(days, firm, person)
        yield from _offline(days, firm)
    for firm, at in visits:
        if at.date() >= days.start:
            yield _row(firm, None, _KINDS.VISIT, at, f"S{firm.ordinal}-{at:%y%m%d}", "site_visit")
    yield from _occasions(days, firms)


def _online(days: Days, firm: Firm, person: Person) -> Iterator[Touchpoint]:
    """Logins with the pages seen at each of them."""
    dice = days.plan.stream("login", person.row.external_id)
    rate = LOGINS[person.row.buying_role or "user"]
    number, last = person.row.external_id, _last_day(days.plan, firm, person)
    for place, at in enumerate(days.arrivals(dice, rate)):
        if at.date() >= last or at > days.plan.now:
            break
        where = _at_work(firm, person, at)
        if not where.row.online_contract:
            continue
        key = f"{number}-{place}"
        source = "portal" if dice.random() < 0.8 else "mobile"
        yield _row(where, person, _KINDS.LOGIN, at, f"L{key}", source)
        pages = 1 + int(math.log(1 - dice.random()) / _STEP)
        seen = at + timedelta(seconds=20)
        name = weighted(dice, [*SOURCES, (source, _REST)])
        view = _row(where, person, _KINDS.PAGE_VIEW, seen, f"V{key}", name)
        view.quantity = pages
        yield view


def _last_day(plan: Plan, firm: Firm, person: Person) -> date:
    """From which day on the person does nothing there any more."""
    ends = [day for day in (person.row.left_on, firm.merged_on) if day]
    return min(ends, default=plan.as_of)


def _at_work(firm: Firm, person: Person, at: datetime) -> Firm:
    """The client the person works for at that moment."""
    moved = person.moved_on is not None and at.date() >= person.moved_on
    return person.next_firm if moved and person.next_firm else firm


def _offline(days: Days, firm: Firm) -> Iterator[Touchpoint]:
    """Calls and visits of the manager, and replies to mails."""
    dice = days.plan.stream("offline", firm.ordinal)
    months = len(days.days) / 30.44
    end = min(firm.merged_on or days.plan.as_of, days.plan.as_of)
    for kind, mean, source in (
        (_KINDS.CALL, CALLS, "phone"),
        (_KINDS.VISIT, VISITS, "site_visit"),
        (_KINDS.EMAIL_REPLY, 0.2, "email"),
    ):
        for number in range(poisson(dice, mean * months)):
            day = days.start + timedelta(days=dice.randrange(len(days.days) - 1))
            at = office_time(dice, days.calendar.add(day, 1))
            there = firm.present(at.date())
            if at.date() >= end or not there or at > days.plan.now:
                continue
            key = f"{kind[0].upper()}{firm.ordinal}-{number}"
            row = _row(firm, dice.choice(there), kind, at, key, source)
            if kind == _KINDS.CALL:
                row.duration_s = dice.randrange(40, 1_500)
            yield row


def _occasions(days: Days, firms: Sequence[Firm]) -> Iterator[Touchpoint]:
    """Two events a year, to which some clients come."""
    for year in {day.year for day in days.days}:
        for month in (5, 11):
            day = days.calendar.add(date(year, month, 11), 1)
            if not days.start <= day < days.plan.as_of:
                continue
            for firm in firms:
                dice = days.plan.stream("event", f"{day}/{firm.ordinal}")
                if dice.random() < 0.22 and not (firm.merged_on and firm.merged_on <= day):
                    at = instant(day, time(14, 0))
                    key = f"O{firm.ordinal}-{day:%y%m}"
                    yield _row(firm, firm.people[0], _KINDS.EVENT, at, key, "")


def _row(
    firm: Firm, person: Person | None, kind: str, at: datetime, number: str, source: str
) -> Touchpoint:
    return Touchpoint(
        event_id=f"demo-{number}",
        client=firm.row,
        contact=person.row if person else None,
        kind=kind,
        at=at,
        source=source,
    )
