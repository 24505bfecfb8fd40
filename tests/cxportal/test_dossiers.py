"""The pages of one client: money, standing, engagement and history."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bank import settings as values
from clients.models import (
    ExchangeRate,
    Facility,
    Freeze,
    Outage,
    Statement,
    Touchpoint,
    Transaction,
)
from metrics.facts import exposure
from metrics.models import Measurement
from tests import factories
from tests.cxportal.conftest import make_late

pytestmark = pytest.mark.usefixtures("today")
NOW = factories.NOW
TABS = ["", "contacts/", "cases/", "financials/", "engagement/", "history/"]


@pytest.fixture
def lan(client, staff):
    client.force_login(staff.lan)
    return client


def path(book, tab=""):
    return f"/clients/{book.mine.client.code}/{tab}"


def lend(client, **fields):
    return Facility.objects.create(
        **{
            "number": f"F-{Facility.objects.count()}",
            "client": client,
            "kind": "term",
            "limit": Decimal(1000),
            "drawn": Decimal(400),
            "as_of": date(2026, 11, 1),
        }
        | fields
    )


def touch(client, kind, at, **fields):
    number = Touchpoint.objects.count()
    return Touchpoint.objects.create(
        event_id=f"E-{number}", client=client, kind=kind, at=at, **fields
    )


def store(client, metric, **fields):
    return Measurement.objects.create(
        **{
            "metric": metric,
            "population": "",
            "scope": "client",
            "scope_id": client.pk,
            "period": "rolling90",
            "method": "weighted_index",
            "version": 1,
            "parameter_set": "p",
            "zone": "Asia/Shanghai",
            "as_of": NOW,
            "n": 12,
            "clients": 1,
        }
        | fields
    )


def engage(client):
    """An index of 62.5 from four parts; the online contract of one channel is missing."""
    shares = {"login": 11.76, "pv": None, "ctr": 5.29, "usage": 33.69, "offline": 11.76}
    reasons = {"pv": "NO_CONTRACT"}
    store(
        client,
        "cei",
        value=62.5,
        label="sound",
        detail={
            "coverage": 0.85,
            "from": "2026-08-27",
            "to": "2026-11-24",
            "reference": 3,
            "components": {
                name: {
                    "score": 50.0 if share is not None else None,
                    "raw": 1.0,
                    "weight": 0.2,
                    "contribution": share,
                    "reason": reasons.get(name, ""),
                }
                for name, share in shares.items()
            },
            "change": {
                "since": "2026-08-26",
                "before": 60.0,
                "value": 2.5,
                "parts": {
                    name: {"behaviour": 1.04 if name == "usage" else 0.52, "availability": -0.12}
                    for name in shares
                    if name != "pv"
                },
            },
        },
    )
    for name, share in shares.items():
        gone = share is None
        store(
            client,
            f"cei_{name}",
            value=None if gone else 50.0,
            gate=reasons.get(name, ""),
            detail={} if gone else _inputs(name),
        )


def _inputs(name):
    given = {"raw": 1.5, "low": 0.0, "high": 4.0, "group": "corporate/small"}
    return given | {
        "login": {"sum": 3.0, "users": 2},
        "ctr": {"clicks": 1, "messages": 8},
        "usage": {"used": 2, "held": 3, "depth": 7.5},
    }.get(name, {})


@pytest.mark.parametrize(
    ("who", "status"),
    [("lan", 200), ("bo", 404), ("chen", 404), ("mu", 200), ("qiu", 200), ("admin", 200)],
)
@pytest.mark.parametrize("tab", TABS)
def test_every_part_follows_the_scope(client, book, who, status, tab):
    client.force_login(getattr(book.staff, who))
    assert client.get(path(book, tab)).status_code == status


@pytest.mark.parametrize("tab", TABS)
def test_part_takes_the_same_queries_for_any_number_of_rows(lan, book, tab):
    def asked():
        with CaptureQueriesContext(connection) as queries:
            assert lan.get(path(book, tab)).status_code == 200
        return len(queries)

    fill(book.mine.client)
    one = asked()
    fill(book.mine.client)
    fill(book.mine.client)
    assert asked() == one


def fill(client):
    facility = lend(client)
    number = Transaction.objects.count()
    Transaction.objects.create(
        external_id=f"T-{number}",
        client=client,
        facility=facility,
        kind="drawdown",
        amount=Decimal(10),
        booked_at=NOW - timedelta(days=3),
    )
    touch(client, "visit", NOW - timedelta(days=number))
    touch(client, "login", NOW - timedelta(days=number))
    Statement.objects.create(
        client=client, period_end=date(2020 + number, 12, 31), basis="annual", revenue=1
    )


def test_head_tells_exposure_use_and_since_when(lan, book):
    lend(book.mine.client, limit=Decimal("300000000"), drawn=Decimal("120000000"))
    lend(book.mine.client, limit=Decimal("100000000"), drawn=Decimal("40000000"))
    held = lan.get(path(book)).context["found"].book
    assert (held.exposure, held.limit, held.drawn) == (400_000_000, 400_000_000, 160_000_000)
    assert held.used == Decimal("0.4")


@pytest.mark.parametrize(
    ("drawn", "tone"), [("790", "dai"), ("800", "hu"), ("1000", "hu"), ("1001", "d"), (None, "")]
)
def test_bar_turns_amber_at_80_per_cent_and_vermilion_above_the_limit(lan, book, drawn, tone):
    lend(book.mine.client, drawn=drawn and Decimal(drawn))
    assert [line.tone for line in lan.get(path(book)).context["found"].book.limits] == [tone]


def test_foreign_limit_counts_at_the_newest_rate_and_is_named_without_one(lan, book):
    ExchangeRate.objects.create(currency="USD", as_of=date(2026, 10, 1), rate=Decimal(7))
    ExchangeRate.objects.create(currency="USD", as_of=date(2026, 11, 20), rate=Decimal(9))
    ExchangeRate.objects.create(currency="USD", as_of=date(2026, 12, 20), rate=Decimal(11))
    lend(book.mine.client, currency="USD")
    lend(book.mine.client, currency="EUR")
    held = lan.get(path(book)).context["found"].book
    assert (held.exposure, held.unrated) == (9000, ["EUR"])
    assert "EUR" in lan.get(path(book, "financials/")).content.decode()


def test_facility_that_has_ended_is_not_exposure(lan, book):
    lend(book.mine.client, ends_on=date(2026, 11, 23))
    held = lan.get(path(book)).context["found"].book
    assert (held.limits, held.exposure) == ([], None)


def test_exposure_of_the_head_is_the_one_that_the_figures_weigh_by(lan, book):
    client, today = book.mine.client, timezone.localdate(NOW)
    ExchangeRate.objects.create(currency="USD", as_of=date(2026, 11, 20), rate=Decimal("7.125"))
    for fields in (
        {"currency": "USD"},
        {"currency": "EUR"},
        {"limit": None, "drawn": Decimal("12.34")},
        {"limit": Decimal(100), "drawn": Decimal(150)},
        {"starts_on": today + timedelta(days=1)},
        {"ends_on": today},
    ):
        facility = lend(client, **fields)
        facility.balances.create(as_of=facility.as_of, limit=facility.limit, drawn=facility.drawn)

    held = lan.get(path(book)).context["found"].book

    known = exposure.at([today], clients=[client.pk])[today]
    assert held.exposure == Decimal("8287.34")
    assert known.of(np.array([client.pk])).tolist() == [8287.34]
    assert known.unrated_of(np.array([client.pk])) == len(held.unrated) == 1


def test_money_is_told_in_the_currency_that_the_bank_reports_in(lan, book, staff):
    values.put("reporting_currency", "USD", at=NOW, by=staff.admin)
    lend(book.mine.client, currency="USD")
    lend(book.mine.client, currency="CNY")
    held = lan.get(path(book)).context["found"].book
    assert (held.currency, held.exposure, held.unrated) == ("USD", 1000, ["CNY"])


def test_statements_stand_side_by_side_oldest_first(lan, book):
    for year in range(2021, 2026):
        Statement.objects.create(
            client=book.mine.client,
            period_end=date(year, 12, 31),
            basis="annual",
            audited=True,
            revenue=Decimal(year * 100_000),
            total_assets=Decimal(1000),
            total_liabilities=Decimal(624),
        )
    Statement.objects.create(
        client=book.mine.client, period_end=date(2026, 6, 30), basis="half", revenue=None
    )
    table = lan.get(path(book)).context["statements"]
    assert table.heads == ["2023", "2024", "2025", "2026 上半年"]
    assert table.items[0].values == ["2.02", "2.02", "2.03", "–"]
    assert table.items[-2].values == ["62.4%", "62.4%", "62.4%", "–"]


def test_half_year_older_than_the_last_year_is_left_out(lan, book):
    for end, basis in ((date(2025, 6, 30), "half"), (date(2025, 12, 31), "annual")):
        Statement.objects.create(client=book.mine.client, period_end=end, basis=basis, revenue=1)
    assert lan.get(path(book)).context["statements"].heads == ["2025"]


def test_bookings_are_listed_newest_first(lan, book):
    for number, days in enumerate((9, 1, 5)):
        Transaction.objects.create(
            external_id=f"T-{number}",
            client=book.mine.client,
            kind="interest",
            amount=Decimal(days),
            booked_at=NOW - timedelta(days=days),
        )
    rows = lan.get(path(book, "financials/")).context["rows"]
    assert [row.amount for row in rows] == [1, 5, 9]


def test_standing_names_the_rules_that_fired(lan, book):
    make_late(book.mine.case)
    Freeze.objects.create(
        client=book.mine.client, reason="open_complaint", started_at=NOW - timedelta(days=2)
    )
    found = lan.get(path(book)).context["found"].standing
    assert found.state == "attention"
    assert [(reason.icon, reason.tone) for reason in found.reasons] == [
        ("alert", "zhu"),
        ("timer", "zhu"),
        ("lock", "hu"),
    ]
    assert (found.reasons[0].response_id, found.reasons[1].case) == ("R-禾屿", "L-禾屿")


@pytest.mark.parametrize(
    ("scores", "state", "icons"),
    [
        ((8, 9), "sound", ["up"]),
        ((9, 8, 7), "attention", ["down"]),
        ((8, 7, 6), "attention", ["alert"]),
        ((8, 8), "sound", []),
    ],
)
def test_course_of_one_person_decides(lan, staff, scores, state, icons):
    one = factories.make_client("ONE", manager=staff.lan)
    person, version = factories.make_contact(one), factories.make_version()
    for number, score in enumerate(scores):
        factories.make_response(
            factories.make_invitation(person, version=version),
            {"nps": score},
            submitted_at=NOW - timedelta(days=90 - 20 * number),
        )
    found = lan.get("/clients/ONE/").context["found"].standing
    assert (found.state, [reason.icon for reason in found.reasons]) == (state, icons)


def test_client_without_answers_stands_unknown(lan, staff):
    factories.make_client("ONE", manager=staff.lan)
    assert lan.get("/clients/ONE/").context["found"].standing.state == "unknown"


def test_silence_of_a_year_is_a_rule(lan, staff):
    one = factories.make_client("ONE", manager=staff.lan)
    factories.make_response(
        factories.make_invitation(factories.make_contact(one)),
        {"nps": 9},
        submitted_at=NOW - timedelta(days=400),
    )
    found = lan.get("/clients/ONE/").context["found"].standing
    assert [reason.icon for reason in found.reasons] == ["clock"]


def test_parts_of_the_index_as_printed_add_up_to_it(lan, book):
    engage(book.mine.client)
    index = lan.get(path(book, "engagement/")).context["index"]
    given = [part.contribution for part in index.parts]
    assert sum(value for value in given if value is not None) == pytest.approx(62.5)
    assert given[1] is None
    moves = [value for part in index.parts for value in (part.behaviour, part.availability)]
    assert sum(value for value in moves if value is not None) == pytest.approx(2.5)


def test_missing_part_has_a_reason_and_no_number(lan, book, settings):
    engage(book.mine.client)
    lan.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    text = lan.get(path(book, "engagement/")).content.decode()
    row = text.split("Page views</th>")[1].split("</tr>")[0]
    assert "no online banking contract" in row
    assert 'value="" data-metric="cei_pv"' in row
    assert "0.0" not in row.replace("15.0%", "")


def test_index_says_what_it_is_measured_against(lan, book, settings):
    engage(book.mine.client)
    lan.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    text = " ".join(lan.get(path(book, "engagement/")).content.decode().split())
    assert "frozen reference 3, group: Corporate lending · Small" in text
    assert "2 of 3 products used; 7.5 uses" in text


def test_health_shows_both_values_and_the_ceiling(lan, book, settings):
    store(
        book.mine.client,
        "health",
        population="relational",
        period="rolling12m",
        value=60.0,
        label="sound",
        detail={
            "parts": {
                "trust": {"score": None, "contribution": None},
                "satisfaction": {"score": 80.0, "contribution": 45.7},
                "loyalty": {"score": 70.0, "contribution": 30.0},
            },
            "uncapped": 75.7,
            "ceiling": "UNRESOLVED_DETRACTOR",
            "ceilings": ["UNRESOLVED_DETRACTOR"],
        },
    )
    lan.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    response = lan.get(path(book, "engagement/"))
    text = " ".join(response.content.decode().split())
    assert "The parts come to 75.7; lowered because a low rating is not followed up yet" in text
    assert [part.contribution for part in response.context["health"].parts] == [None, 45.7, 30.0]


def test_nothing_is_zero_where_nothing_was_computed(lan, book):
    context = lan.get(path(book, "engagement/")).context
    assert [part.figure.value for part in context["index"].parts] == [None] * 5
    assert (context["health"].figure.value, context["score"].figure.value) == (None, None)


def test_weeks_count_events_and_mark_those_without_a_log(lan, book):
    touch(book.mine.client, "login", NOW - timedelta(days=1), quantity=2)
    touch(book.mine.client, "login", NOW - timedelta(days=8))
    touch(book.mine.client, "call", NOW - timedelta(days=8))
    touch(book.mine.client, "product_use", NOW - timedelta(days=9))
    Transaction.objects.create(
        external_id="T-use",
        client=book.mine.client,
        kind="product_use",
        booked_at=NOW - timedelta(days=9),
    )
    Outage.objects.create(
        source="online", starts_at=NOW - timedelta(days=8), ends_at=NOW - timedelta(days=7)
    )
    weeks = lan.get(path(book, "engagement/")).context["weeks"]
    assert weeks.rows[0] == (date(2026, 11, 23), [2, 0, 0, 0, 0], False)
    assert weeks.rows[1] == (date(2026, 11, 16), [1, 0, 0, 0, 1], True)
    assert weeks.rows[2] == (date(2026, 11, 9), [0, 0, 0, 2, 0], False)
    assert [bar.away for bar in weeks.series[0].columns][-2:] == [True, False]
    assert [bar.away for bar in weeks.series[4].columns][-2:] == [False, False]


def test_contacts_of_people_stand_in_the_activity_and_in_the_head(lan, book):
    touch(
        book.mine.client,
        "visit",
        NOW - timedelta(days=1),
        contact=book.mine.contact,
        duration_s=2700,
    )
    context = lan.get(path(book)).context
    assert context["events"][0].words == "拜访 · 禾屿 联系人 · 45 分"
    assert context["found"].met_in_words == "拜访 · 禾屿 联系人 · 45 分"


def test_history_also_tells_money_and_consents(lan, book):
    fill(book.mine.client)
    short = lan.get(path(book)).context["events"]
    whole = lan.get(path(book, "history/")).context["events"]
    assert len(whole) == len(short) + 2


def test_contact_who_left_is_named_on_the_page_of_contacts(lan, book):
    factories.make_contact(book.mine.client, name="旧友", left_on=date(2026, 1, 1))
    assert "旧友" in lan.get(path(book, "contacts/")).content.decode()
    assert "旧友" not in lan.get(path(book)).content.decode()
