"""Engagement and silence of any part of the bank, in any period, through the API."""

from datetime import date, timedelta

import numpy as np
import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Client, FacilityBalance
from metrics import recompute, references, storing
from metrics.engaging import scores
from tests import factories
from tests.factories import NOW
from tests.metrics.engaged import happen, hold, make_crowd, make_product, moment

pytestmark = pytest.mark.django_db
URL = "/api/v1/indicators/"
SIZES = ("large", "small")


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def clients(staff):
    """Twelve clients of one team, half of each size, the later the more often signed in."""
    crowd = make_crowd(30)
    references.rebase(at=NOW, by=None)
    Client.objects.filter(pk__in=[client.pk for client in crowd]).update(status="closed")
    product, made = make_product(), []
    for place in range(12):
        client = factories.make_client(
            online_contract=True, size=SIZES[place % 2], team=staff.east, code=f"N-{place}"
        )
        contact = factories.make_contact(client)
        hold(client, product)
        facility = factories.make_facility(client, currency="CNY")
        FacilityBalance.objects.create(
            facility=facility, as_of=date(2025, 1, 1), limit=100 * (place + 1), drawn=0
        )
        for day in (date(2026, 6, 30), date(2026, 9, 30), date(2026, 10, 31), date(2026, 11, 24)):
            for age in range(place % 5 + day.month % 3 + 1):
                happen(client, "login", at=moment(age, day=day), contact=contact)
        made.append(client)
    recompute.refresh_stale(at=NOW)
    return made


@pytest.fixture
def ask(clients, staff, client):
    client.force_login(staff.qiu)

    def asked(url=URL, **query):
        return client.get(url, query).json()["results"]

    return asked


def index(clients, day, metric="cei"):
    """The index of these clients on a day, straight from the formulas."""
    rules = storing.current().engagement
    found = scores.alone(
        day, sorted(one.pk for one in clients), reference=references.newest(), rules=rules
    ).now
    return found.index.score if metric == "cei" else found.scores[metric.removeprefix("cei_")]


DAYS = {
    "rolling90": date(2026, 11, 24),
    "rolling12m": date(2026, 11, 24),
    "2026Q4": date(2026, 11, 24),
    "2026-11": date(2026, 11, 24),
    "2026-10": date(2026, 10, 31),
    "2026-09": date(2026, 9, 30),
    "2026Q3": date(2026, 9, 30),
    "rolling3m:2026-10": date(2026, 10, 31),
}


@pytest.mark.parametrize("period", DAYS)
@pytest.mark.parametrize("metric", ["cei", "cei_login"])
def test_every_period_tells_the_index_of_its_last_day(period, metric, clients, ask):
    expected = np.mean(index(clients, DAYS[period], metric))
    (row,) = ask(metric=metric, period=period)
    assert (row["period"], row["gate"], row["n"]) == (period, "", 12)
    assert row["value"] == pytest.approx(expected)
    by_team = ask(metric=metric, period=period, group_by="team")
    told = {one["slice"]["team"]: one["value"] for one in by_team}
    assert told["EAST"] == pytest.approx(expected)
    (segment,) = [r for r in ask(metric=metric, period=period, group_by="segment") if r["n"]]
    assert segment["value"] == pytest.approx(expected)


@pytest.mark.parametrize("period", DAYS)
def test_cut_by_size_is_the_mean_of_each_size(period, clients, ask):
    found = {
        row["slice"]["size"]: row for row in ask(metric="cei", period=period, group_by="size")
    }
    for number, size in enumerate(SIZES):
        mine = index(clients[number::2], DAYS[period])
        assert (found[size]["value"], found[size]["n"]) == (pytest.approx(np.mean(mine)), 6)
        (filtered,) = ask(metric="cei", period=period, size=size)
        assert filtered["value"] == found[size]["value"]


def test_free_days_and_single_clients_are_told_as_of_the_last_day(clients, ask):
    (row,) = ask(metric="cei", **{"from": "2026-05-01", "to": "2026-07-01"})
    assert row["value"] == pytest.approx(np.mean(index(clients, date(2026, 6, 30))))
    url = "/api/v1/clients/N-3/indicators/"
    for period, day in DAYS.items():
        (row,) = ask(url, metric="cei", period=period)
        assert row["value"] == pytest.approx(index([clients[3]], day)[0])
    (row,) = ask(url, metric="cei_login", **{"from": "2026-05-01", "to": "2026-07-01"})
    assert row["value"] == pytest.approx(index([clients[3]], date(2026, 6, 30), "cei_login")[0])


def test_before_the_first_reference_nothing_can_be_measured(clients, ask):
    (row,) = ask(metric="cei", period="2025Q2")
    assert (row["value"], row["gate"]) == (None, "NO_REFERENCE")
    (row,) = ask("/api/v1/clients/N-3/indicators/", metric="cei", period="2025-06")
    assert (row["value"], row["gate"]) == (None, "NO_REFERENCE")


@pytest.mark.parametrize("cut", [{"buying_role": "user"}, {"group_by": "buying_role"}])
def test_what_only_answers_have_does_not_cut_engagement(cut, clients, ask):
    for metric in ("cei", "silent_exposure"):
        rows = ask(metric=metric, **cut)
        assert {row["gate"] for row in rows} == {"NOT_OF_ANSWERS"}


def test_silence_is_told_of_any_part_and_any_day(clients, ask):
    version = factories.make_full_version()
    spoke = clients[1::2]
    for one in spoke:
        factories.make_scores(version, one, {"nps": 9}, submitted_at=NOW - timedelta(days=60))
    recompute.refresh_stale(at=NOW)
    found = {
        r["slice"]["size"]: r["value"] for r in ask(metric="silent_exposure", group_by="size")
    }
    assert found == {"large": 1.0, "small": 0.0}
    whole = 100 * sum(range(1, 13))
    (now,) = ask(metric="silent_exposure", period="2026Q4")
    (then,) = ask(metric="silent_exposure", period="2026-08")
    silent = 100 * sum(place + 1 for place in range(0, 12, 2))
    assert (now["value"], then["value"]) == (pytest.approx(silent / whole), 1.0)


def test_all_metrics_of_a_cut_hold_engagement_too(clients, ask):
    rows = ask(period="2026-10", group_by="size")
    held = {row["metric"]: row for row in rows if row["slice"]["size"] == "large"}
    assert held["cei"]["value"] == pytest.approx(np.mean(index(clients[::2], date(2026, 10, 31))))
    assert held["nps"]["gate"] == "NO_DATA"


@pytest.mark.parametrize("period", ["2026-10", "rolling90"])
def test_lists_of_clients_take_the_same_queries_for_any_length(period, clients, client, staff):
    client.force_login(staff.qiu)
    query = {"metric": "cei", "period": period, "group_by": "client"}
    client.get(URL, query | {"page_size": 1})
    counts = []
    for size in (1, 3):
        with CaptureQueriesContext(connection) as told:
            rows = client.get(URL, query | {"page_size": size}).json()["results"]
        assert len(rows) == size
        counts.append(len(told))
    assert counts[0] == counts[1]
