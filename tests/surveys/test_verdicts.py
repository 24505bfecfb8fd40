"""Person or machine, by the weights of what was seen: numbers and instants in, reasons out."""

from datetime import UTC, datetime, timedelta

import pytest

from surveys import verdicts
from surveys.verdicts import Visit

SENT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
HOME, GATE = "203.0.113.0/24", "192.0.2.0/24"


def visit(seconds, page="survey", method="GET", network=HOME, **more):
    return Visit(SENT + timedelta(seconds=seconds), page, method, network, **more)


def judged(*visits):
    """The verdicts by visit, each in its run."""
    return [verdicts.judge(one, run, mails=[SENT]) for run in verdicts.runs(visits) for one in run]


@pytest.mark.parametrize(
    ("seen", "signals"),
    [
        (visit(3600), ()),
        (visit(12), ("quick",)),
        (visit(3600, mails=5), ("mails",)),
        (visit(3600, method="HEAD"), ("head",)),
        (visit(3600, program=True), ("agent",)),
        (visit(3600, listed=True), ("network",)),
        (visit(3600, page="trap"), ("trap",)),
        (visit(2), ("instant",)),
        (visit(12, mails=5), ("mails", "quick")),
    ],
)
def test_a_visit_is_a_machines_when_its_signals_weigh_enough(seen, signals):
    weight = sum(verdicts.WEIGHTS[code] for code in signals)
    assert judged(seen) == [verdicts.Verdict(weight < verdicts.ENOUGH, signals, weight)]


def test_a_person_who_thinks_again_and_then_stops_the_mail_is_a_person():
    seen = judged(visit(600, score=8), visit(640, score=9), visit(660), visit(675, page="opt_out"))
    assert [one.person for one in seen] == [True] * 4


def test_two_links_in_one_second_and_the_way_out_give_a_gateway_away():
    both = judged(visit(600, network=GATE), visit(600.4, page="opt_out", network=GATE))
    assert [(one.person, one.signals) for one in both] == [(False, ("same_second", "opt_out"))] * 2


def test_scores_one_after_the_other_make_every_visit_of_the_run_a_machines():
    few = judged(*(visit(60 + 9 * number, score=number) for number in range(3)))
    many = judged(*(visit(60 + 9 * number, score=number) for number in range(4)))
    assert [one.person for one in few] == [True] * 3
    assert [(one.person, one.signals) for one in many] == [(False, ("scores",))] * 4


def test_what_a_gateway_did_before_does_not_stick_to_its_network():
    gate = [visit(60 + number, score=number, network=HOME) for number in range(11)]
    later = visit(60 + 10 + verdicts.PAUSE.total_seconds() + 1)
    assert [one.person for one in judged(*gate, later)] == [False] * 11 + [True]


def test_another_network_at_the_same_time_is_another_run():
    seen = [visit(60 + number, score=number, network=GATE) for number in range(11)]
    assert judged(*seen, visit(65))[-1].person


def test_a_form_sent_before_it_can_be_read_weighs_but_is_not_enough():
    _opened, sent = judged(visit(600), visit(601, method="POST"))
    assert (sent.person, sent.signals) == (True, ("unread",))
    _opened, quick = judged(visit(15), visit(16, method="POST"))
    assert (quick.person, quick.signals) == (False, ("unread", "quick"))


def test_a_mail_that_left_after_the_visit_is_no_reason():
    assert judged(visit(-5))[0].signals == ()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:7:9::1", "2001:db8:7::/48"),
        (None, ""),
    ],
)
def test_the_network_of_an_address(address, network):
    assert verdicts.network_of(address) == network
