"""Generates the invented bank, measures it by the product's own act, checks the planted truths."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.db import connection, transaction

from bank import audit
from bank.models import Setting
from clients.models import (
    Case,
    Client,
    ClientEvent,
    Contact,
    ExchangeRate,
    Facility,
    FacilityBalance,
    Milestone,
    Outage,
    Party,
    Product,
    Profile,
    Statement,
    Touchpoint,
    Transaction,
)
from cxportal.demo import (
    acceptance,
    answering,
    asking,
    bookings,
    exposures,
    facilities,
    firms,
    flushing,
    lending,
    machines,
    mailing,
    old_wave,
    parties,
    people,
    profiles,
    speakers,
    staff,
    statements,
    touches,
    truths,
    turns,
    writing,
)
from cxportal.demo.answering import Reply
from cxportal.demo.asks import RELATIONAL
from cxportal.demo.firms import Firm
from cxportal.demo.speakers import Voice
from cxportal.demo.streams import Plan
from metrics import recompute, references
from metrics.engaging import robustness
from surveys.models import Delivery, Hit, Invitation, Question, Response

STATE_KEY = "demo_bank"
REDRAWS = 20
COUNTED = (
    Client, Contact, Case, Milestone, Party, Facility, FacilityBalance, ExchangeRate, Transaction,
    Statement, Profile, ClientEvent, Outage, Touchpoint, Invitation, Delivery, Hit, Response,
)  # fmt: skip
Say = Callable[[str], None]


class NotEmpty(Exception):
    """The database holds clients that are not the demonstration's, or another demonstration."""


@dataclass(frozen=True)
class Seeded:
    """What was generated: rows by kind, the suffix of the score stream that was needed.

    `missed` are the planted truths that no drawing of the scores has shown.
    """

    made: bool
    suffix: str
    rows: dict[str, int]
    missed: list[str] = field(default_factory=list)


@dataclass
class _Bank:
    """Everything but what was said, written; `voices` are those who will say something."""

    firms: Sequence[Firm]
    voices: Sequence[Voice]
    invited: mailing.Invited
    asked: dict[str, list[Question]]
    kept: dict[str, list[int]]


def seed(*, size: str, number: int, as_of: date, at: datetime) -> Seeded:
    """Generate the bank once; a second call with the same numbers changes nothing."""
    plan = Plan(size, number, as_of)
    if Client.objects.filter(is_demo=False).exists():
        raise NotEmpty("This database holds clients of its own; the demo bank stays out of it.")
    state = Setting.objects.filter(key=STATE_KEY).first()
    if state is not None and Client.objects.exists():
        if [state.value["size"], state.value["seed"]] != [size, number]:
            raise NotEmpty("Another demo bank is here; use --flush first.")
        missed = state.value.get("missed", [])
        return Seeded(made=False, suffix=state.value["suffix"], rows=_rows(), missed=missed)
    with transaction.atomic():
        _take_time()
        bank = _generate(plan)
        suffix, missed = _say(plan, bank)
        value = {"size": size, "seed": number, "suffix": suffix, "missed": missed, **bank.kept}
        Setting.objects.update_or_create(key=STATE_KEY, defaults={"value": value})
        for model in COUNTED:
            name = model._meta.label_lower
            audit.record("demo.seed", f"{name}:*", at=at, data={"rows": model.objects.count()})
    if at > plan.now:
        recompute.refresh_stale(at=at)
    return Seeded(made=True, suffix=suffix, rows=_rows(), missed=missed)


def flush(*, at: datetime) -> int:
    """Remove the invented bank again."""
    with transaction.atomic():
        state = Setting.objects.filter(key=STATE_KEY).first()
        kept: dict[str, Any] = state.value if state else {}
        removed = flushing.flush(kept)
        Setting.objects.filter(key=STATE_KEY).delete()
        audit.record("demo.flush", "demo:*", at=at, data={"rows": removed})
    recompute.refresh_all(at=at)
    return removed


def _take_time() -> None:
    """Drawing a large bank keeps the transaction waiting for longer than a request may."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SET LOCAL statement_timeout = 0")


def _generate(plan: Plan) -> _Bank:
    """Draw and write everything but what was said."""
    teams = staff.make_teams()
    clients = firms.make_firms(plan, teams, staff.make_staff(plan, teams))
    people.add_people(plan, clients)
    turns.make_turns(plan, clients)
    exposures.draw(plan, clients)
    deals = lending.make_deals(plan, clients)
    loans = facilities.make_loans(plan, clients, deals)
    writing.clients(clients)
    writing.contacts(plan, clients)
    writing.cases(deals)
    writing.lent(loans)
    writing.pour(Party, parties.make_parties(plan, deals))
    writing.pour(Statement, statements.make_statements(plan, clients))
    writing.pour(Profile, profiles.make_profiles(plan, clients))
    products = {row.code: row for row in Product.objects.all()}
    writing.pour(Transaction, bookings.make_bookings(plan, loans, clients, products))
    kept = writing.common(facilities.make_rates(plan), turns.make_outages(plan))
    return _ask(plan, clients, deals, kept)


def _ask(
    plan: Plan, clients: list[Firm], deals: Sequence[Any], kept: dict[str, list[int]]
) -> _Bank:
    """Write who was asked, who opened what, and what else people did."""
    events = list(turns.make_events(plan, clients))
    visits = touches.site_visits(plan, clients)
    asks = asking.make_asks(plan, clients, deals, events, visits)
    voices = speakers.speak(plan, clients, asks)
    versions = mailing.versions()
    waves = mailing.campaigns(plan, asks, versions[RELATIONAL])
    reminded = mailing.reminders(plan, asks, voices)
    invited = mailing.invitations(plan, asks, versions, waves, voices, reminded)
    mails = machines.mails_since(asks, reminded, touches.Days(plan).start)
    writing.pour(ClientEvent, events)
    writing.pour(Hit, machines.make_hits(plan, asks, invited, voices, mails))
    writing.pour(Touchpoint, touches.make_touches(plan, clients, visits))
    machines.trace(at=plan.now)
    old_wave.write(plan, old_wave.make_replies(plan, clients))
    kept["reference"] = _reference(plan)
    return _Bank(clients, voices, invited, mailing.questions(versions), kept)


def _reference(plan: Plan) -> list[int]:
    """Freeze what engagement is measured by from the bank's own history."""
    try:
        reference = references.rebase(at=plan.now, by=None, force=True)
    except references.NotPossible:
        return []
    robustness.report_missing(at=plan.now)
    return [reference.version]


def _say(plan: Plan, bank: _Bank) -> tuple[str, list[str]]:
    """Redraw the scores alone until the truths hold; the suffix, and what is missed at the end."""
    best: tuple[int, str, list[str]] | None = None
    for attempt in range(REDRAWS + 1):
        drawn = replace(plan, suffix=f"/{attempt}" if attempt else "")
        replies = answering.make_replies(drawn, bank.voices, bank.asked)
        missed = truths.missed(drawn, bank.firms, replies)
        if not missed:
            _write(drawn, bank, replies)
            missed = acceptance.missed(drawn)
            if not missed:
                return drawn.suffix, []
            flushing.forget_responses()
        if best is None or len(missed) < best[0]:
            best = (len(missed), drawn.suffix, missed)
    # Another seed or day may show less; the bank is of use all the same.
    drawn = replace(plan, suffix=best[1] if best else "")
    _write(drawn, bank, answering.make_replies(drawn, bank.voices, bank.asked))
    return drawn.suffix, list(
        dict.fromkeys([*acceptance.missed(drawn), *(best[2] if best else [])])
    )


def _write(plan: Plan, bank: _Bank, replies: Sequence[Reply]) -> None:
    mailing.responses(plan, replies, bank.invited, bank.asked)
    recompute.refresh_all(at=plan.now)


def _rows() -> dict[str, int]:
    return {model._meta.model_name or "": model.objects.count() for model in COUNTED}
