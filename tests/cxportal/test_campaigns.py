"""The list of campaigns and the page of what came of one of them."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from cxportal import course
from cxportal.queries import campaigns as queries
from metrics import recompute
from surveys import campaigns
from surveys.models import Campaign, Delivery, Invitation
from tests.factories import (
    NOW,
    make_campaign,
    make_client,
    make_contact,
    make_draft,
    make_invitation,
    make_response,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def english(client, settings):
    settings.LANGUAGE_CODE = "en"
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"


def make_wave(staff, count=6, **fields):
    """A campaign that asked so many clients of Lan, each with one answer and one open mail."""
    campaign = make_campaign(launched_at=NOW - 3 * DAY, **fields)
    common = {"campaign": campaign, "version": campaign.version}
    for number in range(count):
        one = make_client(manager=staff.lan, team=staff.east)
        asked = make_invitation(
            make_contact(one, name=f"程 {number}"),
            **common,
            state="answered",
            sent_at=NOW - 3 * DAY,
            opened_at=NOW - 2 * DAY,
            answered_at=NOW - 2 * DAY + number % 2 * DAY,
        )
        Delivery.objects.create(
            invitation=asked, message_id=f"<{asked.uuid}@x>", state="sent", next_try_at=NOW
        )
        silent = make_invitation(make_contact(one, language="en"), **common, language="en")
        Delivery.objects.create(
            invitation=silent, message_id=f"<{silent.uuid}@x>", state="sent", next_try_at=NOW
        )
        make_response(asked, {"nps": 9, "csat": 4, "reason": f"反馈 {number}"})
    recompute.refresh_all(at=NOW)
    return campaign


def page(client, campaign):
    return client.get(reverse("campaign", args=[campaign.pk]))


def text(response):
    """The page without the blanks between its lines; no card of it may have failed."""
    assert "could not be loaded" not in response.content.decode()
    return " ".join(response.content.decode().split())


def test_page_shows_funnel_figures_teams_languages_and_comments(client, staff):
    campaign = make_wave(staff)
    client.force_login(staff.lan)
    shown = text(page(client, campaign))
    assert "12 planned = 12 sent + 0 waiting + 0 failed + 0 unknown + 0 not asked" in shown
    assert 'data-metric="nps" data-n="6"' in shown
    assert 'data-metric="response_rate" data-n="6"' in shown
    assert "反馈 5" in shown
    for words in ("By team", "EAST", "By language", "English", "Answers over time"):
        assert words in shown


def test_scope_is_kept_and_out_of_it_there_is_no_campaign(client, staff):
    campaign = make_wave(staff)
    other = make_client(manager=staff.chen, team=staff.west)
    make_invitation(make_contact(other), campaign=campaign, version=campaign.version)
    for person, planned in ((staff.lan, 12), (staff.mu, 12), (staff.chen, 1), (staff.admin, 13)):
        client.force_login(person)
        assert f"{planned} planned = {planned} sent" in text(page(client, campaign)), person
        assert campaign.name in text(client.get(reverse("campaigns")))
    client.force_login(staff.chen)
    assert "反馈" not in text(page(client, campaign))
    client.force_login(staff.bo)
    assert page(client, campaign).status_code == 404
    assert campaign.name not in text(client.get(reverse("campaigns")))
    client.logout()
    assert page(client, campaign).status_code == 302


def test_figure_of_too_few_answers_is_withheld_with_its_base(client, staff):
    campaign = make_wave(staff, count=2)
    client.force_login(staff.admin)
    shown = text(page(client, campaign))
    assert 'value="" data-metric="nps" data-n="2"' in shown


def test_those_not_asked_are_told_by_reason_and_failed_mail_by_name(client, staff, settings):
    campaign = make_wave(staff)
    refused = make_contact(Invitation.objects.first().client)
    make_invitation(
        refused,
        campaign=campaign,
        version=campaign.version,
        state="skipped",
        reason="cancelled",
        sent_at=None,
    )
    row = Delivery.objects.earliest("pk")
    Delivery.objects.filter(pk=row.pk).update(
        state="failed", last_error="rcpt: 550 5.1.1 no such user", settled_at=NOW
    )
    client.force_login(staff.lan)
    shown = text(page(client, campaign))
    assert "13 planned = 11 sent + 0 waiting + 1 failed" in shown
    assert "<span>cancelled</span><b>1</b>" in shown
    assert f"<b>{row.invitation.contact.name}</b>" in shown
    assert "no such mailbox" in shown


def test_draft_says_that_nothing_was_sent(client, staff):
    make_contact(make_client())
    draft = make_draft()
    client.force_login(staff.admin)
    assert "Not sent yet." in text(page(client, draft))
    assert "Not sent yet" in text(client.get(reverse("campaigns")))
    client.force_login(staff.lan)
    assert page(client, draft).status_code == 404


def test_launched_campaign_shows_what_waits_before_the_first_mail(client, staff):
    make_contact(make_client())
    campaign = campaigns.launch(make_draft(), at=NOW, by=None)
    client.force_login(staff.admin)
    shown = text(page(client, campaign))
    assert "1 planned = 0 sent + 1 waiting" in shown
    assert "Answers over time" not in shown


def test_paused_campaign_says_why(client, staff):
    campaign = make_wave(staff)
    campaigns.hold(campaign, reason="bounces", at=NOW, data={"count": 6, "first": 100})
    client.force_login(staff.lan)
    assert "6 of the first 100 mails bounced" in text(page(client, campaign))


def test_list_is_searched_by_name_and_status(client, staff):
    make_wave(staff, count=1, name="春季")
    make_wave(staff, count=1, name="秋季", status="closed")
    client.force_login(staff.lan)
    address = reverse("campaigns")
    for query, there, away in (
        ("q=春", "春季", "秋季"),
        ("status=closed", "秋季", "春季"),
    ):
        shown = text(client.get(f"{address}?{query}"))
        assert f">{there}</a>" in shown
        assert f">{away}</a>" not in shown
    for strange in ("status=x", "page=x", "q=%00"):
        assert client.get(f"{address}?{strange}").status_code == 200
    assert "No campaign fits." in text(client.get(f"{address}?q=nothing"))


def test_list_takes_the_same_queries_for_one_and_for_three(
    client, staff, django_assert_max_num_queries
):
    client.force_login(staff.lan)
    make_wave(staff, count=1)
    client.get(reverse("campaigns"))
    with django_assert_max_num_queries(25) as first:
        client.get(reverse("campaigns"))
    for _ in range(2):
        make_wave(staff, count=1)
    with django_assert_max_num_queries(len(first)):
        assert text(client.get(reverse("campaigns"))).count("1 completed") == 3


def test_page_takes_the_same_queries_for_one_and_for_three(
    client, staff, django_assert_max_num_queries
):
    client.force_login(staff.lan)
    small, large = make_wave(staff, count=1), make_wave(staff, count=3)
    page(client, large)
    with django_assert_max_num_queries(40) as first:
        page(client, small)
    with django_assert_max_num_queries(len(first)):
        page(client, large)


def test_only_administrators_are_led_to_the_administration(client, staff):
    campaign = make_wave(staff)
    change = reverse("admin:surveys_campaign_change", args=[campaign.pk])
    for person, led in ((staff.lan, False), (staff.qiu, False), (staff.admin, True)):
        client.force_login(person)
        assert (change in text(page(client, campaign))) == led


def test_course_has_a_column_a_day_and_zeros_between():
    first = date(2026, 11, 2)
    answers = {first: 3, first + 4 * DAY: 1}
    drawn = course.course(answers, first=first, last=first + 6 * DAY, reminder=first + 5 * DAY)
    assert [column.count for column in drawn.columns] == [3, 0, 0, 0, 1, 0, 0]
    assert [column.total for column in drawn.columns] == [3, 3, 3, 3, 4, 4, 4]
    assert (drawn.weekly, drawn.answers) == (False, 4)
    assert drawn.ticks[-1] == (course.TOP, 4)
    assert drawn.columns[4].x < drawn.reminder < drawn.columns[5].x
    assert {column.height for column in drawn.columns if not column.count} == {0}


def test_long_course_is_drawn_by_weeks():
    first = date(2026, 1, 5)
    drawn = course.course(
        {first: 1, first + 8 * DAY: 2, first + 90 * DAY: 4},
        first=first,
        last=first + 89 * DAY,
        reminder=None,
    )
    assert drawn.weekly
    assert [column.count for column in drawn.columns][:2] == [1, 2]
    assert drawn.columns[-1].count == 4
    assert drawn.columns[-1].last == first + 89 * DAY


def test_status_of_every_kind_has_a_colour():
    assert set(queries.TONES) == set(Campaign.Status)
