"""What the engagement index would be if a choice had been made otherwise."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from django.urls import reverse
from django.utils import translation
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from bank.models import AuditEntry
from metrics import references, storing
from metrics.engaging import robustness as reports
from metrics.engaging import scores
from metrics.facts import engagement as facts
from metrics.formulas.engagement import norm_percentile, robustness
from metrics.formulas.parameters import DEFAULT, ENGAGEMENT
from metrics.models import RobustnessReport
from tests.factories import NOW
from tests.metrics.engaged import TODAY, make_crowd

VARIANTS = {
    *("percentile", "equal_weights", "half_life_30", "half_life_90"),
    *(f"{name}_{word}_5" for name in ENGAGEMENT for word in ("plus", "minus")),
}


def test_two_indices_agree_as_far_as_ranks_and_bands_do():
    index = np.array([20.0, 45.0, 65.0, 90.0, np.nan])
    other = np.array([25.0, 70.0, 55.0, 95.0, 50.0])

    found = robustness.agreement(index, other)

    # Ranks 1 2 3 4 against 1 3 2 4: 1 - 6 * 2 / (4 * 15).
    assert found.clients == 4
    assert found.rank_correlation == pytest.approx(0.8)
    # Two change places across a bound of the bands, the others stay.
    assert (found.moved, found.share_moved) == (2, 0.5)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=30))
def test_rank_correlation_is_spearmans_with_ties(pairs):
    one, two = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    assume(len(set(one)) > 1 and len(set(two)) > 1)
    found = robustness.agreement(one, two).rank_correlation
    assert found == pytest.approx(stats.spearmanr(one, two).statistic)


@pytest.mark.parametrize("index", [[], [50.0, 60.0], [50.0, 50.0, 50.0], [np.nan] * 3])
def test_without_an_order_there_is_no_correlation(index):
    column = np.array(index, dtype=float)
    assert robustness.agreement(column, column).rank_correlation is None


def test_a_share_of_nobody_is_missing():
    assert robustness.agreement(np.array([]), np.array([])).share_moved is None


def test_every_weight_is_moved_by_five_points_and_the_others_keep_their_proportions():
    found = robustness.alternatives()

    assert {*found} | {robustness.PERCENTILE} == VARIANTS
    weights = dict(found["usage_plus_5"].weights)
    assert weights["usage"] == pytest.approx(0.35)
    assert weights["login"] / weights["pv"] == pytest.approx(0.20 / 0.15)
    assert sum(weights.values()) == pytest.approx(1)
    assert {*dict(found["equal_weights"].weights).values()} == {0.2}


def test_a_weight_that_would_leave_its_range_is_not_moved():
    alone = replace(
        DEFAULT.engagement,
        weights=(("login", 0.97), ("pv", 0.03), ("ctr", 0.0), ("usage", 0.0), ("offline", 0.0)),
    )
    found = robustness.alternatives(alone)
    assert "login_plus_5" not in found
    assert "pv_minus_5" not in found
    assert robustness.shifted({"login": 1.0, "pv": 0.0}, "login", -0.05) is None


@given(st.lists(st.floats(0, 50), min_size=1, max_size=30), st.floats(-5, 60))
def test_percentiles_of_a_block_are_those_of_one(reference, value):
    found = robustness.percentile_columns(np.array([value, np.nan]), reference)
    assert found[0] == pytest.approx(norm_percentile(value, reference))
    assert np.isnan(found[1])


@pytest.mark.django_db
def test_a_reference_gets_its_report_once_and_it_can_be_recounted():
    make_crowd(30)
    reference = references.rebase(at=NOW, by=None)

    assert reports.report_missing(at=NOW) == len(VARIANTS)
    assert reports.report_missing(at=NOW) == 0

    rows = {row.variant: row for row in RobustnessReport.objects.all()}
    assert rows.keys() == VARIANTS
    rules = storing.current()
    table = facts.quantities(TODAY, rules=rules.engagement)
    usual = scores.of(table, reference, rules.engagement).index.score
    equal = scores.of(table, reference, robustness.alternatives()["equal_weights"]).index.score
    told = robustness.agreement(usual, equal, bands=rules.bands)
    row = rows["equal_weights"]
    assert (row.clients, row.rank_correlation, row.moved) == (
        told.clients,
        told.rank_correlation,
        told.moved,
    )
    assert (row.version, row.day, row.clients) == (reference.version, date(2026, 11, 24), 30)
    entry = AuditEntry.objects.get(act="reference.robustness")
    assert entry.data == {"variants": len(VARIANTS)}


@pytest.mark.django_db
def test_another_half_life_is_measured_by_the_reference_it_would_have_had():
    make_crowd(30)
    reference = references.rebase(at=NOW, by=None)
    rules = storing.current()
    other = replace(rules.engagement, half_life=30.0)

    told = dict(reports.compare(reference, TODAY, rules))["half_life_30"]

    table = facts.quantities(TODAY, rules=other)
    measured = references.measured(reference.days, other)
    index = scores.of(table, measured, other).index.score
    usual = scores.of(
        facts.quantities(TODAY, rules=rules.engagement), reference, rules.engagement
    ).index.score
    assert told == robustness.agreement(usual, index, bands=rules.bands)
    assert RobustnessReport.objects.count() == 0


@pytest.mark.django_db
def test_without_a_reference_there_is_nothing_to_report():
    assert reports.report_missing(at=NOW) == 0


@pytest.mark.django_db
def test_the_page_of_the_index_tells_what_other_choices_would_change(staff, client, settings):
    make_crowd(30)
    references.rebase(at=NOW, by=None)
    client.force_login(staff.qiu)
    address = reverse("metrics:indicator", args=["cei"])
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    assert "What other choices would change" not in client.get(address).content.decode()

    reports.report_missing(at=NOW)

    with translation.override("en"):
        page = client.get(address).content.decode()
    assert "What other choices would change" in page
    assert page.count("weighs 5 points more") == len(ENGAGEMENT)
    other = client.get(reverse("metrics:indicator", args=["nps"])).content.decode()
    assert "What other choices would change" not in other
