"""Freezing what is usual: from which quarters, for which groups, how often."""

import sqlite3
from datetime import timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import translation

from bank import settings
from bank.models import AuditEntry
from clients.models import ChangeNote
from metrics import references
from metrics.facts import engagement as facts
from metrics.formulas import engagement
from metrics.models import ReferenceDistribution
from tests.factories import NOW, make_client
from tests.metrics.engaged import QUARTER_ENDS, happen, make_crowd

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


def groups(version: int = 1) -> set[tuple[str, str]]:
    rows = ReferenceDistribution.objects.filter(version=version, quantity="login")
    return set(rows.values_list("segment", "size"))


def test_a_reference_is_frozen_from_the_last_days_of_four_whole_quarters(staff):
    crowd = make_crowd(30)

    frozen = references.rebase(at=NOW, by=staff.admin)

    assert references.quarter_ends(NOW, 4) == list(QUARTER_ENDS)
    row = frozen.of("login", "", "")
    assert row.quarters == [day.isoformat() for day in QUARTER_ENDS]
    values = np.concatenate([facts.quantities(day).per_user("login") for day in QUARTER_ENDS])
    bounds = engagement.reference_bounds(values.tolist())
    assert (row.low, row.high) == (bounds.low, bounds.high)
    assert (row.clients, row.version, row.zone) == (30, 1, "Asia/Shanghai")
    entry = AuditEntry.objects.get(act="reference.rebase")
    assert (entry.actor, entry.subject_id, entry.data["version"]) == (staff.admin, "1", 1)
    assert ChangeNote.objects.get().client_ids == sorted(client.pk for client in crowd)


def test_click_rates_have_the_prior_of_whole_clients():
    crowd = make_crowd(30)

    row = references.rebase(at=NOW, by=None).of("ctr", "", "")

    sent = [len(QUARTER_ENDS) * (1 + order % 6) for order in range(len(crowd))]
    prior = engagement.ctr_prior_moments([len(QUARTER_ENDS)] * len(crowd), sent)
    assert (row.prior, row.strength) == (prior.mu, prior.strength)
    assert (row.clients, prior.mu) == (30, pytest.approx(1 / 3.5))


def test_a_group_of_fewer_than_thirty_is_measured_by_its_parent():
    make_crowd(30, segment="corporate", size="large")
    make_crowd(29, segment="corporate", size="small")
    make_crowd(29, segment="project_finance")

    frozen = references.rebase(at=NOW, by=None)

    assert groups() == {("", ""), ("corporate", ""), ("corporate", "large")}
    assert frozen.of("login", "corporate", "large").size == "large"
    assert frozen.of("login", "corporate", "small").segment == "corporate"
    assert frozen.of("login", "corporate", "small").size == ""
    assert frozen.of("login", "project_finance", "").segment == ""
    assert frozen.of("login", "", "").clients == 88


def test_too_few_clients_are_refused_with_a_sentence():
    make_crowd(29)

    with pytest.raises(references.NotPossible, match="at least 30 clients"):
        references.rebase(at=NOW, by=None)
    assert not ReferenceDistribution.objects.exists()
    assert not AuditEntry.objects.exists()


def test_fewer_than_four_quarters_of_history_are_refused_with_a_sentence():
    make_crowd(30, QUARTER_ENDS[1:])

    with pytest.raises(references.NotPossible, match="up to 2025-12-31 have none"):
        references.rebase(at=NOW, by=None)


def test_a_client_that_came_later_is_not_part_of_older_quarters():
    make_crowd(30)
    make_crowd(30, QUARTER_ENDS[-1:], since=QUARTER_ENDS[-1] - timedelta(days=60))

    references.rebase(at=NOW, by=None)

    assert len(facts.quantities(QUARTER_ENDS[2])) == 30
    assert len(facts.quantities(QUARTER_ENDS[3])) == 60


def test_a_second_reference_within_a_year_must_be_forced():
    make_crowd(30, (*QUARTER_ENDS, QUARTER_ENDS[-1] + timedelta(days=92)))
    references.rebase(at=NOW, by=None)
    later = NOW + timedelta(days=60)

    with pytest.raises(references.NotPossible, match="holds until 2027-11-24"):
        references.rebase(at=later, by=None)
    assert references.rebase(at=later, by=None, force=True).version == 2
    assert references.newest().version == 2
    assert groups(1) == groups(2)


def test_after_a_year_a_second_reference_is_free():
    make_crowd(30)
    references.rebase(at=NOW, by=None)
    ReferenceDistribution.objects.update(frozen_at=NOW - timedelta(days=365))

    assert references.rebase(at=NOW, by=None).version == 2


def test_the_old_reference_stays_beside_the_new_one_for_a_quarter():
    make_crowd(30)
    references.rebase(at=NOW, by=None)
    second = references.rebase(at=NOW, by=None, force=True)

    assert references.replaced(references.newest(), QUARTER_ENDS[-1]).version == 1
    assert references.replaced(second, second.frozen_at.date() + timedelta(days=91)).version == 1
    assert references.replaced(second, second.frozen_at.date() + timedelta(days=92)) is None


def test_a_change_of_weights_does_not_move_the_bounds():
    make_crowd(30)
    first = references.rebase(at=NOW, by=None)
    weights = {"login": 1.0, "pv": 0, "ctr": 0, "usage": 0, "offline": 0}
    settings.put("cei_weights", weights, at=NOW, by=None)

    second = references.rebase(at=NOW, by=None, force=True)

    assert second.of("pv", "", "").high == first.of("pv", "", "").high
    assert second.of("pv", "", "").parameter_set != first.of("pv", "", "").parameter_set


def test_clients_without_the_channel_are_not_part_of_its_reference():
    make_crowd(30)
    make_crowd(5, online_contract=False)

    frozen = references.rebase(at=NOW, by=None)

    assert frozen.of("login", "", "").clients == 30
    assert frozen.of("offline", "", "").clients == 35


def test_a_quantity_that_hardly_anybody_has_gets_no_reference():
    make_crowd(30, online_contract=False)

    frozen = references.rebase(at=NOW, by=None)

    assert frozen.of("login", "", "") is None
    assert frozen.of("offline", "", "").clients == 30


def test_the_command_prints_what_it_froze():
    make_crowd(30)
    out = StringIO()

    with translation.override("en"):
        call_command("rebase_reference", stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[0].startswith("Reference 1 frozen from the 90 days up to 2025-12-31, 2026-03-31")
    row = ReferenceDistribution.objects.get(quantity="offline", segment="", size="")
    assert f"offline, bank: 3 to {row.ends[1]:.4g}, 30 clients" in lines
    assert len(lines) == 1 + ReferenceDistribution.objects.count()


def test_the_command_refuses_with_a_sentence():
    happen(make_client(), "visit")

    with pytest.raises(CommandError, match="A reference needs events in each of 4 quarters"):
        call_command("rebase_reference")
    with pytest.raises(CommandError):
        call_command("rebase_reference", "--force")


@pytest.mark.parametrize(
    "weights",
    [
        {"login": 0.2, "pv": 0.15, "ctr": 0.15, "usage": 0.3, "offline": 0.21},
        {"login": -0.2, "pv": 0.55, "ctr": 0.15, "usage": 0.3, "offline": 0.2},
        {"login": 0.2, "pv": 0.15, "ctr": 0.15, "usage": 0.3, "visits": 0.2},
        {"login": 0.2, "pv": 0.15, "ctr": 0.15, "usage": 0.5},
        {"login": True, "pv": 0, "ctr": 0, "usage": 0, "offline": 0},
        {"login": "0.2", "pv": 0.15, "ctr": 0.15, "usage": 0.3, "offline": 0.2},
        {"login": float("nan"), "pv": 0.15, "ctr": 0.15, "usage": 0.3, "offline": 0.2},
        [0.2, 0.15, 0.15, 0.3, 0.2],
        1,
    ],
)
def test_weights_that_are_no_weights_are_refused_with_a_sentence(weights):
    with pytest.raises(settings.Invalid, match="for each of login, pv, ctr, usage, offline"):
        settings.put("cei_weights", weights, at=NOW, by=None)
    assert settings.get("cei_weights") == settings.DEFAULTS["cei_weights"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has a single writer")
@pytest.mark.django_db(transaction=True)
def test_a_busy_database_is_told_in_a_sentence_and_nothing_is_frozen():
    make_crowd(30)
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with translation.override("en"), pytest.raises(CommandError, match="database is busy"):
            call_command("rebase_reference")
    finally:
        other.execute("ROLLBACK")
        other.close()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout = 5000")
    assert references.newest() is None
    call_command("rebase_reference")
    assert references.newest().version == 1
