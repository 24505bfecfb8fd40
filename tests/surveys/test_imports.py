"""Answers of earlier surveys: taken as they are, never rounded, never mended."""

from datetime import UTC, datetime

import pytest
from django.utils import translation

from clients.imports import engine, mapping, reading
from surveys.imports import answers
from surveys.imports.response_rows import ResponseKind
from surveys.models import Answer, Question, Response
from tests.factories import NOW, make_client, make_contact, make_version

HEAD = "response_id,client_code,contact_external_id,questionnaire,submitted_at,nps,csat,reason"


@pytest.fixture
def version(db):
    return make_version()


@pytest.fixture
def line(version):
    make_contact(make_client("C1"), external_id="P1", language="en")
    return version.questionnaire.key


def run(*rows, head=HEAD, by_map=None):
    text = "\n".join((head, *rows)) + "\n"
    table = reading.parse(text.encode(), "a.csv")
    by_map = mapping.load(by_map) if by_map else None
    return engine.run(ResponseKind(), table, by_map=by_map, apply=True, at=NOW)


def counts(report):
    return tuple(report.counts().values())


def given():
    rows = Answer.objects.order_by("response__response_id", "question__position")
    return [
        (row.response.response_id, row.question.key, "na" if row.na else (row.value, row.text))
        for row in rows.select_related("response", "question")
    ]


def test_responses_are_written_with_their_answers(line, version):
    report = run(
        f"R1,C1,P1,{line},2025-06-01T10:00:00+08:00,9,4,很好",
        f"R2,C1,,{line},2025-06-02,,不适用,",
    )
    assert counts(report) == (2, 0, 0, 0, 0, 0)
    assert given() == [
        ("R1", "nps", (9, "")),
        ("R1", "reason", (None, "很好")),
        ("R1", "csat", (4, "")),
        ("R2", "csat", "na"),
    ]
    first, second = Response.objects.order_by("response_id")
    assert (first.contact.external_id, first.language, first.channel) == ("P1", "en", "import")
    assert first.submitted_at == datetime(2025, 6, 1, 2, 0, tzinfo=UTC)
    assert (second.contact, second.version, second.is_test) == (None, version, False)


def test_an_answer_of_a_day_to_come_is_taken_and_told(line):
    report = run(f"R1,C1,P1,{line},2027-01-01T00:00:00+08:00,9,4,")
    assert counts(report) == (1, 0, 0, 0, 1, 0)
    (doubt,) = report.problems
    with translation.override("en"):
        assert (doubt.row, doubt.column, str(doubt.say)) == (
            2,
            "submitted_at",
            "This time lies in the future; nothing counts before it has come.",
        )


def test_the_same_file_again_changes_nothing_and_a_changed_answer_is_a_revision(line):
    row = f"R1,C1,P1,{line},2025-06-01,9,4,很好"
    run(row)
    assert counts(run(row)) == (0, 0, 1, 0, 0, 0)
    assert Response.objects.get().revision == 1
    assert counts(run(row.replace(",9,", ",3,"))) == (0, 1, 0, 0, 0, 0)
    assert Response.objects.get().revision == 2
    assert given()[0] == ("R1", "nps", (3, ""))


def test_an_empty_cell_leaves_an_answer_and_a_dash_takes_a_text_away(line):
    run(f"R1,C1,,{line},2025-06-01,9,4,很好")
    assert counts(run(f"R1,C1,,{line},2025-06-01,,,")) == (0, 0, 1, 0, 0, 0)
    assert counts(run(f"R1,C1,,{line},2025-06-01,,,-")) == (0, 1, 0, 0, 0, 0)
    assert [key for _response, key, _value in given()] == ["nps", "csat"]


@pytest.mark.parametrize("value", ["11", "-1", "8.5", "+9", "10分", "true", "nine", "1e1"])
def test_an_invalid_answer_is_kept_out_and_told_and_stops_nothing(line, value):
    report = run(f"R1,C1,,{line},2025-06-01,{value},4,")
    assert counts(report) == (1, 0, 0, 0, 1, 0)
    problem = report.problems[0]
    assert (problem.row, problem.column, problem.value) == (2, "nps", value)
    with translation.override("en"):
        assert str(problem.say) == "kept out; expected: a whole number from 0 to 10"
    assert given() == [("R1", "csat", (4, ""))]


@pytest.mark.parametrize("value", ["10", " 10 ", "１０", "10.0"])
def test_a_valid_answer_may_be_written_in_several_ways(line, value):
    run(f"R1,C1,,{line},2025-06-01,{value},,")
    assert given() == [("R1", "nps", (10, ""))]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("C1", "moon"),
        ("P1", "moon"),
        ("P1", "P2"),
        ("{line}", "moon"),
        ("2025-06-01", "yesterday"),
        ("R1", ""),
    ],
)
def test_a_response_that_does_not_fit_is_refused(line, old, new):
    make_contact(make_client("C2"), external_id="P2")
    row = f"R1,C1,P1,{line},2025-06-01,9,4,".replace(line if old == "{line}" else old, new)
    assert run(row).errors == 1
    assert not Response.objects.exists()


def test_an_answer_given_through_a_link_is_not_ours_to_change(line, version):
    client = make_client("C3")
    Response.objects.create(
        response_id="R1",
        client=client,
        version=version,
        language="zh",
        channel="email",
        submitted_at=NOW,
    )
    assert run(f"R1,C3,,{line},2025-06-01,9,4,").errors == 1
    assert not Answer.objects.exists()


def test_a_question_of_another_questionnaire_is_kept_out(line):
    other = make_version()
    Question.objects.create(
        version=other, position=1, key="ease", type="ces", lo=1, hi=7, text_zh="x", text_en="x"
    )
    report = run(f"R1,C1,,{line},2025-06-01,9,4,,5", head=f"{HEAD},ease")
    assert counts(report) == (1, 0, 0, 0, 1, 0)
    assert report.problems[0].column == "ease"


def test_codes_that_mean_no_answer_are_declared_by_the_mapping(line):
    by_map = {
        "response_id": {"template": "S-{NR}"},
        "client_code": {"constant": "C1"},
        "questionnaire": {"constant": line},
        "submitted_at": {"template": "2017-05-{DAY}", "format": "%Y-%m-%d"},
        "nps": {"column": "NETPRO", "no_answer": [11]},
    }
    report = run("1,9,10", "2,10,11", head="NR,DAY,NETPRO", by_map=by_map)
    assert counts(report) == (2, 0, 0, 0, 0, 0)
    assert given() == [("S-1", "nps", (10, ""))]


def question(**fields):
    options = [
        {"value": "a", "zh": "甲", "en": "First"},
        {"value": "b", "zh": "乙", "en": "Second"},
    ]
    return Question(**{"key": "q", "type": "multi", "options": options} | fields)


def test_choices_are_taken_by_code_or_label():
    assert answers.parse(question(), "a；Second").choices == ["a", "b"]
    assert answers.parse(question(type="single"), "甲").choices == ["a"]
    assert answers.parse(question(), "-") is None
    for bad in (question(max_choices=1), question(type="single")):
        with pytest.raises(answers.Unfit):
            answers.parse(bad, "a;b")


def test_texts_are_cleaned_and_not_endless():
    text = question(type="text", options=[])
    assert answers.parse(text, "one\r\ntwo\x07").text == "one\ntwo"
    with pytest.raises(answers.Unfit):
        answers.parse(text, "x" * 5000)
    assert answers.parse(question(type="nps", lo=0, hi=10), float("nan")) is None
    with pytest.raises(answers.Unfit):
        answers.parse(question(type="nps", lo=0, hi=10), True)


@pytest.mark.parametrize("rows", [3, 30])
def test_the_number_of_queries_does_not_grow_with_the_rows(
    line, rows, django_assert_max_num_queries
):
    text = [f"R{n},C1,P1,{line},2025-06-01,9,4,x" for n in range(rows)]
    with django_assert_max_num_queries(18):
        run(*text)
    with django_assert_max_num_queries(18):
        assert run(*[row.replace(",9,", ",2,") for row in text]).changed == rows
