"""Relationship health, bands and the composite client score at their edges."""

from dataclasses import replace

import numpy as np
import pytest

from metrics.formulas import health
from metrics.formulas.parameters import DEFAULT, Bands, ClientScore

NAN = float("nan")


def test_loyalty_is_the_mean_of_what_was_answered():
    assert health.loyalty(80, 50) == 65
    assert health.loyalty(None, 50) == 50
    assert health.loyalty(NAN, None) is None


def test_only_the_lowest_active_ceiling_lowers_health():
    caps = [("SILENT_12M", 70), ("OPEN_SEVERE_COMPLAINT", 50), ("UNRESOLVED_DETRACTOR", 60)]
    found = health.relationship_health(90, 90, 90, caps=caps)
    assert (found.score, found.uncapped, found.cap_applied) == (50, 90, "OPEN_SEVERE_COMPLAINT")
    at_the_score = health.relationship_health(60, 60, 60, caps=[("UNRESOLVED_DETRACTOR", 60)])
    assert (at_the_score.score, at_the_score.cap_applied) == (60, None)


def test_no_health_no_ceiling():
    found = health.relationship_health(None, 90, NAN, caps=[("SILENT_12M", 70)])
    assert (found.score, found.uncapped, found.cap_applied) == (None, None, None)


def test_ceilings_of_codes_come_lowest_first():
    codes = {"SILENT_12M", "OPEN_SEVERE_COMPLAINT", "LITIGATION"}
    assert health.ceilings(codes) == [("OPEN_SEVERE_COMPLAINT", 50), ("SILENT_12M", 70)]
    assert health.ceilings([]) == []


def test_order_of_the_weights_does_not_matter():
    turned = replace(DEFAULT.health, weights=DEFAULT.health.weights[::-1])
    given = (70.1, 62.3, 80.7)
    assert health.relationship_health(*given, rules=turned) == health.relationship_health(*given)


def test_health_of_a_block():
    trust, satisfaction, loyalty = (
        np.array([70, NAN, NAN]),
        np.array([62.5, 62.5, 50]),
        np.array([80, 80, NAN]),
    )
    found = health.relationship_health_columns(trust, satisfaction, loyalty)
    assert found.score[:2].tolist() == [70, 70]
    assert np.isnan(found.score[2])
    assert np.isnan(found.contributions[2]).all()


def test_bands_follow_their_limits():
    assert health.band(NAN) is None
    assert health.band(0) == "at risk"
    assert health.band(59, rules=Bands(sound_from=59)) == "sound"


def test_client_score_needs_health():
    assert health.client_score(70, 53.075).score == pytest.approx(63.23)
    assert health.client_score(70, None).score == 70
    assert health.client_score(None, 53.075).score is None
    assert health.client_score(None, 50, rules=ClientScore(min_coverage=0.4)).score == 50
