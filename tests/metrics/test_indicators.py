"""Each indicator against counts made by hand, and the verdict of the gate."""

import pytest

from metrics import indicators
from metrics.facts.pools import Bucket, Pool

BY_NAME = {indicator.metric: indicator for indicator in indicators.INDICATORS}


def make_bucket(client, *, nps=(), outcomes=None, attributable=True, **items):
    bucket = Bucket(client)
    for item, values in ({"nps": nps} | items).items():
        if values:
            bucket.held[item] = {i: (value, attributable) for i, value in enumerate(values)}
    bucket.outcomes.update(outcomes or {})
    mean = sum(nps) / len(nps) if nps else None
    if mean is not None:
        bucket.label = "promoter" if mean >= 9 else "passive" if mean >= 7 else "detractor"
    return bucket


def make_pool(*buckets, outside=()):
    pool = Pool()
    for bucket in buckets:
        pool.add(bucket, eligible=bucket.client not in outside)
    return pool


def read(metric, pool):
    return BY_NAME[metric].read(pool)


def decide(metric, pool, scope="bank"):
    return BY_NAME[metric].decide(read(metric, pool), scope)


def test_interval_of_a_hundred_and_seventy_two_promoters_is_the_published_one():
    given = [9] * 172 + [8] * 100 + [0] * 40
    pool = make_pool(*(make_bucket(i, nps=[score]) for i, score in enumerate(given)))
    for metric in ("nps", "nps_respondent"):
        found = read(metric, pool)
        assert round(found.value, 1) == 42.3
        assert (round(found.low, 1), round(found.high, 1)) == (34.1, 49.7)
        assert (found.n, found.clients) == (312, 312)


def test_one_client_has_one_vote_however_many_answer():
    pool = make_pool(make_bucket(1, nps=[10, 10, 10, 10]), make_bucket(2, nps=[0]))
    assert read("nps", pool).value == 0
    assert read("nps_respondent", pool).value == 60
    assert read("nps", pool).detail == {"promoter": 1, "passive": 0, "detractor": 1}
    assert read("nps", pool).n == 5


def test_mean_of_eight_and_a_half_is_passive_in_the_vote():
    assert read("nps", make_pool(make_bucket(1, nps=[8, 9]))).detail["passive"] == 1


def test_score_zero_is_a_detractor_and_stands_in_the_counts():
    found = read("nps_respondent", make_pool(make_bucket(1, nps=[0, 6, 7, 9])))
    assert found.detail == {
        "counts": [1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0],
        "detractors": 2,
        "passives": 1,
        "promoters": 1,
    }
    assert found.value == -25


def test_mean_and_label_of_a_client_stand_on_attributable_answers_alone():
    open_ = make_pool(make_bucket(1, nps=[9, 8]))
    assert read("recommend_mean", open_).value == 8.5
    assert read("client_label", open_).label == "passive"
    secret = make_pool(make_bucket(1, nps=[9, 8], attributable=False))
    assert read("recommend_mean", secret) is None
    assert read("client_label", secret) is None
    assert read("nps_respondent", secret).n == 2


def test_dimension_is_the_share_of_four_and_five_with_its_mean_beside():
    pool = make_pool(make_bucket(1, response_speed=[5, 4]), make_bucket(2, response_speed=[3, 1]))
    found = read("csat_response_speed", pool)
    assert found.value == 0.5
    assert found.detail["mean"] == 3.25
    assert (found.detail["top2"], found.detail["n"]) == (2, 4)
    assert (round(found.low, 3), round(found.high, 3)) == (0.150, 0.850)
    assert (found.detail["share_low"], found.detail["share_high"]) == (found.low, found.high)


def test_composite_is_the_mean_within_clients_then_over_clients():
    pool = make_pool(make_bucket(1, csat=[100.0, 80.0]), make_bucket(2, csat=[50.0]))
    found = read("csat", pool)
    assert found.value == 70
    assert found.detail["mean"] == pytest.approx(230 / 3)
    assert (found.n, found.clients) == (3, 2)
    assert (found.low, found.high) == (0, 100)


def test_composite_of_one_client_is_read_over_its_responses():
    found = read("csat", make_pool(make_bucket(1, csat=[60.0, 80.0, 100.0])))
    assert found.value == 80
    assert found.low == pytest.approx(80 - 4.302653 * 20 / 3**0.5)
    assert found.high == 100


def test_single_composite_has_no_interval():
    found = read("csat", make_pool(make_bucket(1, csat=[60.0])))
    assert (found.value, found.low, found.high) == (60, None, None)


def test_response_rate_counts_partials_and_keeps_the_silent_in_the_base():
    pool = make_pool(
        make_bucket(1, outcomes={"i": 2, "nc": 1}),
        make_bucket(2, outcomes={"p": 1, "r": 1}),
        make_bucket(3, outcomes={"nc": 5}),
    )
    rate = read("response_rate", pool)
    assert (rate.value, rate.eligible, rate.n, rate.clients) == (0.3, 10, 3, 2)
    assert rate.detail == {"complete": 2, "partial": 1, "refused": 1, "silent": 6}
    by_client = read("client_response_rate", pool)
    assert (by_client.value, by_client.eligible) == (pytest.approx(2 / 3), 3)


@pytest.mark.parametrize("metric", list(BY_NAME))
def test_nothing_answered_and_nobody_asked_is_no_figure(metric):
    assert read(metric, Pool()) is None


def test_four_clients_show_nothing():
    pool = make_pool(*(make_bucket(i, nps=[9]) for i in range(4)))
    assert decide("nps", pool).reasons == ("MIN_CLIENTS", "MIN_RESPONSES")


def test_client_with_more_than_half_of_the_answers_hides_the_figure():
    many = [make_bucket(i, nps=[9]) for i in range(4)]
    assert decide("nps", make_pool(make_bucket(9, nps=[9] * 5), *many)).reasons == ("DOMINANCE",)
    assert decide("nps", make_pool(make_bucket(9, nps=[9] * 4), *many)).show


def test_fewer_than_thirty_clients_are_flagged():
    twenty = make_pool(*(make_bucket(i, nps=[9]) for i in range(29)))
    assert decide("nps", twenty).flags == ("LOW_BASE",)
    thirty = make_pool(*(make_bucket(i, nps=[9]) for i in range(30)))
    assert decide("nps", thirty).flags == ()


def test_one_client_is_judged_by_answers_only():
    few = make_pool(make_bucket(1, nps=[9] * 4, csat=[50.0] * 4))
    assert decide("nps_respondent", few, "client").reasons == ("MIN_RESPONSES",)
    assert decide("csat", few, "client").reasons == ("MIN_RESPONSES",)
    assert decide("recommend_mean", few, "client").show
    assert decide("client_label", few, "client").show
    enough = make_pool(make_bucket(1, nps=[9] * 5))
    assert decide("nps_respondent", enough, "client").show
    assert decide("nps_respondent", enough, "client").flags == ()


def test_few_closed_answers_hide_the_figure_of_one_client_from_subtraction():
    open_ = make_bucket(1, nps=[9] * 6, csat=[50.0] * 6, response_speed=[4] * 6)
    for closed, reasons in ((1, ("COMPLEMENTARY",)), (4, ("COMPLEMENTARY",)), (5, ())):
        for item, held in make_bucket(
            1,
            nps=[2] * closed,
            csat=[0.0] * closed,
            response_speed=[1] * closed,
            attributable=False,
        ).held.items():
            open_.held[item] |= {f"closed {key}": given for key, given in held.items()}
        pool = make_pool(open_)
        for metric in ("nps_respondent", "csat", "csat_response_speed"):
            assert decide(metric, pool, "client").reasons == reasons
        assert decide("recommend_mean", pool, "client").show


def test_rate_is_judged_by_those_asked_not_by_those_who_answered():
    asked = [make_bucket(i, outcomes={"nc": 1}) for i in range(5)]
    assert decide("response_rate", make_pool(*asked)).show
    assert decide("response_rate", make_pool(*asked)).flags == ("LOW_BASE",)
    assert decide("response_rate", make_pool(*asked[:4])).reasons == (
        "MIN_CLIENTS",
        "MIN_RESPONSES",
    )
    assert decide("response_rate", make_pool(asked[0]), "client").show


def test_client_that_is_no_longer_active_is_counted_apart():
    pool = make_pool(make_bucket(1, nps=[9]), make_bucket(2, nps=[9]), outside={2})
    assert read("nps", pool).outside == 1
    assert pool.tallies["csat"].outside == 0
