"""The buttons of a campaign, its wave, its checker and its lists, through the pages."""

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from bank import reference
from bank import settings as values
from bank.models import AuditEntry
from surveys import campaigns, rosters
from surveys.models import Campaign, Delivery, Invitation
from tests.factories import (
    make_client,
    make_contact,
    make_draft,
    make_mailed_version,
    make_user,
    make_visitor,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english(settings):
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def house(staff):
    reference.load(at=timezone.now())
    staff.admin2 = make_user("admin2", "administrator")
    return staff


@pytest.fixture
def admin(house):
    return at_desk(house.admin)


def at_desk(person):
    browser = make_visitor(person)
    browser.cookies["django_language"] = "en"
    return browser


def url(page, *args):
    return reverse(f"admin:surveys_campaign_{page}", args=args)


def draft(**fields):
    now = timezone.now()
    return make_draft(**{"at": now, "closes_at": now + timedelta(days=60)} | fields)


def words(response):
    return " ".join(response.content.decode().split())


def act(browser, campaign, verb, **data):
    page = words(browser.post(url("act", campaign.pk, verb), data, follow=True))
    campaign.refresh_from_db()
    return page


def verbs(page, campaign):
    return re.findall(rf"/campaign/{campaign.pk}/act/([a-z]+)/", page)


@pytest.mark.parametrize(
    ("status", "expected", "pages"),
    [
        ("draft", ["launch"], ["Test send", "Preview"]),
        ("scheduled", ["reschedule", "withdraw"], ["Test send", "Preview"]),
        ("sending", ["pause", "stop"], []),
        ("paused", ["resume", "stop"], []),
        ("collecting", ["remind", "close"], ["Results"]),
        ("closed", ["copy"], ["Results", "Export"]),
        ("stopped", ["copy"], ["Results"]),
        ("failed", ["retry"], ["Export failures"]),
    ],
)
def test_every_status_has_its_own_buttons_and_no_others(admin, status, expected, pages):
    make_contact(make_client())
    campaign = draft()
    version = campaign.questionnaire.versions.get()
    Campaign.objects.update(status=status, version=None if status == "draft" else version)
    page = words(admin.get(url("change", campaign.pk)))
    assert verbs(page, campaign) == expected
    shown = re.findall(r'class="button secondary"[^>]*>([^<]+)<', page)
    assert shown == pages
    word = Campaign.Status(status).label
    assert re.search(rf'class="badge badge-[a-z]+">{word}<', page)
    others = {"launch", "pause", "resume", "stop", "close", "copy", "retry", "withdraw"}
    for verb in sorted(others - set(expected)):
        answer = act(admin, campaign, verb, count="0")
        assert "The campaign&#x27;s status does not allow this." in answer
        assert campaign.status == status


def test_scheduled_campaign_is_moved_and_taken_back_by_its_buttons(admin):
    make_contact(make_client())
    start = timezone.now() + timedelta(days=1)
    campaign = draft(send_at=start)
    assert "Schedule" in words(admin.get(url("change", campaign.pk)))
    act(admin, campaign, "launch")
    assert campaign.status == "scheduled"
    assert f"{timezone.localtime(start):%Y-%m-%d %H:%M}" in words(admin.get(url("changelist")))
    assert "Enter a valid date/time." in act(admin, campaign, "reschedule", send_at="soon")
    later = timezone.localtime(start + timedelta(days=2)).replace(microsecond=0)
    times = {"send_at": f"{later:%Y-%m-%d %H:%M:%S}"}
    times["closes_at"] = f"{later + timedelta(days=30):%Y-%m-%d %H:%M:%S}"
    assert "The campaign is scheduled anew." in act(admin, campaign, "reschedule", **times)
    assert campaign.send_at == later
    times["closes_at"] = times["send_at"]
    assert "at least 5 days" in act(admin, campaign, "reschedule", **times)
    assert campaign.status == "scheduled"
    assert "Nothing has left." in act(admin, campaign, "withdraw")
    assert (campaign.status, Invitation.objects.count()) == ("draft", 0)


def test_two_administrators_launch_a_large_campaign(admin, house):
    values.put("campaign_checker_from", 1, at=timezone.now(), by=None)
    make_contact(make_client())
    campaign = draft(by=house.admin)
    page = words(admin.get(url("change", campaign.pk)))
    assert 'data-code="needs_checker"' in page
    assert '<a href="#checking">Put right</a>' in page
    assert verbs(page, campaign) == ["submit"]
    page = act(admin, campaign, "submit")
    assert "It waits for another administrator." in page
    assert verbs(page, campaign) == []
    assert "Another administrator must agree" in act(admin, campaign, "approve")
    second = at_desk(house.admin2)
    assert (
        verbs(words(second.get(url("change", campaign.pk))), campaign) == ["approve", "submit"][:1]
    )
    page = act(second, campaign, "approve")
    assert "Any change makes this void." in page
    assert verbs(page, campaign) == ["launch"]
    act(admin, campaign, "launch")
    assert campaign.status == "sending"
    assert AuditEntry.objects.get(act="campaign.approve").actor == house.admin2


def test_copy_is_a_draft_on_the_page_one_comes_to(admin):
    make_contact(make_client())
    campaign = campaigns.launch(draft(weeks=2), at=timezone.now(), by=None)
    campaigns.stop(campaign, at=timezone.now(), by=None)
    page = act(admin, campaign, "copy")
    copy = Campaign.objects.latest("pk")
    assert "This is the copy" in page
    assert (copy.name, copy.status, copy.weeks) == (f"{campaign.name} (copy)", "draft", 2)


def posted(version, **fields):
    closes = timezone.localtime() + timedelta(days=90)
    return {
        "name": "半年调查",
        "questionnaire": version.questionnaire_id,
        "closes_at_0": f"{closes:%Y-%m-%d}",
        "closes_at_1": "18:00:00",
        "client_codes": "",
        "segment": "corporate",
    } | fields


def test_wave_is_chosen_field_by_field_and_shown_by_week(admin, house):
    for _ in range(6):
        make_contact(make_client(team=house.east))
    wave = {"weeks": "3", "sample_share": "50", "team_places": "2"}
    wave |= {"share_decider": "0", "share_influencer": "0", "share_user": "100"}
    admin.post(url("add"), posted(make_mailed_version(), **wave))
    campaign = Campaign.objects.get()
    assert (campaign.weeks, campaign.sample_share, campaign.team_places) == (3, Decimal(50), 2)
    assert campaign.role_shares == {"decider": 0, "influencer": 0, "user": 100}
    page = words(admin.get(url("change", campaign.pk)))
    assert "Weeks of the wave" in page
    assert f'− not in the sample</th> <td> <a href="{url("people", campaign.pk)}?' in page
    assert re.search(r'name="share_user" value="100"', page)
    campaigns.launch(campaign, at=timezone.now(), by=None)
    page = words(admin.get(url("change", campaign.pk)))
    assert "3 weeks · 50 % drawn · at most 2 per team and week (Decider 0 %" in page


@pytest.mark.parametrize(
    ("wave", "sentence"),
    [
        ({"weeks": "0"}, "A whole number from 1 to 26 is needed."),
        ({"weeks": "99"}, "A whole number from 1 to 26 is needed."),
        ({"sample_share": "0"}, "The share is more than 0 and at most 100 percent."),
        ({"sample_share": "101"}, "The share is more than 0 and at most 100 percent."),
        ({"sample_share": "5", "sample_size": "5"}, "Give a share or a number, not both."),
        ({"team_places": "0"}, "A whole number from 1"),
        ({"share_user": "100"}, "Shares divide the places per team and week"),
        ({"team_places": "3", "share_user": "50"}, "make 100 percent together"),
        ({"send_at_0": "2099-01-04", "send_at_1": "10:00:00"}, "It closes before it is sent."),
    ],
)
def test_form_says_what_is_wrong_with_a_wave(admin, wave, sentence):
    page = words(admin.post(url("add"), posted(make_mailed_version(), **wave)))
    assert sentence in page
    assert Campaign.objects.count() == 0


@pytest.mark.parametrize("launched", [False, True])
def test_each_number_opens_its_list(admin, launched):
    asked = [make_contact(make_client()) for _ in range(2)]
    refused = make_contact(make_client(), consent="no")
    campaign = draft()
    if launched:
        campaigns.launch(campaign, at=timezone.now(), by=None)
    lists = {
        "": [*asked, refused],
        "?show=asked": asked,
        "?show=excluded": [refused],
        "?reason=no_consent": [refused],
        "?reason=contact_cooldown": [],
    }
    for query, expected in lists.items():
        page = words(admin.get(url("people", campaign.pk) + query))
        names = [
            one.name
            for one in [*asked, refused]
            if f">{one.name} " in page or f">{one.name}<" in page
        ]
        assert names == [one.name for one in expected]
        assert "Selected 3" in page
        assert "To be asked 2" in page


@pytest.mark.parametrize("launched", [False, True])
def test_people_take_the_same_queries_for_one_and_for_three(
    admin, launched, django_assert_max_num_queries
):
    def look(people):
        for _ in range(people):
            make_contact(make_client())
        campaign = draft()
        if launched:
            campaigns.launch(campaign, at=timezone.now(), by=None)
        return url("people", campaign.pk)

    page = look(1)
    with django_assert_max_num_queries(40) as first:
        admin.get(page)
    page = look(3)
    with django_assert_max_num_queries(len(first)):
        assert admin.get(page).status_code == 200


def test_list_tells_progress_and_trouble_in_the_same_queries(
    admin, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(rosters, "BLOCK", 2)
    for _ in range(3):
        make_contact(make_client())
    campaign = campaigns.launch(draft(), at=timezone.now(), by=None)
    Delivery.objects.filter(pk=Delivery.objects.first().pk).update(state="sent")
    with django_assert_num_queries(7) as first:
        page = words(admin.get(url("changelist")))
    assert 'Sending</span> <span class="badge-more">1 / 3</span>' in page
    other = campaigns.launch(draft(), at=timezone.now(), by=None)
    campaigns.launch(draft(), at=timezone.now(), by=None)
    mails = Delivery.objects.filter(invitation__campaign=other)
    mails.update(state="failed", last_error="rcpt: 550 no")
    Campaign.objects.filter(pk=other.pk).update(status="failed")
    with django_assert_num_queries(len(first)):
        page = words(admin.get(url("changelist")))
    assert 'Failed</span> <span class="badge-more">rcpt: 550 no</span>' in page
    assert campaign.status == "sending"


def test_failures_are_handed_out_as_a_file_and_tried_again(admin, house):
    people = [make_contact(make_client(), name="=SUM(A1)"), make_contact(make_client())]
    campaign = campaigns.launch(draft(), at=timezone.now(), by=None)
    for index, contact in enumerate(people):
        state = "failed" if index == 0 else "skipped"
        Delivery.objects.filter(invitation__contact=contact).update(
            state=state, reason="" if index == 0 else "cancelled", last_error="rcpt: 550 no"
        )
    assert admin.post(url("export", campaign.pk)).status_code == 404
    campaigns.advance(timezone.now())
    answer = admin.post(url("export", campaign.pk))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    head, line = csv.reader(io.StringIO(text))
    assert (head[0], line[0], line[3]) == ("Client code", people[0].client.code, "'=SUM(A1)")
    assert line[-1] == "rcpt: 550 no"
    entry = AuditEntry.objects.get(act="campaign.export")
    assert (entry.actor, entry.data["rows"]) == (house.admin, 1)
    assert admin.get(url("export", campaign.pk)).status_code == 405
    act(admin, campaign, "retry")
    assert campaign.status == "sending"


def test_those_who_may_not_run_campaigns_see_no_button_and_press_none(house):
    make_contact(make_client())
    campaign = draft(send_at=timezone.now() + timedelta(days=1))
    campaigns.launch(campaign, at=timezone.now(), by=None)
    for who in (house.qiu, house.mu, house.lan):
        type(who).objects.filter(pk=who.pk).update(is_staff=True)
        browser = at_desk(who)
        for page in (url("act", campaign.pk, "withdraw"), url("export", campaign.pk)):
            assert browser.post(page).status_code in {403, 404}
    campaign.refresh_from_db()
    assert campaign.status == "scheduled"


def test_page_of_a_draft_takes_the_same_queries_for_one_and_for_three(
    admin, django_assert_max_num_queries
):
    make_contact(make_client())
    campaign = draft(weeks=2, sample_share=Decimal(100))
    with django_assert_max_num_queries(45) as first:
        admin.get(url("change", campaign.pk))
    for _ in range(2):
        make_contact(make_client())
    with django_assert_max_num_queries(len(first)):
        assert "Weeks of the wave" in words(admin.get(url("change", campaign.pk)))
