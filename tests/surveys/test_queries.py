"""What a viewer sees of campaigns, and a funnel whose numbers add up."""

from datetime import timedelta

import pytest

from bank.models import ApiKey
from surveys import campaigns, queries
from surveys.models import Delivery, Hit, Invitation
from tests.factories import NOW, make_client, make_contact, make_draft, make_invitation

pytestmark = pytest.mark.django_db


def launch(**fields):
    return campaigns.launch(make_draft(**fields), at=NOW, by=None)


def set_state(contact, state, **fields):
    Delivery.objects.filter(invitation__contact=contact).update(state=state, **fields)


def test_funnel_adds_up_and_follows_the_steps():
    people = {name: make_contact(make_client()) for name in "abcdefgh"}
    make_contact(make_client(), consent="no")
    campaign = launch()
    set_state(people["a"], "sent")
    set_state(people["b"], "sent")
    set_state(people["c"], "sent")
    set_state(people["d"], "failed")
    set_state(people["e"], "unknown")
    set_state(people["f"], "skipped", reason="contact_cooldown")
    set_state(people["g"], "retry")
    answered, started, opened = (Invitation.objects.get(contact=people[name]) for name in "abc")
    Invitation.objects.filter(pk=answered.pk).update(state="answered", answered_at=NOW)
    Invitation.objects.filter(pk=opened.pk).update(opened_at=NOW)
    Hit.objects.create(invitation=started, page="survey", method="POST", at=NOW)
    assert queries.funnel(campaign) == queries.Funnel(
        planned=9,
        waiting=2,
        sent=3,
        failed=1,
        unknown=1,
        skipped={"contact_cooldown": 1, "no_consent": 1},
        delivered=3,
        opened=3,
        started=2,
        completed=1,
    )


def test_funnel_counts_a_bounced_mail_as_sent_and_not_as_delivered():
    people = [make_contact(make_client()) for _ in range(3)]
    campaign = launch()
    for contact, state in zip(people, ("sent", "delivered", "bounced"), strict=True):
        set_state(contact, state)
    found = queries.funnel(campaign)
    assert (found.planned, found.sent, found.delivered) == (3, 3, 2)


def test_funnel_after_a_stop_calls_the_rest_cancelled():
    make_contact(make_client())
    campaign = launch()
    campaigns.stop(campaign, at=NOW, by=None)
    found = queries.funnel(campaign)
    assert (found.planned, found.skipped) == (1, {"cancelled": 1})


def test_invitation_without_a_mail_is_judged_by_its_own_state():
    campaign = make_draft()
    for state in ("planned", "invited", "answered"):
        make_invitation(campaign=campaign, state=state)
    make_invitation(campaign=campaign, state="withdrawn", reason="cancelled")
    found = queries.funnel(campaign)
    assert (found.planned, found.waiting, found.sent) == (4, 1, 2)
    assert found.skipped == {"cancelled": 1}


def test_viewers_see_the_campaigns_and_counts_of_their_clients(staff):
    make_contact(make_client(team=staff.east, manager=staff.lan))
    make_contact(make_client(team=staff.west, manager=staff.chen))
    campaign, draft = launch(), make_draft()
    for who, names in (
        (staff.lan, [campaign]),
        (staff.bo, []),
        (staff.mu, [campaign]),
        (staff.qiu, [draft, campaign]),
        (staff.admin, [draft, campaign]),
    ):
        assert list(queries.campaigns(who)) == names
    assert queries.funnel(campaign, viewer=staff.lan).planned == 1
    assert queries.funnel(campaign, viewer=staff.admin).planned == 2
    assert queries.invitations(staff.chen, campaign=campaign).count() == 1
    assert queries.invitations(staff.bo).count() == 0


def test_key_of_a_team_sees_its_own_draft(staff):
    def make_key(team):
        prefix = f"p{ApiKey.objects.count()}"
        return ApiKey.objects.create(
            name="k", prefix=prefix, digest="d", team=team, created_at=NOW
        )

    east, west, whole = make_key(staff.east), make_key(staff.west), make_key(None)
    campaign = make_draft(by=east)
    assert list(queries.campaigns(east)) == [campaign]
    assert list(queries.campaigns(whole)) == [campaign]
    assert list(queries.campaigns(west)) == []


def test_lists_take_the_same_queries_for_one_and_for_three(staff, django_assert_num_queries):
    make_contact(make_client())
    campaign = launch()
    for number in (1, 2, 3):
        with django_assert_num_queries(1):
            assert len(queries.campaigns(staff.admin)) == number
        with django_assert_num_queries(2):
            assert queries.funnel(campaign).planned == 1
        with django_assert_num_queries(1):
            for one in queries.invitations(staff.admin):
                assert one.contact.name
                assert one.client.name
        make_contact(make_client())
        launch(at=NOW + timedelta(days=100))
