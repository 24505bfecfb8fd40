"""The shipped triggers, and what in the invented bank sets one off."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings

from clients.models import Case, ClientEvent, Milestone
from cxportal.demo.deals import Deal
from cxportal.demo.firms import Firm
from cxportal.demo.streams import Plan

# Days between two invitations of one client by the same trigger, from the notes of the triggers.
CLIENT_GAPS = {"TR12": 60, "TR14": 180}
# Once for each case, whatever comes later.
_ONCE = {"first_drawdown", "approval_communicated"}
_PF_MARKS = {
    "approval_communicated": "credit_approval",
    "first_drawdown": "first_drawdown",
    "cod_reached": "cod",
}


@dataclass(frozen=True)
class Trigger:
    """One rule of whom to ask after what."""

    code: str
    kind: str
    events: tuple[str, ...]
    questionnaire: str
    jobs: tuple[str, ...]
    delay: int
    valid: int
    places: int
    cooldown: int
    share: float
    context: str


@dataclass
class Cause:
    """Something that happened and lets a trigger ask."""

    trigger: Trigger
    ordinal: str
    firm: Firm
    day: date
    deal: Deal | None = None
    milestone: Milestone | None = None
    mark: str = ""


def shipped() -> list[Trigger]:
    """The triggers that write mails, as the case model ships them; the waves are apart."""
    path = settings.BASE_DIR / "reference" / "case_model.json"
    rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["triggers"]
    return [
        Trigger(
            code=row["code"],
            kind=row["case_type"],
            events=tuple(row["events"]),
            questionnaire=row["questionnaire"],
            jobs=tuple(row["targets"]),
            delay=row["delay_working_days"],
            valid=row["link_valid_days"],
            places=row["max_contacts"],
            cooldown=row["cooldown_days"],
            share=row["sample_share"],
            context=row["context"] or "",
        )
        for row in rows
        if row["delivery"] == "email" and row["code"] != "TR18"
    ]


def causes(
    plan: Plan,
    firms: Sequence[Firm],
    deals: Sequence[Deal],
    events: Sequence[ClientEvent],
    visits: Sequence[tuple[Firm, datetime]],
) -> Iterator[Cause]:
    """All that set a trigger off within the history of the bank."""
    rules = _by_event()
    since = plan.as_of - timedelta(days=1_090)
    for deal in deals:
        for cause in _of_deal(plan, deal, rules):
            if cause.day > since:
                yield cause
    owners = {firm.row.code: firm for firm in firms}
    for event in events:
        trigger = rules.get(("client", f"client:{event.event}"))
        if trigger is not None and since < event.occurred_at.date() < plan.as_of:
            ordinal = f"{trigger.code}/{event.external_id}"
            day, firm = event.occurred_at.date(), owners[event.client.code]
            yield Cause(trigger, ordinal, firm, day, mark=trigger.context)
    trigger = rules["loan", "touchpoint:site_visit"]
    for firm, at in visits:
        ordinal = f"{trigger.code}/{firm.ordinal}-{at:%y%m%d}"
        yield Cause(trigger, ordinal, firm, at.date(), mark=trigger.context)


def _by_event() -> dict[tuple[str, str], Trigger]:
    """The triggers by kind of case and event; those of any case stand under both kinds."""
    found = {}
    for row in shipped():
        kinds = Case.Kind.values if row.kind == "any" else [row.kind]
        found.update({(kind, event): row for kind in kinds for event in row.events})
    return found


def _of_deal(plan: Plan, deal: Deal, rules: dict[tuple[str, str], Trigger]) -> Iterator[Cause]:
    """The steps and milestones of one case that let somebody be asked."""
    seen: set[str] = set()
    for milestone in deal.milestones:
        if milestone.occurred_at is None:
            continue
        for event in _names(milestone):
            trigger = rules.get((deal.case.kind, event))
            if trigger is None or event in seen:
                continue
            if event in _ONCE:
                seen.add(event)
            ordinal = f"{trigger.code}/{milestone.external_id}"
            if trigger.share < 1 and plan.stream("sample", ordinal).random() >= trigger.share:
                continue
            mark = trigger.context or _PF_MARKS.get(event, milestone.code)
            day = milestone.occurred_at.date()
            yield Cause(trigger, ordinal, deal.firm, day, deal, milestone, mark)


def _names(milestone: Milestone) -> tuple[str, ...]:
    if milestone.event:
        return (milestone.event, f"stage:{milestone.code}")
    return (f"milestone:{milestone.code}",)
