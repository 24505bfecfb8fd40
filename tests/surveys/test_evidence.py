"""Hits are evidence: bounded, and told apart into persons and machines."""

from datetime import timedelta

import pytest

from surveys import evidence, traces, visits
from surveys.models import Hit, Invitation
from tests.factories import NOW, make_invitation

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"


def hit(invitation, *, page="survey", method="GET", at=NOW, **told):
    return visits.note(invitation, visits.Visit(page, method, at, **told))


@pytest.mark.parametrize(
    ("method", "agent", "person"),
    [
        ("GET", PHONE, True),
        ("HEAD", PHONE, False),
        ("GET", "", False),
        ("GET", "curl/8.5", False),
        ("GET", "Mozilla/5.0 (compatible; Barracuda Sentinel)", False),
        ("GET", "Mozilla/5.0 HeadlessChrome/130", False),
    ],
)
def test_persons_are_told_from_machines(method, agent, person):
    hit(make_invitation(), page="survey", method=method, at=NOW, agent=agent)
    evidence.judge_visits(at=NOW)
    assert Hit.objects.openings().exists() is person


def test_a_visit_of_the_opt_out_page_is_no_opening_of_the_survey():
    hit(make_invitation(), page="opt_out", method="GET", at=NOW, agent=PHONE)
    evidence.judge_visits(at=NOW)
    assert Hit.objects.get().person
    assert not Hit.objects.openings().exists()


def test_the_first_visit_of_a_person_dates_the_opening_once():
    opened, fetched, untouched = (make_invitation() for _ in range(3))
    for row, method, minutes in (
        (opened, "HEAD", 0),
        (opened, "GET", 7),
        (opened, "GET", 3),
        (fetched, "HEAD", 1),
    ):
        at = NOW + timedelta(minutes=minutes)
        hit(row, page="survey", method=method, at=at, agent=PHONE)
    assert evidence.judge_visits(at=NOW) == 4
    assert evidence.judge_visits(at=NOW) == 0
    rows = Invitation.objects.order_by("id").values_list("opened_at", flat=True)
    assert list(rows) == [NOW + timedelta(minutes=3), None, None]
    assert untouched.opened_at is None


def test_later_visit_does_not_move_the_opening():
    row = make_invitation()
    for minutes in (3, 7):
        at = NOW + timedelta(minutes=minutes)
        hit(row, page="survey", method="GET", at=at, agent=PHONE)
        evidence.judge_visits(at=at)
    row.refresh_from_db()
    assert row.opened_at == NOW + timedelta(minutes=3)


def test_each_hit_is_judged_once_and_only_new_ones_are_looked_at(django_assert_num_queries):
    row = make_invitation()
    for agent in (PHONE, "curl/8.5"):
        hit(row, page="survey", method="GET", at=NOW, agent=agent)
    evidence.judge_visits(at=NOW)
    assert list(Hit.objects.order_by("id").values_list("person", flat=True)) == [True, False]
    with django_assert_num_queries(3):  # a transaction around one look
        assert evidence.judge_visits(at=NOW) == 0


def test_hits_beyond_one_block_are_judged_in_the_same_sweep(monkeypatch):
    monkeypatch.setattr(traces, "BLOCK", 2)
    row = make_invitation()
    for minutes in range(5):
        at = NOW + timedelta(minutes=minutes)
        hit(row, page="survey", method="GET", at=at, agent=PHONE)
    assert evidence.judge_visits(at=NOW) == 5
    assert not Hit.objects.filter(person=None).exists()


@pytest.mark.parametrize(
    ("scores", "judged"), [((9,), True), ((8, 9, 10), True), (range(11), False)]
)
def test_who_follows_all_score_links_of_a_mail_is_a_machine(scores, judged):
    invitation = make_invitation()
    for second, score in enumerate((None, *scores)):
        at = NOW + timedelta(seconds=second)
        hit(
            invitation,
            page="survey",
            method="GET",
            at=at,
            address="192.0.2.7",
            agent=PHONE,
            score=score,
        )
    evidence.judge_visits(at=NOW)
    assert set(Hit.objects.values_list("person", flat=True)) == {judged}
    invitation.refresh_from_db()
    assert (invitation.opened_at == NOW) is judged


def test_a_person_behind_the_same_mail_as_a_gateway_is_still_a_person():
    invitation = make_invitation()
    for second in range(11):
        hit(
            invitation,
            page="survey",
            method="GET",
            at=NOW,
            address="192.0.2.7",
            agent=PHONE,
            score=second,
        )
    later = NOW + timedelta(minutes=9)
    hit(invitation, page="survey", method="GET", at=later, address="203.0.113.5", agent=PHONE)
    evidence.judge_visits(at=NOW)
    invitation.refresh_from_db()
    assert invitation.opened_at == later
