"""What changes in the bank: a merger, a new employer, events of clients, outages."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta

from bank import workdays
from clients.models import Client, ClientEvent, Outage
from cxportal.demo.firms import Firm, Person
from cxportal.demo.streams import Plan, instant, office_time

# The day these stories are told on; another as-of day moves them by whole weeks.
_TOLD = date(2026, 11, 24)
MERGED_ON, LEFT_ON = date(2026, 5, 1), date(2026, 2, 9)
DOCUMENT_LIST_ON = date(2026, 3, 2)
OUTAGE = (date(2026, 7, 14), date(2026, 7, 17))
NO_CONTRACT = 0.08
COMPLAINTS = {"small": 10, "medium": 300, "large": 5_000}


def moved(plan: Plan, day: date) -> date:
    """A planted day, moved by as many whole weeks as the as-of day."""
    weeks = round((plan.as_of - _TOLD).days / 7)
    return day + timedelta(weeks=weeks)


def make_turns(plan: Plan, firms: Sequence[Firm]) -> None:
    """Contracts of online banking, the merger and the contact who changes employer."""
    for firm in firms:
        dice = plan.stream("contract", firm.ordinal)
        firm.row.online_contract = dice.random() >= NO_CONTRACT or firm.giant
    _merge(plan, firms)
    _change_employer(plan, firms)


def _merge(plan: Plan, firms: Sequence[Firm]) -> None:
    """A small client goes into a larger one of the same branch."""
    plain = _ordinary(firms)
    heirs = _by_branch(firm for firm in plain if firm.row.size == "medium")
    for firm in plain:
        heir = heirs.get(_branch(firm))
        if firm.row.size == "small" and heir is not None:
            firm.heir, firm.merged_on = heir, moved(plan, MERGED_ON)
            return


def _change_employer(plan: Plan, firms: Sequence[Firm]) -> None:
    """The first reachable user of a medium client goes to another client of the branch."""
    plain = _ordinary(firms)
    news = _by_branch(firm for firm in plain if firm.row.size == "large")
    for firm in plain:
        person, new = firm.people[0], news.get(_branch(firm))
        if firm.row.size == "medium" and new is not None and _settled(person):
            person.moved_on, person.next_firm = moved(plan, LEFT_ON), new
            new.joiners.append(person)
            return


def _by_branch(firms: Iterable[Firm]) -> dict[str, Firm]:
    """The first client of each branch."""
    found: dict[str, Firm] = {}
    for firm in firms:
        found.setdefault(_branch(firm), firm)
    return found


def _branch(firm: Firm) -> str:
    return firm.row.team.code if firm.row.team else ""


def _settled(person: Person) -> bool:
    return person.consent == "yes" and not person.bounced and person.row.left_on is None


def _ordinary(firms: Sequence[Firm]) -> list[Firm]:
    """Clients that no other story is told of."""
    return [
        firm for firm in firms
        if firm.ordinal > 3 and firm.row.kind != Client.Kind.SPV and firm.manager != "lan"
        and not firm.strong and not firm.lean
    ]  # fmt: skip


def make_events(plan: Plan, firms: Sequence[Firm]) -> Iterator[ClientEvent]:
    """Onboarding of newer clients, closed complaints and sessions with the assistant."""
    calendar = workdays.calendar()
    for firm in firms:
        dice = plan.stream("event", firm.ordinal)
        since = firm.row.since
        if since and since > plan.as_of - timedelta(days=1_000):
            yield _event(firm, "onboarding_completed", office_time(dice, calendar.add(since, 4)))
        if firm.row.online_contract and dice.random() < 0.25:
            day = calendar.add(plan.as_of - timedelta(days=dice.randrange(20, 400)), 1)
            yield _event(firm, "assistant_session_ended", office_time(dice, day))
    share = COMPLAINTS[plan.size] / plan.numbers.clients
    for firm in _ordinary(firms):
        dice = plan.stream("complaint", firm.ordinal)
        if dice.random() < share:
            day = calendar.add(plan.as_of - timedelta(days=dice.randrange(120, 420)), 1)
            yield _event(firm, "complaint_closed", office_time(dice, day))


def _event(firm: Firm, code: str, at: datetime) -> ClientEvent:
    return ClientEvent(
        external_id=f"E{firm.ordinal + 1:06d}-{code}",
        client=firm.row,
        event=code,
        occurred_at=at,
        is_demo=True,
    )


def outage(plan: Plan) -> tuple[datetime, datetime]:
    """The days without a log of online banking."""
    start, end = (moved(plan, day) for day in OUTAGE)
    return instant(start, time(0, 0)), instant(end, time(0, 0))


def make_outages(plan: Plan) -> list[Outage]:
    """Three days on which no source of events recorded anything."""
    start, end = outage(plan)
    return [
        Outage(source=source, starts_at=start, ends_at=end, note="日志中断 · log outage")
        for source in Outage.Source.values
    ]
