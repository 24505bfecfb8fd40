"""Who was asked, who belongs where, and which rows make a client's figures old."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from bank import settings as bank_settings
from clients.models import ExchangeRate, Facility
from metrics.facts import exposure, population, requests
from metrics.facts.tables import Slot
from metrics.facts.where import Cut
from metrics.formulas.periods import Bounds
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
TODAY = date(2026, 11, 24)
YEAR = Bounds(NOW - 365 * DAY, NOW + DAY)
COLUMNS = (*requests.OUTCOMES, "asked")


@pytest.fixture
def version():
    return factories.make_scored_version()


def outcomes(client, **more):
    """What became of the requests to one client, without zeros."""
    found = requests.many([YEAR], Cut(clients=[client.pk]), **more)
    table = found.get(Slot(0, "relational"), requests.empty())
    return {name: int(table.total(name)) for name in COLUMNS if table.total(name)}


def test_outcomes_of_requests_follow_what_came_back():
    company = factories.make_client()
    version = factories.make_version()
    given = {
        "i": {"nps": 9, "csat": 4, "reason": "好"},
        "p": {"nps": 9},
        "r": {"csat": 3},
    }
    for answers in given.values():
        invitation = factories.make_invitation(factories.make_contact(company), version=version)
        factories.make_response(invitation, answers)
    opened = factories.make_contact(company)
    factories.make_invitation(opened, version=version, opened_at=NOW)
    factories.make_invitation(factories.make_contact(company), version=version)
    factories.make_invitation(factories.make_contact(company), version=version, sent_at=None)
    assert outcomes(company) == {"i": 1, "p": 1, "r": 2, "nc": 1, "asked": 5}


def test_conditional_question_counts_as_asked_only_where_it_was_answered():
    company = factories.make_client()
    version = factories.make_version()
    for answers in (
        {"nps": 2, "csat": 2, "reason": "慢"},
        {"nps": 2, "csat": 2, "callback": "no"},
    ):
        invitation = factories.make_invitation(factories.make_contact(company), version=version)
        factories.make_response(invitation, answers)
    # Three of three, and three of four.
    assert outcomes(company) == {"i": 1, "p": 1, "asked": 2}


def test_retracted_answer_makes_its_request_silent_again():
    invitation = factories.make_invitation()
    factories.make_response(invitation, {"nps": 9}, retracted_at=NOW)
    assert outcomes(invitation.client) == {"nc": 1, "asked": 1}


def test_requests_take_one_query_and_one_for_the_mergers(django_assert_num_queries):
    company = factories.make_client()
    version = factories.make_version()
    for count in (1, 3):
        for _number in range(count):
            invitation = factories.make_invitation(
                factories.make_contact(company), version=version
            )
            factories.make_response(invitation)
        with django_assert_num_queries(2):
            assert outcomes(company)["asked"] in (1, 4)


def test_merged_client_is_asked_under_its_successor():
    old, new = factories.make_client(), factories.make_client()
    factories.make_invitation(factories.make_contact(old))
    old.merged_into, old.merged_on = new, date(2026, 11, 1)
    old.save()
    assert (outcomes(old), outcomes(new)) == ({}, {"nc": 1, "asked": 1})


def make_facility(client, limit, drawn, *, as_of=date(2026, 6, 30), **fields):
    number = f"F{Facility.objects.count()}"
    facility = Facility.objects.create(number=number, client=client, as_of=as_of, **fields)
    facility.balances.create(as_of=as_of, limit=limit, drawn=drawn)
    return facility


def amount(client, day=TODAY):
    found = exposure.at([day])[day]
    return found.of(np.array([client.pk]))[0]


@pytest.mark.parametrize(
    ("limit", "drawn", "expected"),
    [
        ("100.00", "30.00", 100),
        ("100.00", "130.50", 130.5),
        ("100.00", None, 100),
        (None, "20.25", 20.25),
        ("-5.00", "-7.00", 0),
        ("-5.00", "7.00", 7),
        (None, None, 0),
    ],
)
def test_exposure_is_drawn_and_undrawn_committed(limit, drawn, expected):
    company = factories.make_client()
    make_facility(company, limit and Decimal(limit), drawn and Decimal(drawn))
    assert amount(company) == expected


def test_newest_balance_up_to_the_day_counts():
    company = factories.make_client()
    facility = make_facility(company, Decimal(10), None)
    facility.balances.create(as_of=date(2026, 9, 30), limit=Decimal(40), drawn=None)
    days = {date(2026, 6, 29): 0, date(2026, 9, 29): 10, date(2026, 9, 30): 40, TODAY: 40}
    found = exposure.at(list(days))
    assert {day: found[day].of(np.array([company.pk]))[0] for day in days} == days


def test_facility_counts_while_it_is_live():
    company = factories.make_client()
    make_facility(company, 1, 0, starts_on=TODAY, ends_on=TODAY)
    make_facility(company, 2, 0, starts_on=TODAY + DAY)
    make_facility(company, 4, 0, ends_on=TODAY - DAY)
    assert amount(company) == 1


def test_other_currencies_count_at_the_newest_rate_up_to_the_day():
    company = factories.make_client()
    make_facility(company, Decimal(100), None, currency="EUR")
    for day, rate in ((date(2026, 7, 1), "7.5"), (date(2026, 12, 1), "9")):
        ExchangeRate.objects.create(currency="EUR", as_of=day, rate=Decimal(rate))
    assert amount(company) == 750


def test_facility_without_a_rate_counts_nothing_and_is_reported():
    company = factories.make_client()
    make_facility(company, 100, None, currency="USD")
    make_facility(company, 5, None)
    found = exposure.at([TODAY])[TODAY]
    ids = np.array([company.pk])
    assert (found.of(ids)[0], found.unrated_of(ids), found.currency) == (5, 1, "CNY")


def test_reporting_currency_is_the_banks_choice():
    company = factories.make_client()
    make_facility(company, 100, None, currency="HKD")
    bank_settings.put("reporting_currency", "HKD", at=NOW, by=None)
    assert amount(company) == 100


def test_exposure_of_a_merged_client_is_its_successors_from_that_day():
    old, new = factories.make_client(), factories.make_client()
    make_facility(old, 100, None)
    make_facility(new, 1, None)
    old.merged_into, old.merged_on = new, TODAY
    old.save()
    assert [amount(one, TODAY - DAY) for one in (old, new)] == [100, 1]
    assert [amount(one, TODAY) for one in (old, new)] == [0, 101]


def test_exposure_of_many_days_takes_a_query_and_one_for_the_mergers_and_the_currency(
    django_assert_num_queries,
):
    for count in (1, 3):
        companies = [factories.make_client() for _number in range(count)]
        for company in companies:
            make_facility(company, 1, None)
        with django_assert_num_queries(3):
            exposure.at([TODAY, TODAY - DAY], clients=[one.pk for one in companies])


def test_client_belongs_to_its_team_and_all_above(staff, django_assert_num_queries):
    inside = factories.make_client(team=staff.east, segment="project_finance")
    closed = factories.make_client(team=staff.branch, status="closed")
    outside = factories.make_client()
    with django_assert_num_queries(2):
        found = population.members()
    assert found.ids.tolist() == [inside.pk, closed.pk, outside.pk]
    assert found.within(staff.east.pk).tolist() == [True, False, False]
    assert found.within(staff.branch.pk).tolist() == [True, True, False]
    assert found.teams() == sorted([staff.east.pk, staff.branch.pk])
    assert found.eligible({}).tolist() == [True, False, True]
    assert found.eligible({outside.pk: inside.pk}).tolist() == [True, False, False]
    assert found.segment.tolist() == ["project_finance", "corporate", "corporate"]


def test_circle_of_teams_ends_where_it_closes(staff):
    staff.branch.parent = staff.east
    staff.branch.save()
    factories.make_client(team=staff.east)
    found = population.members()
    assert found.chains[staff.east.pk] == (staff.east.pk, staff.branch.pk)


def test_every_change_of_rows_changes_the_counts(version):
    company = factories.make_client()
    seen = [population.counts().get(company.pk)]

    def note():
        found = population.counts()[company.pk]
        assert found not in seen
        seen.append(found)

    row = factories.make_scores(version, company, {"nps": 9})
    note()
    row.revision += 1
    row.save()
    note()
    row.retracted_at = NOW
    row.save()
    note()
    factories.make_scores(version, company, {"nps": 3}, replaces=row)
    note()
    invitation = factories.make_invitation(factories.make_contact(company))
    note()
    invitation.opened_at = datetime(2026, 11, 24, tzinfo=UTC)
    invitation.save()
    note()


def test_history_by_month_adds_up_to_the_counts(version):
    company = factories.make_client()
    contact = factories.make_contact(company)
    for days in (0, 40, 41):
        factories.make_scores(version, company, {"nps": 9}, submitted_at=NOW - days * DAY)
    factories.make_scores(version, company, {"nps": 1}, retracted_at=NOW)
    factories.make_invitation(contact, opened_at=NOW, sent_at=NOW)
    found = population.histories([company.pk])[company.pk]
    assert found.months == {"2026-10": (2, 2, 0), "2026-11": (1, 2, 2)}
    assert found.counts == population.counts()[company.pk]
    assert population.span() == (NOW - 41 * DAY, NOW)


def test_month_of_an_answer_is_that_of_the_reporting_zone(version):
    company = factories.make_client()
    for hour in (15, 16):  # 23:00 and 00:00 in Shanghai
        at = datetime(2026, 10, 31, hour, tzinfo=UTC)
        factories.make_scores(version, company, {"nps": 9}, submitted_at=at)
    found = population.histories([company.pk])[company.pk]
    assert found.months == {"2026-10": (1, 1, 0), "2026-11": (1, 1, 0)}


def test_nobody_asked_has_no_span():
    assert population.span() == (None, None)


def test_mark_of_exposure_changes_with_balances_and_rates():
    company = factories.make_client()
    seen = [population.worth([company.pk])[company.pk]]
    facility = make_facility(company, 10, None)
    seen.append(population.worth([company.pk])[company.pk])
    facility.balances.create(as_of=TODAY, limit=11, drawn=None)
    seen.append(population.worth([company.pk])[company.pk])
    ExchangeRate.objects.create(currency="EUR", as_of=TODAY, rate=Decimal("7.5"))
    seen.append(population.worth([company.pk])[company.pk])
    assert len(set(seen)) == 4
