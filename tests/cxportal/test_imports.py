"""The import page of the admin: preview first, then exactly that, by administrators only."""

import io
import json
from datetime import timedelta

import openpyxl
import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from bank.models import AuditEntry
from clients import reference as clients_reference
from clients.imports import reading
from clients.models import Client
from cxportal import imports
from cxportal.reference import read
from tests.factories import NOW, make_case, make_client

ROWS = "code,name_zh,status\nC1,云石钢铁,active\nC2,云帆港口,prospect\n"


@pytest.fixture
def admin(client, staff, settings, tmp_path):
    settings.STATE_DIR = tmp_path
    client.force_login(staff.admin)
    return client


def upload(client, content, name="clients.csv", kind="clients", mapping=""):
    if isinstance(content, str):
        content = content.encode()
    resource = str(list(imports.KINDS).index(kind))
    return client.post(
        reverse("imports"),
        {
            "resource": resource,
            "format": "0",
            "mapping": mapping,
            "import_file": SimpleUploadedFile(name, content),
        },
    )


def token(page):
    return page.context["confirm_form"].initial["token"]


def confirm(client, value):
    return client.post(reverse("imports-apply"), {"token": value}, follow=True)


def test_the_preview_writes_nothing_and_apply_writes_what_it_showed(admin):
    make_client("C2", name_zh="旧名称")
    page = upload(admin, ROWS)
    report = page.context["result"].report
    assert (report.new, report.changed, report.errors) == (1, 1, 0)
    text = page.content.decode()
    assert "<del>旧名称</del>" in text
    assert "云石钢铁" in text
    assert Client.objects.count() == 1
    confirm(admin, token(page))
    assert dict(Client.objects.values_list("code", "name_zh")) == {
        "C1": "云石钢铁",
        "C2": "云帆港口",
    }
    entry = AuditEntry.objects.get(act="import.apply")
    assert (entry.actor_label, entry.data["new"], entry.data["changed"]) == ("admin", 1, 1)


def test_a_preview_can_be_applied_once_only(admin):
    value = token(upload(admin, ROWS))
    confirm(admin, value)
    page = confirm(admin, value)
    assert "已过期" in page.content.decode() or "expired" in page.content.decode()
    assert AuditEntry.objects.filter(act="import.apply").count() == 1


def test_an_old_forged_or_foreign_preview_applies_nothing(admin, client, staff, django_user_model):
    with time_machine.travel(NOW, tick=False):
        value = token(upload(admin, ROWS))
    with time_machine.travel(NOW + timedelta(minutes=31), tick=False):
        confirm(admin, value)
    confirm(admin, "x" + token(upload(admin, ROWS)))
    mine = token(upload(admin, ROWS))
    other = django_user_model.objects.create_user(
        "admin9", role="administrator", is_staff=True, password="a long password 1"
    )
    client.force_login(other)
    confirm(client, mine)
    assert Client.objects.count() == 0


def test_another_file_in_its_place_is_not_applied(admin, tmp_path):
    value = token(upload(admin, ROWS))
    [kept] = (tmp_path / "imports").iterdir()
    kept.write_bytes(ROWS.replace("C1", "C9").encode())
    confirm(admin, value)
    assert Client.objects.count() == 0


def test_errors_offer_no_apply(admin):
    page = upload(admin, ROWS.replace("prospect", "moon"))
    assert "confirm_form" not in page.context
    assert "moon" in page.content.decode()
    assert "prospect, active, closed" in page.content.decode()


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    ("content", "name"),
    [("", "a.csv"), ("a,b\n1,2\n", "a.csv"), ("a", "a.xlsx"), (b"PK\x03\x04", "a.csv")],
)
def test_a_broken_file_is_one_sentence_in_the_language_of_the_page(admin, language, content, name):
    admin.cookies["language"] = language
    page = upload(admin, content, name)
    assert page.status_code == 200
    assert "confirm_form" not in page.context
    assert "Traceback" not in page.content.decode()


def test_gb18030_and_xlsx_work(admin):
    page = upload(admin, ROWS.encode("gb18030"))
    assert page.context["result"].report.encoding == "gb18030"
    book = openpyxl.Workbook()
    for line in ROWS.splitlines():
        book.active.append(line.split(","))
    stream = io.BytesIO()
    book.save(stream)
    page = upload(admin, stream.getvalue(), "clients.xlsx")
    confirm(admin, token(page))
    assert Client.objects.get(code="C1").name_zh == "云石钢铁"


def test_a_mapping_travels_with_the_file(admin):
    mapping = json.dumps({"code": "Nr", "name_zh": {"column": "Firma"}})
    page = upload(admin, "Nr,Firma\nX1,云石\n", mapping=mapping)
    confirm(admin, token(page))
    assert Client.objects.get().code == "X1"
    assert "confirm_form" not in upload(admin, ROWS, mapping="{").context


@pytest.mark.parametrize("kind", list(imports.KINDS))
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_each_kind_has_a_template_that_the_reader_understands(admin, kind, suffix):
    answer = admin.get(reverse("imports-template", args=[kind, suffix]))
    assert answer["Content-Disposition"] == f'attachment; filename="{kind}.{suffix}"'
    columns = [column.name for column in imports.KINDS[kind]().columns()]
    if suffix == "csv":
        assert answer.content.decode("utf-8-sig").strip().split(",") == columns
    else:
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        assert [cell.value for cell in book.active[1]] == columns
        with pytest.raises(reading.Unreadable):
            reading.parse(answer.content, "a.xlsx")


FILES = {
    "client_events": (
        "external_id,client_code,event,occurred_at\nE1,C1,complaint_closed,2026-09-01\n"
    ),
    "parties": "case_number,role,client_code,party_name\nL-1,sponsor,,云帆\n",
    "facilities": "额度编号,客户编号,授信额度（万元）,数据日期\nF1,C1,100,2026-09-30\n",
    "transactions": "external_id,client_code,amount,booked_at\nT1,C1,-5,2026-09-30\n",
    "statements": "client_code,period_end,basis,revenue_wan\nC1,2025-12-31,annual,3\n",
    "profiles": "client_code,as_of,现金周期（天）\nC1,2026-09-30,120\n",
    "touchpoints": "event_id,client_code,kind,at\nV1,C1,visit,2026-09-30\n",
}


@pytest.mark.parametrize("kind", FILES)
def test_what_is_lent_and_what_happens_comes_through_the_page(admin, kind):
    clients_reference.load(read(), NOW)
    made = make_client("C1")
    make_case(made, number="L-1")
    page = upload(admin, FILES[kind], f"{kind}.csv", kind)
    assert page.context["result"].report.problems == []
    confirm(admin, token(page))
    entry = AuditEntry.objects.get(act="import.apply")
    assert (entry.actor_label, entry.data["new"]) == ("admin", 1)
    page = upload(admin, FILES[kind], f"{kind}.csv", kind)
    assert page.context["result"].report.unchanged == 1


def test_the_log_of_a_web_server_comes_through_the_page(admin):
    make_client("C1")
    line = '10.0.0.1 - yun [17/Jan/2026:10:05:40 +0800] "GET / HTTP/1.1" 200 5 "-" "%s"'
    log = f"{line % 'Mozilla/5.0 (X11; Linux)'}\n{line % 'curl/8.0'}\n"
    rules = {"client_code": {"constant": "C1"}, "kind": {"constant": "page_view"}}
    page = upload(admin, log, "access.log", "touchpoints", json.dumps(rules))
    report = page.context["result"].report
    assert (report.new, report.skipped, report.warnings) == (1, 1, 1)


def test_an_unknown_template_is_not_found(admin):
    assert admin.get(reverse("imports-template", args=["moon", "csv"])).status_code == 404
    assert admin.get(reverse("imports-template", args=["clients", "exe"])).status_code == 404


@pytest.mark.parametrize("who", ["lan", "mu", "qiu"])
def test_only_administrators_come_here(client, staff, who):
    client.force_login(getattr(staff, who))
    for name, arguments in [
        ("imports", []),
        ("imports-apply", []),
        ("imports-template", ["clients", "csv"]),
    ]:
        assert client.get(reverse(name, args=arguments)).status_code == 403
    assert upload(client, ROWS).status_code == 403


def test_the_page_keeps_the_strict_policy(admin):
    page = admin.get(reverse("imports"))
    text = page.content.decode()
    assert "style=" not in text
    assert "onclick" not in text
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    assert reverse("imports") in admin.get(reverse("admin:index")).content.decode()


def test_a_file_too_large_is_refused(admin, monkeypatch):
    monkeypatch.setattr(reading, "MAX_BYTES", 10)
    assert "confirm_form" not in upload(admin, ROWS).context
