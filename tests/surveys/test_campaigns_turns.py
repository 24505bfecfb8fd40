"""Turns in the life of a campaign: back to draft, another day, again, copied, agreed to."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bank import settings as values
from bank.models import AuditEntry
from surveys import campaigns, ledger, questionnaires, rosters
from surveys.models import Campaign, Delivery, Invitation, RosterEntry
from tests.factories import (
    NOW,
    make_client,
    make_contact,
    make_draft,
    make_mailed_version,
    make_user,
)

pytestmark = pytest.mark.django_db
TOMORROW = NOW + timedelta(days=1)


def launch(campaign, at=NOW, by=None):
    return campaigns.launch(campaign, at=at, by=by)


def scheduled(count=1, **fields):
    for _ in range(count):
        make_contact(make_client())
    return launch(make_draft(send_at=TOMORROW, **fields))


def code_of(act, *args, **fields):
    with pytest.raises(campaigns.NotPossible) as caught:
        act(*args, at=NOW, **fields)
    return caught.value.code


def test_scheduled_campaign_becomes_a_draft_again_and_is_launched_anew(monkeypatch):
    monkeypatch.setattr(rosters, "BLOCK", 1)
    campaign = scheduled(3)
    draft = campaigns.withdraw(campaign, at=NOW, by=None)
    assert (draft.status, draft.version, draft.launched_at) == ("draft", None, None)
    for model in (Invitation, Delivery, RosterEntry):
        assert model.objects.count() == 0
    assert campaigns.withdraw(draft, at=NOW, by=None).status == "draft"
    assert launch(draft).status == "scheduled"
    rosters.fill(NOW)
    assert Delivery.objects.count() == 3
    acts = list(AuditEntry.objects.order_by("id").values_list("act", flat=True))
    assert acts.count("campaign.withdraw") == 1


def test_mail_on_its_way_keeps_a_campaign_from_becoming_a_draft():
    campaign = scheduled()
    ledger.claim(holder="h", limit=1, at=TOMORROW)
    assert code_of(campaigns.withdraw, campaign, by=None) == "has_left"
    assert Delivery.objects.count() == 1
    Campaign.objects.update(status="sending")
    assert code_of(campaigns.withdraw, campaign, by=None) == "wrong_status"


def test_another_day_judges_everybody_anew_or_changes_nothing():
    campaign = scheduled()
    late = make_contact(make_client())
    later = TOMORROW + timedelta(days=2)
    times = {"send_at": later, "closes_at": later + timedelta(days=9)}
    moved = campaigns.reschedule(campaign, **times, at=NOW, by=None)
    assert (moved.status, moved.send_at, moved.closes_at) == ("scheduled", *times.values())
    assert set(Delivery.objects.values_list("next_try_at", flat=True)) == {later}
    assert Invitation.objects.filter(contact=late).count() == 1
    times["closes_at"] = later + timedelta(days=1)
    assert code_of(campaigns.reschedule, moved, **times, by=None) == "blocked"
    kept = Campaign.objects.get()
    assert (kept.status, kept.closes_at) == ("scheduled", moved.closes_at)
    assert Delivery.objects.count() == 2


def test_copy_has_the_same_choices_and_invites_nobody(staff):
    make_contact(make_client(team=staff.east))
    wave = {"weeks": 2, "sample_share": Decimal(50), "team_places": 3}
    wave["role_shares"] = {"decider": 40, "user": 60}
    length = timedelta(days=40)
    campaign = launch(make_draft(closes_at=NOW + length, sample_seed=5, **wave))
    again = campaigns.copy(campaign, at=TOMORROW, by=staff.admin)
    assert {name: getattr(again, name) for name in wave} == wave
    assert (again.status, again.audience) == ("draft", campaign.audience)
    assert (again.send_at, again.closes_at) == (None, TOMORROW + length)
    assert again.sample_seed != 5
    assert (again.created_by, again.invitations.count()) == (staff.admin, 0)
    long = make_draft(name="长" * 120)
    assert len(campaigns.copy(long, at=NOW, by=None).name) == 120


def test_campaign_of_which_nothing_went_has_failed_and_is_tried_again():
    for _ in range(2):
        make_contact(make_client())
    campaign = launch(make_draft())
    Delivery.objects.update(state="failed", attempt=16, last_error="rcpt: 450")
    campaigns.advance(NOW)
    campaign.refresh_from_db()
    assert campaign.status == "failed"
    assert campaigns.retry(campaign, at=TOMORROW, by=None).status == "sending"
    found = set(Delivery.objects.values_list("state", "attempt", "next_try_at"))
    assert found == {("queued", 0, TOMORROW)}
    assert campaigns.retry(campaign, at=TOMORROW, by=None).status == "sending"
    assert AuditEntry.objects.filter(act="campaign.retry").count() == 1


def test_campaign_of_which_something_went_collects():
    for _ in range(2):
        make_contact(make_client())
    campaign = launch(make_draft())
    first = Delivery.objects.first()
    Delivery.objects.update(state="failed")
    Delivery.objects.filter(pk=first.pk).update(state="sent")
    campaigns.advance(NOW)
    campaign.refresh_from_db()
    assert campaign.status == "collecting"


def test_failed_campaign_closes_at_its_time():
    make_contact(make_client())
    campaign = launch(make_draft())
    Delivery.objects.update(state="failed")
    campaigns.advance(NOW)
    campaigns.advance(campaign.closes_at)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.ended_at) == ("closed", campaign.closes_at)
    assert code_of(campaigns.retry, campaign, by=None) == "wrong_status"


@pytest.fixture
def checked(staff):
    """From two recipients on a second administrator must agree."""
    staff.admin2 = make_user("admin2", "administrator")
    values.put("campaign_checker_from", 2, at=NOW, by=None)
    for _ in range(2):
        make_contact(make_client())
    return staff


def blockers(campaign, at=NOW):
    fresh = Campaign.objects.get(pk=campaign.pk)
    return [note.code for note in campaigns.preflight(fresh, at=at).blockers]


def test_second_administrator_agrees_before_many_are_asked(checked):
    campaign = make_draft(by=checked.admin)
    assert blockers(campaign) == ["needs_checker"]
    assert code_of(launch_at, campaign, by=checked.admin) == "blocked"
    assert code_of(campaigns.approve, campaign, by=checked.admin2) == "wrong_status"
    campaigns.submit(campaign, at=NOW, by=checked.admin)
    campaigns.submit(campaign, at=TOMORROW, by=checked.admin)
    for nobody in (checked.admin, checked.lan, checked.qiu, checked.mu):
        assert code_of(campaigns.approve, campaign, by=nobody) == "same_person"
    assert blockers(campaign) == ["needs_checker"]
    campaigns.approve(campaign, at=NOW, by=checked.admin2)
    assert blockers(campaign) == []
    assert launch(campaign, by=checked.admin).status == "sending"
    acts = AuditEntry.objects.filter(act__in=["campaign.submit", "campaign.approve"])
    assert [(one.act, one.actor) for one in acts.order_by("id")] == [
        ("campaign.submit", checked.admin),
        ("campaign.approve", checked.admin2),
    ]


def launch_at(campaign, *, at, by):
    return campaigns.launch(campaign, at=at, by=by)


def test_whoever_changed_the_draft_last_does_not_agree_to_it(checked):
    campaign = make_draft(by=checked.admin)
    campaigns.revise(campaign, fields={"name": "新"}, at=NOW, by=checked.admin2)
    campaigns.submit(campaign, at=NOW, by=checked.admin)
    assert code_of(campaigns.approve, campaign, by=checked.admin2) == "same_person"
    assert code_of(campaigns.approve, campaign, by=checked.admin) == "same_person"
    campaigns.submit(campaign, at=NOW, by=checked.admin2)
    assert campaigns.approve(campaign, at=NOW, by=checked.admin).approved_by == checked.admin


def test_change_voids_what_was_agreed_and_no_change_does_not(checked):
    campaign = make_draft(by=checked.admin)
    campaigns.submit(campaign, at=NOW, by=checked.admin)
    campaigns.approve(campaign, at=NOW, by=checked.admin2)
    same = {"name": campaign.name, "weeks": 1}
    campaigns.revise(campaign, fields=same, at=NOW, by=checked.admin)
    assert blockers(campaign) == []
    campaigns.revise(campaign, fields={"weeks": 2}, at=NOW, by=checked.admin)
    campaign.refresh_from_db()
    assert (campaign.submitted_by, campaign.approved_by) == (None, None)
    assert blockers(campaign, at=NOW) == ["needs_checker"]


def test_new_version_of_the_questions_voids_what_was_agreed(checked):
    version = make_mailed_version()
    campaign = make_draft(version, by=checked.admin)
    campaigns.submit(campaign, at=NOW, by=checked.admin)
    campaigns.approve(campaign, at=NOW, by=checked.admin2)
    draft = questionnaires.draft_from(version, at=TOMORROW, by=checked.admin)
    questionnaires.publish(draft, at=TOMORROW, by=checked.admin)
    assert blockers(campaign, at=TOMORROW) == ["needs_checker"]


def test_few_recipients_and_a_switched_off_rule_need_nobody(checked):
    campaign = make_draft(by=checked.admin, sample_size=1)
    assert blockers(campaign) == []
    values.put("campaign_checker_from", 0, at=NOW, by=None)
    assert blockers(make_draft()) == []
