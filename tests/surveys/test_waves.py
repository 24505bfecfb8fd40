"""Who is drawn for a wave, and in which week and on which day each has a place."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from bank import reference, workdays
from surveys import campaigns, preflights, waves
from surveys.models import Campaign, Delivery, Invitation
from tests.factories import NOW, make_client, make_contact, make_draft

pytestmark = pytest.mark.django_db
ROLES = ("decider", "influencer", "user")
LATE = NOW + timedelta(days=90)


def make_people(team, **counts):
    """So many contacts of each role, each of a client of its own."""
    return [
        make_contact(make_client(team=team), buying_role=role)
        for role, count in counts.items()
        for _ in range(count)
    ]


def placed(campaign, at=NOW):
    return preflights.plan(campaign, at=at).places


def roles(keys, people):
    known = {one.pk: one.buying_role for one in people}
    return Counter(known[key] for key in keys)


def test_draft_without_a_wave_asks_everybody_at_once(staff):
    people = make_people(staff.east, user=3)
    plan = preflights.plan(make_draft(), at=NOW)
    assert plan.places == waves.Places()
    assert [plan.first(one) for one in plan.eligible] == [NOW] * len(people)


def test_weeks_share_every_team_and_role_evenly_over_their_working_days(staff):
    reference.load(at=NOW)
    people = make_people(staff.east, decider=7, user=13) + make_people(staff.west, user=5)
    found = placed(make_draft(weeks=3, closes_at=LATE))
    assert sorted(Counter(found.weeks.values()).values()) == [8, 8, 9]
    for role, least in (("decider", 2), ("user", 5)):
        for week in range(3):
            these = [key for key, value in found.weeks.items() if value == week]
            assert roles(these, people)[role] >= least
    calendar = workdays.calendar()
    for key, first in found.first.items():
        day = first.astimezone(workdays.zone_of("Asia/Shanghai")).date()
        assert calendar.is_workday(day)
        assert (day - date(2026, 11, 24)).days // 7 == found.weeks[key]
    assert max(Counter(found.first.values()).values()) == 2


def test_first_mail_of_each_day_waits_for_the_hours_of_mail(staff):
    reference.load(at=NOW)
    make_people(staff.east, user=10)
    start = datetime(2026, 11, 25, 1, 30, tzinfo=UTC)
    campaign = make_draft(weeks=2, send_at=start, send_window=True, closes_at=LATE)
    campaigns.launch(campaign, at=NOW, by=None)
    firsts = set(Delivery.objects.values_list("next_try_at", flat=True))
    opens = [start + timedelta(days=days) for days in (0, 1, 2, 5, 6, 7, 8, 9, 12, 13)]
    assert firsts == set(opens)


def test_week_of_holidays_goes_on_the_next_working_day():
    reference.load(at=NOW)
    calendar = workdays.calendar()
    start = datetime(2026, 9, 24, 2, 0, tzinfo=UTC)
    assert waves.days(start, 1, calendar) == [date(2026, 10, 8)]


@pytest.mark.parametrize(
    ("wave", "asked"),
    [
        ({"sample_share": Decimal(100)}, 40),
        ({"sample_share": Decimal("12.5")}, 5),
        ({"sample_share": Decimal("0.01")}, 1),
        ({"sample_size": 10}, 10),
        ({"sample_size": 500}, 40),
    ],
)
def test_sample_has_the_number_it_was_given(staff, wave, asked):
    make_people(staff.east, user=30, decider=1)
    make_people(staff.west, user=8, influencer=1)
    assert len(placed(make_draft(**wave)).first) == asked


def test_sample_keeps_small_groups_and_the_proportion_of_the_large(staff):
    people = make_people(staff.east, user=30, decider=1) + make_people(staff.west, user=8)
    found = placed(make_draft(sample_size=12))
    asked = Counter(
        (one.client.team.code, one.buying_role) for one in people if one.pk in found.first
    )
    assert asked == {("EAST", "user"): 8, ("EAST", "decider"): 1, ("WEST", "user"): 3}
    assert Counter(found.left_over.values()) == {"sampled_out": 27}


def test_draw_follows_the_stored_seed_and_nothing_else(staff):
    make_people(staff.east, user=30)
    first = make_draft(sample_size=10, sample_seed=7)
    again = make_draft(sample_size=10, sample_seed=7)
    other = make_draft(sample_size=10, sample_seed=8)
    assert placed(first) == placed(again)
    assert placed(first).first != placed(other).first
    assert Campaign.objects.get(pk=make_draft(sample_size=10).pk).sample_seed > 0


def test_full_week_hands_on_to_the_next_and_the_last_leaves_a_reason(staff):
    make_people(staff.east, user=10)
    west = make_people(staff.west, user=2)
    campaign = make_draft(weeks=2, team_places=4, closes_at=LATE)
    found = placed(campaign)
    assert Counter(found.weeks.values()) == {0: 5, 1: 5}
    assert {one.pk for one in west} <= found.weeks.keys()
    assert Counter(found.left_over.values()) == {"over_quota": 2}
    flight = campaigns.preflight(campaign, at=NOW)
    assert (flight.selected, flight.eligible, flight.excluded) == (12, 10, {"over_quota": 2})
    campaigns.launch(campaign, at=NOW, by=None)
    assert Invitation.objects.filter(state="skipped", reason="over_quota").count() == 2


def test_places_of_a_team_are_shared_by_role_and_not_lent(staff):
    people = make_people(staff.east, decider=1, influencer=5, user=9)
    shares = {"decider": 40, "influencer": 30, "user": 30}
    campaign = make_draft(weeks=1, team_places=10, role_shares=shares)
    found = placed(campaign)
    assert roles(found.first, people) == {"decider": 1, "influencer": 3, "user": 3}


def test_numbers_are_shared_exactly():
    assert waves.shared(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert waves.shared(7, {"a": 50, "b": 30, "c": 20}) == {"a": 4, "b": 2, "c": 1}
    assert waves.shared(0, {"a": 0}) == {"a": 0}


@pytest.mark.parametrize(
    ("wave", "field", "english"),
    [
        ({"weeks": 0}, "weeks", "A whole number from 1 to 26 is needed."),
        ({"weeks": 27}, "weeks", "A whole number from 1 to 26 is needed."),
        ({"sample_share": Decimal(0)}, "sample_share", "The share is more than 0"),
        ({"sample_share": Decimal("100.01")}, "sample_share", "The share is more than 0"),
        ({"sample_size": 0}, "sample_size", "A whole number from 1"),
        (
            {"sample_size": 5, "sample_share": Decimal(5)},
            "sample_size",
            "Give a share or a number, not both.",
        ),
        ({"team_places": 0}, "team_places", "A whole number from 1"),
        (
            {"role_shares": {"user": 100}},
            "role_shares",
            "Shares divide the places per team and week",
        ),
        (
            {"team_places": 5, "role_shares": {"user": 90}},
            "role_shares",
            "The shares of the roles make 100 percent together.",
        ),
        (
            {"team_places": 5, "role_shares": {"king": 100}},
            "role_shares",
            "Shares are given by buying role: decider, influencer, user.",
        ),
        (
            {"team_places": 5, "role_shares": {"user": 150, "decider": -50}},
            "role_shares",
            "A share is a whole number of percent from 0.",
        ),
    ],
)
def test_wave_that_makes_no_sense_is_refused_in_words(wave, field, english):
    with translation.override("en"), pytest.raises(waves.Unusable) as caught:
        make_draft(**wave)
    assert caught.value.errors[field][0].startswith(english)
    assert Campaign.objects.count() == 0
    draft = make_draft()
    with pytest.raises(waves.Unusable):
        campaigns.revise(draft, fields=wave, at=NOW, by=None)


def test_campaign_closes_five_days_after_its_last_week(staff):
    make_people(staff.east, user=4)
    codes = [
        [note.code for note in campaigns.preflight(draft, at=NOW).blockers]
        for draft in (
            make_draft(weeks=2, closes_at=NOW + timedelta(days=10)),
            make_draft(weeks=2, closes_at=NOW + timedelta(days=18)),
        )
    ]
    assert codes == [["closes_too_early"], []]


def test_wave_takes_the_same_queries_for_one_and_for_three_contacts(
    staff, django_assert_num_queries
):
    make_people(staff.east, user=1)
    campaign = make_draft(weeks=2, sample_share=Decimal(50), team_places=1)
    with django_assert_num_queries(13) as first:
        preflights.plan(campaign, at=NOW)
    make_people(staff.east, user=2)
    with django_assert_num_queries(len(first)):
        preflights.plan(campaign, at=NOW)
