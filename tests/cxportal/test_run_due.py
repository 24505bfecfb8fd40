"""`run_due`: every timed list once, in process, with no broker to be heard."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from bank.models import AuditEntry
from cxportal import timetable
from cxportal.celery import app
from cxportal.timetable import TIMETABLE
from metrics.models import ClientState
from surveys import campaigns
from surveys.models import Campaign, Delivery, Response
from tests.factories import NOW, make_client, make_contact, make_draft, make_version
from tests.sinks import Sink

pytestmark = pytest.mark.django_db


@pytest.fixture
def relay(settings):
    with Sink() as sink:
        settings.EMAIL_URL = sink.url
        yield sink


def run_due(at=NOW) -> list[str]:
    out = StringIO()
    call_command("run_due", "--at", at.isoformat(), stdout=out, stderr=out)
    return [line.partition(":")[0] for line in out.getvalue().splitlines()]


def test_all_lists_are_worked_in_the_order_in_which_they_feed_each_other(relay):
    assert run_due() == [
        *("campaigns", "write", "invite", "remind", "settle", "send", "close"),
        *("delivered", "visits", "refresh", "nightly", "robustness", "audit"),
    ]


def test_beat_rings_what_the_command_does_and_nothing_else(settings):
    rung = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert rung - {timed.task for timed in TIMETABLE} == {"cxportal.tasks.heartbeat"}
    app.loader.import_default_modules()
    assert app.tasks.keys() >= rung
    assert all(entry["options"]["expires"] for entry in settings.CELERY_BEAT_SCHEDULE.values())
    # Two bells that ring at the same time have different names.
    assert len(timetable.beat()) == len({timed.task for timed in TIMETABLE if timed.task})


def test_every_act_of_the_timetable_can_be_called_at_an_instant(relay):
    for _name, work in timetable.steps(lambda: NOW):
        work()


def test_missed_passes_are_caught_up_once(relay):
    contact = make_contact(make_client())
    campaigns.launch(make_draft(send_at=NOW), at=NOW, by=None)
    # Nobody looks for three days; then two look at once, and one of them again an hour before.
    late = NOW + timedelta(days=3)
    for at in (late, late, late - timedelta(hours=1), late + timedelta(hours=1)):
        run_due(at)
    assert relay.recipients == [contact.email]
    assert AuditEntry.objects.filter(act="campaign.advance").count() == 1


def test_due_mail_is_sent_and_the_campaign_goes_on(relay):
    contact = make_contact(make_client())
    campaign = campaigns.launch(make_draft(send_at=NOW + timedelta(hours=1)), at=NOW, by=None)
    run_due()
    assert relay.recipients == []
    run_due(NOW + timedelta(hours=1))
    assert relay.recipients == [contact.email]
    assert Delivery.objects.get().state == "sent"
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.COLLECTING
    assert not AuditEntry.objects.filter(number__isnull=True).exists()


def test_second_pass_sends_nothing_again(relay):
    make_contact(make_client())
    campaigns.launch(make_draft(), at=NOW, by=None)
    run_due()
    run_due()
    assert len(relay.recipients) == 1


def test_new_answers_reach_the_figures(relay):
    client = make_client()
    Response.objects.create(
        response_id="R1",
        client=client,
        version=make_version(),
        language="zh",
        submitted_at=NOW - timedelta(days=1),
    )
    run_due()
    assert ClientState.objects.get(client_id=client.pk).responses == 1


def test_list_that_fails_does_not_keep_the_others_from_running(relay, settings):
    settings.EMAIL_URL = "smtp://["
    make_contact(make_client())
    campaigns.launch(make_draft(), at=NOW, by=None)
    with pytest.raises(CommandError, match=r"^Not done: send\.$"):
        run_due()
    assert not AuditEntry.objects.filter(number__isnull=True).exists()


def test_time_without_an_offset_is_of_the_reporting_zone(relay):
    make_contact(make_client())
    campaigns.launch(make_draft(send_at=NOW + timedelta(hours=1)), at=NOW, by=None)
    call_command("run_due", "--at", "2026-11-24T10:59", stdout=StringIO())
    assert relay.recipients == []
    call_command("run_due", "--at", "2026-11-24T11:00", stdout=StringIO())
    assert len(relay.recipients) == 1
