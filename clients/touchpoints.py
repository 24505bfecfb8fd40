"""What happened between the bank and a client: each event is recorded once, by its number."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from bank import audit
from bank.models import User
from clients import changes
from clients.models import Client, Contact, Touchpoint

# Numbers of the portal's own events; nobody else may give them.
OWN = "cx:"
LONGEST_MINUTES = 24 * 60


class Refused(Exception):
    """This cannot be recorded; `field` names what is wrong, the text says why, for people."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


class NotYours(Exception):
    """Only who logged a contact takes it back, and only on the same day."""


@dataclass(frozen=True)
class Logged:
    """A contact with a client as somebody of the bank remembers it; `key` is new for each."""

    key: UUID
    kind: str
    happened_at: datetime
    contact: Contact | None = None
    minutes: int | None = None


def own(name: str, **fields: Any) -> Touchpoint:
    """An event of the portal itself, not saved; the same name is the same event for ever."""
    return Touchpoint(event_id=f"{OWN}{name}", **fields)


def write(events: Iterable[Touchpoint], *, at: datetime) -> int:
    """Save the events that are not there yet, in the caller's transaction; return how many."""
    given = {event.event_id: event for event in events}
    if not given:
        return 0
    known = Touchpoint.objects.filter(event_id__in=given).values_list("event_id", flat=True)
    for number in set(known):
        del given[number]
    Touchpoint.objects.bulk_create(given.values(), ignore_conflicts=True)
    changes.note((event.client_id for event in given.values()), at=at)
    return len(given)


def remove(keys: Collection[int], *, at: datetime) -> None:
    """Take back events of the portal that turned out not to have been, in the transaction."""
    if not keys:
        return
    gone = Touchpoint.objects.filter(pk__in=keys, event_id__startswith=OWN)
    changes.note(list(gone.values_list("client", flat=True)), at=at)
    gone.delete()


def log(client: Client, what: Logged, *, at: datetime, by: User) -> Touchpoint:
    """Record a visit, meeting, call, event or reply; the same key again is the same event."""
    _check(client, what, at)
    number = f"{OWN}log:{what.key}"
    with transaction.atomic():
        # Two clicks on one button wait for each other here.
        Client.objects.select_for_update(no_key=True).values_list("pk").get(pk=client.pk)
        known = Touchpoint.objects.filter(event_id=number).first()
        if known is not None:
            if known.client_id != client.pk:
                raise Refused("", _("This number belongs to another client."))
            return known
        new = Touchpoint.objects.create(
            event_id=number,
            client=client,
            contact=what.contact,
            kind=what.kind,
            at=what.happened_at,
            duration_s=None if what.minutes is None else what.minutes * 60,
            logged_by=by,
            logged_at=at,
        )
        changes.note([client.pk], at=at)
        data = {"client": client.code, "kind": what.kind, "at": what.happened_at}
        audit.record("touchpoint.log", new, at=at, by=by, data=data)
    return new


def take_back(touchpoint: Touchpoint, *, at: datetime, by: User) -> None:
    """Remove what was logged by mistake: its logger may, until the end of the day."""
    with transaction.atomic():
        held = Touchpoint.objects.select_for_update().filter(pk=touchpoint.pk).first()
        if held is None:
            return
        if not may_take_back(held, at=at, by=by):
            raise NotYours(held.event_id)
        data = {"client": held.client_id, "kind": held.kind, "at": held.at}
        audit.record("touchpoint.take_back", held, at=at, by=by, data=data)
        changes.note([held.client_id], at=at)
        held.delete()


def may_take_back(touchpoint: Touchpoint, *, at: datetime, by: User) -> bool:
    """Whether this person logged it, today in the reporting zone."""
    logged = touchpoint.logged_at
    return (
        logged is not None
        and touchpoint.logged_by_id == by.pk
        and timezone.localdate(logged) == timezone.localdate(at)
    )


def _check(client: Client, what: Logged, at: datetime) -> None:
    if what.kind not in Touchpoint.TOGETHER:
        raise Refused("kind", _("Please choose what kind of contact it was."))
    if what.happened_at > at + timedelta(minutes=1):
        raise Refused("happened_at", _("The time lies in the future."))
    if what.contact is not None and what.contact.client_id != client.pk:
        raise Refused("contact", _("There is no such contact of this client."))
    if what.minutes is not None and not 1 <= what.minutes <= LONGEST_MINUTES:
        raise Refused("minutes", _("From 1 to %(most)s minutes.") % {"most": LONGEST_MINUTES})
