"""Generates the invented bank, measures it by the product's own act, checks the planted truths."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import transaction

from bank import audit
from bank.models import Setting
from clients.models import Case, Client, Contact, Milestone
from cxportal.demo import answering, asking, firms, lending, people, staff, truths, writing
from cxportal.demo.answering import Reply
from cxportal.demo.asking import Ask
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan
from metrics import recompute
from surveys.models import Invitation, Response

STATE_KEY = "demo_bank"
REDRAWS = 20
COUNTED = (Client, Contact, Case, Milestone, Invitation, Response)


class NotEmpty(Exception):
    """The database holds clients that are not the demonstration's, or another demonstration."""


class Missed(Exception):
    """No redraw of the scores made the planted truths hold."""


@dataclass(frozen=True)
class Seeded:
    """What was generated: rows by kind, and the suffix of the score stream that was needed."""

    made: bool
    suffix: str
    rows: dict[str, int]


def seed(*, size: str, number: int, as_of: date, at: datetime) -> Seeded:
    """Generate the bank once; a second call with the same numbers changes nothing."""
    plan = Plan(size, number, as_of)
    if Client.objects.filter(is_demo=False).exists():
        raise NotEmpty("This database holds clients of its own; the demo bank stays out of it.")
    state = Setting.objects.filter(key=STATE_KEY).first()
    if state is not None and Client.objects.exists():
        if [state.value["size"], state.value["seed"]] != [size, number]:
            raise NotEmpty("Another demo bank is here; use --flush first.")
        return Seeded(made=False, suffix=state.value["suffix"], rows=_rows())
    with transaction.atomic():
        suffix = _generate(plan)
        Setting.objects.update_or_create(
            key=STATE_KEY,
            defaults={"value": {"size": size, "seed": number, "suffix": suffix}},
        )
        for model in COUNTED:
            name = model._meta.label_lower
            audit.record("demo.seed", f"{name}:*", at=at, data={"rows": model.objects.count()})
    recompute.refresh_all(at=max(plan.now, at))
    return Seeded(made=True, suffix=suffix, rows=_rows())


def flush(*, at: datetime) -> int:
    """Remove the invented bank again."""
    with transaction.atomic():
        removed = writing.flush()
        Setting.objects.filter(key=STATE_KEY).delete()
        audit.record("demo.flush", "demo:*", at=at, data={"rows": removed})
    recompute.refresh_all(at=at)
    return removed


def _generate(plan: Plan) -> str:
    """Draw and write everything; return the suffix of the scores that met the truths."""
    teams = staff.make_teams()
    clients = firms.make_firms(plan, teams, staff.make_staff(plan, teams))
    people.add_people(plan, clients)
    deals = lending.make_deals(plan, clients)
    asks = asking.make_asks(plan, clients, deals)
    versions = writing.versions()
    questions = writing.questions(versions)
    replies, suffix = _replies(plan, clients, asks, questions)
    writing.clients(clients)
    writing.contacts(plan, clients)
    writing.cases(deals)
    waves = writing.campaigns(plan, asks, versions[asking.RELATIONAL])
    invited = writing.invitations(plan, asks, versions, waves)
    writing.responses(plan, replies, invited, questions)
    return suffix


def _replies(
    plan: Plan, clients: Sequence[Firm], asks: list[Ask], questions: truths.Questions
) -> tuple[list[Reply], str]:
    """Redraw the scores alone until the truths hold."""
    silent = answering.silent_firms(plan, list(clients))
    for attempt in range(REDRAWS + 1):
        drawn = replace(plan, suffix=f"/{attempt}" if attempt else "")
        replies = answering.make_replies(drawn, asks, silent, questions)
        missed = truths.missed(drawn, clients, replies)
        if not missed:
            return replies, drawn.suffix
    raise Missed("; ".join(missed))


def _rows() -> dict[str, int]:
    return {model._meta.model_name or "": model.objects.count() for model in COUNTED}
