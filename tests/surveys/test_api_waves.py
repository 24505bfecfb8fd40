"""Campaigns over several weeks, drawn and limited, over the API."""

from decimal import Decimal

import pytest
from django.utils import timezone

from bank import settings as values
from surveys import campaigns
from surveys.models import Campaign
from tests import factories
from tests.factories import make_caller, make_client, make_contact, make_user

pytestmark = pytest.mark.django_db
API = "/api/v1/campaigns/"


@pytest.fixture
def machine():
    return make_caller("read", "manage")


def plan(machine, **more):
    line = factories.make_mailed_version().questionnaire
    closes = timezone.now() + timezone.timedelta(days=90)
    body = {
        "name": "秋季",
        "questionnaire": line.key,
        "audience": {"segment": "corporate"},
        "closes_at": closes.isoformat(),
        "send_window": False,
    }
    return machine.post(API, body | more, content_type="application/json")


def press(machine, number, step):
    return machine.post(f"{API}{number}/{step}/", {}, content_type="application/json")


def test_wave_is_taken_and_the_answer_keeps_its_fields(machine):
    wave = {"weeks": 4, "sample_share": "12.5", "sample_seed": 7, "team_places": 10}
    shares = {"decider": 40, "influencer": 30, "user": 30}
    answer = plan(machine, **wave, role_shares=shares)
    assert answer.status_code == 201
    assert set(answer.json()) == {
        *("id", "name", "questionnaire", "status", "send_at", "closes_at")
    }
    made = Campaign.objects.get()
    assert (made.weeks, made.sample_share, made.sample_seed) == (4, Decimal("12.5"), 7)
    assert (made.team_places, made.role_shares) == (10, shares)


@pytest.mark.parametrize(
    ("wave", "field"),
    [
        ({"weeks": 0}, "weeks"),
        ({"weeks": 27}, "weeks"),
        ({"weeks": "many"}, "weeks"),
        ({"weeks": None}, "weeks"),
        ({"sample_share": "0"}, "sample_share"),
        ({"sample_share": "100.01"}, "sample_share"),
        ({"sample_share": "NaN"}, "sample_share"),
        ({"sample_size": 0}, "sample_size"),
        ({"sample_size": 2**40}, "sample_size"),
        ({"sample_size": 5, "sample_share": "5"}, "sample_size"),
        ({"sample_seed": -1}, "sample_seed"),
        ({"team_places": 0}, "team_places"),
        ({"role_shares": {"user": 100}}, "role_shares"),
        ({"role_shares": ["user"]}, "role_shares"),
        ({"team_places": 3, "role_shares": {"king": 100}}, "role_shares"),
    ],
)
def test_wave_that_makes_no_sense_is_named_and_nothing_is_made(machine, wave, field):
    answer = plan(machine, **wave)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert Campaign.objects.count() == 0


def test_key_alone_does_not_launch_what_a_second_person_must_agree_to(machine, staff):
    values.put("campaign_checker_from", 1, at=timezone.now(), by=None)
    make_contact(make_client())
    number = plan(machine).json()["id"]
    answer = press(machine, number, "launch")
    assert answer.status_code == 409
    assert [note["code"] for note in answer.json()["blockers"]] == ["needs_checker"]
    campaign = Campaign.objects.get()
    assert campaign.status == "draft"
    campaigns.submit(campaign, at=timezone.now(), by=staff.admin)
    assert press(machine, number, "launch").status_code == 409
    second = make_user("admin2", "administrator")
    campaigns.approve(campaign, at=timezone.now(), by=second)
    assert press(machine, number, "launch").json()["status"] == "sending"


def test_preflight_and_funnel_count_the_draw_in_the_same_words(machine):
    for _ in range(4):
        make_contact(make_client())
    number = plan(machine, sample_size=1, weeks=2).json()["id"]
    judged = machine.get(f"{API}{number}/preflight/").json()
    assert (judged["selected"], judged["eligible"]) == (4, 1)
    assert judged["excluded"] == {"sampled_out": 3}
    press(machine, number, "launch")
    found = machine.get(f"{API}{number}/funnel/").json()
    assert (found["planned"], found["waiting"], found["skipped"]) == (4, 1, {"sampled_out": 3})


def test_schema_describes_the_fields_of_a_wave(machine):
    body = machine.get("/api/v1/schema/?format=json").content.decode()
    for name in ("weeks", "sample_share", "sample_size", "team_places", "role_shares"):
        assert name in body
