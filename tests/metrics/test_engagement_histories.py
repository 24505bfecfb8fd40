"""Engagement after any history: events added, taken back, late, moved, and the days that pass."""

import json
from datetime import timedelta
from random import Random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients import changes, consent
from clients.models import Client, Product, Touchpoint
from metrics import recompute, storing
from metrics.facts import engagement as facts
from metrics.models import ClientState, Measurement, ReferenceDistribution
from surveys.models import Version
from tests.factories import NOW, make_client, make_contact, make_full_version, make_scores
from tests.metrics.engaged import TODAY, happen, hold, leave, make_product

pytestmark = pytest.mark.django_db
KINDS = Touchpoint.Kind.values
BOUNDS = {"login": 3.0, "pv": 3.0, "depth": 3.0, "offline": 4.0, "ctr": 0.6}


def make_reference() -> None:
    ReferenceDistribution.objects.bulk_create(
        ReferenceDistribution(
            version=1,
            quantity=quantity,
            low=0,
            high=high,
            prior=0.2 if quantity == "ctr" else None,
            strength=20 if quantity == "ctr" else None,
            clients=30,
            zone="Asia/Shanghai",
            parameter_set="ps-test",
            frozen_at=NOW,
        )
        for quantity, high in BOUNDS.items()
    )


def everything() -> list[str]:
    keys = ("scope", "scope_id", "slice", "population", "period", "metric")
    fields = ("value", "low", "high", "label", "n", "clients", "eligible", "gate", "detail")
    rows = Measurement.objects.order_by(*keys).values_list(*keys, *fields)
    return [json.dumps(row, sort_keys=True) for row in rows]


def happened(client: Client, random: Random, product: Product) -> None:
    kind = random.choice(KINDS)
    fields = {"contact": random.choice([None, *client.contacts.order_by("pk")])}
    if kind == "product_use":
        fields |= {"product": product, "quantity": random.randrange(1, 9)}
    happen(client, kind, random.randrange(-2, 200), duration_s=random.randrange(400), **fields)


def taken_back(client: Client) -> None:
    gone = client.touchpoints.order_by("pk").first()
    if gone:
        gone.delete()


def merged(client: Client, heir: Client, random: Random) -> None:
    if client != heir and client.merged_into_id is None:
        client.merged_into, client.merged_on = heir, TODAY - timedelta(days=random.randrange(120))
        client.save()


def play(act: str, seed: int, clients: list[Client], product: Product, version: Version) -> None:
    """One event of a history; the seed decides whom and what it concerns."""
    random = Random(seed)
    client = random.choice(clients)
    acts = {
        "refresh": lambda: recompute.refresh_stale(at=NOW),
        "happen": lambda: happened(client, random, product),
        "take back": lambda: taken_back(client),
        "leave": lambda: leave(client.contacts.order_by("pk")[0], random.randrange(-5, 100)),
        "complain": lambda: consent.freeze(
            client, "open_complaint", severity="severe", cause=str(seed), at=NOW
        ),
        "answer": lambda: make_scores(
            version,
            client,
            {"nps": random.randrange(11), "trust": random.randrange(1, 8)},
            submitted_at=NOW - timedelta(days=random.randrange(800)),
        ),
        "merge": lambda: merged(client, clients[0], random),
    }
    acts[act]()
    if act in ("happen", "take back", "leave", "merge"):
        changes.note([client.pk, clients[0].pk], at=NOW)


ACTS = (
    "happen",
    "happen",
    "happen",
    "refresh",
    "take back",
    "leave",
    "complain",
    "answer",
    "merge",
)
HISTORY = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 10_000)), max_size=14)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=HISTORY)
def test_any_history_ends_where_a_full_pass_ends(history):
    with transaction.atomic():
        make_reference()
        product, version = make_product(), make_full_version()
        clients = [make_client(online_contract=flag) for flag in (True, None, False)]
        for client in clients:
            make_contact(client)
            hold(client, product)
        for act, seed in history:
            play(act, seed, clients, product, version)
        recompute.refresh_stale(at=NOW)
        one_by_one = everything()
        Measurement.objects.all().delete()
        ClientState.objects.all().delete()
        recompute.refresh_all(at=NOW)
        assert everything() == one_by_one
        for row in Measurement.objects.filter(metric="cei", scope="client", value__isnull=False):
            parts = row.detail["components"].values()
            told = sum(part["contribution"] or 0 for part in parts)
            assert told == pytest.approx(row.value, abs=1e-9)
            assert 0 <= row.value <= 100
        transaction.set_rollback(True)
    storing.forget()


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ages=st.lists(st.integers(0, 100), max_size=12), seed=st.integers(0, 1000))
def test_without_new_events_no_sum_ever_rises(ages, seed):
    with transaction.atomic():
        random = Random(seed)
        client, product = make_client(online_contract=True), make_product()
        make_contact(client)
        for age in ages:
            kind = random.choice(("login", "page_view", "product_use", "visit", "email_reply"))
            happen(client, kind, age, product=product if kind == "product_use" else None)
        before = None
        for later in range(0, 120, 9):
            table = facts.quantities(TODAY + timedelta(days=later), [client.pk])
            now = [table.login[0], table.pv[0], table.depth[0], table.offline[0]]
            assert before is None or all(a <= b for a, b in zip(now, before, strict=True))
            before = now
        transaction.set_rollback(True)
