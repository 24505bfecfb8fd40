"""Invitations that events bring about: whom each due occasion asks, or why nobody.

An occasion is judged once, in a short transaction with everything it writes. The rules of
sending judge each mail once more when it leaves.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from bank import audit
from clients.models import Client, Contact
from surveys import asking, governance, guards, occasions, picking
from surveys.models import Invitation, Occasion, Trigger

State = Occasion.State
BLOCK = 500


@dataclass
class Done:
    """What one pass did: events seen, contacts asked, and occasions without anybody, by reason."""

    seen: int = 0
    asked: int = 0
    passed: Counter[str] = field(default_factory=Counter)


@dataclass
class Past:
    """What became of earlier occasions of the same triggers, cases and clients."""

    cases: set[tuple[int, int]] = field(default_factory=set)
    clients: dict[tuple[int, int], datetime] = field(default_factory=dict)
    # Milestones on which somebody was asked in another way than by a trigger.
    elsewhere: set[int] = field(default_factory=set)
    barred: guards.Guards = field(default_factory=guards.Guards)

    def note(self, occasion: Occasion, *, at: datetime) -> None:
        """Remember that this occasion asked somebody."""
        trigger = occasion.trigger_id
        if occasion.case_id:
            self.cases.add((trigger, occasion.case_id))
        self.clients[(trigger, occasion.client_id)] = at


def invite_due(at: datetime, *, stop: Callable[[], bool] = lambda: False) -> Done:
    """See what is new, then ask on every occasion that is due; twice does nothing more."""
    done = Done(seen=occasions.look(at))
    rules = governance.book()
    while not stop():
        if not _block(rules, done, at=at):
            break
    return done


@transaction.atomic
def _block(rules: governance.Book, done: Done, *, at: datetime) -> int:
    """Judge the next occasions in order of priority; return how many there were."""
    # One pass at a time: the second sees what the first has written.
    list(Trigger.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
    rows = list(occasions.in_order(Occasion.objects.waiting().filter(due_at__lte=at))[:BLOCK])
    if not rows:
        return 0
    soon = _soon(rows, rules, at=at)
    waves = _waves(rules, at=at)
    desk = picking.load([*rows, *soon], at=at, rules=rules, also=[one for one, _day in waves])
    _look_ahead(desk, soon, [trigger for trigger, _day in waves])
    past, press = _past(desk, rows, at=at), asking.Press.load(desk, at=at)
    for row in rows:
        _judge(row, desk, past, press)
    press.write()
    fields = ["state", "reason", "refused", "judged_at", "due_at"]
    Occasion.objects.bulk_update(rows, fields)
    passed = Counter(row.reason for row in rows if row.state == State.PASSED)
    done.asked += len(press.invitations)
    done.passed += passed
    data = {"asked": Counter(press.triggers)}
    audit.record("trigger.invite", "surveys:triggers", at=at, data=data | {"passed": passed})
    return len(rows)


def _judge(row: Occasion, desk: picking.Desk, past: Past, press: asking.Press) -> None:
    """Decide on one occasion: its invitations go to the press, or its reason to the row."""
    row.judged_at = desk.at
    row.reason = _reason(row, past, at=desk.at)
    if not row.reason and press.version(row) is None:
        row.reason = "questionnaire_not_ready"
    if row.reason:
        row.state = State.PASSED
        return
    if row.pk in past.barred.uncalled:
        # Looked at again tomorrow: the manager may call until then.
        row.due_at = occasions.midnight(occasions.day(desk.at) + timedelta(days=1))
        return
    picked = desk.pick(row)
    row.refused |= {
        desk.people[pk].external_id: refusal.as_row() for pk, refusal in picked.refused.items()
    }
    asked = [contact for contact in picked.contacts if press.add(row, contact)]
    for contact in asked:
        _take(row, contact, desk)
    if asked:
        past.note(row, at=desk.at)
    _conclude(row, desk, picked, asked)


def _reason(row: Occasion, past: Past, *, at: datetime) -> str:
    """Why this occasion asks nobody, whoever there is to ask."""
    trigger = row.trigger
    opens = row.happened_at if row.slot else row.due_at
    days = trigger.wave_window_days if row.slot else None
    if opens + timedelta(days=days or trigger.link_valid_days) <= at:
        return occasions.TOO_OLD
    if row.milestone_id in past.elsewhere or (trigger.once and _was_asked(row, past)):
        return picking.ALREADY
    last = past.clients.get((trigger.pk, row.client_id))
    if last and last + timedelta(days=trigger.client_pause_days) > at:
        return "client_pause"
    if row.pk in past.barred.reasons:
        return past.barred.reasons[row.pk]
    return "" if picking.is_sampled(row) else "sampled_out"


def _was_asked(row: Occasion, past: Past) -> bool:
    if row.case_id:
        return (row.trigger_id, row.case_id) in past.cases
    return not row.slot and (row.trigger_id, row.client_id) in past.clients


def _take(row: Occasion, contact: Contact, desk: picking.Desk) -> None:
    """Let the occasions that follow see whom this one asks."""
    desk.asked[(contact.pk, "t", row.trigger_id)] = desk.at
    rank = row.trigger.priority
    desk.held[contact.pk] = min(rank, desk.held.get(contact.pk, rank))
    if row.milestone_id:
        desk.taken.add((row.milestone_id, contact.pk))
    if row.slot:
        desk.filled.add((row.pk, contact.buying_role or ""))


def _conclude(
    row: Occasion, desk: picking.Desk, picked: picking.Picked, asked: list[Contact]
) -> None:
    """Close the occasion, or keep a wave open for those who are free before it ends."""
    again = _free_in_wave(row, desk, picked) if row.slot else None
    if again is not None:
        row.due_at = again
        return
    if asked or any(pk == row.pk for pk, _role in desk.filled):
        row.state = State.ASKED
        return
    row.state = State.PASSED
    codes = {refusal.code for refusal in picked.refused.values()}
    if picked.contacts:
        row.reason = "missing_value"
    elif not picked.present:
        row.reason = "no_contact"
    else:
        special = (picking.RESERVED, picking.OUTRANKED)
        row.reason = next((code for code in special if code in codes), "no_eligible_contact")


def _free_in_wave(row: Occasion, desk: picking.Desk, picked: picking.Picked) -> datetime | None:
    """When the next contact of a role that nobody answers for yet is free again."""
    ends = row.happened_at + timedelta(days=row.trigger.wave_window_days or 0)
    open_ = {contact.pk for group in desk.groups(row) for contact in group}
    days = [
        refusal.free_on
        for pk, refusal in picked.refused.items()
        if refusal.free_on is not None and pk in open_
    ]
    if not days:
        return None
    # A day begins before the hour at which somebody is free on it.
    free = max(occasions.midnight(min(days)), desk.at + timedelta(hours=1))
    return free if free < ends else None


def _soon(rows: list[Occasion], rules: governance.Book, *, at: datetime) -> list[Occasion]:
    """What waits for the same clients and comes due within the days of the rule."""
    days = rules.parameters.get(picking.OUTRANKED) or 0
    clients = {row.client_id for row in rows}
    found = Occasion.objects.waiting().filter(
        client__in=clients, due_at__gt=at, due_at__lte=at + timedelta(days=days)
    )
    return list(occasions.in_order(found))


def _waves(rules: governance.Book, *, at: datetime) -> list[tuple[Trigger, datetime]]:
    """The waves that begin within the days of the rule: they keep their contacts free."""
    days = timedelta(days=rules.parameters.get(picking.OUTRANKED) or 0)
    return [
        (trigger, starts)
        for trigger in Trigger.objects.filter(
            is_active=True, delivery=Trigger.Channel.EMAIL, wave_window_days__isnull=False
        ).order_by("pk")
        for _slot, starts in occasions.waves(trigger, at)
        if at < starts <= at + days and starts >= trigger.active_since
    ]


def _look_ahead(desk: picking.Desk, soon: list[Occasion], waves: list[Trigger]) -> None:
    """Note for whom something of higher priority comes due soon, and whom a wave will ask."""
    for row in soon:
        if picking.is_sampled(row):
            for contact in desk.pick(row, rivals=False).contacts:
                rank = row.trigger.priority
                desk.future[contact.pk] = min(rank, desk.future.get(contact.pk, rank))
    clients = {contact.client_id: contact.client for contact in desk.people.values()}
    for trigger in waves:
        for client in clients.values():
            if client.status != Client.Status.ACTIVE or client.merged_into_id:
                continue
            wave = Occasion(trigger=trigger, client=client)
            for contact in desk.pick(wave, rivals=False).contacts:
                desk.reserved[contact.pk] = trigger.priority


def _past(desk: picking.Desk, rows: list[Occasion], *, at: datetime) -> Past:
    """Read what earlier occasions did; constant in queries."""
    past = Past()
    triggers = {row.trigger_id for row in rows}
    cases = {row.case_id for row in rows if row.case_id}
    milestones = {row.milestone_id for row in rows if row.milestone_id}
    asked = Occasion.objects.filter(
        Q(case__in=cases) | Q(client__in={row.client_id for row in rows}),
        trigger__in=triggers,
        state=State.ASKED,
    ).order_by("judged_at")
    for row in asked:
        past.note(row, at=row.judged_at or row.due_at)
    invited = Invitation.objects.filter(
        Q(milestone__in=milestones) | Q(occasion__in=[row.pk for row in rows])
    ).values_list("milestone", "contact", "occasion", "contact__buying_role")
    for milestone, contact, occasion, role in invited:
        if milestone:
            desk.taken.add((milestone, contact))
            if not occasion:
                past.elsewhere.add(milestone)
        if occasion:
            desk.filled.add((occasion, role or ""))
    past.barred = guards.load(rows, calendar=desk.rules.calendar, at=at)
    return past
