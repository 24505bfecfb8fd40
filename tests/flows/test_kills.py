"""Senders that are killed: nobody is lost, and an extra copy is the same mail again."""

import pytest

from tests.flows.house import House

MAILS, SENDERS, KILLS = 500, 2, 5


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("connections", [1, 4])
def test_five_kills_of_all_senders_lose_nobody_and_repeat_only_the_same_mail(house, connections):
    house.act("plan", str(MAILS), str(connections))
    house.start("sink", str(house.port), str(house.log))
    house.start("sweep")
    for number in range(1, KILLS + 1):
        senders = house.start("send", times=SENDERS)
        goal = number * MAILS // (KILLS + 1)
        house.wait(lambda goal=goal: len(house.mails()) >= goal)
        house.kill(senders)
    house.start("send", times=SENDERS)
    # Asking the ledger takes a process each time: first wait until the relay has nearly all.
    house.wait(lambda: len(house.mails()) >= MAILS - SENDERS * connections * KILLS)

    def settled():
        return all(
            state in {"sent", "skipped"} or (state == "unknown" and losses > 1)
            for _to, _id, state, _reason, losses in house.ledger()
        )

    house.wait(settled)
    lost_twice = sum(row[2] == "unknown" for row in house.ledger())
    house.act("decide")
    house.wait(settled)
    mails, ledger = house.mails(), house.ledger()
    sent = {row[0]: row[1] for row in ledger if row[2] == "sent"}
    assert len(sent) == MAILS
    assert [row[3] for row in ledger if row[2] == "skipped"] == ["no_consent"]
    # To the unit: who is in the ledger as sent is in the relay's log, and nobody else.
    assert {(to, number) for to, number, _link in mails} == set(sent.items())
    assert len({(to, link) for to, _number, link in mails}) == MAILS
    assert len(mails) - MAILS <= SENDERS * connections * KILLS + lost_twice


def test_one_pass_of_every_list_sends_without_a_broker(house):
    house.act("plan", "3")
    house.start("sink", str(house.port), str(house.log))
    house.run("manage.py", "run_due")
    assert len(house.mails()) == 3
    house.run("manage.py", "run_due")
    assert sorted(row[2] for row in house.ledger()) == ["sent"] * 3 + ["skipped"]
    assert len(house.mails()) == 3
