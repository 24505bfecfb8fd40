"""What leaves the store: figures after the gate, and gaps that say so."""

import pytest

from metrics import queries, recompute
from metrics.models import Measurement
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return factories.make_scored_version()


def measure(version, scores, team=None):
    """One client for each score, and their figures."""
    clients = [factories.make_client(team=team) for _score in scores]
    for company, score in zip(clients, scores, strict=True):
        factories.make_scores(version, company, {"nps": score, "speed": 4, "efficiency": 5})
    recompute.refresh_stale(at=NOW)
    return clients


def test_figure_that_may_be_shown_keeps_everything(version):
    measure(version, [9] * 5)
    fig = queries.figures("bank", 0, period="rolling12m")["nps"]
    assert (fig.value, fig.n, fig.clients, fig.shown) == (100, 5, 5, True)
    counted = {name: fig.detail[name] for name in ("promoter", "passive", "detractor")}
    assert counted == {"promoter": 5, "passive": 0, "detractor": 0}
    assert (fig.low_base, fig.flags) == (True, "LOW_BASE")
    assert (fig.method, fig.version, fig.as_of) == ("adj_wald", 1, NOW)
    assert fig.parameter_set.startswith("ps-")


def test_withheld_figure_leaves_without_anything_that_tells_a_result(version):
    measure(version, [9] * 4)
    raw = Measurement.objects.get(scope="bank", metric="nps", period="rolling12m", slice="")
    assert raw.value == 100
    for fig in queries.figures("bank", 0, period="rolling12m").values():
        assert (fig.value, fig.low, fig.high) == (None, None, None)
        assert (fig.label, fig.detail, fig.flags) == ("", {}, "")
        assert fig.gate in {"MIN_CLIENTS MIN_RESPONSES", "NO_DATA", "ZERO_EXPOSURE"}
    assert queries.figures("bank", 0, period="rolling12m")["nps"].n == 4


def test_unit_that_was_never_measured_says_no_data_for_every_metric():
    found = queries.figures("client", 7, period="2026Q3", population="pulse")
    assert set(found) == set(queries.METRICS["client"])
    assert {fig.gate for fig in found.values()} == {"NO_DATA"}
    assert {(fig.population, fig.scope_id, fig.period) for fig in found.values()} == {
        ("pulse", 7, "2026Q3")
    }


def test_one_client_shows_its_mean_and_label_and_withholds_its_score(version):
    (company,) = measure(version, [8])
    found = queries.figures("client", company.pk, period="rolling12m")
    assert (found["recommend_mean"].value, found["recommend_mean"].n) == (8, 1)
    assert found["client_label"].label == "passive"
    assert found["nps_respondent"].gate == "MIN_RESPONSES"
    assert "nps" not in found


def test_trend_keeps_the_order_asked_for_and_its_gaps(version, django_assert_num_queries):
    measure(version, [9] * 5)
    keys = ["rolling3m:2026-11", "rolling3m:2026-08"]
    with django_assert_num_queries(1):
        found = queries.trend("bank", 0, "nps", periods=keys)
    assert [(fig.period, fig.value, fig.gate) for fig in found] == [
        ("rolling3m:2026-11", 100, ""),
        ("rolling3m:2026-08", None, "NO_DATA"),
    ]


def test_means_of_many_clients_take_one_query(version, django_assert_num_queries):
    first, second = measure(version, [9, 3])
    silent = factories.make_client()
    ids = [first.pk, second.pk, silent.pk]
    with django_assert_num_queries(1):
        found = queries.client_means(ids, "rolling12m")
    assert [found[key].value for key in ids] == [9, 3, None]
    assert found[silent.pk].gate == "NO_DATA"


def test_teams_beside_each_other_are_gated_each(version, staff, django_assert_num_queries):
    measure(version, [9] * 6, staff.east)
    measure(version, [9] * 6, staff.west)
    ids = [staff.east.pk, staff.west.pk]
    with django_assert_num_queries(1):
        found = queries.beside("team", ids, period="rolling12m", metrics=["nps", "ces"])
    assert [found[key]["nps"].value for key in ids] == [100, 100]
    assert found[ids[0]]["ces"].gate == "NO_DATA"


def test_clients_without_a_note_or_with_another_day_are_stale(version):
    clients = measure(version, [9, 3])
    assert queries.stale_clients(at=NOW) == []
    new = factories.make_client()
    factories.make_scores(version, new, {"nps": 5})
    assert queries.stale_clients(at=NOW) == [new.pk]
    tomorrow = NOW.replace(day=25)
    assert queries.stale_clients(at=tomorrow) == [*[one.pk for one in clients], new.pk]
