"""How far the sending of a campaign has come: its counter, its speed, its end, what went wrong."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils.translation import gettext, gettext_noop

from bank import workdays
from bank.models import User
from bank.words import said
from surveys import bounces, governance, queries
from surveys.models import Campaign, Delivery, Invitation
from surveys.queries import Funnel

State = Delivery.State
LEFT = (State.SENT, State.DELIVERED, State.BOUNCED)
TO_COME = (State.QUEUED, State.CLAIMED, State.SENDING, State.RETRY)
# The speed is that of the last minutes, and only known once a mail or two have left.
WINDOW = timedelta(minutes=5)
SHORTEST = timedelta(seconds=5)
EVENTS = 10
# Enhanced codes, or the plain ones where the relay gives no other.
_BOUNCES = (
    ("mailbox", re.compile(r"\b5\.1\.\d|\b5\.2\.1\b")),
    ("full", re.compile(r"\b[45]\.2\.2\b")),
    ("policy", re.compile(r"\b5\.7\.\d")),
    ("mailbox", re.compile(r"\b55[013]\b(?!.*\b5\.\d\.\d)")),
    ("full", re.compile(r"\b552\b(?!.*\b5\.\d\.\d)")),
    ("policy", re.compile(r"\b554\b(?!.*\b5\.\d\.\d)")),
)
_NAMES = {
    "mailbox": gettext_noop("no such mailbox"),
    "full": gettext_noop("mailbox full"),
    "policy": gettext_noop("refused by a rule of the recipient"),
    "other": gettext_noop("other reasons"),
}


@dataclass(frozen=True)
class Event:
    """One line of the ledger: when, whom it was for, which mail, and what came of it."""

    at: datetime
    contact: str
    client: str
    kind: str
    state: str
    said: str
    remark: str


@dataclass(frozen=True)
class Progress:
    """The mails of a campaign at one instant; what is not known is None."""

    running: bool
    sent: int
    to_send: int
    rate: float | None
    ends_at: datetime | None
    bounced: Mapping[str, int]
    events: list[Event]
    funnel: Funnel

    @property
    def settled(self) -> int:
        """Mails of which nothing more is to come."""
        return self.to_send - self.funnel.waiting

    @property
    def percent(self) -> int:
        """How much of what is to be sent is settled; all of nothing is done."""
        return 100 * self.settled // self.to_send if self.to_send else 100


def of(campaign: Campaign, *, viewer: User, at: datetime) -> Progress:
    """Read the progress in a number of queries that does not depend on the number of mails."""
    counted = queries.funnel(campaign, viewer=viewer)
    mails = _mails(campaign, viewer)
    running = campaign.status == Campaign.Status.SENDING
    rate = _rate(mails, at=at) if running else None
    return Progress(
        running=running,
        sent=counted.sent,
        to_send=counted.planned - sum(counted.skipped.values()),
        rate=rate,
        ends_at=_ends(campaign, mails, counted.waiting, rate, at=at),
        bounced=_bounced(mails),
        events=_events(campaign, viewer),
        funnel=counted,
    )


def reasons() -> Mapping[str, str]:
    """The kinds of bounces in words."""
    return said(_NAMES)


def kind(reply: str) -> str:
    """Why a mail bounced, by what the relay said."""
    return next((name for name, code in _BOUNCES if code.search(reply)), "other")


def _mails(campaign: Campaign, viewer: User) -> QuerySet[Delivery]:
    theirs = Invitation.objects.visible_to(viewer).filter(campaign=campaign)
    return Delivery.objects.filter(
        invitation__in=theirs.values("pk"), kind=Delivery.Kind.INVITATION
    )


def _rate(mails: QuerySet[Delivery], *, at: datetime) -> float | None:
    """Mails a minute over the last minutes; None until it can be told."""
    found = mails.filter(state__in=LEFT, sent_at__gt=at - WINDOW, sent_at__lte=at).aggregate(
        count=Count("pk"), first=Min("sent_at")
    )
    if found["count"] < 2 or at - found["first"] < SHORTEST:
        return None
    minutes = (at - found["first"]) / timedelta(minutes=1)
    return float((found["count"] - 1) / minutes)


def _ends(
    campaign: Campaign,
    mails: QuerySet[Delivery],
    waiting: int,
    rate: float | None,
    *,
    at: datetime,
) -> datetime | None:
    """When the last mail will have left at this speed, within the hours for mail."""
    if not rate or not waiting:
        return None
    needed = timedelta(minutes=waiting / rate)
    # Mails that are spread over weeks, or tried again later, do not leave before their time.
    last = mails.filter(state__in=TO_COME).aggregate(last=Max("next_try_at"))["last"] or at
    rules = governance.book()
    if not campaign.send_window or not rules.acts("quiet_hours"):
        return max(at + needed, last)
    windows = rules.parameters["quiet_hours"]
    try:
        return max(rules.calendar.spent(at, needed, settings.ZONE, windows), last)
    except workdays.NoWorkday:
        return None


def _bounced(mails: QuerySet[Delivery]) -> dict[str, int]:
    """How many bounced for which reason, the most frequent first; too many pause a campaign."""
    replies = mails.filter(bounces.BOUNCED).values_list("last_error", "relay_reply")
    counts = Counter(kind(f"{error} {reply}") for error, reply in replies.iterator())
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _events(campaign: Campaign, viewer: User) -> list[Event]:
    """What the ledger wrote down last, reminders included."""
    theirs = Invitation.objects.visible_to(viewer).filter(campaign=campaign)
    rows = (
        Delivery.objects.filter(
            ~Q(state__in=[State.QUEUED, State.CLAIMED]),
            invitation__in=theirs.values("pk"),
            settled_at__isnull=False,
        )
        .select_related("invitation__contact", "invitation__client")
        .defer("invitation__variables")
        .order_by("-settled_at", "-pk")[:EVENTS]
    )
    return [_event(row) for row in rows]


def _event(row: Delivery) -> Event:
    remark = ""
    if row.state in {State.FAILED, State.BOUNCED, State.RETRY}:
        remark = row.relay_reply or row.last_error
    return Event(
        at=row.settled_at or row.next_try_at,
        contact=row.invitation.contact.name,
        client=row.invitation.client.short,
        kind=str(row.get_kind_display()),
        state=row.state,
        said=str(row.get_state_display()),
        remark=remark,
    )


def said_of(found: Progress) -> str:
    """What is announced at each quarter of the way."""
    return gettext("%(percent)d%% sent: %(done)d of %(all)d") % {
        "percent": found.percent,
        "done": found.settled,
        "all": found.to_send,
    }
