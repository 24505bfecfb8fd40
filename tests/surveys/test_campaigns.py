"""The life of a campaign through its acts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import translation

from bank import settings as values
from bank.models import ApiKey, AuditEntry
from surveys import audiences, campaigns, links
from surveys.models import Campaign, Delivery, Invitation
from tests.factories import (
    NOW,
    make_client,
    make_contact,
    make_draft,
    make_invitation,
    make_mailed_version,
    make_version,
)

pytestmark = pytest.mark.django_db


def codes(notes):
    return [note.code for note in notes]


def launch(campaign, at=NOW, by=None):
    return campaigns.launch(campaign, at=at, by=by)


def test_plan_makes_an_audited_draft(staff):
    campaign = make_draft(by=staff.admin)
    assert campaign.status == "draft"
    entry = AuditEntry.objects.get(act="campaign.plan")
    assert entry.actor == staff.admin
    assert entry.data["send_window"] is False


@pytest.mark.parametrize(
    ("audience", "field", "english"),
    [
        ([], "audience", "The audience is a group of fields."),
        ({"client_codes": ["X-9"]}, "client_codes", "No client has the code X-9."),
        ({"segment": "retail"}, "segment", "There is no segment retail."),
        ({"team": "MOON"}, "team", "There is no team MOON."),
        ({"job_roles": ["king"]}, "job_roles", "There is no job role king."),
        ({"buying_roles": ["king"]}, "buying_roles", "There is no buying role king."),
        ({"size": 3}, "size", "A text is needed."),
        ({"client_codes": "C1"}, "client_codes", "A list of texts is needed."),
        ({"colour": "red"}, "colour", "There is no field of this name."),
    ],
)
def test_audience_that_makes_no_sense_is_refused_in_words(audience, field, english):
    with translation.override("en"), pytest.raises(audiences.Unusable) as caught:
        make_draft(audience=audience)
    assert caught.value.errors[field][0].startswith(english)
    assert Campaign.objects.count() == 0


def test_audience_fields_narrow_each_other(staff):
    east = make_client(team=staff.east, segment="project_finance", size="large")
    wanted = make_contact(east, job_role="cfo", buying_role="decider")
    make_contact(east, job_role="accountant", buying_role="decider")
    make_contact(make_client(team=staff.west), job_role="cfo", buying_role="decider")
    audience = {
        "segment": "project_finance",
        "team": staff.branch.code,
        "size": "large",
        "job_roles": ["cfo"],
        "buying_roles": ["decider"],
    }
    campaign = make_draft(audience=audience)
    assert list(audiences.contacts(campaign)) == [wanted]


def test_closed_client_is_asked_only_when_named():
    closed = make_client(status="closed")
    make_contact(closed)
    assert audiences.contacts(make_draft()).count() == 0
    named = make_draft(audience={"client_codes": [closed.code]})
    assert audiences.contacts(named).count() == 1


def test_key_with_a_team_plans_within_its_team_only(staff):
    key = ApiKey.objects.create(name="k", prefix="p", digest="d", team=staff.east, created_at=NOW)
    mine, other = make_client(team=staff.east), make_client(team=staff.west)
    make_contact(mine)
    make_contact(other)
    campaign = make_draft(by=key)
    assert [one.client for one in audiences.contacts(campaign)] == [mine]
    with pytest.raises(audiences.Unusable):
        make_draft(by=key, audience={"client_codes": [other.code]})


def test_preflight_counts_by_reason():
    client = make_client()
    make_contact(client)
    make_contact(client, consent="no")
    make_invitation(make_contact(client))
    flight = campaigns.preflight(make_draft(), at=NOW)
    assert codes(flight.blockers) == []
    assert (flight.selected, flight.eligible) == (3, 1)
    assert flight.excluded == {"no_consent": 1, "contact_cooldown": 1}
    assert codes(flight.warnings) == ["no_test_send", "many_excluded"]


def test_preflight_takes_the_same_queries_for_one_and_for_three_contacts(
    django_assert_num_queries,
):
    campaign = make_draft()
    make_contact(make_client())
    with django_assert_num_queries(20) as first:
        campaigns.preflight(campaign, at=NOW)
    make_contact(make_client())
    make_contact(make_client())
    with django_assert_num_queries(len(first)):
        campaigns.preflight(campaign, at=NOW)


def test_nobody_eligible_blocks():
    assert codes(campaigns.preflight(make_draft(), at=NOW).blockers) == ["no_recipients"]
    make_contact(make_client(), consent="no")
    assert codes(campaigns.preflight(make_draft(), at=NOW).blockers) == ["no_recipients"]


def test_launch_without_audience_says_so_in_words():
    campaign = make_draft(audience={})
    with translation.override("en"), pytest.raises(campaigns.NotPossible) as caught:
        launch(campaign)
    assert (caught.value.code, codes(caught.value.blockers)) == ("blocked", ["no_recipients"])
    assert caught.value.blockers[0].text == (
        "Choose whom to ask: client codes, or a segment, team, size or role."
    )


def test_questionnaire_without_mail_or_version_blocks():
    make_contact(make_client())
    assert codes(campaigns.preflight(make_draft(make_version()), at=NOW).blockers) == [
        "missing_translation"
    ]
    draft = make_mailed_version(published_at=None)
    assert codes(campaigns.preflight(make_draft(draft), at=NOW).blockers) == [
        "missing_translation"
    ]


def test_language_without_text_blocks_only_if_somebody_reads_it():
    version = make_mailed_version()
    version.emails["invitation"]["body_en"] = ""
    version.save()
    client = make_client()
    make_contact(client)
    assert codes(campaigns.preflight(make_draft(version), at=NOW).blockers) == []
    make_contact(client, language="en")
    flight = campaigns.preflight(make_draft(version), at=NOW)
    assert codes(flight.blockers) == ["missing_translation"]


def test_value_that_a_campaign_cannot_know_blocks():
    version = make_mailed_version()
    version.emails["invitation"]["body_zh"] += "{{case_no}}"
    version.save()
    make_contact(make_client())
    with translation.override("en"):
        flight = campaigns.preflight(make_draft(version), at=NOW)
    assert codes(flight.blockers) == ["missing_variable"]
    assert "case_no" in flight.blockers[0].text


@pytest.mark.parametrize(("days", "blocked"), [(4, True), (5, False)])
def test_campaign_must_stay_open_five_days(days, blocked):
    make_contact(make_client())
    campaign = make_draft(closes_at=NOW + timedelta(days=days))
    found = codes(campaigns.preflight(campaign, at=NOW + timedelta(minutes=1)).blockers)
    assert found == (["closes_too_early"] if blocked else [])


@pytest.mark.parametrize(
    ("send_at", "window", "blocked"),
    [
        (datetime(2026, 11, 24, 13, 0, tzinfo=UTC), True, True),
        (datetime(2026, 11, 28, 2, 0, tzinfo=UTC), True, True),
        (datetime(2026, 11, 25, 2, 0, tzinfo=UTC), True, False),
        (datetime(2026, 11, 28, 2, 0, tzinfo=UTC), False, False),
        (None, True, False),
    ],
)
def test_send_time_outside_working_hours_blocks_unless_chosen(send_at, window, blocked):
    make_contact(make_client())
    campaign = make_draft(send_at=send_at, send_window=window)
    found = codes(campaigns.preflight(campaign, at=NOW).blockers)
    assert found == (["outside_window"] if blocked else [])


def test_large_campaign_needs_a_checker_where_the_bank_says_so(staff):
    make_contact(make_client())
    campaign = make_draft()
    values.put("campaign_checker_from", 1, at=NOW, by=staff.admin)
    assert codes(campaigns.preflight(campaign, at=NOW).blockers) == ["needs_checker"]


def test_sender_without_address_blocks(settings):
    make_contact(make_client())
    settings.MAIL_FROM = ""
    assert codes(campaigns.preflight(make_draft(), at=NOW).blockers) == ["sender_missing"]


def test_warnings_name_overlap_and_length():
    make_contact(make_client())
    launch(make_draft(send_at=NOW + timedelta(days=1)))
    other = make_draft(make_mailed_version(kind="transactional"))
    assert codes(campaigns.preflight(other, at=NOW).warnings) == ["no_test_send", "overlap"]


def test_launch_writes_everybody_down_once(staff):
    client = make_client(team=staff.east, manager=staff.lan)
    free = make_contact(client, language="en", salutation="Ms Cheng")
    refused = make_contact(client, consent="no")
    campaign = make_draft(by=staff.admin)
    first = launch(campaign, by=staff.admin)
    assert (first.status, first.launched_at) == ("sending", NOW)
    again = launch(campaign, at=NOW + timedelta(hours=1), by=staff.admin)
    assert (again.status, again.launched_at) == ("sending", NOW)
    asked = Invitation.objects.get(contact=free)
    assert (asked.state, asked.language, asked.client) == ("planned", "en", client)
    assert asked.variables["contact_name"] == "Ms Cheng"
    assert asked.variables["rm_name"] == {"zh": "lan 员工", "en": "Lan"}
    assert asked.survey_digest == links.digest(links.survey_token(asked.uuid))
    skipped = Invitation.objects.get(contact=refused)
    assert (skipped.state, skipped.reason) == ("skipped", "no_consent")
    delivery = Delivery.objects.get()
    assert (delivery.invitation, delivery.state, delivery.next_try_at) == (asked, "queued", NOW)
    assert delivery.message_id == f"<{asked.uuid.hex}.invitation@bank.example>"
    assert AuditEntry.objects.filter(act="campaign.launch").count() == 1


def test_launch_in_the_window_queues_for_each_recipients_hours():
    client = make_client()
    make_contact(client, time_zone="Europe/Berlin")
    launch(make_draft(send_window=True))
    assert Delivery.objects.get().next_try_at == datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def test_scheduled_campaign_starts_collects_and_closes_by_the_clock():
    make_contact(make_client())
    start = NOW + timedelta(days=1)
    campaign = launch(make_draft(send_at=start))
    assert (campaign.status, Delivery.objects.get().next_try_at) == ("scheduled", start)

    def status(at):
        campaigns.advance(at)
        campaigns.advance(at)
        campaign.refresh_from_db()
        return campaign.status

    assert status(NOW) == "scheduled"
    assert status(start) == "sending"
    Delivery.objects.update(state="sent")
    assert status(start) == "collecting"
    assert status(campaign.closes_at) == "closed"
    assert campaign.ended_at == campaign.closes_at


def test_pause_resume_and_stop_allow_only_their_turns():
    contact = make_contact(make_client())
    campaign = make_draft()
    for act in (campaigns.pause, campaigns.resume, campaigns.stop, campaigns.close):
        with pytest.raises(campaigns.NotPossible) as caught:
            act(campaign, at=NOW, by=None)
        assert caught.value.code == "wrong_status"
    launch(campaign)
    assert campaigns.pause(campaign, at=NOW, by=None).status == "paused"
    assert campaigns.pause(campaign, at=NOW, by=None).status == "paused"
    assert campaigns.resume(campaign, at=NOW, by=None).status == "sending"
    assert campaigns.resume(campaign, at=NOW, by=None).status == "sending"
    assert campaigns.stop(campaign, at=NOW, by=None).status == "stopped"
    assert campaigns.stop(campaign, at=NOW, by=None).status == "stopped"
    delivery, invitation = Delivery.objects.get(), Invitation.objects.get(contact=contact)
    assert (delivery.state, delivery.reason) == ("skipped", "cancelled")
    assert (invitation.state, invitation.closes_at) == ("withdrawn", NOW)
    for act in (launch, lambda one: campaigns.resume(one, at=NOW, by=None)):
        with pytest.raises(campaigns.NotPossible):
            act(campaign)
    acts = list(AuditEntry.objects.order_by("id").values_list("act", flat=True))
    assert acts[-4:] == ["campaign.launch", "campaign.pause", "campaign.resume", "campaign.stop"]


def test_hold_of_the_program_says_why_until_a_person_resumes():
    make_contact(make_client())
    campaign = launch(make_draft())
    for reason in ("relay_refused", "other"):
        held = campaigns.hold(campaign, reason=reason, at=NOW, data={"reply": "554 no"})
        assert (held.status, held.pause_reason) == (
            "paused",
            {"code": "relay_refused", "reply": "554 no"},
        )
    assert campaigns.resume(campaign, at=NOW, by=None).pause_reason == {}
    campaigns.stop(campaign, at=NOW, by=None)
    assert campaigns.hold(campaign, reason="relay_refused", at=NOW).status == "stopped"
    entry = AuditEntry.objects.get(act="campaign.hold")
    assert entry.data == {"code": "relay_refused", "reply": "554 no"}


def test_revise_changes_a_draft_and_nothing_later(staff):
    make_contact(make_client())
    campaign = make_draft()
    fields = {"name": "新名", "audience": {"segment": "corporate"}, "send_window": True}
    campaigns.revise(campaign, fields=fields, at=NOW, by=staff.admin)
    campaign.refresh_from_db()
    assert (campaign.name, campaign.send_window) == ("新名", True)
    launch(campaign)
    with pytest.raises(campaigns.NotPossible):
        campaigns.revise(campaign, fields={"name": "x"}, at=NOW, by=staff.admin)
