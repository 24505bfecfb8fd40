"""The command `import_file`: exit codes, counts, sentences, one JSON object."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from clients.models import Client
from metrics import queries
from surveys.models import Response
from tests.factories import make_client, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    def write(text, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write


def code(*arguments):
    with pytest.raises(CommandError) as caught:
        call_command("import_file", *arguments)
    return caught.value.returncode


def test_the_dry_run_writes_nothing_and_apply_does(file, capsys):
    path = file("code,name_zh\nC1,云石\n")
    call_command("import_file", "clients", path)
    assert not Client.objects.exists()
    call_command("import_file", "clients", path, "--apply")
    assert Client.objects.get().name_zh == "云石"
    call_command("import_file", "clients", path, "--apply", "--json")
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (found["new"], found["unchanged"], found["applied"]) == (0, 1, True)


def test_counts_are_told_in_the_same_words_in_every_language(file, capsys):
    path = file("code,name_zh\nC1,云石\n")
    with translation.override("zh-hans"):
        call_command("import_file", "clients", path)
    assert capsys.readouterr().out.splitlines()[0] == (
        "new 1 · changed 0 · unchanged 0 · skipped 0 · warnings 0 · errors 0"
    )


def test_an_error_in_a_row_is_exit_1_with_row_and_column(file, capsys):
    path = file("code,name_zh,kind\nC1,x,moon\nC2,y,spv\n")
    with translation.override("en"):
        assert code("clients", path, "--apply") == 1
        out = capsys.readouterr().out
    assert "error: row 2, column kind “moon”: expected: one of: corporate" in out
    assert "errors 1" in out
    assert not Client.objects.exists()


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [
        ("clients", "", "a.csv"),
        ("clients", "a,b\n1,2\n", "a.csv"),
        ("clients", "code,name_zh\nC1,x\n", "a.xlsx"),
        ("clients", b"PK\x03\x04", "a.xlsx"),
        ("parties", "case_number\n1\n", "a.csv"),
    ],
)
def test_a_file_or_kind_that_cannot_be_used_is_exit_2(file, capsys, kind, text, name):
    assert code(kind, file(text, name)) == 2
    assert code(kind, file(text, name), "--json") == 2
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"error_zh", "error_en"}


def test_a_missing_file_or_mapping_is_exit_2(file):
    assert code("clients", "/nowhere/a.csv") == 2
    assert code("clients", file("code,name_zh\nC1,x\n"), "--map", "/nowhere/m.json") == 2


def test_what_is_not_told_one_by_one_is_counted(file, capsys, monkeypatch):
    monkeypatch.setattr("clients.imports.reporting.TOLD", 2)
    path = file("code,name_zh,kind\n" + "".join(f"C{n},x,moon\n" for n in range(5)))
    with translation.override("en"):
        assert code("clients", path) == 1
    assert "… and 3 more" in capsys.readouterr().out


def test_figures_follow_an_import_of_responses_at_once(file):
    version = make_version()
    line = version.questionnaire.key
    rows = ""
    for number in range(6):
        make_client(f"C{number}")
        rows += f"R{number},C{number},{line},2026-05-10,10\n"
    path = file(f"response_id,client_code,questionnaire,submitted_at,nps\n{rows}")
    call_command("import_file", "responses", path, "--apply")
    assert Response.objects.count() == 6
    figure = queries.figures("bank", 0, period="2026-05")["nps_respondent"]
    assert (figure.n, figure.value) == (6, 100.0)
