"""The sweep reads what happened lately, by its indexes; it never reads whole tables."""

import re
from datetime import timedelta

import pytest
from django.db import connection

from clients.models import ClientEvent, Milestone, Touchpoint
from cxportal import reference
from surveys import occasions
from surveys.models import Occasion, Trigger
from tests.factories import NOW, make_case, make_client, make_contact, make_touchpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def watch(db):
    reference.load(NOW - timedelta(days=30))
    return occasions.Watch.begin(NOW)


def plan_of(find, code, watch):
    """How the database finds the events of a trigger."""
    said = []

    def note(execute, sql, params, many, context):
        if sql.startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", params)
                said.extend(row[0] for row in cursor.fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        list(find(Trigger.objects.get(code=code), watch))
    return "\n".join(said)


def make_history():
    """Years of a bank in which hardly anything is of the last weeks."""
    clients = [make_client() for _ in range(20)]
    cases = [make_case(client) for client in clients]
    moments = [NOW - timedelta(days=number) for number in range(4000)]
    Milestone.objects.bulk_create(
        Milestone(external_id=f"M{n}", case=cases[n % 20], code="approved", occurred_at=at)
        for n, at in enumerate(moments)
    )
    ClientEvent.objects.bulk_create(
        ClientEvent(
            external_id=f"E{n}", client=clients[n % 20], event="complaint_closed", occurred_at=at
        )
        for n, at in enumerate(moments)
    )
    Touchpoint.objects.bulk_create(
        Touchpoint(
            event_id=f"T{n}", client=clients[n % 20], kind="visit", source="site_visit", at=at
        )
        for n, at in enumerate(moments)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE clients_milestone, clients_clientevent, clients_touchpoint")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans are PostgreSQL's")
@pytest.mark.parametrize(
    ("find", "code", "table", "index"),
    [
        # By the time alone, or by the time of each case where there are few.
        (occasions._milestones, "TR02", "clients_milestone", r"milestone_(reached|case)"),
        (occasions._touchpoints, "TR14", "clients_touchpoint", "touchpoint_together"),
        (occasions._client_events, "TR15", "clients_clientevent", "client_event_kind"),
    ],
)
def test_sweep_finds_events_by_an_index(watch, find, code, table, index):
    make_history()
    plan = plan_of(find, code, watch)
    assert re.search(rf"{index}.*\n.*Index Cond: .*at > ", plan)
    assert f"Seq Scan on {table}" not in plan


def test_what_is_long_past_is_not_even_looked_at(watch):
    client = make_client()
    make_contact(client, job_role="project_director")
    earliest = watch.earliest(Trigger.objects.get(code="TR14"))
    assert earliest == NOW - timedelta(days=2 * (1 + 7) + 60)
    for at in (earliest, earliest + timedelta(seconds=1)):
        make_touchpoint(client, kind="visit", source="site_visit", at=at)
    assert occasions.look(NOW) == 1
    assert Occasion.objects.get().happened_at == earliest + timedelta(seconds=1)
    assert occasions.look(NOW) == 0
