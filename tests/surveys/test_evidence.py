"""Hits are evidence: bounded, and told apart into persons and machines."""

from datetime import timedelta

import pytest

from surveys import evidence
from surveys.models import Hit, Invitation
from tests.factories import NOW, make_invitation

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15"


def test_what_a_visitor_sends_is_cut_and_cleaned():
    row = evidence.note_hit(
        make_invitation(), page="survey", method="GET", at=NOW, agent="a\r\n\x00b" * 200, score=9
    )
    row.refresh_from_db()
    assert (row.address, row.score, row.at) == (None, 9, NOW)
    assert set(row.agent) == {"a", "b"}


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
    evidence.note_hit(make_invitation(), page="survey", method=method, at=NOW, agent=agent)
    assert Hit.objects.filter(evidence.persons()).exists() is person


def test_a_visit_of_the_opt_out_page_is_no_opening_of_the_survey():
    evidence.note_hit(make_invitation(), page="opt_out", method="GET", at=NOW, agent=PHONE)
    assert not Hit.objects.filter(evidence.persons()).exists()


def test_the_first_visit_of_a_person_dates_the_opening_once(django_assert_num_queries):
    opened, fetched, untouched = (make_invitation() for _ in range(3))
    for row, method, minutes in (
        (opened, "HEAD", 0),
        (opened, "GET", 7),
        (opened, "GET", 3),
        (fetched, "HEAD", 1),
    ):
        at = NOW + timedelta(minutes=minutes)
        evidence.note_hit(row, page="survey", method=method, at=at, agent=PHONE)
    with django_assert_num_queries(1):
        assert evidence.judge_visits() == 1
    assert evidence.judge_visits() == 0
    rows = Invitation.objects.order_by("id").values_list("opened_at", flat=True)
    assert list(rows) == [NOW + timedelta(minutes=3), None, None]
    assert untouched.opened_at is None
