"""A launch decides on everybody at once; the invitations follow block by block."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from clients import consent
from surveys import campaigns, preflights, queries, rosters
from surveys.models import Campaign, Delivery, Invitation, RosterEntry
from tests.factories import NOW, make_client, make_contact, make_draft, make_invitation

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture
def blocks_of(monkeypatch):
    return lambda size: monkeypatch.setattr(rosters, "BLOCK", size)


def launch(at=NOW, **fields):
    return campaigns.launch(make_draft(**fields), at=at, by=None)


def adds_up(campaign):
    found = queries.funnel(Campaign.objects.get(pk=campaign.pk))
    sums = found.waiting + found.sent + found.failed + found.unknown + sum(found.skipped.values())
    return found.planned == sums, found


def make_book(dice, staff):
    """Clients with contacts of every kind: refused, asked lately, of every team and role."""
    for _ in range(dice.randrange(1, 9)):
        client = make_client(team=dice.choice([staff.east, staff.west, staff.branch, None]))
        for _ in range(dice.randrange(5)):
            contact = make_contact(
                client,
                consent=dice.choice(["yes", "yes", "yes", "no", ""]),
                buying_role=dice.choice(["decider", "influencer", "user", None]),
                time_zone=dice.choice(["", "Europe/Berlin"]),
                left_on=dice.choice([None, None, None, NOW.date()]),
            )
            if dice.random() < 0.3:
                days = dice.choice([5, 40, 89, 120])
                make_invitation(contact, sent_at=NOW - timedelta(days=days))
        if dice.random() < 0.1:
            consent.freeze(client, "open_complaint", at=NOW)


def make_wave(dice):
    """The fields of some campaign."""
    fields = {"weeks": dice.choice([1, 1, 2, 4]), "send_window": dice.random() < 0.5}
    fields |= dice.choice(
        [{}, {}, {"sample_share": Decimal(dice.randrange(1, 101))}, {"sample_size": 3}]
    )
    if dice.random() < 0.4:
        fields["team_places"] = dice.randrange(1, 4)
        fields["role_shares"] = dice.choice([{}, {"decider": 50, "user": 50}])
    if dice.random() < 0.5:
        fields["send_at"] = NOW + timedelta(days=dice.randrange(1, 4))
    return fields


@pytest.mark.parametrize("seed", range(40))
def test_dry_run_names_exactly_whom_the_launch_then_asks(seed, staff, blocks_of):
    dice = random.Random(seed)
    make_book(dice, staff)
    before = set(Invitation.objects.values_list("pk", flat=True))
    campaign = make_draft(closes_at=NOW + timedelta(days=60), **make_wave(dice))
    plan = preflights.plan(campaign, at=NOW)
    flight = preflights.judge(plan, at=NOW)
    if [note.code for note in flight.blockers] == ["no_recipients"]:
        return
    expected = {
        one.pk: ("planned", "", plan.first(one))
        if one.pk not in plan.refusals
        else ("skipped", plan.refusals[one.pk].code, None)
        for one in plan.contacts
    }
    blocks_of(dice.randrange(1, 6))
    campaigns.launch(campaign, at=NOW, by=None)
    left = RosterEntry.objects.count()
    while left:
        assert adds_up(campaign)[0]
        # A worker is killed after one block, or in the middle of it; much happens meanwhile.
        rosters.fill(NOW + SECOND, stop=iter([False, True]).__next__)
        assert RosterEntry.objects.count() < left
        left = RosterEntry.objects.count()
        make_contact(make_client())
        make_invitation(make_contact(make_client()), sent_at=NOW + SECOND)
    assert rosters.fill(NOW + SECOND) == 0
    mails = dict(Delivery.objects.values_list("invitation__contact", "next_try_at"))
    written = Invitation.objects.filter(campaign=campaign).exclude(pk__in=before)
    assert {
        one.contact_id: (one.state, one.reason, mails.get(one.contact_id)) for one in written
    } == expected
    fine, found = adds_up(campaign)
    assert (fine, found.planned, found.waiting) == (True, flight.selected, flight.eligible)
    assert found.skipped == flight.excluded


def test_small_launch_writes_everything_in_the_request():
    make_contact(make_client())
    launch()
    assert (RosterEntry.objects.count(), Invitation.objects.count()) == (0, 1)


def test_block_that_breaks_writes_nothing_and_is_done_the_next_time(blocks_of, monkeypatch):
    for _ in range(5):
        make_contact(make_client())
    blocks_of(2)
    campaign = launch()

    def broken(*args, **fields):
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Delivery.objects, "bulk_create", broken)
        with pytest.raises(RuntimeError):
            rosters.fill(NOW)
    assert (RosterEntry.objects.count(), Invitation.objects.count()) == (3, 2)
    assert adds_up(campaign)[1].waiting == 5
    assert (rosters.fill(NOW), rosters.fill(NOW)) == (3, 0)
    assert (RosterEntry.objects.count(), Delivery.objects.count()) == (0, 5)


def test_campaign_does_not_collect_while_some_are_still_to_be_written(blocks_of):
    for _ in range(3):
        make_contact(make_client())
    blocks_of(1)
    campaign = launch()
    Delivery.objects.update(state="sent")
    campaigns.advance(NOW)
    campaign.refresh_from_db()
    assert campaign.status == "sending"
    rosters.fill(NOW)
    Delivery.objects.update(state="sent")
    campaigns.advance(NOW)
    campaign.refresh_from_db()
    assert campaign.status == "collecting"


def test_stop_cancels_those_who_are_not_written_yet(blocks_of):
    for _ in range(3):
        make_contact(make_client())
    refused = make_contact(make_client(), consent="no")
    blocks_of(1)
    campaign = launch()
    later = NOW + timedelta(hours=1)
    stopped = campaigns.stop(campaign, at=later, by=None)
    cancelled = {"cancelled": 3, "no_consent": 1}
    assert queries.funnel(stopped).skipped == cancelled
    rosters.fill(later)
    assert queries.funnel(stopped).skipped == cancelled
    assert Delivery.objects.filter(state="queued").count() == 0
    assert set(Invitation.objects.values_list("closes_at", flat=True)) <= {
        later,
        stopped.closes_at,
    }
    assert Invitation.objects.get(contact=refused).reason == "no_consent"


def test_viewer_counts_their_part_of_what_is_not_written(staff, blocks_of):
    make_contact(make_client(team=staff.east, manager=staff.lan))
    make_contact(make_client(team=staff.west, manager=staff.chen))
    make_contact(make_client(team=staff.west, manager=staff.chen), consent="no")
    blocks_of(1)
    campaign = launch()
    counts = [
        queries.funnel(campaign, viewer=viewer).planned
        for viewer in (staff.lan, staff.chen, staff.bo, staff.admin)
    ]
    assert counts == [1, 2, 0, 3]


def test_block_takes_the_same_queries_for_one_and_for_three(blocks_of, django_assert_num_queries):
    for _ in range(5):
        make_contact(make_client())
    blocks_of(1)
    launch()
    with django_assert_num_queries(14) as first:
        rosters.fill(NOW, stop=iter([False, True]).__next__)
    blocks_of(3)
    with django_assert_num_queries(len(first)):
        rosters.fill(NOW, stop=iter([False, True]).__next__)
