"""The sweep reads what happened lately, by its indexes; it never reads whole tables."""

from datetime import timedelta

import pytest
from django.db import connection

from cxportal import reference
from surveys import occasions
from surveys.models import Occasion, Trigger
from tests.factories import NOW, make_client, make_contact, make_touchpoint

pytestmark = pytest.mark.django_db


@pytest.fixture
def watch(db):
    reference.load(NOW - timedelta(days=30))
    return occasions.Watch.begin(NOW)


def plan_of(find, code, watch):
    """How the database finds the events of a trigger, with tables it takes for large ones."""
    said = []

    def note(execute, sql, params, many, context):
        if sql.startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}", params)
                said.extend(row[0] for row in cursor.fetchall())
        return execute(sql, params, many, context)

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    with connection.execute_wrapper(note):
        list(find(Trigger.objects.get(code=code), watch))
    return "\n".join(said)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the plans are PostgreSQL's")
@pytest.mark.parametrize(
    ("find", "code", "table", "index"),
    [
        (occasions._milestones, "TR02", "clients_milestone", "milestone_reached"),
        (occasions._touchpoints, "TR14", "clients_touchpoint", "touchpoint_together"),
        (occasions._client_events, "TR15", "clients_clientevent", "client_event_kind"),
    ],
)
def test_sweep_finds_events_by_an_index(watch, find, code, table, index):
    plan = plan_of(find, code, watch)
    assert index in plan
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
