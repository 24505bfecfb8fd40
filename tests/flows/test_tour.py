"""The tour of the documentation, command by command, and the counts it promises."""

import csv
import gzip
import json
import re
import shlex
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import Sum

from bank.models import AuditEntry
from clients.models import Case, Client, Milestone
from metrics import queries
from metrics.formulas.uncertainty import weighted
from surveys.models import Answer, Response

TOUR = (settings.BASE_DIR / "docs" / "tour.md").read_text(encoding="utf-8")
EXPECTED = json.loads((settings.BASE_DIR / "tests/data/expected-public.json").read_text())
GCDF, SFO, EARLIER = EXPECTED["gcdf"], EXPECTED["sfo_2017"], EXPECTED["sfo_2016"]


def commands():
    """Every `python manage.py …` of the code blocks, in order."""
    blocks = re.findall(r"```sh\n(.*?)```", TOUR, re.DOTALL)
    lines = [shlex.split(line) for block in blocks for line in block.splitlines()]
    return [line[2:] for line in lines if line[:2] == ["python", "manage.py"]]


@pytest.fixture
def toured(db, monkeypatch, capsys):
    """The database after the tour, and what each command printed."""
    monkeypatch.chdir(settings.BASE_DIR)
    printed = []
    for command, *arguments in commands():
        if command != "migrate":
            call_command(command, *arguments)
            printed.append((command, arguments, capsys.readouterr().out))
    return printed


def test_the_tour_keeps_its_promises(toured, client, staff):
    _the_lending_book()
    _the_survey()
    _the_weights()
    _the_output(toured)
    _the_figures(client, staff)


def _the_lending_book():
    cases = Case.objects.filter(number__startswith="GCDF-")
    assert cases.count() == GCDF["rows"]
    assert cases.filter(product__code="PF-TERM").count() == GCDF["loans"]
    assert Client.objects.filter(cases__in=cases).distinct().count() == GCDF["recipients"]
    assert cases.filter(amount__isnull=True).count() == GCDF["amount_missing"]
    total = cases.aggregate(total=Sum("amount"))["total"]
    assert abs(total - Decimal(str(GCDF["usd_sum"]))) < Decimal(5)  # cents rounded row by row
    stages = Counter(cases.values_list("stage", flat=True))
    assert stages == {
        "operation": GCDF["status"]["Completion"],
        "construction": GCDF["status"]["Implementation"],
        "approved": GCDF["status"]["Pipeline: Commitment"],
        "approval": GCDF["status"]["Pipeline: Pledge"],
        "restructuring": GCDF["status"]["Suspended"],
    }
    days = cases.order_by("opened_on").values_list("opened_on", flat=True)
    assert [days.first(), days.last()] == [date.fromisoformat(d) for d in GCDF["commit_range"]]
    _the_milestones()


def _the_milestones():
    reached = {}
    for number, code, moment in Milestone.objects.values_list(
        "case__number", "code", "occurred_at"
    ):
        reached.setdefault(code, {})[number] = moment
    done = {number: moment for number, moment in reached["cod"].items() if moment}
    assert len(done) == GCDF["completed"]
    approved, begun = reached["credit_approval"], reached["construction_start"]
    assert len(approved) == len(begun) == GCDF["rows"]
    early = [number for number in begun if begun[number] < approved[number]]
    assert len(early) == GCDF["start_before_commitment"]
    before = [number for number in done if done[number] < begun[number]]
    assert len(before) == GCDF["completion_before_start"]


def _the_survey():
    asked = Response.objects.filter(channel="import", is_test=False)
    assert Response.objects.count() == asked.count() == SFO["rows"] + EARLIER["rows"]
    assert asked.filter(submitted_at__year=2016).count() == EARLIER["rows"]
    scores = _values("nps", 2017)
    assert sum(scores.values()) == SFO["netpro_answered"]
    assert sum(n for score, n in scores.items() if score >= 9) == SFO["promoters"]
    assert sum(n for score, n in scores.items() if 7 <= score <= 8) == SFO["passives"]
    assert sum(n for score, n in scores.items() if score <= 6) == SFO["detractors"]
    assert not _values("nps", 2016)
    for year, expected in ((2016, EARLIER), (2017, SFO)):
        for key, name in (("sat_overall", "q7all"), ("sat_efficiency", "q14passthru")):
            _the_ratings(_values(key, year), expected, name)


def _values(key, year):
    answers = Answer.objects.filter(question__key=key, response__submitted_at__year=year)
    return Counter(answers.values_list("value", flat=True))


def _the_ratings(given, expected, name):
    assert given.pop(None, 0) == expected[f"{name}_not_applicable"]
    answered = sum(given.values())
    assert answered == expected[f"{name}_answered_1_5"]
    mean = sum(value * n for value, n in given.items()) / answered
    assert round(mean, 4) == expected[f"{name}_mean"]
    assert round(100 * (given[4] + given[5]) / answered, 4) == expected[f"{name}_top2_pct"]


def _the_weights():
    """The survey's own weights beside the answers that were imported give its own figure."""
    path = settings.BASE_DIR / "tests/data/public/sfo-survey/sfo_customer_survey_2017.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        weights = {f"SFO-2017-{row['RESPNUM']}": row["WEIGHT"] for row in csv.DictReader(file)}
    given = Answer.objects.filter(question__key="nps", response__submitted_at__year=2017)
    rows = given.values_list("value", "response__client", "response__response_id")
    scores, clients, numbers = zip(*rows, strict=True)
    figure = weighted.cluster_nps(
        scores, clients, weights=[float(weights[number]) for number in numbers]
    )
    assert (round(figure.nps, 4), figure.n) == (SFO["nps_weighted"], SFO["netpro_answered"])


def _the_output(printed):
    outs = [out for command, _arguments, out in printed if command == "import_file"]
    assert [re.findall(r"\d+", out)[:6] for out in outs] == [
        ["54", "0", "0", "792", "0", "0"],
        ["54", "0", "0", "792", "0", "0"],
        ["846", "0", "0", "0", "0", "0"],
        ["846", "0", "0", "0", "0", "0"],
        ["846", "0", "0", "0", "0", "0"],
        ["799", "0", "0", "47", "0", "0"],
        ["0", "0", "799", "47", "0", "0"],
        ["37", "0", "0", "2794", "0", "0"],
        ["2831", "0", "0", "0", "0", "0"],
        ["6", "0", "26", "3055", "0", "0"],
        ["3087", "0", "0", "0", "0", "0"],
    ]
    assert AuditEntry.objects.filter(act="import.apply").count() == len(outs) - 1


def _the_figures(client, staff):
    for period in ("2017-05", "2017Q2"):
        figure = queries.figures("bank", 0, period=period)["nps_respondent"]
        assert (round(figure.value, 2), figure.n, figure.clients) == (39.84, 2746, 37)
        assert (figure.method, figure.gate) == ("adj_wald", "")
        assert (round(figure.low, 2), round(figure.high, 2)) == (37.18, 42.41)
    for year, expected in ((2016, EARLIER), (2017, SFO)):
        figure = queries.figures("bank", 0, period=f"{year}Q2")["csat_processing_efficiency"]
        assert round(100 * figure.value, 4) == expected["q14passthru_top2_pct"]
        assert round(figure.detail["mean"], 4) == expected["q14passthru_mean"]
        assert figure.n == expected["q14passthru_answered_1_5"]
        assert (figure.clients, figure.gate) == (expected["airlines"], "")
    client.force_login(staff.qiu)
    page = client.get("/overview/", {"period": "2017Q2"}).content.decode()
    printed = re.search(r'<data[^>]*data-metric="nps_respondent"[^>]*>', page)[0]
    assert re.search(r'value="39\.8', printed)
    assert 'data-n="2746"' in printed
    assert 'data-method="adj_wald"' in printed
    asked = {"metric": "nps_respondent", "period": "2017Q2"}
    [row] = client.get("/api/v1/indicators/", asked).json()["results"]
    assert (round(row["value"], 2), row["n"], row["method"]) == (39.84, 2746, "adj_wald")
    assert (round(row["low"], 2), round(row["high"], 2)) == (37.18, 42.41)
