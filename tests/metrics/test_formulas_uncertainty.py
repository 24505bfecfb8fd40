"""Intervals, weights and gates at their edges."""

import math

import pytest

from metrics.formulas import uncertainty
from metrics.formulas.answers import Counts
from metrics.formulas.parameters import Gate
from metrics.formulas.uncertainty import Base, Interval, shares

NAN = float("nan")
COUNT_METHODS = (
    uncertainty.wald,
    uncertainty.adjusted_wald,
    uncertainty.goodman,
    uncertainty.score,
    uncertainty.trinomial_t,
    uncertainty.bootstrap_exact,
    uncertainty.adjusted_wald_finite,
)


@pytest.mark.parametrize("method", COUNT_METHODS)
def test_no_answers_no_interval(method):
    assert method(Counts()) is None


@pytest.mark.parametrize("method", COUNT_METHODS)
@pytest.mark.parametrize("conf", [0, 1, 1.5])
def test_a_level_outside_the_open_unit_interval_is_refused(method, conf):
    with pytest.raises(ValueError, match="confidence"):
        method(Counts(1, 1, 1), conf=conf)


def test_standard_error_needs_more_answers_than_ddof():
    assert uncertainty.standard_error(Counts()) is None
    assert uncertainty.standard_error(Counts(p=1), ddof=1) is None


def test_bootstrap_meets_a_level_exactly_hit():
    assert uncertainty.bootstrap_exact(Counts(1, 0, 1), conf=0.5) == Interval(-100, 0)


@pytest.mark.parametrize(
    ("n", "big_n", "f"),
    [(5, None, 1.0), (5, 5, 0.0), (6, 5, 0.0), (1, 1, 0.0), (0, 0, None), (0, 1, None)],
)
def test_finite_population_factor(n, big_n, f):
    assert uncertainty.fpc(n, big_n) == f


def test_finite_population_without_a_population_is_undefined():
    assert uncertainty.standard_error_finite(Counts(), big_n=9) is None
    assert uncertainty.standard_error_finite(Counts(1, 0, 0), big_n=1) == 0
    assert uncertainty.adjusted_wald_finite(Counts(1, 1, 2), big_n=4) == Interval(25, 25)


def test_worst_case_with_more_answers_than_eligible_takes_nobody_as_silent():
    assert uncertainty.worst_case(Counts(1, 0, 3), eligible=2) == Interval(50, 50)
    assert uncertainty.worst_case(Counts(), eligible=3) == Interval(-100, 100)


def test_sample_size_at_its_edges():
    assert uncertainty.sample_size(0) is None
    assert uncertainty.sample_size(200) == 1
    assert uncertainty.sample_size(10, v=0) == 1
    assert uncertainty.sample_size(10, big_n=0) is None
    assert uncertainty.sample_size(1, big_n=12) == 12
    assert uncertainty.sample_size_difference(0) is None
    with pytest.raises(ValueError, match="share"):
        uncertainty.sample_size_difference(10, power=1)


def test_moe_of_no_interval():
    assert uncertainty.moe(None) is None


def test_unusable_weights_are_dropped():
    weights = [0, -3, None, NAN, 2, 2]
    assert uncertainty.kish(weights).n == 2
    assert uncertainty.cap(weights, share=0.6) == [0, 0, 0, 0, 2, 2]
    assert uncertainty.cap(weights, share=0.5) == [0, 0, 0, 0, 1, 1]
    assert uncertainty.kish([]) is None
    assert uncertainty.cap([], share=0.5) == []
    assert uncertainty.cap([9, 1], share=1) == [9, 1]


def test_kish_holds_for_huge_and_tiny_weights():
    assert uncertainty.kish([1e300, 1e300]).n_eff == 2
    assert uncertainty.kish([1e-300, 1e-300]).n_eff == 2


def test_cluster_mean_drops_rows_without_value_or_weight():
    found = uncertainty.cluster_mean([1, None, NAN, 0, 1], [1, 1, 1, 0, 1], "abcde")
    assert (found.mean, found.clusters, found.se) == (1, 2, 0)
    assert uncertainty.cluster_mean([None], [1], "a") is None
    with pytest.raises(ValueError, match="zip"):
        uncertainty.cluster_mean([1], [1, 1], "a")


def test_cluster_mean_of_a_census_has_no_error():
    assert uncertainty.cluster_mean([1, 0], [1, 1], "ab", big_g=2).se == 0
    assert uncertainty.cluster_mean([1, 0], [1, 1], "ab", big_g=0).se == 0


def test_effective_needs_something_to_stand_on():
    assert uncertainty.effective(None, 0.5, 9) is None
    assert uncertainty.effective(0, None, 9) is None
    assert uncertainty.effective(0, 0.5, NAN) is None
    assert uncertainty.effective(0, 0.5, 9, df=(0, 9)) is None
    assert uncertainty.effective(0, 0.5, 9, df=(3, 1)) is None
    wide, narrow = (uncertainty.effective(0, 0.5, 9, df=(3, n)) for n in (None, 9))
    assert wide.half_width > narrow.half_width


def test_cluster_nps_of_nobody_and_of_one_client():
    assert uncertainty.cluster_nps([], []) is None
    assert uncertainty.cluster_nps([None, 11], ["a", "b"]) is None
    one = uncertainty.cluster_nps([9, 3, 9], ["a", "a", "a"])
    assert (one.n, one.clients, one.se, one.n_eff, one.ci) == (3, 1, None, None, None)


def test_cluster_nps_where_clients_balance_inside_counts_all_answers():
    found = uncertainty.cluster_nps([9, 3, 10, 0], ["a", "a", "b", "b"])
    assert (found.deff, found.n_eff) == (0, 4)
    assert found.ci.low == -found.ci.high


def test_label_nps_drops_clients_without_label_or_exposure():
    found = uncertainty.label_nps(["promoter", None, "detractor", "passive"], [5, 5, 0, 5])
    assert (found.nps, found.n, found.clients) == (50, 2, 2)
    assert uncertainty.label_nps(["promoter"], [0]) is None


def test_wilson_refuses_more_than_all():
    with pytest.raises(ValueError, match="x of n"):
        uncertainty.wilson(3, 2)
    with pytest.raises(ValueError, match="share"):
        uncertainty.wilson_effective(1.2, 9)
    assert uncertainty.wilson_effective(None, 9) is None
    assert uncertainty.wilson_effective(0.5, 0) is None


def test_wilson_effective_is_exact_at_both_ends():
    assert uncertainty.wilson_effective(0, 7.3).low == 0
    assert uncertainty.wilson_effective(1, 7.3).high == 1


def test_mean_interval_of_equal_values_has_no_width():
    found = uncertainty.mean_interval([0.1] * 7)
    assert (found.mean, found.sd, found.ci) == (0.1, 0, Interval(0.1, 0.1))


def test_differences_of_empty_groups_are_undefined():
    assert shares.newcombe(0, 0, 1, 2) is None
    assert shares.pooled_z(0, 0, 1, 2) is None
    assert shares.welch([4, 5], [3, None]) is None


GATE_EDGES = [
    (Base(5, 5, 0.5), (), ("LOW_BASE",)),
    (Base(5, 5, 0.5, n_eff=5, max_weight_share=0.5), (), ("LOW_BASE",)),
    (Base(30, 30, 0.2), (), ()),
    (Base(30, 29, 0.2), (), ("LOW_BASE",)),
    (Base(20, 12, 0.2, census=True), (), ()),
    (Base(9, 1, 1.0, one_client=True), (), ("LOW_BASE",)),
    (Base(4, 1, 1.0, one_client=True), ("MIN_RESPONSES",), ()),
    (Base(9, 9, 0.2, max_weight_share=0.51), ("WEIGHT_DOMINANCE",), ()),
    (Base(1, 1, 1.0), ("DOMINANCE", "MIN_CLIENTS", "MIN_RESPONSES"), ()),
]


@pytest.mark.parametrize(("base", "reasons", "flags"), GATE_EDGES)
def test_report_gate_at_its_thresholds(base, reasons, flags):
    found = uncertainty.report_gate(base)
    assert (found.show, found.reasons, found.flags) == (not reasons, reasons, flags)


def test_report_gate_follows_its_rules():
    assert not uncertainty.report_gate(Base(9, 9, 0.2), rules=Gate(min_resp=10)).show


def test_complementary_suppression_breaks_ties_by_position():
    assert uncertainty.complementary_suppression([9, 2, 9]) == [0, 1]
    assert uncertainty.complementary_suppression([]) == []
    assert uncertainty.complementary_suppression([0, 3, 0]) == [1]


def test_filters_too_close_together_are_not_both_shown():
    before = set(range(20))
    assert uncertainty.differs_enough(before, set(before))
    assert not uncertainty.differs_enough(before, before - {1, 2, 3, 4})
    assert uncertainty.differs_enough(before, before - {1, 2, 3, 4, 5})


def test_score_agrees_with_its_definition():
    found = uncertainty.score(Counts(3, 4, 13))
    for end in (found.low / 100, found.high / 100):
        b = -16 + (40 - 13 + 3) * end
        q = (math.sqrt(b * b + 8 * 20 * 3 * end * (1 - end)) - b) / 80
        spread = math.sqrt(20 * (2 * q + end * (1 - end)))
        assert abs((10 - 20 * end) / spread) == pytest.approx(1.959964, abs=1e-6)
