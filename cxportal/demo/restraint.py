"""Whom the invented bank must leave alone: the suppression rules over what was sent before."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from cxportal.demo.asks import HEYU, Ask, waves
from cxportal.demo.deals import Deal
from cxportal.demo.firms import Firm, Person
from cxportal.demo.people import FREE_RANK
from cxportal.demo.streams import Plan
from cxportal.demo.triggers import CLIENT_GAPS

COOLDOWN = timedelta(days=90)
CAP_PLACES, CAP_DAYS = 3, timedelta(days=30)
YEARLY_CAP = 4
WAVE_PRIORITY = timedelta(days=30)
AFTER_DECLINE = timedelta(days=30)
EXEMPT = {"TR15"}


class Restraint:
    """Who was asked when, and whether the rules allow the next one."""

    def __init__(self, plan: Plan, deals: dict[int, list[Deal]]) -> None:
        self.plan = plan
        self.starts = [start for _key, start in waves(plan)]
        self.people: dict[str, list[tuple[datetime, str]]] = {}
        self.firms: dict[int, list[tuple[datetime, str, str]]] = {}
        self.declined = {
            ordinal: [at for deal in mine if (at := deal.declined_at())]
            for ordinal, mine in deals.items()
        }

    def keep(self, ask: Ask, code: str) -> None:
        """Remember a mail that went out."""
        who = ask.person.row.external_id
        self.people.setdefault(who, []).append((ask.sent_at, code))
        self.firms.setdefault(ask.firm.ordinal, []).append((ask.sent_at, who, code))

    def free_again(self, person: Person) -> datetime:
        """When the cool-down of somebody who was asked ends."""
        return self.people[person.row.external_id][-1][0] + COOLDOWN

    def refusal(self, ask: Ask, code: str, cooldown: int) -> str:
        """Why the rules forbid this one, in the order of the rules."""
        person, sent = ask.person, ask.sent_at
        if person.consent != "yes":
            return "no_consent"
        if ask.must_answer or code in EXEMPT or ask.firm.row.short_name == HEYU:
            return "address_bounced" if person.bounced else ""
        return next(self._rules(ask, code, cooldown), "") or _gone(person, sent)

    def _rules(self, ask: Ask, code: str, cooldown: int) -> Iterator[str]:
        """The codes of the rules about what was asked and what happened before."""
        sent, asked = ask.sent_at, self.people.get(ask.person.row.external_id, [])
        if asked and sent - asked[-1][0] < COOLDOWN:
            yield "contact_cooldown"
        if any(other == code and (sent - at).days < cooldown for at, other in asked):
            yield "contact_cooldown"
        mine = self.firms.get(ask.firm.ordinal, [])
        who = ask.person.row.external_id
        others = {one for at, one, _code in mine if sent - at < CAP_DAYS and one != who}
        gap = timedelta(days=CLIENT_GAPS.get(code, 0))
        if len(others) >= CAP_PLACES or any(c == code and sent - at < gap for at, _w, c in mine):
            yield "client_cap"
        if code != "TR18" and self._wave_is_near(ask):
            yield "lower_priority"
        refusals = self.declined.get(ask.firm.ordinal, [])
        if code != "TR11" and any(timedelta(0) <= sent - at < AFTER_DECLINE for at in refusals):
            yield "decline_freeze"
        if sum(at.year == sent.year for at, _code in asked) >= YEARLY_CAP:
            yield "yearly_cap"

    def _wave_is_near(self, ask: Ask) -> bool:
        """Whether the person is due in a wave within thirty days; the giants are kept free."""
        day, ahead = ask.sent_at.date(), WAVE_PRIORITY
        if ask.firm.giant:
            ahead = COOLDOWN + timedelta(days=5)
        if not any(start - ahead <= day <= start + timedelta(days=7) for start in self.starts):
            return False
        role = ask.person.row.buying_role or ""
        first = [
            p for p in present(self.plan, ask.firm, role, day) if not _unreachable(p, ask.sent_at)
        ]
        return ask.firm.giant or (bool(first) and first[0] is ask.person)


def present(plan: Plan, firm: Firm, role: str, day: date) -> list[Person]:
    """Who works there on that day, in order, without those the story keeps free."""
    return [
        person
        for person in firm.present(day)
        if role in ("", person.row.buying_role) and not _spared(plan, firm, person, day)
    ]


def _gone(person: Person, sent: datetime) -> str:
    if person.row.left_on is not None and person.row.left_on <= sent.date():
        return "left_company"
    return "address_bounced" if person.bounced else ""


def _unreachable(person: Person, sent: datetime) -> bool:
    return person.consent != "yes" or bool(_gone(person, sent))


def _spared(plan: Plan, firm: Firm, person: Person, day: date) -> bool:
    """Whether the story keeps a person free of questions in the last hundred days."""
    if day <= plan.as_of - timedelta(days=100):
        return False
    if firm.row.short_name == HEYU and person.rank == 1:
        return True
    return firm.manager == "lan" and person.rank >= FREE_RANK
