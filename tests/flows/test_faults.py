"""A relay that fails in every phase: nobody is lost, and every copy is the same mail again.

Two senders work through a proxy that spoils what it is told to spoil; the relay behind it says
to the unit what has arrived.
"""

from collections import Counter

import pytest

from tests.flows.house import House
from tests.proxy import CUT, HANG, LOSE, Proxy, always
from tests.sinks import Sink

pytestmark = [pytest.mark.running, pytest.mark.faults]
MAILS, SENDERS = 20, 2


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A migrated database that every test copies."""
    house = House(tmp_path_factory.mktemp("empty"))
    yield house
    house.close()


@pytest.fixture
def sink():
    with Sink() as relay:
        yield relay


@pytest.fixture
def proxy(sink, house):
    with Proxy(sink._port, house.port) as between:
        yield between


@pytest.fixture
def house(tmp_path, empty):
    made = House(tmp_path, like=empty)
    yield made
    made.close()


def link(mail):
    text = mail.get_body(("plain",)).get_content()
    return next(line for line in text.splitlines() if "/s/" in line)


def reconcile(told, sink):
    """Ledger and relay agree to the unit; return how many copies each person got."""
    sent = {row[0]: row[1] for row in told["ledger"] if row[2] == "sent"}
    assert {(to, mail["Message-ID"]) for to, mail in sink.mails} == set(sent.items())
    assert len({(to, link(mail)) for to, mail in sink.mails}) == len(sent)
    return Counter(to for to, _mail in sink.mails)


def states(told):
    return Counter(row[2] for row in told["ledger"])


def deliver(house, mails=MAILS):
    """Plan a campaign, one person of which says no before it leaves, and start to send it."""
    house.act("plan", str(mails))
    house.start("send", times=SENDERS)
    return house.finish()


def fifth(action):
    """Do this to every fifth person, the first time."""

    def rule(recipient, times):
        number = int(recipient.partition("@")[0].lstrip("p"))
        return action if number % 5 == 0 and times == 1 else None

    return rule


def first(action, times=1):
    """Do this to everybody, so many times."""
    return lambda _recipient, count: action if count <= times else None


def test_relay_that_refuses_connections_at_first_gets_every_mail_once(house, proxy, sink):
    house.act("plan", str(MAILS))
    proxy.refuse()
    house.start("send", times=SENDERS)
    house.act("report")  # takes a while, in which nothing can be sent
    assert sink.mails == []
    proxy.open()
    told = house.finish()
    assert states(told) == {"sent": MAILS, "skipped": 1}
    assert set(reconcile(told, sink).values()) == {1}


@pytest.mark.parametrize(
    ("phase", "action"),
    [
        ("GREETING", first(HANG)),
        ("RCPT", fifth(HANG)),
        ("MAIL", first("451 try later", 6)),
        ("RCPT", first("451 grey-listed", 3)),
        ("DATA", first("451 try later")),
        ("BODY", fifth("452 full")),
        ("RCPT", fifth("421 closing")),
        ("BODY", fifth(CUT)),
        ("BODY", fifth(HANG)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_passes_costs_time_and_no_mail(house, proxy, sink, phase, action):
    proxy.rules[phase] = action
    told = deliver(house)
    assert proxy.spoiled[phase] > 0
    assert states(told) == {"sent": MAILS, "skipped": 1}
    assert set(reconcile(told, sink).values()) == {1}
    assert (told["bounced"], told["campaigns"]) == (0, ["sending"])


def test_slow_relay_is_waited_for(house, proxy, sink):
    proxy.delay = 0.1
    told = deliver(house)
    assert set(reconcile(told, sink).values()) == {1}
    assert all(row[4] == 0 for row in told["ledger"])


def test_verdict_that_is_lost_costs_one_copy_of_the_same_mail(house, proxy, sink):
    proxy.rules["BODY"] = fifth(LOSE)
    told = deliver(house)
    assert states(told) == {"sent": MAILS, "skipped": 1}
    assert Counter(reconcile(told, sink).values()) == {1: MAILS - MAILS // 5, 2: MAILS // 5}
    assert sum(row[4] for row in told["ledger"]) == proxy.spoiled["BODY"] == MAILS // 5


def test_verdict_that_is_lost_twice_waits_for_a_person(house, proxy, sink):
    house.act("plan", "2")
    lost = house.ledger()[0][0]
    proxy.rules["BODY"] = lambda to, _times: LOSE if to == lost else None
    house.start("send", times=SENDERS)
    told = house.finish()
    assert states(told) == {"sent": 1, "unknown": 1, "skipped": 1}
    assert sorted(Counter(to for to, _mail in sink.mails).values()) == [1, 2]
    assert len({mail["Message-ID"] for _to, mail in sink.mails}) == 2


def test_three_addresses_of_a_hundred_that_do_not_exist_are_closed_and_not_tried_again(
    house, proxy, sink
):
    house.act("plan", "100")
    gone = {row[0] for row in house.ledger()[10:100:40]}
    proxy.rules["RCPT"] = lambda to, _times: "550 5.1.1 no such user" if to in gone else None
    house.start("send", times=SENDERS)
    told = house.finish()
    assert states(told) == {"sent": 97, "failed": 3, "skipped": 1}
    assert {row[0] for row in told["ledger"] if row[2] == "failed"} == gone
    assert told["bounced"] == 3
    assert [proxy.seen["RCPT"][to] for to in sorted(gone)] == [1, 1, 1]
    assert set(reconcile(told, sink).values()) == {1}


def test_relay_that_forbids_us_pauses_the_campaign_and_closes_no_address(house, proxy, sink):
    proxy.rules["MAIL"] = always("554 5.7.1 sender not allowed")
    told = deliver(house)
    assert (told["campaigns"], told["bounced"], sink.mails) == (["paused"], 0, [])
    assert "failed" not in states(told)
    del proxy.rules["MAIL"]
    house.act("resume")
    told = house.finish()
    assert states(told) == {"sent": MAILS, "skipped": 1}
    assert set(reconcile(told, sink).values()) == {1}
