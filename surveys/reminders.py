"""The one reminder of an invitation: queued after some working days, judged when it leaves.

A reminder is a delivery of its own kind for the same invitation, so the ledger knows at most one
of them and its link is the same. Whether it still may go is asked when it is sent: who has
answered, opted out or is left alone meanwhile gets none, and its row says why.
"""

from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from bank import audit
from bank import settings as values
from bank.models import ApiKey, User
from surveys import campaigns, governance, invitations, occasions
from surveys.models import Campaign, Delivery, Invitation, Trigger, Version

REMINDER = Delivery.Kind.REMINDER
# Nobody is reminded of a mail that is still being sent to others, or was stopped.
STATUSES = (Campaign.Status.SENDING, Campaign.Status.COLLECTING)
BLOCK = 1_000


def plan_due(at: datetime) -> int:
    """Queue the reminders whose working days are over; return how many. Twice does no more."""
    rules = governance.book()
    ready = _ready(rules, at=at)
    if ready is None:
        return 0
    done = 0
    while True:
        found = _queue(ready, rules, at=at, by=None)
        done += found
        if found < BLOCK:
            return done


def remind(campaign: Campaign, *, at: datetime, by: User | ApiKey | None) -> int:
    """Remind at once everybody of a campaign who has not answered and was not reminded before.

    Only while answers are being collected. The rules of sending, the hours included, are asked
    as for every other mail.
    """
    if not Campaign.objects.filter(pk=campaign.pk, status=Campaign.Status.COLLECTING).exists():
        raise campaigns.NotPossible("wrong_status")
    rules = governance.book()
    found = _with_text(_unreminded(at).filter(campaign=campaign))
    done = 0
    while True:
        some = _queue(found, rules, at=at, by=by)
        done += some
        if some < BLOCK:
            return done


def waiting(campaign: Campaign, *, at: datetime) -> int:
    """How many the act would remind now."""
    return _with_text(_unreminded(at).filter(campaign=campaign)).count()


def _unreminded(at: datetime) -> QuerySet[Invitation]:
    """Open invitations for which no reminder was ever planned."""
    planned = Delivery.objects.filter(invitation=OuterRef("pk"), kind=REMINDER)
    return Invitation.objects.open(at).filter(~Exists(planned), test_of__isnull=True)


def _ready(rules: governance.Book, *, at: datetime) -> QuerySet[Invitation] | None:
    """Those whose number of working days is over, by their campaign or trigger; or nobody."""
    usual = values.get("reminder_after_working_days")
    going = Campaign.objects.filter(status__in=STATUSES)
    numbers = {usual, *going.values_list("remind_after", flat=True).distinct().order_by()}
    numbers |= {*Trigger.objects.values_list("remind_after", flat=True).distinct().order_by()}
    over = Q()
    for days in sorted(number for number in numbers if number):
        over |= Q(days=days, sent_at__lt=_cutoff(days, rules, at=at))
    if not over:
        return None
    asked = Q(campaign__status__in=STATUSES) | Q(occasion__trigger__is_active=True)
    chosen = Coalesce("campaign__remind_after", "occasion__trigger__remind_after", Value(usual))
    return _with_text(_unreminded(at).filter(asked).annotate(days=chosen).filter(over))


def _cutoff(days: int, rules: governance.Book, *, at: datetime) -> datetime:
    """So many working days are over for what left before this instant."""
    tomorrow = occasions.day(at) + timedelta(days=1)
    return occasions.midnight(rules.calendar.add(tomorrow, -days))


def _with_text(found: QuerySet[Invitation]) -> QuerySet[Invitation]:
    """Without those whose questionnaire has no reminder in their language."""
    versions = Version.objects.filter(pk__in=found.order_by().values("version"))
    silent = Q()
    for pk, emails in versions.values_list("pk", "emails"):
        mail = (emails or {}).get(REMINDER.value) or {}
        for language in ("zh", "en"):
            if not (mail.get(f"subject_{language}") and mail.get(f"body_{language}")):
                silent |= Q(version=pk, language=language)
    return found.exclude(silent) if silent else found


@transaction.atomic
def _queue(
    found: QuerySet[Invitation],
    rules: governance.Book,
    *,
    at: datetime,
    by: User | ApiKey | None,
) -> int:
    """Write the next reminders, and one line of the audit trail for each campaign."""
    rows = list(
        found.select_related("contact", "campaign", "occasion__trigger")
        .defer("variables", "campaign__audience")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("pk")[:BLOCK]
    )
    # Two sweeps at one moment may both find a row; the ledger takes the first of them only.
    Delivery.objects.bulk_create(
        (_reminder(row, rules, at=at) for row in rows), ignore_conflicts=True
    )
    _note(rows, at=at, by=by)
    return len(rows)


def _reminder(invitation: Invitation, rules: governance.Book, *, at: datetime) -> Delivery:
    campaign = invitation.campaign
    any_hour = campaign is not None and not campaign.send_window
    first = at if any_hour else rules.next_send(invitation.contact, at=at)
    return invitations.delivery(invitation, first=first, kind=REMINDER)


def _note(rows: list[Invitation], *, at: datetime, by: User | ApiKey | None) -> None:
    waves = {row.campaign_id: row.campaign for row in rows}
    for pk, count in Counter(row.campaign_id for row in rows).items():
        wave = waves[pk]
        if wave is not None:
            audit.record("campaign.remind", wave, at=at, by=by, data={"reminders": count})
    triggers = Counter(row.occasion.trigger.code for row in rows if row.occasion is not None)
    if triggers:
        data = {"reminders": triggers}
        audit.record("trigger.remind", "surveys:triggers", at=at, by=by, data=data)
