"""NPS by client, CSAT and CES at their edges."""

import math

import pytest

from metrics.formulas import scores
from metrics.formulas.parameters import Clients, Csat
from metrics.formulas.scores import Client
from metrics.formulas.uncertainty import Interval

NAN = float("nan")
WEIGHTS = {"speed": 0.4, "efficiency": 0.35, "attitude": 0.25}


def test_client_mean_of_nines_is_nine_whatever_the_weights():
    assert scores.client_mean([(9, 0.1), (9, 0.2)]) == 9
    assert scores.client_label(scores.client_mean([(9, 0.1), (9, 0.7), (9, 0.3)])) == "promoter"


def test_client_mean_drops_invalid_answers_and_unusable_weights():
    given = [("９", 1), (8.5, 1), (11, 1), (None, 1), (3, 0), (3, -1), (3, NAN), (7, None)]
    assert scores.client_mean(given) == 8
    assert scores.client_label(NAN) is None


def test_client_nps_leaves_out_roles_of_weight_zero_everywhere():
    found = scores.client_nps([Client("A", [(9, 1), (0, 0)], 5), Client("B", [(3, 0)], 5)])
    assert found.labels == {"A": "promoter"}
    assert (found.n_responses, found.split_clients) == (1, [])
    assert (found.coverage_clients, found.coverage_exposure) == (0.5, 0.5)


def test_client_nps_without_exposure_has_no_exposure_figure():
    found = scores.client_nps([Client("A", [(9, 1)], 0), Client("B", [(3, 1)], -2), Client("C")])
    assert (found.nps_exposure, found.nps_exposure_frac, found.coverage_exposure) == (None,) * 3
    assert found.nps_exposure_capped is None
    missing = scores.client_nps([Client("A", [(9, 1)], NAN), Client("B", [], 10)])
    assert (missing.nps_exposure, missing.coverage_exposure) == (None, 0)


def test_client_nps_caps_only_a_dominant_exposure():
    even = [Client(str(i), [(9, 1)], 10) for i in range(11)]
    assert scores.client_nps(even).nps_exposure_capped is None
    large = Client("large", [(0, 1)], 90)
    found = scores.client_nps([*even, large])
    assert found.nps_exposure == pytest.approx(10)
    assert found.nps_exposure_capped == pytest.approx(80)


def test_client_nps_gives_the_bases_of_its_intervals():
    found = scores.client_nps([Client("A", [(9, 1), (6, 1)], 1), Client("B", [(10, 1)], 2)])
    assert (found.clients.p, found.clients.s, found.clients.n) == (1, 1, 2)
    assert (found.responses.n, found.exposures) == (3, {"A": 1, "B": 2})
    assert found.max_client_share == pytest.approx(2 / 3)


def test_label_cuts_follow_the_rules():
    assert scores.client_label(8.5, rules=Clients(promoter_from=8.5)) == "promoter"


def test_top_box_of_other_scales():
    assert scores.top_box([10, 9, 8, "N/A", 11], lo=0, hi=10) == pytest.approx(2 / 3)
    assert scores.top_box([]) is None
    assert scores.top_box([5, 4, 3], boxes=1) == pytest.approx(1 / 3)


def test_composite_drops_invalid_answers_and_weights():
    given = {"speed": 5, "efficiency": 6, "attitude": "４"}
    assert scores.composite(given, WEIGHTS) == pytest.approx((40 + 0.25 * 75) / 0.65)
    assert scores.composite(given, WEIGHTS | {"attitude": 0}) is None
    assert scores.composite(given, WEIGHTS | {"attitude": -1, "speed": NAN}) is None
    assert scores.composite({}, WEIGHTS, rules=Csat(min_dims=1)) is None


def test_by_client_averages_inside_first():
    found = scores.by_client([100, 50, None, 0], ["a", "a", "b", "c"])
    assert (found.n, found.mean) == (2, 37.5)
    assert found.ci == Interval(0, 100)
    assert scores.by_client([70], ["a"]).ci is None
    assert scores.by_client([None], ["a"]) is None
    with pytest.raises(ValueError, match="zip"):
        scores.by_client([1], [])


def test_cronbach_alpha_needs_spread_and_complete_rows():
    assert scores.cronbach_alpha([]) is None
    assert scores.cronbach_alpha([[1], [2]]) is None
    assert scores.cronbach_alpha([[1, 2], [None, 2]]) is None
    assert scores.cronbach_alpha([[1, 2], [1, 2]]) is None
    assert math.isclose(scores.cronbach_alpha([[1, 1], [2, 2], [None, 5]]), 1)


def test_ces_of_nobody():
    assert scores.ces([None, 8, 0]) == scores.Ces(n=0, mean=None, easy_share=None)
