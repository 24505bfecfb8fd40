"""How far a campaign has come while it sends: counter, speed, end, bounces, last events."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from bank import reference
from surveys import campaigns, progress, sending
from surveys.models import Campaign, Delivery, Invitation
from tests.factories import NOW, make_client, make_contact, make_draft
from tests.sinks import Sink

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def launch(count, at=NOW, **fields):
    for _ in range(count):
        make_contact(make_client())
    return campaigns.launch(make_draft(**fields), at=at, by=None)


def send(count, *, at=NOW, apart=timedelta(seconds=10), **fields):
    """Let so many waiting mails leave one after the other, the last one at this moment."""
    rows = Delivery.objects.filter(state="queued").order_by("pk")[:count]
    for back, row in enumerate(reversed(rows)):
        moment = at - back * apart
        values = {"state": "sent", "sent_at": moment, "settled_at": moment} | fields
        Delivery.objects.filter(pk=row.pk).update(**values)
        Invitation.objects.filter(pk=row.invitation_id).update(state="invited", sent_at=moment)


def of(campaign, staff, at=NOW):
    return progress.of(Campaign.objects.get(pk=campaign.pk), viewer=staff.admin, at=at)


def test_counter_speed_and_end_are_measured(staff):
    campaign = launch(10)
    send(7)
    found = of(campaign, staff)
    assert (found.running, found.sent, found.to_send, found.percent) == (True, 7, 10, 70)
    assert found.rate == pytest.approx(6)
    assert found.ends_at == NOW + 3 * MINUTE / 6
    funnel = found.funnel
    parts = funnel.waiting + funnel.sent + funnel.failed + funnel.unknown
    assert funnel.planned == parts + sum(funnel.skipped.values()) == 10


def test_speed_and_end_are_unknown_before_two_mails_have_left_and_when_nothing_leaves(staff):
    campaign = launch(4)
    assert (of(campaign, staff).rate, of(campaign, staff).ends_at) == (None, None)
    send(1)
    assert (of(campaign, staff).rate, of(campaign, staff).ends_at) == (None, None)
    send(2)
    assert of(campaign, staff).rate is not None
    later = of(campaign, staff, NOW + 6 * MINUTE)
    assert (later.rate, later.ends_at) == (None, None)
    Campaign.objects.update(status="paused")
    assert of(campaign, staff).rate is None


def test_end_keeps_the_hours_for_mail(staff):
    campaign = launch(30, send_window=True)
    send(10, apart=MINUTE / 2)
    almost = datetime(2026, 11, 24, 2, 55, tzinfo=UTC)  # five minutes before eleven in Shanghai
    Delivery.objects.filter(state="sent").update(sent_at=almost - MINUTE)
    Delivery.objects.filter(pk=Delivery.objects.filter(state="sent").first().pk).update(
        sent_at=almost - 3 * MINUTE
    )
    found = of(campaign, staff, almost)
    assert found.rate == pytest.approx(3)
    # Twenty more at three a minute: five minutes now, the rest from half past two on.
    opens = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
    assert found.ends_at == opens + 20 * MINUTE / 3 - 5 * MINUTE


def test_end_is_not_before_the_last_mail_may_leave(staff):
    campaign = launch(10)
    send(5)
    last = NOW + timedelta(days=9)
    Delivery.objects.filter(state="queued").update(next_try_at=last)
    assert of(campaign, staff).ends_at == last


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("rcpt: 550 5.1.1 no such user", "mailbox"),
        ("rcpt: 550 unknown", "mailbox"),
        ("rcpt: 552 5.2.2 over quota", "full"),
        ("data: 554 5.7.1 spam", "policy"),
        ("rcpt: 550 5.7.1 not from you", "policy"),
        ("body: 554 no", "policy"),
        ("body: 571 no", "other"),
    ],
)
def test_bounces_are_told_by_reason(reply, kind):
    assert progress.kind(reply) == kind


def test_bounces_and_last_events_come_from_the_ledger(staff, settings):
    for name in ("no1", "no2", "full"):
        make_contact(make_client(), email=f"{name}@{name}.example")
    campaign = launch(12)
    answers = {"no": "550 5.1.1 no such user", "fu": "552 5.2.2 mailbox full"}
    with Sink(rcpt=lambda address: answers.get(address[:2])) as sink:
        settings.EMAIL_URL = sink.url
        sending.drain(clock=lambda: NOW)
    found = of(campaign, staff)
    assert found.bounced == {"mailbox": 2, "full": 1}
    assert (found.sent, found.funnel.failed, found.percent) == (12, 3, 100)
    assert len(found.events) == progress.EVENTS
    row = Delivery.objects.latest("settled_at", "pk")
    assert (found.events[0].contact, found.events[0].state) == (
        row.invitation.contact.name,
        "sent",
    )


def test_announcement_says_how_far_it_is(staff):
    campaign = launch(4)
    send(1)
    with translation.override("en"):
        assert progress.said_of(of(campaign, staff)) == "25% sent: 1 of 4"


@pytest.mark.parametrize("count", [2, 6])
def test_progress_takes_the_same_queries_for_few_and_for_many(
    staff, count, django_assert_num_queries
):
    campaign = Campaign.objects.get(pk=launch(count + 1, send_window=True).pk)
    send(count)
    # The funnel and who is still to be written down, speed, last mail, rules and calendar,
    # bounces, events.
    with django_assert_num_queries(8):
        progress.of(campaign, viewer=staff.admin, at=NOW)


@pytest.fixture
def admin(client, staff, settings):
    reference.load(at=timezone.now())
    settings.LANGUAGE_CODE = "en"
    client.force_login(staff.admin)
    client.cookies["django_language"] = "en"
    return client


def test_page_and_json_tell_the_same(admin):
    campaign = launch(4, at=timezone.now(), closes_at=timezone.now() + timedelta(days=9))
    send(2, at=timezone.now())
    page = admin.get(reverse("admin:surveys_campaign_change", args=[campaign.pk]))
    address = reverse("admin:surveys_campaign_progress", args=[campaign.pk])
    assert f'data-poll="{address}"' in page.content.decode()
    assert 'data-running="1"' in page.content.decode()
    answer = admin.get(address)
    found = json.loads(answer.content)
    assert (found["running"], found["sent"], found["to_send"], found["percent"]) == (
        (True, 2, 4, 50)
    )
    assert found["funnel"]["planned"] == 4
    assert found["said"] == "50% sent: 2 of 4"
    assert "<b>2</b> / 4" in found["html"]
    assert "no-store" in answer.headers["Cache-Control"]


def test_page_that_sends_nothing_is_not_looked_up_again(admin):
    campaign = launch(1, at=timezone.now(), closes_at=timezone.now() + timedelta(days=9))
    campaigns.hold(campaign, reason="bounces", at=NOW, data={"count": 6, "first": 100})
    page = admin.get(reverse("admin:surveys_campaign_change", args=[campaign.pk]))
    text = page.content.decode()
    assert 'data-running="0"' in text
    assert "6 of the first 100 mails bounced" in text


def test_progress_is_for_those_who_see_the_campaign(admin, client, staff):
    campaign = launch(1)
    address = reverse("admin:surveys_campaign_progress", args=[campaign.pk])
    assert admin.post(address).status_code == 405
    client.force_login(staff.lan)
    assert client.get(address).status_code in {302, 403, 404}
    client.logout()
    assert client.get(address).status_code == 302
