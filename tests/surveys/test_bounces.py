"""Too many bounces pause a campaign by itself, once for the same ones."""

from datetime import timedelta

import pytest
from django.utils import translation

from bank import settings as values
from bank.models import AuditEntry
from surveys import bounces, campaigns, sending, words
from surveys.models import Campaign, Delivery
from tests.factories import NOW, make_client, make_contact, make_draft
from tests.sinks import Sink

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_connection():
    """One mail after the other: with several, those of the same round are on their way."""
    values.put("smtp_connections", 1, at=NOW, by=None)


SECOND = timedelta(seconds=1)


@pytest.fixture
def relay(settings):
    """A relay that knows nobody whose address begins with `no`."""
    refuse = "550 5.1.1 no such user"
    with Sink(rcpt=lambda address: refuse if address.startswith("no") else None) as sink:
        settings.EMAIL_URL = sink.url
        yield sink


def launch(*addresses):
    for address in addresses:
        make_contact(make_client(), email=address)
    return campaigns.launch(make_draft(), at=NOW, by=None)


def drain(at=NOW):
    return sending.drain(clock=lambda: at)


def standing(campaign):
    campaign.refresh_from_db()
    return campaign.status, campaign.pause_reason


def apart(count, name):
    """Addresses of as many domains."""
    return [f"{name}{number}@{name}{number}.example" for number in range(count)]


def test_third_bounce_in_a_row_from_one_domain_pauses_before_the_next_mail(relay):
    campaign = launch(*(f"no{n}@Gone.example" for n in range(3)), "yes@there.example")
    assert drain() == sending.Drained(failed=3, passed=1)
    reason = {"code": "domain_bounces", "domain": "gone.example", "count": 3}
    assert standing(campaign) == ("paused", reason)
    assert relay.recipients == []
    entry = AuditEntry.objects.get(act="campaign.hold")
    assert (entry.actor, entry.data) == (None, reason)
    with translation.override("en"):
        said = words.pause(campaign.pause_reason)
    assert said == "3 mails in a row to gone.example bounced"


def test_a_mail_that_arrives_breaks_the_row(relay):
    addresses = ["no1@a.example", "no2@a.example", "yes@a.example", "no3@a.example"]
    campaign = launch(*addresses, "no4@a.example", "no5@other.example")
    assert drain() == sending.Drained(sent=1, failed=5)
    assert standing(campaign) == ("sending", {})


def test_sixth_bounce_of_the_first_hundred_pauses(relay):
    campaign = launch(*apart(3, "no"), *apart(2, "yes"), *apart(5, "nobody"))
    assert drain() == sending.Drained(sent=2, failed=6, passed=2)
    assert standing(campaign) == ("paused", {"code": "bounces", "count": 6, "first": 100})


def test_bounces_after_the_first_hundred_do_not_count(monkeypatch, relay):
    monkeypatch.setattr(bounces, "FIRST", 7)
    campaign = launch(*apart(5, "no"), *apart(2, "yes"), *apart(4, "nobody"))
    assert drain() == sending.Drained(sent=2, failed=9)
    assert standing(campaign) == ("sending", {})


def test_resumed_campaign_does_not_pause_again_for_the_same_bounces(relay, staff):
    addresses = [f"no{n}@gone.example" for n in range(5)]
    campaign = launch(*addresses, "yes@there.example")
    drain()
    campaigns.resume(campaign, at=NOW + SECOND, by=staff.admin)
    assert drain(NOW + SECOND) == sending.Drained(sent=1, failed=2)
    assert standing(campaign) == ("sending", {})
    assert AuditEntry.objects.filter(act="campaign.hold").count() == 1


def test_resumed_campaign_pauses_for_new_bounces(relay, staff):
    campaign = launch(*(f"no{n}@gone.example" for n in range(7)))
    drain()
    campaigns.resume(campaign, at=NOW + SECOND, by=staff.admin)
    assert drain(NOW + SECOND) == sending.Drained(failed=3, passed=1)
    assert standing(campaign)[0] == "paused"
    assert AuditEntry.objects.filter(act="campaign.hold").count() == 2


def test_bounce_told_by_the_relay_afterwards_counts_too(relay):
    campaign = launch(*(f"yes{n}@gone.example" for n in range(3)))
    drain()
    for place, delivery in enumerate(Delivery.objects.order_by("pk"), start=1):
        moment = NOW + place * SECOND
        Delivery.objects.filter(pk=delivery.pk).update(state="bounced", settled_at=moment)
        assert bounces.watch(delivery, at=moment) == (place == 3)
    assert standing(campaign)[0] == "paused"


def test_letter_that_cannot_be_made_is_no_bounce(relay):
    campaign = launch(*apart(7, "yes"))
    Delivery.objects.update(state="failed", last_error="Unfillable: x", settled_at=NOW)
    assert not bounces.watch(Delivery.objects.first(), at=NOW)
    assert standing(campaign) == ("sending", {})


def test_ended_campaign_stays_ended(relay):
    campaign = launch(*apart(7, "no"))
    campaigns.stop(campaign, at=NOW, by=None)
    Delivery.objects.update(state="failed", relay_reply="550", settled_at=NOW)
    assert not bounces.watch(Delivery.objects.first(), at=NOW)
    assert (standing(campaign)[0], Campaign.objects.get().watched_from) == ("stopped", None)


def test_sending_without_a_bounce_asks_nothing_more(relay, django_assert_num_queries):
    launch("yes@there.example")
    delivery = Delivery.objects.select_related("invitation__campaign").get()
    drain()
    delivery.invitation.campaign = None
    with django_assert_num_queries(0):
        assert not bounces.watch(delivery, at=NOW)
