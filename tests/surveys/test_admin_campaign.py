"""Campaigns, ledger and rules in the admin, through its pages."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from bank import reference
from bank.models import AuditEntry
from surveys import campaigns
from surveys.models import Campaign, Delivery, Invitation, SuppressionRule
from tests.factories import make_client, make_contact, make_draft, make_mailed_version

pytestmark = pytest.mark.django_db
SENTENCE = "Choose whom to ask: client codes, or a segment, team, size or role."


@pytest.fixture
def house(staff):
    reference.load(at=timezone.now())
    return staff


@pytest.fixture
def admin(client, house):
    client.force_login(house.admin)
    client.cookies["django_language"] = "en"
    return client


@pytest.fixture(autouse=True)
def english(settings):
    settings.LANGUAGE_CODE = "en"


def url(model, page, *args):
    return reverse(f"admin:surveys_{model}_{page}", args=args)


def draft(**fields):
    now = timezone.now()
    return make_draft(**{"at": now, "closes_at": now + timedelta(days=20)} | fields)


def launched(**fields):
    return campaigns.launch(draft(**fields), at=timezone.now(), by=None)


def posted(version, **fields):
    """What the form of a campaign posts."""
    closes = timezone.localtime() + timedelta(days=20)
    return {
        "name": "半年调查",
        "questionnaire": version.questionnaire_id,
        "closes_at_0": f"{closes:%Y-%m-%d}",
        "closes_at_1": "18:00:00",
        "client_codes": "",
    } | fields


def text(response):
    return response.content.decode()


def test_administrator_makes_a_campaign_by_hand(admin, house):
    first, second = make_client(team=house.east), make_client(team=house.east)
    data = posted(
        make_mailed_version(),
        client_codes=f"{first.code}，{second.code}\n",
        team=house.east.pk,
        job_roles=["cfo"],
    )
    answer = admin.post(url("campaign", "add"), data)
    campaign = Campaign.objects.get()
    assert answer.status_code == 302
    assert campaign.audience == {
        "client_codes": [first.code, second.code],
        "team": "EAST",
        "job_roles": ["cfo"],
    }
    assert (campaign.send_window, campaign.created_by) == (False, house.admin)
    entry = AuditEntry.objects.get(act="campaign.plan")
    assert (entry.actor, entry.data["send_window"]) == (house.admin, False)
    page = text(admin.get(url("campaign", "change", campaign.pk)))
    assert f"{first.code}\n{second.code}</textarea>" in page


def test_form_says_what_is_wrong_with_the_audience(admin):
    version = make_mailed_version()
    page = text(admin.post(url("campaign", "add"), posted(version)))
    assert SENTENCE in page
    page = text(admin.post(url("campaign", "add"), posted(version, name="a\nb")))
    assert "One line without control characters" in page
    page = text(admin.post(url("campaign", "add"), posted(version, client_codes="X-1")))
    assert "No client has the code X-1." in page
    assert Campaign.objects.count() == 0


def test_draft_is_revised_by_the_act(admin, house):
    campaign = draft()
    data = posted(make_mailed_version(), segment="project_finance", send_window="on")
    assert admin.post(url("campaign", "change", campaign.pk), data).status_code == 302
    campaign.refresh_from_db()
    assert (campaign.name, campaign.audience) == ("半年调查", {"segment": "project_finance"})
    assert AuditEntry.objects.get(act="campaign.revise").actor == house.admin


def test_draft_page_shows_preflight_and_no_button_while_it_is_blocked(admin):
    campaign = draft()
    page = text(admin.get(url("campaign", "change", campaign.pk)))
    assert 'data-code="no_recipients"' in page
    assert "The audience has no contact." in page
    assert url("campaign", "act", campaign.pk, "launch") not in page
    make_contact(make_client())
    make_contact(make_client(), consent="no")
    page = text(admin.get(url("campaign", "change", campaign.pk)))
    people = url("campaign", "people", campaign.pk)
    words = " ".join(page.split())
    assert f'selected</th> <td> <a href="{people}">2</a>' in words
    assert f'= to be asked</th> <td> <a href="{people}?show=asked">1</a>' in words
    assert f"{url('campaign', 'people', campaign.pk)}?reason=no_consent" in page
    assert url("campaign", "act", campaign.pk, "launch") in page
    assert url("campaign", "act", campaign.pk, "stop") not in page


def test_people_page_tells_who_why_and_until_when(admin):
    asked, refused = make_contact(make_client()), make_contact(make_client(), consent="no")
    campaign = draft()
    page = url("campaign", "people", campaign.pk)
    for _ in range(2):
        everybody, some = text(admin.get(page)), text(admin.get(f"{page}?reason=no_consent"))
        assert asked.name in everybody
        assert refused.name in everybody
        assert asked.name not in some
        assert refused.name in some
        campaigns.launch(campaign, at=timezone.now(), by=None)


def test_launch_without_audience_is_a_clear_sentence(admin):
    campaign = draft()
    Campaign.objects.update(audience={})
    page = text(admin.post(url("campaign", "act", campaign.pk, "launch"), follow=True))
    assert page.count(SENTENCE) == 2
    assert Campaign.objects.get().status == "draft"


def test_buttons_run_the_campaign(admin, house):
    make_contact(make_client())
    campaign = draft()

    def press(verb, **data):
        page = text(admin.post(url("campaign", "act", campaign.pk, verb), data, follow=True))
        campaign.refresh_from_db()
        return page

    assert "The campaign is launched." in press("launch")
    assert campaign.status == "sending"
    assert "Planned" in press("pause")
    assert campaign.status == "paused"
    assert "The campaign goes on." in press("resume")
    assert "Type the number of people asked" in press("stop", count="7")
    assert campaign.status == "sending"
    assert "The campaign is stopped." in press("stop", count="1")
    page = press("pause")
    assert "The campaign&#x27;s status does not allow this." in page
    assert (campaign.status, Delivery.objects.get().state) == ("stopped", "skipped")
    assert url("campaign", "act", campaign.pk, "pause") not in page
    acts = AuditEntry.objects.filter(act__startswith="campaign.", actor=house.admin)
    assert [entry.act for entry in acts.order_by("id")] == [
        "campaign.launch",
        "campaign.pause",
        "campaign.resume",
        "campaign.stop",
    ]


def test_launched_campaign_has_no_form_and_nothing_is_deleted(admin):
    make_contact(make_client())
    campaign = launched()
    data = posted(make_mailed_version(), segment="corporate")
    assert admin.post(url("campaign", "change", campaign.pk), data).status_code == 403
    assert admin.post(url("campaign", "delete", campaign.pk), {"post": "yes"}).status_code == 403
    page = text(admin.get(url("campaign", "change", campaign.pk)))
    assert "Segment Corporate" in page
    assert 'name="_save"' not in page


def test_buttons_are_posts_of_those_who_may(client, house):
    make_contact(make_client())
    campaign = launched()
    act = url("campaign", "act", campaign.pk, "pause")
    client.force_login(house.admin)
    assert client.get(act).status_code == 405
    assert client.post(url("campaign", "act", campaign.pk, "explode")).status_code == 404
    assert client.post(url("campaign", "act", campaign.pk + 1, "pause")).status_code == 404
    for who in (house.qiu, house.mu, house.lan):
        type(who).objects.filter(pk=who.pk).update(is_staff=True)
        client.force_login(who)
        assert client.post(act).status_code in {403, 404}
        assert client.post(url("campaign", "add"), {}).status_code == 403
    campaign.refresh_from_db()
    assert campaign.status == "sending"


@pytest.mark.parametrize("model", ["invitation", "delivery"])
def test_evidence_is_only_looked_at(admin, model):
    make_contact(make_client())
    launched()
    row = {"invitation": Invitation, "delivery": Delivery}[model].objects.get()
    assert admin.get(url(model, "changelist")).status_code == 200
    page = text(admin.get(url(model, "change", row.pk)))
    assert 'name="_save"' not in page
    assert "digest" not in page
    assert admin.get(url(model, "add")).status_code == 403
    assert admin.post(url(model, "change", row.pk), {"state": "sent"}).status_code == 403
    assert admin.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("campaign", "q=半年&status__exact=sending"),
        ("invitation", "q=C0&state__exact=planned"),
        ("delivery", "q=example&state__exact=queued"),
    ],
)
def test_lists_take_the_same_queries_for_one_and_for_three(
    admin, model, query, django_assert_max_num_queries
):
    make_contact(make_client())
    launched(name="半年 1")
    with django_assert_max_num_queries(20) as first:
        assert admin.get(f"{url(model, 'changelist')}?{query}").status_code == 200
    for _ in range(2):
        make_contact(make_client())
        launched(name="半年 2")
    with django_assert_max_num_queries(len(first)):
        assert "3" in text(admin.get(f"{url(model, 'changelist')}?{query}"))


def test_person_decides_on_mails_with_an_unknown_outcome(admin, house):
    for _ in range(3):
        make_contact(make_client())
    launched()
    one, two, sent = Delivery.objects.order_by("id")
    Delivery.objects.filter(pk__in=[one.pk, two.pk]).update(state="unknown", losses=2)
    Delivery.objects.filter(pk=sent.pk).update(state="sent")
    page = url("delivery", "changelist")
    for action, rows in (("send_again", [one, sent]), ("consider_sent", [two, sent])):
        data = {"action": action, "_selected_action": [row.pk for row in rows]}
        answer = text(admin.post(page, data, follow=True))
        assert "1 mails were decided" in answer
    assert list(Delivery.objects.order_by("id").values_list("state", flat=True)) == [
        "queued",
        "sent",
        "sent",
    ]
    acts = AuditEntry.objects.filter(act__startswith="delivery.", actor=house.admin)
    assert acts.count() == 2


def make_rule(code, **fields):
    return SuppressionRule.objects.create(
        **{"code": code, "position": 1, "name_zh": "规则", "name_en": "Rule", "scope": "pushed"}
        | {"action": "skip"}
        | fields
    )


@pytest.mark.parametrize(
    ("code", "parameter", "enabled", "fits"),
    [
        ("contact_cooldown", "60", True, True),
        ("contact_cooldown", "60", False, True),
        ("contact_cooldown", '"long"', True, False),
        ("contact_cooldown", "-1", True, False),
        ("client_cap", "[2, 20]", True, True),
        ("client_cap", "[2]", True, False),
        ("quiet_hours", '[["10:00", "12:00"]]', True, True),
        ("quiet_hours", '[["25:00", "12:00"]]', True, False),
        ("left_company", "null", True, True),
        ("left_company", "3", True, False),
        ("no_consent", "null", True, True),
        ("no_consent", "null", False, False),
    ],
)
def test_rules_are_tuned_within_reason_and_audited(admin, house, code, parameter, enabled, fits):
    rule = make_rule(code)
    data = {"position": 7, "name_zh": "规则", "name_en": "Rule", "parameter": parameter}
    data |= {"enabled": "on"} if enabled else {}
    answer = admin.post(url("suppressionrule", "change", rule.pk), data)
    assert (answer.status_code == 302) == fits
    rule.refresh_from_db()
    assert (rule.position == 7) == fits
    assert AuditEntry.objects.filter(act="suppressionrule.change").count() == int(fits)
    assert admin.get(url("suppressionrule", "add")).status_code == 403
    assert admin.post(url("suppressionrule", "delete", rule.pk)).status_code == 403


def test_administrator_reminds_by_a_button_while_answers_are_collected(admin, house):
    make_contact(make_client())
    campaign = launched()
    act = url("campaign", "act", campaign.pk, "remind")
    assert act not in text(admin.get(url("campaign", "change", campaign.pk)))
    assert "status does not allow this" in text(admin.post(act, follow=True))
    Campaign.objects.update(status="collecting")
    Invitation.objects.update(state="invited", sent_at=timezone.now())
    assert act in text(admin.get(url("campaign", "change", campaign.pk)))
    for _ in range(2):
        assert "The reminders are queued." in text(admin.post(act, follow=True))
        assert Delivery.objects.filter(kind="reminder").count() == 1
    assert AuditEntry.objects.get(act="campaign.remind").actor == house.admin


def test_number_of_working_days_until_the_reminder_is_part_of_the_draft(admin):
    data = posted(make_mailed_version(), segment="corporate", remind_after="3")
    admin.post(url("campaign", "add"), data)
    assert Campaign.objects.get().remind_after == 3
    assert AuditEntry.objects.get(act="campaign.plan").data["remind_after"] == 3
