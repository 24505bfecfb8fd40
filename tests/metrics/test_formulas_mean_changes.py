"""The change of a mean over clients that may be seen on both sides, or on one."""

import numpy as np
import pytest
from scipy import stats

from metrics.formulas import columns

NAN = np.nan


def test_clients_on_both_sides_are_compared_with_themselves():
    before, now = np.array([40.0, 50.0, 60.0, 70.0]), np.array([45.0, 52.0, 66.0, 69.0])
    found = columns.mean_change(before, now)
    assert (found.diff, found.paired) == (3.0, True)
    assert found.p_value == pytest.approx(stats.ttest_rel(now, before).pvalue)


def test_clients_on_one_side_count_there_and_the_overlap_is_taken_off():
    before, now = np.array([40.0, 50.0, 60.0, NAN]), np.array([44.0, 58.0, NAN, 70.0])
    found = columns.mean_change(before, now)
    both = np.cov([40.0, 50.0], [44.0, 58.0])[0, 1]
    variance = np.var([40, 50, 60], ddof=1) / 3 + np.var([44, 58, 70], ddof=1) / 3
    assert found.se == pytest.approx(np.sqrt(variance - 2 * 2 * both / 9))
    assert not found.paired


def test_one_common_client_has_no_covariance_and_too_few_have_no_change():
    apart = columns.mean_change(np.array([40.0, 50.0, NAN]), np.array([NAN, 55.0, 65.0]))
    assert apart.se == pytest.approx(np.sqrt(50 / 2 + 50 / 2))
    assert columns.mean_change(np.array([40.0, NAN]), np.array([41.0, 42.0])) is None


def test_everybody_moving_alike_leaves_no_doubt():
    found = columns.mean_change(np.array([40.0, 50.0]), np.array([45.0, 55.0]))
    assert (found.diff, found.se, found.p_value) == (5.0, 0.0, None)
    assert columns.mean_change(np.array([40.0, 50.0]), np.array([40.0, 50.0])).p_value == 1.0
