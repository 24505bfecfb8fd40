"""Raw quantities of engagement: what counts, how much, and what is missing rather than zero."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import override_settings

from clients.models import Client, Consent
from metrics.facts import engagement, events
from metrics.formulas.engagement import decayed_sum
from metrics.formulas.parameters import DEFAULT
from tests.factories import make_client, make_contact
from tests.metrics.engaged import (
    TODAY,
    black_out,
    book,
    happen,
    hold,
    leave,
    make_product,
    moment,
)

pytestmark = pytest.mark.django_db


def read(client: Client, day: date = TODAY) -> dict[str, float]:
    """The quantities of one client by name."""
    table = engagement.quantities(day, [client.pk])
    assert table.clients.tolist() == [client.pk]
    names = ("users", "login", "pv", "clicks", "messages", "used", "held", "depth", "offline")
    return {name: getattr(table, name)[0] for name in (*names, "events")}


def reason(client: Client, component: str, day: date = TODAY) -> str:
    return engagement.quantities(day, [client.pk]).reasons[component][0]


@pytest.fixture
def client(db) -> Client:
    return make_client(online_contract=True)


def test_an_event_counts_half_after_45_days_and_not_at_all_after_90(client):
    for age in (0, 45, 89, 90, -1):
        happen(client, "visit", age)

    assert read(client)["offline"] == 3 * decayed_sum([0, 45, 89, 90, -1])
    assert read(client)["events"] == 3


def test_a_user_counts_once_a_local_day(client):
    one, two = make_contact(client), make_contact(client)
    happen(client, "login", 1, clock="00:00", contact=one)
    happen(client, "login", 1, clock="23:59", contact=one)
    happen(client, "login", 0, clock="00:00", contact=one)
    happen(client, "login", 1, contact=two)
    happen(client, "login", 1)
    happen(client, "login", 1)

    assert read(client)["login"] == decayed_sum([1, 0, 1, 1])
    assert read(client)["users"] == 2


def test_a_page_seen_again_within_ten_seconds_is_a_repeat(client):
    one, two = make_contact(client), make_contact(client)
    for clock in ("10:00:00", "10:00:10", "10:00:20.000001", "10:00:40"):
        happen(client, "page_view", 3, clock=clock, contact=one)
    happen(client, "page_view", 3, clock="10:00:05", contact=two)
    happen(client, "page_view", 3, clock="11:00", contact=two, quantity=4)

    assert read(client)["pv"] == decayed_sum([3] * 4, [1, 1, 1, 1]) + decayed_sum([3], [4])


def test_points_of_one_day_are_capped_at_five(client):
    happen(client, "visit", 2, clock="09:00")
    happen(client, "meeting", 2, clock="15:00")
    happen(client, "event", 4)
    happen(client, "email_reply", 4)
    happen(client, "call", 5, duration_s=120)
    happen(client, "call", 5, duration_s=119)
    happen(client, "call", 5)

    assert read(client)["offline"] == decayed_sum([2, 4, 5], [5, 2.5, 1])


def test_each_message_gives_one_click_at_most(client):
    one, two = make_contact(client), make_contact(client)
    for contact in (one, one, two):
        happen(client, "message_delivered", 5, contact=contact)
    for contact in (one, two, two, two):
        happen(client, "message_click", 4, contact=contact)

    assert (read(client)["clicks"], read(client)["messages"]) == (2, 3)


def test_breadth_counts_products_used_in_the_window_of_those_held(client):
    payroll, transfer, guarantee = make_product(), make_product(), make_product()
    branch_only = make_product(is_online=False)
    hold(client, payroll)
    hold(client, branch_only)
    hold(client, guarantee, ends_on=TODAY - timedelta(days=1))
    hold(client, guarantee, starts_on=TODAY + timedelta(days=1))
    happen(client, "product_use", 10, product=payroll, quantity=3)
    book(client, payroll, 20)
    book(client, transfer, 200)
    book(client, branch_only, 30)
    book(client, payroll, 5, kind="fee")
    book(client, guarantee, 400)

    found = read(client)
    assert (found["used"], found["held"]) == (1, 2)
    assert found["depth"] == decayed_sum([10, 20, 30], [3, 1, 1])


def test_users_are_contacts_who_have_not_left_by_the_day(client):
    leave(make_contact(client), 0)
    leave(make_contact(client), -1)
    make_contact(client)

    assert read(client)["users"] == 2
    assert read(client, TODAY - timedelta(days=1))["users"] == 3


def test_without_users_the_sum_is_not_divided(client):
    happen(client, "login", 0)

    table = engagement.quantities(TODAY, [client.pk])

    assert table.per_user("login").tolist() == [1.0]


def test_an_open_channel_without_activity_is_zero_and_not_missing(client):
    make_contact(client)

    assert reason(client, "login") == ""
    assert read(client)["login"] == 0
    assert reason(client, "offline") == ""


@pytest.mark.parametrize(
    ("contract", "age", "expected"),
    [
        (False, 10, "NO_CONTRACT"),
        (None, None, "NO_CONTRACT"),
        (None, 10, ""),
        (None, 400, ""),
        (None, -3, "NO_CONTRACT"),
        (True, None, ""),
    ],
)
def test_without_a_contract_online_activity_is_missing(contract, age, expected):
    client = make_client(online_contract=contract)
    make_contact(client)
    if age is not None:
        happen(client, "page_view", age)

    assert [reason(client, one) for one in ("login", "pv")] == [expected, expected]
    assert reason(client, "ctr") == "NO_MESSAGES"


def test_a_project_company_without_own_users_is_served_through_its_sponsor():
    company = make_client(kind="spv", online_contract=True)

    told = [reason(company, one) for one in ("login", "pv", "ctr", "usage", "offline")]
    assert told == ["SPONSOR_SERVED"] * 4 + [""]

    make_contact(company)
    told = [reason(company, one) for one in ("login", "pv", "ctr", "usage", "offline")]
    assert told == ["", "", "NO_MESSAGES", "NOTHING_HELD", ""]


def test_messages_of_clients_who_all_refused_them_are_missing(client):
    for _ in range(2):
        contact = make_contact(client)
        happen(client, "message_delivered", 3, contact=contact)
        assert reason(client, "ctr") == ""
        Consent.objects.filter(contact=contact).update(state="no")
    assert reason(client, "ctr") == "CONSENT_WITHDRAWN"

    make_contact(client, consent="")
    assert reason(client, "ctr") == ""


def test_a_short_outage_is_put_back_in_proportion(client):
    contact = make_contact(client)
    happen(client, "login", 10, contact=contact)
    happen(client, "visit", 10)
    black_out("online", 40, 3)

    lost = decayed_sum([40, 39, 38])
    whole = decayed_sum(list(range(90)))
    assert read(client)["login"] == pytest.approx(
        decayed_sum([10]) * whole / (whole - lost), rel=1e-9
    )
    assert read(client)["offline"] == decayed_sum([10], [3])
    assert reason(client, "login") == ""


@pytest.mark.parametrize(
    ("source", "missing"),
    [("online", {"login", "pv"}), ("mail", {"ctr"}), ("products", {"usage"})],
)
def test_a_long_outage_of_a_log_makes_what_it_tells_missing(client, source, missing):
    make_contact(client)
    happen(client, "message_delivered", 3)
    hold(client, make_product())
    black_out(source, 30, 20)

    table = engagement.quantities(TODAY, [client.pk])

    assert {name for name, held in table.reasons.items() if held[0] == "LOG_OUTAGE"} == missing
    assert {name for name, held in table.reasons.items() if held[0]} == missing


def test_overlapping_outages_are_counted_once(client):
    happen(client, "login", 10)
    black_out("online", 40, 3)
    once = read(client)["login"]
    black_out("online", 39, 1)

    assert read(client)["login"] == once


def test_a_merged_client_counts_under_its_successor_from_the_day_of_merging():
    heir, old, older = (make_client(online_contract=True) for _ in range(3))
    contact = make_contact(old)
    happen(old, "visit", 10)
    happen(older, "visit", 20)
    happen(older, "login", 20, contact=contact)
    happen(old, "login", 20, clock="20:00", contact=contact)
    Client.objects.filter(pk=older.pk).update(merged_into=old, merged_on=TODAY - timedelta(days=9))
    Client.objects.filter(pk=old.pk).update(merged_into=heir, merged_on=TODAY - timedelta(days=5))

    table = engagement.quantities(TODAY)
    assert table.clients.tolist() == [heir.pk]
    assert table.offline.tolist() == [decayed_sum([10, 20], [3, 3])]
    assert table.login.tolist() == [decayed_sum([20])]
    assert table.users.tolist() == [1]
    before = engagement.quantities(TODAY - timedelta(days=6))
    assert before.clients.tolist() == [heir.pk, old.pk]
    assert before.offline.tolist() == [0, decayed_sum([4, 14], [3, 3])]


def test_clients_that_are_closed_have_no_row(client):
    make_client(status="closed")

    assert engagement.quantities(TODAY).clients.tolist() == [client.pk]


def test_everybody_at_once_and_one_by_one_agree_to_the_last_bit():
    clients = [make_client(online_contract=True) for _ in range(4)]
    product = make_product()
    for number, client in enumerate(clients):
        contact = make_contact(client)
        for age in range(0, 100, number + 3):
            happen(client, "login", age, contact=contact)
            happen(client, "page_view", age, quantity=number + 1)
            happen(client, "call", age, duration_s=300)
            happen(client, "product_use", age, product=product, quantity=7)
    black_out("online", 15, 2)

    table = engagement.quantities(TODAY)
    block = engagement.quantities(TODAY, [client.pk for client in clients[:2]])

    for position, client in enumerate(clients):
        alone = engagement.quantities(TODAY, [client.pk])
        for name in ("login", "pv", "depth", "offline", "events", "used", "held", "users"):
            assert getattr(alone, name)[0] == getattr(table, name)[position]
            if position < 2:
                assert getattr(block, name)[position] == getattr(table, name)[position]


def test_one_client_and_all_take_the_same_number_of_queries(client, django_assert_num_queries):
    with django_assert_num_queries(4):
        engagement.quantities(TODAY, [client.pk])
    for _ in range(3):
        happen(make_client(), "visit")
    with django_assert_num_queries(4):
        engagement.quantities(TODAY)


def test_the_largest_quantities_do_not_overflow(client):
    for age in range(3):
        happen(client, "page_view", age, quantity=2**31 - 1)

    assert read(client)["pv"] == decayed_sum([0, 1, 2], [events.MOST] * 3)


@override_settings(TIME_ZONE="Europe/Berlin")
def test_days_of_23_and_25_hours_are_whole_days():
    client = make_client(online_contract=True)
    day = date(2026, 10, 26)
    # Summer time ends on 25 October at 01:00 UTC: local midnight moves from 22:00 to 23:00 UTC.
    for at in (
        datetime(2026, 10, 24, 21, 59, tzinfo=UTC),
        datetime(2026, 10, 24, 22, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 22, 59, tzinfo=UTC),
        datetime(2026, 10, 25, 23, 0, tzinfo=UTC),
    ):
        happen(client, "page_view", at=at)

    assert read(client, day)["pv"] == decayed_sum([2, 1, 1, 0])


def test_weights_lie_on_the_grid_and_never_rise():
    found = events.weights(DEFAULT.engagement)

    assert found[0] == 2**36
    assert found[45] == 2**35
    assert len(found) == 90
    assert found == sorted(found, reverse=True)


def test_a_moment_is_read_in_the_reporting_zone(client):
    happen(client, "visit", at=moment(90, "23:59:59.999999"))
    happen(client, "visit", at=moment(89, "00:00"))

    assert read(client)["offline"] == decayed_sum([89], [3])
