from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import timezone, translation

from bank import formats


def both(function, *args):
    with translation.override("zh-hans"):
        zh = function(*args)
    with translation.override("en"):
        return zh, function(*args)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (2.675, 2, "2.68"),
        (-6.25, 1, "-6.3"),
        (-0.04, 1, "0.0"),
        (0.5, 0, "1"),
        (1.5, 0, "2"),
        (2.5, 0, "3"),
        (59.96, 1, "60.0"),
        (Decimal("1.005"), 2, "1.01"),
        (3, 1, "3.0"),
    ],
)
def test_rounding_is_half_away_from_zero_on_the_shortest_text(value, digits, text):
    assert str(formats.rounded(value, digits)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(42.34, "+42.3"), (-5, "−5.0"), (0, "0.0"), (-0.04, "0.0"), (100, "+100.0"), (None, "–")],
)
def test_points_are_signed_with_a_true_minus(value, text):
    assert both(formats.points, value) == (text, text)


def test_points_of_a_dense_table_have_no_decimal():
    assert formats.points(-42.5, 0) == "−43"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.8664, "86.6%"), (1, "100.0%"), (0, "0.0%"), (0.07, "7.0%"), (0.0005, "0.1%"), (None, "–")],
)
def test_share_is_per_cent(value, text):
    assert both(formats.share, value) == (text, text)


def test_share_of_a_heat_map_has_no_decimal():
    assert formats.share(0.866, 0) == "87%"


def test_change_of_a_share_is_in_points_never_per_cent():
    assert both(formats.share_change, 0.025) == ("+2.5 个百分点", "+2.5 pts")
    assert both(formats.share_change, -0.0251) == ("−2.5 个百分点", "−2.5 pts")


def test_interval_has_a_word_between_its_ends():
    expected = ("95% CI +34.1 至 +49.7", "95% CI +34.1 to +49.7")
    assert both(formats.interval, 34.1, 49.7) == expected
    assert both(formats.interval, -3.2, 5.5)[1] == "95% CI −3.2 to +5.5"
    assert formats.interval(None, 1.0) == "–"


def test_interval_of_shares_and_of_plain_numbers():
    assert both(formats.share_interval, 0.812, 0.9) == (
        "95% CI 81.2% 至 90.0%",
        "95% CI 81.2% to 90.0%",
    )
    assert both(formats.number_interval, 7.1, 9.25)[1] == "95% CI 7.1 to 9.3"


def test_sample_score_and_ratio():
    assert formats.sample(1312) == "n = 1,312"
    assert both(formats.score, 9, 10) == ("9 分", "9")
    assert both(formats.score, 2, 5) == ("2/5", "2/5")
    assert formats.score(8.25, 10, 1).startswith("8.3")
    assert formats.ratio(1.384) == "1.38×"


@pytest.mark.parametrize(
    ("amount", "currency", "zh", "en"),
    [
        (1_850_000_000, "CNY", "18.50 亿元", "¥1,850m"),
        (6_200_000, "CNY", "620 万元", "¥6.2m"),
        (Decimal("99999999.99"), "CNY", "1.00 亿元", "¥100m"),
        (99_990_000, "CNY", "9,999 万元", "¥99.99m"),
        (1234.5, "CNY", "1,234.5 元", "¥1,234.5"),
        (0, "CNY", "0 元", "¥0"),
        (-2_500_000, "CNY", "−250 万元", "−¥2.5m"),
        (-0.001, "CNY", "0 元", "¥0"),
        (120_000_000, "USD", "1.20 亿美元", "US$120m"),
        (3_000_000, "XOF", "300 万 XOF", "XOF 3m"),
        (None, "CNY", "–", "–"),
    ],
)
def test_money_takes_the_unit_of_its_size(amount, currency, zh, en):
    assert both(formats.money, amount, currency) == (zh, en)


def test_dates_and_times_are_in_the_active_zone():
    at = datetime(2026, 11, 18, 16, 30, tzinfo=UTC)
    with timezone.override("Asia/Shanghai"):
        assert formats.moment(at) == "2026-11-19 00:30"
        assert formats.day(at) == "2026-11-19"
        assert both(formats.day_in_text, at) == ("11 月 19 日", "19 Nov 2026")
    assert formats.day(date(2026, 11, 18)) == "2026-11-18"
    assert formats.day(None) == formats.moment(None) == formats.day_in_text(None) == "–"


@pytest.mark.parametrize(
    ("span", "zh", "en"),
    [
        ({"hours": 4, "minutes": 6}, "4 小时 06 分", "4 h 06 m"),
        ({"minutes": 6, "seconds": 59}, "6 分", "6 m"),
        ({"hours": 23, "minutes": 59}, "23 小时 59 分", "23 h 59 m"),
        ({"hours": 24}, "1 天 0 小时", "1 d 0 h"),
        ({"days": 2, "hours": 3, "minutes": 50}, "2 天 3 小时", "2 d 3 h"),
    ],
)
def test_duration(span, zh, en):
    assert both(formats.duration, timedelta(**span)) == (zh, en)


def test_overdue():
    assert both(formats.overdue, timedelta(hours=19, minutes=5)) == (
        "超时 19 小时",
        "19 h overdue",
    )
    assert both(formats.overdue, timedelta(days=2, hours=1))[1] == "2 d 1 h overdue"
    assert both(formats.overdue, timedelta(minutes=5))[0] == "超时 5 分"


def test_masked_shows_the_ends_only():
    assert formats.masked("18612342047") == "186••••2047"
    assert formats.masked("123") == "••••"


@pytest.mark.parametrize(
    "text",
    [
        formats.number(None),
        formats.share_change(None),
        formats.share_interval(None, None),
        formats.number_interval(None, None),
        formats.score(None, 10),
        formats.ratio(None),
        formats.duration(None),
    ],
)
def test_nothing_is_a_dash_everywhere(text):
    assert text == "–"


def test_missing_is_a_dash_with_words():
    with translation.override("en"):
        assert (formats.missing(), formats.missing_words()) == ("–", "no data")


def test_filters_write_the_same():
    page = Template(
        "{% load formats %}{{ p|points }} {{ p|points:0 }} {{ s|share }} {{ d|day }} {{ x|money }}"
    )
    context = Context({"p": -5.44, "s": 0.5, "d": date(2026, 1, 2), "x": 6_200_000})
    with translation.override("en"):
        assert page.render(context) == "−5.4 −5 50.0% 2026-01-02 ¥6.2m"
