"""The mapping files of the documentation: understood, and true to the shape of their sources."""

import gzip
import json
from decimal import Decimal

import pytest
from django.conf import settings
from django.db.models import Sum

from clients import reference as clients_reference
from clients.imports import engine, mapping, reading
from clients.models import Client, Touchpoint, Transaction
from cxportal.imports import KINDS
from cxportal.reference import load, read
from surveys.models import Answer, Response
from tests.factories import NOW

FOLDER = settings.BASE_DIR / "docs" / "maps"
MAPS = sorted(path.name for path in FOLDER.glob("*.json"))


def run(kind, name, text, suffix="csv"):
    table = reading.parse(text.encode(), f"a.{suffix}")
    by_map = mapping.read(FOLDER / name)
    return engine.run(KINDS[kind](), table, by_map=by_map, apply=True, at=NOW)


@pytest.mark.parametrize("name", MAPS)
def test_each_mapping_is_understood(name):
    assert mapping.load(json.loads((FOLDER / name).read_text())).rules


# The shape of the World Bank's loan transactions: each is printed once per theme and country.
LOANS = """iati_identifier,transaction_number,date,transaction_type,original_transaction_value,\
climate_sector_name,recipient_name
44000-P1,0,2023-08-31T00:00:00Z,Interest Payment,-73984,Adaptation,Yunland
44000-P1,0,2023-08-31T00:00:00Z,Interest Payment,-73984,Mitigation,Yunland
44000-P1,0,2023-08-31T00:00:00Z,Disbursement,500000,Adaptation,Yunland
44000-P1,0,2023-09-30T00:00:00Z,Disbursement,500000,Adaptation,Yunland
44000-P2,1,2023-09-30T00:00:00Z,Disbursement,-2500.5,Mitigation,Tingland
44000-P2,1,2023-09-30T00:00:00Z,Disbursement,-2500.5,Adaptation,Tingland
44000-P2,1,2023-09-30T00:00:00Z,Disbursement,-2500.5,None,Tingland
"""


def test_a_transaction_printed_several_times_has_one_effect(db):
    clients_reference.load(read(), NOW)
    assert run("clients", "wb-clients.json", LOANS).new == 2
    first = run("transactions", "wb-transactions.json", LOANS)
    again = run("transactions", "wb-transactions.json", LOANS)
    assert tuple(first.counts().values()) == (4, 0, 0, 3, 0, 0)
    assert tuple(again.counts().values()) == (0, 0, 4, 3, 0, 0)
    sums = Transaction.objects.values("kind").order_by("kind").annotate(sum=Sum("amount"))
    assert [(row["kind"], row["sum"]) for row in sums] == [
        ("drawdown", Decimal("997499.50")),
        ("interest", Decimal(-73984)),
    ]
    assert Transaction.objects.filter(amount__lt=0).count() == 2


def test_a_transaction_printed_with_another_client_is_an_error(db):
    clients_reference.load(read(), NOW)
    run("clients", "wb-clients.json", LOANS)
    changed = LOANS.replace("Mitigation,Yunland", "Mitigation,Tingland")
    assert run("transactions", "wb-transactions.json", changed).errors == 1
    assert not Transaction.objects.exists()


BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0"
LOG = "".join(
    f'{address} - - [17/Jan/2021:10:05:4{second} +0000] "GET {path} HTTP/1.1" 200 5 "-" '
    f'"{agent}"\n'
    for second, (address, path, agent) in enumerate(
        [
            ("10.0.0.1", "/", BROWSER),
            ("10.0.0.1", "/blog/", BROWSER),
            ("10.0.0.2", "/", BROWSER),
            ("10.0.0.3", "/", "Examplebot/1.0"),
        ]
    )
)


def test_visitors_of_a_log_may_stand_for_clients(db):
    assert run("clients", "weblog-clients.json", LOG, "log").new == 2
    assert run("touchpoints", "weblog-views.json", LOG, "log").new == 3
    assert Client.objects.get(code="10.0.0.1").touchpoints.count() == 2
    assert Touchpoint.objects.exclude(kind="page_view").count() == 0


# The shape of a company's export: one company, many people, a score that may be missing.
ANSWERS = """row_id,CUSTOMER_RESPONSE_DATE,SURVEY_SUB_TYPE,NPS_RATING,NPS_SCORE,text,Qtr
1,11/04/2018 20:09,Order,Passive,7,fine,other
3,07/04/2018 13:37,Order,Promoter,10,easy,other
4,07/04/2018 13:40,Order,,,no score,other
"""


def test_answers_of_one_company_keep_their_time_and_their_gaps(db):
    load(NOW)
    assert run("clients", "telecom-clients.json", ANSWERS).counts()["skipped"] == 2
    assert run("responses", "telecom-responses.json", ANSWERS).new == 3
    assert Response.objects.count() == 3
    scores = Answer.objects.filter(question__key="nps").order_by("value")
    assert list(scores.values_list("value", flat=True)) == [7, 10]


def test_copied_files_are_the_ones_described():
    folder = settings.BASE_DIR / "tests" / "data" / "public" / "sfo-survey"
    for year, rows in ((2016, 3087), (2017, 2831)):
        with gzip.open(folder / f"sfo_customer_survey_{year}.csv.gz", "rt") as file:
            assert sum(1 for _line in file) == rows + 1
