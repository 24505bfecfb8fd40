"""The page of the send ledger: what it shows of the relay, and how it is narrowed."""

import pytest
from django.urls import reverse
from django.utils import timezone

from bank import breaker, mail, reference
from bank import settings as values
from bank.replies import Outcome
from surveys import campaigns
from surveys.models import Delivery
from tests.factories import NOW, make_client, make_contact, make_draft

pytestmark = pytest.mark.django_db
QUERIES = 14


def page():
    return reverse("admin:surveys_delivery_changelist")


@pytest.fixture(autouse=True)
def english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def admin(staff, client):
    reference.load(at=timezone.now())
    client.force_login(staff.admin)
    client.cookies["django_language"] = "en"
    return client


def launch(count, name="One"):
    people = [make_contact(make_client()) for _ in range(count)]
    codes = [person.client.code for person in people]
    draft = make_draft(name=name, audience={"client_codes": codes})
    return campaigns.launch(draft, at=NOW, by=None)


def test_page_shows_relay_limits_and_mails_that_wait_for_a_person(admin, settings):
    settings.RELAY_LOG = "/var/log/mail.log"
    settings.EMAIL_URL = "smtp://relay.example:2525"
    launch(3)
    first = Delivery.objects.order_by("pk")[0]
    Delivery.objects.filter(pk=first.pk).update(
        state="unknown", losses=2, last_error="body: no verdict"
    )
    found = admin.get(page())
    relay = found.context["relay"]
    assert (relay["standing"].state, relay["unknown"], relay["held"]) == ("closed", 1, False)
    text = found.content.decode()
    for words in (
        "relay.example:2525",
        "as fast as the relay takes them",
        "/var/log/mail.log",
        "body: no verdict",
    ):
        assert words in text


def test_page_shows_the_breaker_the_rate_and_the_hold(admin, staff):
    now = timezone.now()
    values.put("mails_per_minute", 120, at=now, by=staff.admin)
    values.put("smtp_connections", 3, at=now, by=staff.admin)
    mail.hold(at=now, by=staff.admin)
    for _ in range(breaker.LIMIT):
        breaker.trouble(Outcome("relay", 0, "connection refused", "connect"), at=now)
    found = admin.get(page())
    relay, text = found.context["relay"], found.content.decode()
    assert (relay["rate"], relay["connections"]) == (120, 3)
    assert "5 failures in a row: the queue waits until" in text
    assert "connect: connection refused" in text
    assert "All outgoing mail is held." in text


def test_trial_of_a_half_open_breaker_is_told(admin):
    for _ in range(breaker.LIMIT):
        breaker.trouble(Outcome("relay", 0, "away", "connect"), at=NOW)
    found = admin.get(page())
    assert found.context["relay"]["standing"].state in {"half_open", "open"}


def test_list_is_narrowed_by_state_reason_and_campaign(admin):
    one, two = launch(2, "One"), launch(1, "Two")
    theirs = Delivery.objects.filter(invitation__campaign=two)
    theirs.update(state="skipped", reason="no_consent")

    def count(query):
        return admin.get(f"{page()}?{query}").context["cl"].result_count

    assert count(f"invitation__campaign__id__exact={one.pk}") == 2
    assert count("state__exact=skipped") == 1
    assert count("reason=no_consent") == 1
    assert count("") == 3


def test_page_costs_the_same_queries_for_one_mail_and_for_three(admin, django_assert_num_queries):
    launch(1)
    admin.get(page())
    with django_assert_num_queries(QUERIES):
        admin.get(page())
    launch(3, "Two")
    with django_assert_num_queries(QUERIES):
        admin.get(page())


def test_stranger_sees_no_ledger(staff, client):
    client.force_login(staff.chen)
    assert client.get(page()).status_code in {302, 403}
