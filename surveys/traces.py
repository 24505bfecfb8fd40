"""What our own mails leave behind as touchpoints: each is delivered once and clicked at most once.

Both are written apart from sending and opening, in blocks, and found by a mark on the row that
is missing: a sweep that never came is made up for by the next one.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from django.db import transaction

from clients import touchpoints
from clients.models import Touchpoint
from surveys.models import Delivery, Version

BLOCK = 2_000
# A sweep ends after so many blocks; the next one goes on.
BLOCKS = 50
SOURCE = "email"
# A mail whose outcome is unknown and that was clicked has arrived.
LEFT = (
    Delivery.State.SENT,
    Delivery.State.DELIVERED,
    Delivery.State.BOUNCED,
    Delivery.State.SENDING,
    Delivery.State.UNKNOWN,
)


@dataclass(frozen=True)
class _Mail:
    """One mail that may have been clicked."""

    number: int
    invitation: int
    sent_at: datetime | None
    client: int
    contact: int
    attribution: str

    @property
    def click(self) -> str:
        """The number of the event that is its click."""
        return f"{touchpoints.OWN}click:{self.number}"

    def clicked(self, at: datetime) -> Touchpoint | None:
        """Its click; where nobody is to be named, without the person and without the instant."""
        nameless = self.attribution == Version.Attribution.ANONYMOUS_OPTIONAL
        moment = self.sent_at if nameless else at
        if moment is None:
            return None
        return touchpoints.own(
            f"click:{self.number}",
            client_id=self.client,
            contact_id=None if nameless else self.contact,
            kind=Touchpoint.Kind.MESSAGE_CLICK,
            at=moment,
            source=SOURCE,
        )


def record_sent(*, at: datetime) -> int:
    """Record every mail that was sent as delivered, once; return how many."""
    done = 0
    for _block in range(BLOCKS):
        found = _record_block(at)
        done += found
        if found < BLOCK:
            break
    return done


@transaction.atomic
def _record_block(at: datetime) -> int:
    rows = list(
        Delivery.objects.unrecorded()
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("pk")
        .values_list("pk", "sent_at", "invitation__client", "invitation__contact")[:BLOCK]
    )
    touchpoints.write(
        (
            touchpoints.own(
                f"delivered:{number}",
                client_id=client,
                contact_id=contact,
                kind=Touchpoint.Kind.MESSAGE_DELIVERED,
                at=sent_at,
                source=SOURCE,
            )
            for number, sent_at, client, contact in rows
        ),
        at=at,
    )
    Delivery.objects.filter(pk__in=[row[0] for row in rows]).update(recorded=True)
    return len(rows)


def settle_clicks(
    invitations: Collection[int], visits: Iterable[tuple[int, datetime]], *, at: datetime
) -> None:
    """Make the clicks of these invitations agree with all visits of persons; in a transaction.

    A click that no visit supports any more goes, one at another instant is written anew.
    """
    mails = _mails(invitations)
    first: dict[_Mail, datetime] = {}
    for invitation, moment in sorted(visits, key=lambda visit: visit[1]):
        mail = _behind(mails.get(invitation, []), moment)
        if mail is not None:
            first.setdefault(mail, moment)
    made = (mail.clicked(moment) for mail, moment in first.items())
    wanted = {click.event_id: click for click in made if click is not None}
    names = [mail.click for theirs in mails.values() for mail in theirs]
    touchpoints.remove(
        [
            row.pk
            for row in Touchpoint.objects.filter(event_id__in=names).only("event_id", "at")
            if row.event_id not in wanted or wanted[row.event_id].at != row.at
        ],
        at=at,
    )
    touchpoints.write(wanted.values(), at=at)


def _mails(invitations: Collection[int]) -> Mapping[int, list[_Mail]]:
    """The mails that went to these invitations, in the order in which they were planned."""
    rows = (
        Delivery.objects.filter(
            invitation__in=invitations, invitation__test_of__isnull=True, state__in=LEFT
        )
        .order_by("invitation", "pk")
        .values_list(
            "pk",
            "invitation",
            "sent_at",
            "invitation__client",
            "invitation__contact",
            "invitation__version__attribution",
        )
    )
    found = groupby((_Mail(*row) for row in rows), key=attrgetter("invitation"))
    return {invitation: list(mails) for invitation, mails in found}


def _behind(mails: list[_Mail], moment: datetime) -> _Mail | None:
    """The mail whose link was followed: all carry the same, so the last one sent before."""
    before = [mail for mail in mails if mail.sent_at is not None and mail.sent_at <= moment]
    return before[-1] if before else next(iter(mails), None)
