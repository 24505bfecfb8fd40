"""Engagement, health and client score as they are stored: of one client, of a unit, over time."""

import json
from datetime import date, timedelta

import numpy as np
import pytest

from bank import settings
from clients import changes, consent
from clients.models import Client, Freeze
from metrics import engaging, queries, recompute, references, storing
from metrics.engaging import scores
from metrics.facts import answers, mergers
from metrics.formulas import engagement, health
from metrics.formulas.engagement import decayed_sum
from metrics.formulas.parameters import ENGAGEMENT
from metrics.formulas.uncertainty import quantiles
from metrics.models import Measurement
from tests.factories import (
    NOW,
    make_client,
    make_contact,
    make_full_version,
    make_scores,
    make_team,
)
from tests.metrics.engaged import (
    QUARTER_ENDS,
    TODAY,
    black_out,
    happen,
    hold,
    make_crowd,
    make_product,
    moment,
)

pytestmark = pytest.mark.django_db
WEIGHTS = settings.DEFAULTS["cei_weights"]


def freeze_reference(**fields):
    """Thirty clients of the past whose history is the reference, closed afterwards."""
    crowd = make_crowd(30, **fields)
    references.rebase(at=NOW, by=None)
    Client.objects.filter(pk__in=[client.pk for client in crowd]).update(status="closed")
    return references.newest()


def busy_client(**fields) -> Client:
    """One client with something in every channel."""
    client = make_client(**{"online_contract": True} | fields)
    contact, product = make_contact(client), make_product()
    hold(client, product)
    for kind in ("login", "page_view", "message_delivered", "product_use"):
        happen(
            client, kind, 2, contact=contact, product=product if kind == "product_use" else None
        )
    happen(client, "visit", 3)
    happen(client, "visit", 8)
    return client


def figure(client: Client, metric: str = "cei") -> queries.Figure:
    population = "" if metric.startswith("cei") else "relational"
    row = Measurement.objects.get(
        scope="client",
        scope_id=client.pk,
        metric=metric,
        population=population,
        period="rolling12m" if population else "rolling90",
    )
    return queries.figure_of(row)


def everything():
    keys = ("scope", "scope_id", "slice", "population", "period", "metric")
    fields = ("value", "low", "high", "label", "n", "clients", "eligible", "gate", "detail")
    rows = Measurement.objects.order_by(*keys).values_list(*keys, *fields)
    return [json.dumps(row, sort_keys=True) for row in rows]


def test_without_a_reference_there_is_no_index_and_the_reason_is_told():
    client = busy_client()

    recompute.refresh_stale(at=NOW)

    assert (figure(client).value, figure(client).gate) == (None, "NO_REFERENCE")
    assert {figure(client, f"cei_{name}").gate for name in ENGAGEMENT} == {"NO_REFERENCE"}
    bank = Measurement.objects.get(scope="bank", metric="cei", slice="", period="rolling90")
    assert (bank.value, bank.gate, bank.eligible) == (None, "NO_REFERENCE", 1)


def test_the_index_is_made_of_its_components_by_the_frozen_bounds():
    frozen = freeze_reference()
    client = busy_client()

    recompute.refresh_stale(at=NOW)

    found = figure(client)
    bounds = {
        name: frozen.of(name, "corporate", "") for name in ("login", "pv", "offline", "depth")
    }
    weight = decayed_sum([2])
    scores = {
        name: engagement.norm_minmax(weight, row)
        for name, row in bounds.items()
        if name != "depth"
    }
    scores["offline"] = engagement.norm_minmax(decayed_sum([3, 8], [3, 3]), bounds["offline"])
    clicks = frozen.of("ctr", "corporate", "")
    rate = engagement.ctr_shrunk(0, 1, clicks.prior, clicks.strength)
    scores["ctr"] = engagement.norm_minmax(rate, clicks, log=False)
    depth = engagement.norm_minmax(weight, bounds["depth"])
    scores["usage"] = engagement.usage_score(1, 1, depth)
    expected = engagement.cei(scores)
    assert found.value == expected.cei
    assert found.label == health.band(expected.cei)
    assert found.detail["coverage"] == 1
    parts = found.detail["components"]
    assert {name: parts[name]["score"] for name in ENGAGEMENT} == scores
    assert sum(part["contribution"] for part in parts.values()) == pytest.approx(found.value)
    assert found.detail["reference"] == 1
    assert found.n == 6
    assert {figure(client, f"cei_{name}").value for name in ENGAGEMENT} == set(scores.values())
    assert figure(client, "cei_usage").detail["used"] == 1
    assert figure(client, "cei_ctr").detail["messages"] == 1


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        ({"online_contract": False}, {"login": "NO_CONTRACT", "pv": "NO_CONTRACT"}),
        ({"kind": "corporate"}, {}),
    ],
)
def test_a_channel_that_is_not_open_is_missing_and_the_others_weigh_more(change, reasons):
    freeze_reference()
    client = busy_client()
    Client.objects.filter(pk=client.pk).update(**change)

    recompute.refresh_stale(at=NOW)

    found = figure(client)
    parts = found.detail["components"]
    assert {name: part["reason"] for name, part in parts.items() if part["reason"]} == reasons
    coverage = sum(WEIGHTS[name] for name in ENGAGEMENT if name not in reasons)
    assert found.detail["coverage"] == pytest.approx(coverage)
    there = {name: parts[name]["weight"] for name in ENGAGEMENT if name not in reasons}
    assert there == {name: pytest.approx(WEIGHTS[name] / coverage) for name in there}
    assert all(parts[name]["score"] is None for name in reasons)
    assert all(parts[name]["contribution"] is None for name in reasons)


def test_no_activity_in_open_channels_is_zero():
    freeze_reference()
    client = make_client(online_contract=True)
    make_contact(client)
    hold(client, make_product())

    recompute.refresh_stale(at=NOW)

    assert figure(client).value == 0
    assert figure(client, "cei_login").value == 0
    assert figure(client, "cei_usage").value == 0
    assert figure(client, "cei_ctr").gate == "NO_MESSAGES"
    assert figure(client).label == "at risk"


def test_below_half_of_the_weights_there_is_no_index():
    freeze_reference()
    client = make_client(online_contract=False)

    recompute.refresh_stale(at=NOW)

    assert (figure(client).value, figure(client).gate) == (None, "LOW_COVERAGE")
    assert figure(client, "cei_offline").value == 0


def test_a_log_outage_is_missing_and_shows_in_the_change_as_availability():
    freeze_reference()
    client = busy_client()
    contact = client.contacts.get()
    for kind in ("login", "page_view", "message_delivered"):
        happen(client, kind, 95, contact=contact)
    black_out("online", 30, 25)

    recompute.refresh_stale(at=NOW)

    assert figure(client, "cei_login").gate == "LOG_OUTAGE"
    change = figure(client).detail["change"]
    assert change["parts"]["login"]["availability"] != 0
    assert sum(sum(part.values()) for part in change["parts"].values()) == pytest.approx(
        change["value"]
    )


def test_the_change_compares_with_the_window_before():
    freeze_reference()
    client = busy_client()
    contact = client.contacts.get()
    for age in (91, 95, 100):
        happen(client, "login", age, contact=contact)
        happen(client, "message_delivered", age, contact=contact)

    recompute.refresh_stale(at=NOW)
    change = figure(client).detail["change"]

    assert change["since"] == (TODAY - timedelta(days=90)).isoformat()
    assert change["value"] == figure(client).value - change["before"]
    assert change["parts"]["login"]["behaviour"] < 0
    assert change["parts"]["offline"]["behaviour"] > 0
    assert {part["availability"] for part in change["parts"].values()} == {0}


def test_a_new_client_has_no_change():
    freeze_reference()
    client = busy_client(since=TODAY - timedelta(days=10))

    recompute.refresh_stale(at=NOW)

    assert figure(client).detail["change"] is None


def test_another_client_moves_nobody_elses_index():
    freeze_reference()
    client = busy_client()
    recompute.refresh_stale(at=NOW)
    before = figure(client)

    for _ in range(3):
        busy_client()
    recompute.refresh_all(at=NOW)

    after = figure(client)
    assert (after.value, after.detail) == (before.value, before.detail)


def test_a_reference_of_equal_clients_gives_middle_scores():
    crowd = [busy_client() for _ in range(30)]
    for day in QUARTER_ENDS:
        for client in crowd:
            happen(client, "visit", (TODAY - day).days)
    references.rebase(at=NOW, by=None)
    at_value, below = (make_client(online_contract=True) for _ in range(2))
    happen(at_value, "visit", 0)

    recompute.refresh_stale(at=NOW)

    found = [figure(client, "cei_offline").value for client in (crowd[0], at_value, below)]
    assert found == [100, 50, 0]


def test_events_in_the_place_of_others_give_the_same_as_a_full_pass():
    freeze_reference()
    clients = [busy_client(team=make_team()) for _ in range(3)]
    recompute.refresh_stale(at=NOW)
    gone = clients[0].touchpoints.first()
    gone.delete()
    changes.note([clients[0].pk], at=NOW)
    recompute.refresh_stale(at=NOW)
    happen(clients[1], "call", 1, duration_s=600)
    changes.note([clients[1].pk], at=NOW)
    recompute.refresh_stale(at=NOW)

    one_by_one = everything()
    Measurement.objects.all().delete()
    recompute.refresh_all(at=NOW, past=True)

    assert everything() == one_by_one


def test_the_next_day_every_sum_has_decayed():
    freeze_reference()
    client = busy_client()
    recompute.refresh_stale(at=NOW)
    before = figure(client, "cei_login").detail["raw"]

    recompute.refresh_stale(at=NOW + timedelta(days=1))

    assert before == decayed_sum([2])
    assert figure(client, "cei_login").detail["raw"] == decayed_sum([3])


def test_after_a_new_reference_the_old_value_stays_beside_the_new_one():
    freeze_reference()
    client = busy_client()
    recompute.refresh_stale(at=NOW)
    old = figure(client).value
    assert "bridge" not in figure(client).detail
    Client.objects.update(status="active")
    references.rebase(at=NOW, by=None, force=True)

    recompute.refresh_stale(at=NOW)

    assert figure(client).detail["reference"] == 2
    assert figure(client).detail["bridge"] == {"version": 1, "value": old}


def test_own_weights_are_used_and_named_by_another_parameter_set():
    freeze_reference()
    client = busy_client()
    recompute.refresh_stale(at=NOW)
    before = figure(client)
    weights = {"login": 0.0, "pv": 0.0, "ctr": 0.0, "usage": 0.0, "offline": 1.0}
    settings.put("cei_weights", weights, at=NOW, by=None)

    recompute.refresh_all(at=NOW)

    assert figure(client).value == figure(client, "cei_offline").value
    assert figure(client).parameter_set != before.parameter_set


def answer(client: Client, version, *, days: int = 0, **values) -> None:
    contact = make_contact(client)
    make_scores(version, client, values, contact=contact, submitted_at=NOW - timedelta(days=days))


def test_health_is_made_of_what_the_client_said_within_a_year():
    client, version = make_client(), make_full_version()
    answer(client, version, nps=8, trust=4, renewal=5, speed=4, efficiency=3)

    recompute.refresh_stale(at=NOW)

    found = figure(client, "health")
    parts = {name: part["score"] for name, part in found.detail["parts"].items()}
    assert parts == {"trust": 50, "satisfaction": pytest.approx(63.3333, abs=1e-3), "loyalty": 90}
    expected = health.relationship_health(**parts)
    assert found.value == pytest.approx(expected.score)
    assert (found.label, found.n) == ("sound", 1)
    assert (found.detail["ceiling"], found.detail["uncapped"]) == ("", found.value)


def test_one_part_alone_is_no_health():
    client, version = make_client(), make_full_version()
    answer(client, version, nps=8)

    recompute.refresh_stale(at=NOW)

    assert (figure(client, "health").value, figure(client, "health").gate) == (
        None,
        "LOW_COVERAGE",
    )


@pytest.mark.parametrize(
    ("reason", "severity", "ceiling", "value"),
    [
        (Freeze.Reason.OPEN_COMPLAINT, "severe", "OPEN_SEVERE_COMPLAINT", 50),
        (Freeze.Reason.OPEN_COMPLAINT, "mild", "", 100),
        (Freeze.Reason.FOLLOW_UP_OPEN, "", "UNRESOLVED_DETRACTOR", 60),
        (Freeze.Reason.COMPLIANCE_HOLD, "severe", "", 100),
    ],
)
def test_what_is_open_puts_a_ceiling_on_health_until_it_is_closed(
    reason, severity, ceiling, value
):
    client, version = make_client(), make_full_version()
    answer(client, version, nps=10, trust=7, renewal=5, speed=5, efficiency=5)
    held = consent.freeze(client, reason=reason, severity=severity, cause="c", at=NOW)
    recompute.refresh_stale(at=NOW)

    found = figure(client, "health")
    assert (found.value, found.detail["uncapped"], found.detail["ceiling"]) == (
        value,
        100,
        ceiling,
    )

    consent.thaw(held, at=NOW)
    recompute.refresh_stale(at=NOW)
    assert figure(client, "health").value == 100


def test_a_client_silent_for_a_year_has_old_health_under_a_ceiling_and_no_score():
    freeze_reference()
    client, version = busy_client(), make_full_version()
    answer(client, version, days=400, nps=10, trust=7, renewal=5, speed=5, efficiency=5)

    recompute.refresh_stale(at=NOW)

    found = figure(client, "health")
    assert (found.value, found.detail["ceiling"], found.flags) == (70, "SILENT_12M", "SILENT_12M")
    score = figure(client, "client_score")
    assert (score.value, score.gate) == (None, "LOW_COVERAGE")
    assert not Measurement.objects.filter(scope="bank", metric="health").exists()


def test_what_was_said_more_than_two_years_ago_is_not_told():
    client, version = make_client(), make_full_version()
    answer(client, version, days=800, nps=10, trust=7)

    recompute.refresh_stale(at=NOW)

    assert not Measurement.objects.filter(metric="health").exists()


def test_the_client_score_is_health_and_engagement_never_engagement_alone():
    freeze_reference()
    client, other, version = busy_client(), busy_client(), make_full_version()
    answer(client, version, nps=10, trust=7, renewal=5, speed=5, efficiency=5)

    recompute.refresh_stale(at=NOW)

    said, engaged = figure(client, "health").value, figure(client).value
    score = figure(client, "client_score")
    assert score.value == health.client_score(said, engaged).score
    assert score.detail["parts"]["health"] == {"score": 100, "contribution": 60}
    assert not Measurement.objects.filter(metric="client_score", scope_id=other.pk).exists()


def test_health_without_engagement_is_the_whole_client_score():
    client, version = make_client(), make_full_version()
    answer(client, version, nps=10, trust=7)

    recompute.refresh_stale(at=NOW)

    assert figure(client, "client_score").value == 100
    assert figure(client, "client_score").detail["coverage"] == 0.6


def test_few_answers_that_must_not_be_seen_are_not_told_through_health():
    client = make_client()
    version = make_full_version(attribution="aggregate")
    answer(client, version, nps=10, trust=7)

    recompute.refresh_stale(at=NOW)

    assert figure(client, "health").gate == "MIN_RESPONSES"
    assert figure(client, "health").detail == {}
    assert figure(client, "client_score").gate == "MIN_RESPONSES"


def test_units_have_the_mean_of_their_active_clients_with_its_interval():
    freeze_reference()
    branch = make_team()
    desk = make_team(parent=branch)
    clients = [busy_client(team=desk) for _ in range(5)] + [busy_client(team=branch)]
    for order, client in enumerate(clients):
        for age in range(order):
            happen(client, "visit", age)
    make_client(team=desk, online_contract=False)
    busy_client(status="prospect", team=desk)

    recompute.refresh_stale(at=NOW)

    values = [figure(client).value for client in clients]
    row = Measurement.objects.get(
        scope="team", scope_id=branch.pk, metric="cei", slice="", period="rolling90"
    )
    assert row.value == pytest.approx(sum(values) / 6)
    assert row.low < row.value < row.high
    assert (row.n, row.clients, row.eligible, row.coverage) == (6, 6, 7, 6 / 7)
    assert (row.method, row.gate, row.flags) == ("t", "", "LOW_BASE")
    assert sum(row.detail["bands"].values()) == 6
    bank = Measurement.objects.get(scope="bank", metric="cei", slice="", period="rolling90")
    part = Measurement.objects.get(
        scope="bank", metric="cei", slice="segment=corporate", period="rolling90"
    )
    assert bank.value == part.value == row.value


def quarter(scope, number, metric="cei", period="2026Q3", part=""):
    return queries.figures(scope, number, period=period, part=part)[metric]


def busy_crowd(number=6, **fields):
    """Clients who did something before the last two quarters ended, the later the more."""
    clients = [busy_client(**fields) for _number in range(number)]
    for place, client in enumerate(clients):
        contact = client.contacts.get()
        for age in range(place + 1):
            happen(client, "login", at=moment(age, day=date(2026, 6, 30)), contact=contact)
        for age in range(2 * place + 3):
            happen(client, "login", at=moment(age, day=date(2026, 9, 30)), contact=contact)
    return clients


def test_the_index_of_a_quarter_is_that_of_its_last_day():
    freeze_reference()
    clients = busy_crowd()
    recompute.refresh_stale(at=NOW)
    reference, rules = references.newest(), storing.current().engagement
    day = scores.alone(
        date(2026, 9, 30), [c.pk for c in clients], reference=reference, rules=rules
    )
    expected = day.now.index.score.tolist()
    found = [quarter("client", client.pk) for client in clients]
    assert [fig.value for fig in found] == expected
    assert {fig.detail["to"] for fig in found} == {"2026-09-30"}
    login = [quarter("client", client.pk, "cei_login").value for client in clients]
    assert login == day.now.scores["login"].tolist()
    bank = quarter("bank", 0)
    assert (bank.value, bank.n) == (pytest.approx(np.mean(expected)), 6)
    assert quarter("bank", 0, "cei_login").value == pytest.approx(np.mean(login))
    assert quarter("bank", 0, part="segment=corporate").value == bank.value
    # The quarter that runs has the index of today.
    assert quarter("bank", 0, period="2026Q4").gate == "NO_DATA"


def test_the_change_of_the_mean_compares_clients_with_themselves():
    freeze_reference()
    clients = busy_crowd()
    recompute.refresh_stale(at=NOW)
    now, before = (
        [quarter("client", client.pk, period=period).value for client in clients]
        for period in ("2026Q3", "2026Q2")
    )
    told = quarter("bank", 0).detail["change"]
    steps = np.array(now) - np.array(before)
    half = quantiles.t(0.95, 5) * steps.std(ddof=1) / 6**0.5
    assert told["before"]["value"] == pytest.approx(np.mean(before))
    assert told["test"]["diff"] == pytest.approx(steps.mean())
    assert told["test"]["high"] == pytest.approx(steps.mean() + half)
    assert told["test"]["method"] == "paired"
    rolling = queries.figures("bank", 0, period="rolling90")["cei"].detail["change"]
    earlier = [figure(client).detail["change"]["before"] for client in clients]
    assert rolling["before"]["value"] == pytest.approx(np.mean(earlier))


def test_a_late_event_measures_its_quarter_again_and_a_new_day_does_not():
    freeze_reference()
    clients = busy_crowd()
    recompute.refresh_stale(at=NOW)
    before = quarter("bank", 0).value
    stamp = Measurement.objects.get(
        scope="client", scope_id=clients[0].pk, metric="cei", period="2026Q3"
    ).as_of
    recompute.refresh_stale(at=NOW + timedelta(days=1))
    for age in range(12):
        happen(clients[0], "visit", at=moment(age, day=date(2026, 9, 29)))
    changes.note([clients[0].pk], at=NOW)
    recompute.refresh_stale(at=NOW + timedelta(days=1))
    assert quarter("bank", 0).value > before
    assert "RESTATED" in quarter("bank", 0).flags
    unmoved = Measurement.objects.get(
        scope="client", scope_id=clients[1].pk, metric="cei", period="2026Q3"
    )
    assert unmoved.as_of == stamp
    one_by_one = everything()
    Measurement.objects.filter(scope="client", scope_id=clients[2].pk).delete()
    recompute.refresh_all(at=NOW + timedelta(days=1), past=True)
    assert everything() == one_by_one


def test_a_mean_over_fewer_than_five_clients_is_withheld():
    freeze_reference()
    for _ in range(4):
        busy_client()

    recompute.refresh_stale(at=NOW)

    bank = Measurement.objects.get(scope="bank", metric="cei", slice="", period="rolling90")
    assert (bank.n, bank.gate) == (4, "MIN_CLIENTS")


def test_a_merged_client_has_no_figures_of_its_own_since():
    freeze_reference()
    old, heir = busy_client(), busy_client()
    recompute.refresh_stale(at=NOW)
    Client.objects.filter(pk=old.pk).update(merged_into=heir, merged_on=TODAY)
    changes.note([old.pk, heir.pk], at=NOW)

    recompute.refresh_stale(at=NOW)

    # The quarters before the day of merging were its own.
    kept = Measurement.objects.filter(scope="client", scope_id=old.pk)
    assert not kept.exclude(period__contains="Q").exists()
    assert figure(heir).n == 12


def test_more_clients_take_no_more_queries(django_assert_num_queries):
    freeze_reference()
    clients = [busy_client().pk for _ in range(3)]
    today = engaging.Today(TODAY, storing.stamp(at=NOW), mergers.known())
    for some in (clients[:1], clients):
        # Reference; twice clients, mergers, sums, outages; old answers, freezes.
        with django_assert_num_queries(12):
            rows = list(engaging.rows_of_clients(some, answers.empty(), today))
        assert len(rows) == 6 * len(some)


def test_an_answer_leaves_the_stored_engagement_as_it_is():
    freeze_reference()
    client, version = busy_client(), make_full_version()
    recompute.refresh_stale(at=NOW)
    before = Measurement.objects.get(
        scope="client", scope_id=client.pk, metric="cei", period="rolling90"
    )
    client.touchpoints.all().delete()
    answer(client, version, nps=10, trust=7)

    recompute.refresh_stale(at=NOW)

    after = Measurement.objects.get(
        scope="client", scope_id=client.pk, metric="cei", period="rolling90"
    )
    assert (after.value, after.detail, after.as_of) == (before.value, before.detail, before.as_of)
    assert figure(client, "client_score").detail["parts"]["cei"]["score"] == before.value
    changes.note([client.pk], at=NOW)
    recompute.refresh_stale(at=NOW)
    assert figure(client).value != before.value
