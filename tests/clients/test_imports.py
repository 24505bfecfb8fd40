"""A bank's own files: mapped, checked, compared, and written as a whole or not at all."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from bank.models import AuditEntry
from clients import consent
from clients import reference as clients_reference
from clients.imports import engine, mapping, reading, uscc
from clients.imports.case_rows import CaseRows
from clients.imports.client_rows import ClientKind
from clients.imports.contact_rows import ContactKind
from clients.imports.milestone_rows import MilestoneKind
from clients.imports.reporting import Unreadable
from clients.models import Case, Client, Consent, Contact, Milestone
from cxportal.reference import read
from tests.factories import NOW, make_case, make_client, make_contact

KINDS = {
    "clients": ClientKind,
    "contacts": ContactKind,
    "cases": CaseRows,
    "milestones": MilestoneKind,
}


@pytest.fixture(autouse=True)
def reference(staff):
    clients_reference.load(read(), NOW)


def run(kind, text, *, apply=True, by_map=None):
    table = reading.parse(text.encode(), "a.csv")
    by_map = mapping.load(by_map) if by_map is not None else None
    return engine.run(KINDS[kind](), table, by_map=by_map, apply=apply, at=NOW)


def counts(report):
    return tuple(report.counts().values())


def told(report):
    with translation.override("en"):
        return [
            (one.level, one.row, one.column, one.value, str(one.say)) for one in report.problems
        ]


CLIENTS = (
    "code,name_zh,name_en,uscc,kind,parent_code,industry,province,size,segment,team,manager,"
    "status,since,internal_rating,risk_class"
    """
G1,云帆集团,Yunfan Group,,group,,,,,,,,,,,
C1,云帆港口,,{uscc},corporate,G1,55,31,large,corporate,EAST,lan,active,2019-04-01,AA,pass
"""
)


def a_credit_code(body="91310000MA1FL0XX0"):
    return next(body + sign for sign in uscc.ALPHABET if uscc.is_valid(body + sign))


def test_clients_are_written_once_with_one_audit_line_each_time():
    text = CLIENTS.format(uscc=a_credit_code())
    assert counts(run("clients", text, apply=False)) == (2, 0, 0, 0, 0, 0)
    assert not Client.objects.exists()
    assert counts(run("clients", text)) == (2, 0, 0, 0, 0, 0)
    client = Client.objects.select_related(
        "parent", "industry", "province", "team", "manager"
    ).get(code="C1")
    assert (client.parent.code, client.industry.code, client.province.code) == ("G1", "55", "31")
    assert (client.team.code, client.manager.username) == ("EAST", "lan")
    assert (client.since, client.size, client.uscc) == (
        date(2019, 4, 1),
        "large",
        a_credit_code(),
    )
    assert counts(run("clients", text)) == (0, 0, 2, 0, 0, 0)
    entries = AuditEntry.objects.filter(act="import.apply").order_by("pk")
    assert [entry.data["new"] for entry in entries] == [2, 0]


def test_an_empty_cell_leaves_and_a_dash_clears():
    run("clients", CLIENTS.format(uscc=a_credit_code()))
    text = "code,name_zh,name_en,size,manager,parent_code\nC1,,New Name,-,-,-\n"
    assert counts(run("clients", text)) == (0, 1, 0, 0, 0, 0)
    client = Client.objects.get(code="C1")
    assert (client.name_zh, client.name_en) == ("云帆港口", "New Name")
    assert (client.size, client.manager, client.parent) == (None, None, None)
    assert client.uscc == a_credit_code()
    assert counts(run("clients", text)) == (0, 0, 1, 0, 0, 0)


def test_chinese_labels_are_understood_and_unknown_columns_left_out():
    report = run("clients", "客户编号,中文名称,is_staff\nC1,云石,1\n")
    assert counts(report) == (1, 0, 0, 0, 1, 0)
    assert told(report) == [
        ("warning", 0, "is_staff", "", "This column is not known and was left out.")
    ]


@pytest.mark.parametrize(
    ("column", "value", "form"),
    [
        ("kind", "moon", "corporate, spv, group, financial, government"),
        ("kind", "-", "corporate, spv"),
        ("industry", "99999", "an industry that the portal knows"),
        ("manager", "nobody", "a user name that the portal knows"),
        ("since", "01/02/2026", "a day such as 2026-09-30"),
        ("since", "2026-02-30", "a day of the calendar"),
        ("since", "0001-01-01", "a year from 1900"),
        ("uscc", "91310000MA1FL0XX00", "a right check sign"),
        ("parent_code", "C1", "cannot stand below itself"),
        ("parent_code", "moon", "no such client"),
        ("name_en", '"a\r\nBcc: x@evil.example"', "one line without line breaks"),
        ("name_zh", "-", "this column is needed"),
        ("name_zh", "x" * 301, "at most 300 characters"),
        ("code", "a/b", "a code without a slash"),
        ("code", "", "A value is needed here."),
    ],
)
def test_a_cell_that_does_not_fit_is_told_and_nothing_is_written(column, value, form):
    columns = {"code": "C1", "name_zh": "云石"} | {column: value}
    text = f"{','.join(columns)}\n{','.join(columns.values())}\n"
    good = {"code": "C2", "name_zh": "云帆"} | dict.fromkeys(
        set(columns) - {"code", "name_zh"}, ""
    )
    text += ",".join(good[name] for name in columns) + "\n"
    report = run("clients", text)
    assert report.errors == 1
    assert (report.problems[0].row, report.problems[0].column) == (2, column)
    assert form in told(report)[0][4]
    assert not report.applied
    assert not Client.objects.exists()
    assert not AuditEntry.objects.filter(act="import.apply").exists()


def test_every_sentence_can_be_said_in_both_languages():
    problem = run("clients", "code,name_zh,kind\nC1,x,moon\n").problems[0].as_dict()
    assert set(problem) >= {"sheet", "row", "column", "value", "message_zh", "message_en"}
    assert problem["message_en"].startswith("expected: one of")


def test_the_same_key_twice_is_an_error_and_a_ragged_row_too():
    report = run("clients", "code,name_zh\nC1,x\nC1,y\nC3\nC4,z,more\n")
    assert [(row, text) for _level, row, _column, _value, text in told(report)] == [
        (3, "The same key stands in row 2 already."),
        (4, "The row has 1 cells, the header 2."),
        (5, "The row has 3 cells, the header 2."),
    ]


def test_a_credit_code_belongs_to_one_client():
    code = a_credit_code()
    make_client("C9", uscc=code)
    report = run("clients", f"code,name_zh,uscc\nC1,x,{code}\n")
    assert "C9 has this code already" in told(report)[0][4]


def test_a_circle_of_parents_is_refused():
    text = "code,name_zh,parent_code\nA,a,B\nB,b,C\nC,c,A\n"
    assert run("clients", text).errors == 3


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", "code,name_en\nC1,x\n", "code,code,name_zh\nC1,C1,x\n"]
)
def test_a_wrong_header_is_one_sentence(text):
    with pytest.raises(Unreadable):
        run("clients", text)


def contact(**cells):
    columns = {
        "external_id": "P1",
        "client_code": "C1",
        "name": "李明",
        "email": "li@client.example",
    } | cells
    return f"{','.join(columns)}\n{','.join(columns.values())}\n"


def test_contacts_come_with_consent_and_a_tidy_address():
    make_client("C1")
    text = contact(email=" Li.Ming@CLIENT.example ", survey_consent="yes", job_role="CFO")
    assert counts(run("contacts", text)) == (1, 0, 0, 0, 0, 0)
    person = Contact.objects.get()
    assert (person.email, person.job_role) == ("Li.Ming@client.example", "cfo")
    assert (Consent.objects.get().state, Consent.objects.get().source) == ("yes", "import")
    assert counts(run("contacts", text)) == (0, 0, 1, 0, 0, 0)
    assert counts(run("contacts", contact(survey_consent="no"))) == (0, 1, 0, 0, 0, 0)
    assert Consent.objects.get().state == "no"


@pytest.mark.parametrize("known", [True, False])
def test_an_opt_out_outlives_every_import(known):
    client = make_client("C1")
    person = make_contact(client, external_id="P1" if known else "P0", email="li@client.example")
    consent.opt_out(person, at=NOW)
    report = run("contacts", contact(survey_consent="yes", email="LI@client.example"))
    assert (report.errors, report.warnings) == (0, 1)
    assert set(consent.refusals(Contact.objects.all(), at=NOW)) == set(
        Contact.objects.values_list("pk", flat=True)
    )
    assert not Consent.objects.filter(state="yes").exists()


@pytest.mark.parametrize(
    "cells",
    [
        {"email": "nobody"},
        {"email": "a@bank.example"},
        {"time_zone": "Moon/Base"},
        {"language": "fr"},
        {"client_code": "moon"},
        {"survey_consent": "maybe"},
        {"name": '"张\nBcc: x@evil.example"'},
    ],
)
def test_a_contact_that_does_not_fit_is_refused(cells):
    make_client("C1")
    assert run("contacts", contact(**cells)).errors == 1
    assert not Contact.objects.exists()


CASES = """number,client_code,kind,product_code,name,amount,amount_wan,stage,opened_on,closed_on
L-1,C1,loan,WC-REV,周转,"1,250,000.5",,due_diligence,2026-09-01,
L-2,C1,project_finance,,电站,,125.5,construction,2025/3/1,
"""


def test_cases_come_with_exact_money():
    make_client("C1")
    assert counts(run("cases", CASES)) == (2, 0, 0, 0, 0, 0)
    assert list(Case.objects.order_by("number").values_list("amount", "stage")) == [
        (Decimal("1250000.50"), "due_diligence"),
        (Decimal("1255000.00"), "construction"),
    ]
    assert counts(run("cases", CASES)) == (0, 0, 2, 0, 0, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("due_diligence", "construction"),
        ("2026-09-01,", "2026-09-01,2026-08-31"),
        ("WC-REV", "moon"),
        ('"1,250,000.5"', "-5"),
        ('"1,250,000.5"', "NaN"),
        ('"1,250,000.5"', "1e30"),
    ],
)
def test_a_case_that_does_not_fit_is_refused(old, new):
    make_client("C1")
    assert run("cases", CASES.replace(old, new)).errors == 1
    assert not Case.objects.exists()


def milestones(*rows):
    head = "external_id,case_number,code,event,planned_on,occurred_at,note\n"
    return head + "".join(f"{row}\n" for row in rows)


def test_history_is_recorded_in_any_order_and_the_case_follows():
    case = make_case(make_client("C1"), number="L-1")
    text = milestones(
        "M3,L-1,due_diligence,application_accepted,,2026-09-10 10:00,",
        "M1,L-1,enquiry,,,2026-09-01,",
        "M2,L-1,application,,,2026-09-03T02:00:00+00:00,",
        "M4,L-1,file_complete,,2026-09-20,,",
    )
    assert counts(run("milestones", text)) == (4, 0, 0, 0, 0, 0)
    case.refresh_from_db()
    assert case.stage == "due_diligence"
    moment = Milestone.objects.get(external_id="M3").occurred_at
    assert moment == datetime(2026, 9, 10, 2, 0, tzinfo=UTC)
    assert not Milestone.objects.filter(irregular=True).exists()
    assert counts(run("milestones", text)) == (0, 0, 4, 0, 0, 0)


def test_steps_the_model_does_not_have_are_marked_and_told():
    case = make_case(make_client("C1"), number="L-1")
    report = run(
        "milestones",
        milestones("M1,L-1,enquiry,,,2026-09-01,", "M2,L-1,settled,,,2026-09-05,"),
    )
    assert counts(report) == (2, 0, 0, 0, 1, 0)
    assert list(Milestone.objects.filter(irregular=True).values_list("external_id")) == [("M2",)]
    case.refresh_from_db()
    assert (case.stage, case.closed_on) == ("settled", date(2026, 9, 5))


def test_a_correction_turns_the_mark_of_a_neighbour():
    make_case(make_client("C1"), number="L-1")
    run(
        "milestones",
        milestones("M1,L-1,enquiry,,,2026-09-01,", "M3,L-1,due_diligence,,,2026-09-05,"),
    )
    assert Milestone.objects.get(external_id="M3").irregular
    report = run("milestones", milestones("M2,L-1,application,,,2026-09-03,"))
    assert counts(report) == (1, 0, 0, 0, 0, 0)
    assert not Milestone.objects.filter(irregular=True).exists()
    report = run("milestones", milestones("M2,L-1,application,,,2026-09-09,"))
    assert (report.changed, report.errors) == (1, 0)
    assert Milestone.objects.get(external_id="M3").irregular
    assert Case.objects.get().stage == "application"


@pytest.mark.parametrize(
    "row",
    [
        "M1,L-9,enquiry,,,2026-09-01,",
        "M1,L-1,moon,,,2026-09-01,",
        "M1,L-1,construction_start,,,2026-09-01,",
        "M1,L-1,enquiry,moon,,2026-09-01,",
        "M1,L-1,enquiry,,,,",
        "M0,L-1,application,,,2026-09-01,",
    ],
)
def test_a_milestone_that_does_not_fit_is_refused(row):
    case = make_case(make_client("C1"), number="L-1")
    Milestone.objects.create(external_id="M0", case=case, code="enquiry", occurred_at=NOW)
    assert run("milestones", milestones(row)).errors == 1
    assert Milestone.objects.count() == 1


def test_the_milestones_of_a_case_decide_on_its_stage_not_a_later_file():
    make_case(make_client("C1"), number="L-1", opened_on=date(2026, 9, 1))
    run("milestones", milestones("M1,L-1,enquiry,,,2026-09-01,"))
    report = run("cases", "number,client_code,opened_on,stage\nL-1,C1,2026-09-01,approval\n")
    assert counts(report) == (0, 0, 1, 0, 1, 0)


def test_a_mapping_fills_our_columns_from_theirs():
    make_client("C1")
    text = (
        "Nr;Kunde;Titel;Mio;Datum;Art;Ort\n"
        "7;C1;Kredit;1,5;31.12.2025;K;A\n7;C1;x;1;1.1.2026;K;A\n8;C1;y;;1.1.2026;Z;B\n"
    )
    by_map = {
        "number": {"template": "X-{Nr}"},
        "client_code": "Kunde",
        "name": {"column": "Titel", "cut": True},
        "kind": {"column": "Art", "values": {"K": "loan", "*": "project_finance"}},
        "currency": {"constant": "EUR"},
        "opened_on": {"column": "Datum", "format": "%d.%m.%Y"},
        "@rows": {"first_of_key": True, "only": {"Ort": ["A"]}},
    }
    assert counts(run("cases", text, by_map=by_map)) == (1, 0, 0, 2, 0, 0)
    case = Case.objects.get()
    assert (case.number, case.currency, case.opened_on) == ("X-7", "EUR", date(2025, 12, 31))


def test_amounts_in_millions_and_missing_codes():
    make_client("C1")
    text = "number,client_code,opened_on,Mio\nL-1,C1,2026-01-01,1.25\nL-2,C1,2026-01-01,n/k\n"
    by_map = {"amount": {"column": "Mio", "times": 1000000, "no_answer": ["n/k"]}}
    run("cases", text, by_map=by_map)
    amounts = Case.objects.order_by("number").values_list("amount", flat=True)
    assert list(amounts) == [Decimal("1250000.00"), None]
    by_map["amount"]["no_answer"] = []
    assert run("cases", text, by_map=by_map).errors == 1


@pytest.mark.parametrize(
    "by_map",
    [
        [],
        {"moon": "code"},
        {"code": "moon"},
        {"code": 5},
        {"code": {"colum": "code"}},
        {"code": {"column": "code", "constant": "x"}},
        {"code": {"column": "code", "values": []}},
        {"code": {"column": "code", "times": "x"}},
        {"@rows": {"moon": 1}},
        {"@rows": {"only": {"code": "x"}}},
        {"code": {"template": "{moon}"}},
    ],
)
def test_a_mapping_that_means_nothing_is_one_sentence(by_map):
    with pytest.raises(Unreadable):
        run("clients", "code,name_zh\nC1,x\n", by_map=by_map)


def test_a_column_can_be_left_out_by_a_mapping():
    make_client("C1", name_en="Old")
    run("clients", "code,name_zh,name_en\nC1,新,New\n", by_map={"name_en": None})
    assert Client.objects.get().name_en == "Old"


def test_a_mapping_file_that_is_no_json_is_one_sentence(tmp_path):
    with pytest.raises(Unreadable):
        mapping.read(tmp_path / "moon.json")
    (tmp_path / "a.json").write_text("{", encoding="utf-8")
    with pytest.raises(Unreadable):
        mapping.read(tmp_path / "a.json")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(Unreadable):
        mapping.read(tmp_path / "b.json")


def test_our_own_guard_against_formulas_comes_off_again():
    run("clients", "code,name_zh\nC1,'=云石\n")
    assert Client.objects.get().name_zh == "=云石"


@pytest.mark.parametrize("rows", [3, 40])
def test_the_number_of_queries_does_not_grow_with_the_rows(rows, django_assert_max_num_queries):
    text = "code,name_zh,team,manager\n" + "".join(f"C{n},x,EAST,lan\n" for n in range(rows))
    with django_assert_max_num_queries(14):
        assert run("clients", text).new == rows
    with django_assert_max_num_queries(14):
        assert run("clients", text.replace(",x,", ",y,")).changed == rows


def test_a_preview_opens_no_transaction_and_only_reads():
    with CaptureQueriesContext(connection) as caught:
        assert run("clients", "code,name_zh,team\nC1,x,EAST\n", apply=False).new == 1
    assert {query["sql"].split()[0] for query in caught} <= {"SELECT", "DECLARE"}


def test_the_report_is_json():
    report = run("clients", "code,name_zh\nC1,x\n")
    assert json.loads(json.dumps(report.as_dict()))["new"] == 1
