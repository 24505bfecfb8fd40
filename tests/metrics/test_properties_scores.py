"""What must hold of scores, intervals, rates and periods for any data (metrics-spec 14)."""

import math
from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from metrics.formulas import answers, display, periods, responding, scores, uncertainty
from metrics.formulas.answers import Counts
from metrics.formulas.responding import Dispositions
from metrics.formulas.scores import Client

COUNT = st.integers(0, 40)
COUNTS = st.builds(Counts, COUNT, COUNT, COUNT)
SOME = COUNTS.filter(lambda counts: counts.n > 0)
WEIGHT = st.floats(1e-3, 1e6)
LABELS = ("promoter", "passive", "detractor")
ROWS = st.lists(st.tuples(st.integers(0, 10), WEIGHT, st.integers(0, 8)), min_size=1, max_size=40)
ZONES = (
    "Asia/Shanghai",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",
    "Asia/Beirut",
    "Africa/Cairo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)
INSTANTS = st.datetimes(
    datetime.fromisoformat("1950-01-01"),
    datetime.fromisoformat("2100-01-01"),
    timezones=st.just(UTC),
)
INTERVALS = (
    uncertainty.wald,
    uncertainty.adjusted_wald,
    uncertainty.goodman,
    uncertainty.score,
    uncertainty.trinomial_t,
    uncertainty.bootstrap_exact,
)


def near(x, y):
    return (x is None and y is None) or x == pytest.approx(y, rel=1e-9, abs=1e-9)


def ends(interval):
    return None if interval is None else (interval.low, interval.high)


@given(SOME, SOME)
def test_nps_of_a_sum_is_the_weighted_mean(a, b):
    mean = (a.n * scores.point(a) + b.n * scores.point(b)) / (a.n + b.n)
    assert near(scores.point(a + b), mean)


@given(SOME)
def test_swapping_promoters_and_detractors_flips_point_and_intervals(counts):
    swapped = Counts(counts.p, counts.s, counts.d)
    assert scores.point(swapped) == -scores.point(counts)
    for method in INTERVALS[:-1]:
        found, mirrored = method(counts), method(swapped)
        assert (found is None) == (mirrored is None)
        if found is not None:
            assert near(mirrored.low, -found.high)
            assert near(mirrored.high, -found.low)


@given(SOME, st.floats(0.5, 0.999))
def test_ends_are_ordered_and_in_range(counts, conf):
    for method in INTERVALS:
        found = method(counts, conf=conf)
        assert found is None or -100 <= found.low <= found.high <= 100
    aw = uncertainty.adjusted_wald(counts, conf=conf)
    assert aw.low <= 100 * (counts.p - counts.d) / (counts.n + 3) <= aw.high


@given(SOME)
def test_variance_is_a_share_and_keeps_the_covariance(counts):
    v, p, d = uncertainty.variance(counts), counts.p / counts.n, counts.d / counts.n
    assert 0 <= v <= 1
    assert near(v, p * (1 - p) + d * (1 - d) + 2 * p * d)


@given(SOME, st.integers(1, 9))
def test_replicating_answers_keeps_nps_and_divides_se(counts, c):
    many = Counts(c * counts.d, c * counts.s, c * counts.p)
    assert near(scores.point(many), scores.point(counts))
    se = uncertainty.standard_error(counts)
    assert near(uncertainty.standard_error(many), se / math.sqrt(c))


@given(SOME)
def test_a_passive_more_moves_nps_towards_zero(counts):
    before, after = scores.point(counts), scores.point(counts + Counts(s=1))
    assert abs(after) < abs(before) or before == after == 0


@given(SOME, st.integers(2, 9))
def test_interval_narrows_with_n_at_fixed_shares(counts, c):
    many = Counts(c * counts.d, c * counts.s, c * counts.p)
    wide = uncertainty.adjusted_wald(counts, clip=False)
    assert uncertainty.adjusted_wald(many, clip=False).half_width < wide.half_width


@given(SOME)
def test_finite_population_runs_from_the_point_to_the_plain_interval(counts):
    point = scores.point(counts)
    census = uncertainty.adjusted_wald_finite(counts, big_n=counts.n)
    assert ends(census) == (pytest.approx(point), pytest.approx(point))
    endless = uncertainty.adjusted_wald_finite(counts, big_n=10**13)
    assert ends(endless) == pytest.approx(ends(uncertainty.adjusted_wald(counts)), abs=1e-6)


@given(st.lists(WEIGHT, min_size=1, max_size=40), st.floats(1e-3, 1e3))
def test_effective_n_is_between_one_and_n_and_free_of_scale(weights, c):
    found, scaled = uncertainty.kish(weights), uncertainty.kish([c * w for w in weights])
    assert 1 <= found.n_eff <= found.n
    assert near(scaled.n_eff, found.n_eff)
    assert near(scaled.max_share, found.max_share)


@given(ROWS, st.floats(1e-3, 1e3))
def test_scaling_all_weights_leaves_every_weighted_figure(rows, c):
    given_scores, weights, clients = zip(*rows, strict=True)
    found = uncertainty.cluster_nps(given_scores, clients, weights=weights)
    scaled = uncertainty.cluster_nps(given_scores, clients, weights=[c * w for w in weights])
    assert scaled.nps == pytest.approx(found.nps, rel=1e-9, abs=1e-7)
    assert (scaled.ci is None) == (found.ci is None) == (len(set(clients)) == 1)
    if found.ci is not None:
        assert scaled.se == pytest.approx(found.se, rel=1e-6, abs=1e-5)
        assert ends(scaled.ci) == pytest.approx(ends(found.ci), abs=1e-4)
        assert found.n_eff <= found.n * (1 + 1e-12)


@given(st.lists(st.integers(0, 10), min_size=2, max_size=40))
def test_one_answer_per_client_gives_the_plain_figures(given_scores):
    counts = answers.count(given_scores)
    codes = answers.codes(given_scores)
    mean = uncertainty.cluster_mean(codes, [1] * len(codes), range(len(codes)))
    assert near(100 * mean.se, uncertainty.standard_error(counts, ddof=1))
    labels = [{1: "promoter", 0: "passive", -1: "detractor"}[code] for code in codes]
    found = uncertainty.label_nps(labels, [7.0] * len(labels))
    assert ends(found.ci) == pytest.approx(ends(uncertainty.adjusted_wald(counts)), abs=1e-9)


@given(st.lists(WEIGHT, min_size=1, max_size=30), st.floats(0.02, 1))
def test_capped_weights_keep_the_cap_and_the_rest(weights, share):
    found = uncertainty.cap(weights, share=share)
    if share * len(weights) <= 1:
        assert found == [1.0] * len(weights)
        return
    assert max(found) <= share * math.fsum(found) * (1 + 1e-9)
    assert all(new == old or new == max(found) for new, old in zip(found, weights, strict=True))
    assert all(new <= old for new, old in zip(found, weights, strict=True))


@given(st.builds(Dispositions, *[COUNT] * 7), st.floats(0, 1))
def test_response_rates_are_ordered(found, e):
    rates = responding.aapor(found, e=e)
    pairs = ("rr1", "rr3"), ("rr3", "rr5"), ("rr2", "rr4"), ("rr4", "rr6")
    for low, high in (*pairs, ("rr1", "rr2"), ("rr3", "rr4"), ("rr5", "rr6")):
        one, two = getattr(rates, low), getattr(rates, high)
        assert one is None or two is None or 0 <= one <= two <= 1


@given(st.integers(1, 300), st.data(), st.floats(0.5, 0.999))
def test_wilson_is_in_range_and_symmetric(n, data, conf):
    x = data.draw(st.integers(0, n))
    found, mirrored = (uncertainty.wilson(y, n, conf=conf) for y in (x, n - x))
    assert 0 <= found.low <= x / n <= found.high <= 1
    assert near(mirrored.low, 1 - found.high)
    assert near(mirrored.high, 1 - found.low)


@given(INSTANTS, st.sampled_from(ZONES), st.sampled_from(["day", "week", "month", "quarter"]))
def test_an_instant_falls_into_one_period_and_the_next_begins_at_its_end(at, zone, kind):
    bounds = periods.period_bounds(periods.period_key(at, kind, zone), zone)
    assert bounds.holds(at)
    following = periods.period_bounds(periods.period_key(bounds.end, kind, zone), zone)
    assert following.start == bounds.end


@given(st.integers(1950, 2100), st.integers(1, 4), st.sampled_from(ZONES), st.data())
def test_months_add_up_to_their_quarter(year, number, zone, data):
    quarter = periods.period_bounds(f"{year}-Q{number}", zone)
    months = [
        periods.period_bounds(f"{year}-{month:02d}", zone)
        for month in range(3 * number - 2, 3 * number + 1)
    ]
    near_by = st.datetimes(
        datetime.fromisoformat(f"{year}-{3 * number - 2:02d}-01"),
        datetime.fromisoformat(f"{year}-{3 * number:02d}-28"),
        timezones=st.just(UTC),
    )
    rows = data.draw(st.lists(st.tuples(near_by, st.integers(0, 10)), max_size=20))
    parts = [answers.count(x for at, x in rows if month.holds(at)) for month in months]
    whole = answers.count(x for at, x in rows if quarter.holds(at))
    assert parts[0] + parts[1] + parts[2] == whole


@given(st.lists(st.integers(0, 500), min_size=1, max_size=8), st.integers(0, 2))
def test_shown_parts_add_up_to_the_shown_total(values, digits):
    shown = display.largest_remainder(values, digits=digits)
    exact = sum(Fraction(repr(part)) for part in shown)
    assert exact == (100 if any(values) else 0)
    step = 10**-digits
    for part, value in zip(shown, values, strict=True):
        assert not any(values) or abs(part - 100 * value / sum(values)) < step + 1e-9


@given(st.lists(st.integers(0, 12), max_size=8), st.integers(1, 10))
def test_no_withheld_cell_follows_from_the_rest(counts, threshold):
    withheld = uncertainty.complementary_suppression(counts, threshold=threshold)
    small = {i for i, count in enumerate(counts) if 0 < count < threshold}
    assert small <= set(withheld)
    assert bool(withheld) == bool(small)
    filled = {i for i, count in enumerate(counts) if count}
    if withheld and set(withheld) != filled:
        assert len(withheld) >= 2
        assert sum(counts[i] for i in withheld) >= threshold


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 10), st.integers(0, 3)), max_size=5),
            st.floats(-10, 1e6),
        ),
        max_size=10,
    )
)
def test_client_figures_stay_in_range_and_ignore_order(rows):
    clients = [Client(str(i), given, exposure) for i, (given, exposure) in enumerate(rows)]
    found, turned = scores.client_nps(clients), scores.client_nps(clients[::-1])
    assert found.nps_client == turned.nps_client
    assert found.nps_respondent == turned.nps_respondent
    assert near(found.nps_exposure, turned.nps_exposure)
    assert set(found.labels.values()) <= set(LABELS)
    for name in ("nps_client", "nps_client_frac", "nps_exposure", "nps_exposure_frac"):
        value = getattr(found, name)
        assert value is None or -100 - 1e-9 <= value <= 100 + 1e-9
    assert found.coverage_exposure is None or 0 <= found.coverage_exposure <= 1 + 1e-12


@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)), st.sampled_from(ZONES))
def test_rolling_years_tile(day, zone):
    noon = datetime.combine(day, datetime.min.time().replace(hour=12), UTC)
    today = periods.local_date(noon, zone)
    assume((today.month, today.day) != (2, 29))
    bounds = periods.parse("rolling12m", as_of=noon, zone=zone)
    assert bounds.end == periods.period_bounds(today.isoformat(), zone).end
    before = today.replace(year=today.year - 1)
    assert bounds.start == periods.period_bounds(before.isoformat(), zone).end
