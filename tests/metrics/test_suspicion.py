"""Answers that came at once for one manager's clients: listed, counted, shown to whom they may."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache

from clients.models import Client
from metrics import recompute
from metrics.facts import suspicion
from metrics.facts.where import EVERYTHING, Where
from metrics.formulas import periods
from surveys.models import Hit
from tests import factories
from tests.factories import NOW, make_client, make_visitor

pytestmark = pytest.mark.django_db
URL = "/indicators/nps_respondent/made/"
BROWSER = "Mozilla/5.0 (Windows NT 10.0) Chrome/131.0"


@pytest.fixture(autouse=True)
def today():
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def version():
    return factories.make_full_version()


def give(version, company, score, *, minute=0.0, address="203.0.113.77", **hit):
    """One answer with the hit that sent it in."""
    at = NOW - timedelta(days=1) + timedelta(minutes=minute)
    contact = factories.make_contact(company)
    invitation = factories.make_invitation(contact, version=version, client=company)
    row = factories.make_scores(
        version, company, {"nps": score}, submitted_at=at, contact=contact, invitation=invitation
    )
    fields = {"page": "survey", "method": "POST", "agent": BROWSER} | hit
    Hit.objects.create(invitation=invitation, at=at, address=address, **fields)
    return row


def make_burst(version, manager, team, *, count=5, apart=4.0, **hit):
    return [
        give(
            version, make_client(f"B-{place}", manager=manager, team=team), 10,
            minute=apart * place, **hit,
        )
        for place in range(count)
    ]  # fmt: skip


def suspects(where=EVERYTHING, **rule):
    year = periods.parse("rolling12m", as_of=NOW, zone="Asia/Shanghai")
    return [one.response for one in suspicion.suspects(year, "relational", where, **rule)]


def test_five_answers_within_twenty_minutes_are_suspicious(staff, version):
    rows = make_burst(version, staff.chen, staff.west, apart=5.0)
    assert suspects() == [row.pk for row in rows]
    assert suspects(least=6) == []
    assert suspects(Where(team=staff.west.pk)) == [row.pk for row in rows]
    assert suspects(Where(team=staff.east.pk)) == []


@pytest.mark.parametrize(
    ("burst", "why"),
    [
        ({"count": 4}, "too few"),
        ({"apart": 5.1}, "too slow"),
        ({"agent": "LinkPreview bot/1.2"}, "a machine"),
        ({"agent": ""}, "nothing that a person uses"),
        ({"method": "GET"}, "opened only"),
        ({"address": None}, "no address known"),
    ],
)
def test_what_is_no_burst_is_not_suspicious(staff, version, burst, why):
    make_burst(version, staff.chen, staff.west, **burst)
    assert suspects() == [], why


def test_answers_for_several_managers_from_one_address_are_not(staff, version):
    make_burst(version, staff.chen, staff.west, count=4)
    give(version, make_client("BO", manager=staff.bo, team=staff.east), 10, minute=1)
    assert suspects() == []


def test_an_answer_sent_in_twice_is_one(staff, version):
    for row in make_burst(version, staff.chen, staff.west, count=4):
        Hit.objects.create(
            invitation=row.invitation, page="survey", method="POST", at=row.submitted_at,
            address="203.0.113.77", agent=BROWSER,
        )  # fmt: skip
    assert suspects() == []


def test_a_retracted_answer_is_not(staff, version):
    row = make_burst(version, staff.chen, staff.west)[0]
    row.retracted_at = NOW
    row.save()
    assert suspects() == []


@pytest.fixture
def world(staff, version):
    """Five tens at once for Chen; eight fours for Lan, each from a place of its own."""
    make_burst(version, staff.chen, staff.west)
    for place in range(8):
        company = make_client(f"L-{place}", manager=staff.lan, team=staff.east)
        give(version, company, 4, minute=place, address=f"203.0.113.{place}")
    recompute.refresh_all(at=NOW)
    return staff


def card(user, url=URL, **query):
    """The words of the card, without tags; empty where there is none."""
    answer = make_visitor(user).get(url, query, headers={"Accept-Language": "en"})
    assert answer.status_code == 200
    found = re.search(r'aria-labelledby="h-suspicious">(.*?)</section>', answer.text, re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[1])) if found else ""


def names(manager):
    return set(Client.objects.filter(manager__username=manager).values_list("name_en", flat=True))


def listed(text):
    return {name for name in Client.objects.values_list("name_en", flat=True) if name in text}


def test_auditor_sees_all_of_them_and_the_figure_with_and_without(world):
    text = card(world.qiu)
    assert "Suspicious answers 5 With them −23.1" in text
    assert "Without them −100.0 n = 8" in text
    assert listed(text) == names("chen")
    assert "not for you to see" not in text


def test_owner_sees_them_and_a_stranger_only_how_many_there_are(world):
    own, other = card(world.chen), card(world.lan)
    assert "not for you to see" not in own
    assert listed(own) == names("chen")
    assert listed(other) == set()
    assert "5 suspicious answers are not for you to see." in other
    assert "Suspicious answers 5" in other
    # Five answers of five clients tell nobody's alone.
    assert "Without them −100.0 n = 8" in other


def test_team_without_any_shows_no_card(world):
    assert card(world.qiu, team="EAST") == ""


def test_only_the_willingness_to_recommend_has_the_card(world):
    assert card(world.qiu, "/indicators/response_rate/made/") == ""


def test_figure_without_is_withheld_where_the_difference_tells_of_few_unseen(staff, version):
    rows = make_burst(version, staff.chen, staff.west, count=4)
    give(version, rows[0].client, 10, minute=1)
    for place in range(8):
        company = make_client(f"L-{place}", manager=staff.lan, team=staff.east)
        give(version, company, 4, minute=place, address=f"203.0.113.{place}")
    recompute.refresh_all(at=NOW)
    assert "Without them −100.0" in card(staff.qiu)
    hidden = card(staff.lan)
    assert "With them −23.1" in hidden
    assert ("Without them" in hidden, "−100.0" in hidden) == (True, False)
