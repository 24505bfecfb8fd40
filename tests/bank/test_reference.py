from datetime import date

import pytest
from django.contrib.auth.models import Group

from bank import reference, settings
from bank.models import AuditEntry, Holiday, Setting
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db


def rights(role: str) -> set[str]:
    rows = Group.objects.get(name=role).permissions
    return {
        f"{app}.{code}" for app, code in rows.values_list("content_type__app_label", "codename")
    }


def test_load_twice_changes_nothing_the_second_time():
    reference.load(at=NOW)
    before = list(Holiday.objects.order_by("id").values())
    reference.load(at=NOW)
    assert list(Holiday.objects.order_by("id").values()) == before
    assert AuditEntry.objects.filter(act="reference.load").count() == 1


def test_load_brings_the_official_days_and_the_provisional_ones():
    reference.load(at=NOW)
    rows = Holiday.objects.values_list("date__year", "kind", "provisional")
    counted = {row: list(rows).count(row) for row in rows}
    assert {year for year, _, _ in counted} == {2024, 2025, 2026, 2027}
    assert counted[2027, "off", True] == 19
    assert counted[2026, "workday", False] == 6
    assert Holiday.objects.get(date=date(2026, 10, 1)).name == "国庆节 National Day"


def test_load_keeps_a_date_that_an_administrator_changed():
    reference.load(at=NOW)
    Holiday.objects.filter(date=date(2026, 10, 1)).update(kind="workday", name="ours")
    reference.load(at=NOW)
    row = Holiday.objects.get(date=date(2026, 10, 1))
    assert (row.kind, row.name) == ("workday", "ours")


def test_load_drops_the_guesses_of_a_year_that_is_final_now():
    Holiday.objects.create(date=date(2026, 3, 3), kind="off", provisional=True)
    Holiday.objects.create(date=date(2026, 3, 4), kind="off", provisional=False)
    reference.load(at=NOW)
    days = Holiday.objects.filter(date__month=3, date__year=2026)
    assert list(days.values_list("date__day", flat=True)) == [4]


def test_administrator_may_all_but_touch_evidence_and_results():
    reference.load(at=NOW)
    admin = rights("administrator")
    assert {"bank.change_team", "clients.add_client", "surveys.add_campaign"} <= admin
    assert {"bank.view_auditentry", "surveys.view_delivery", "metrics.view_measurement"} <= admin
    for model in ("auditentry", "delivery", "hit", "invitation", "response", "answer"):
        assert not {r for r in admin if r.endswith(f"_{model}") and ".view_" not in r}
    assert {r for r in admin if r.startswith("metrics.") and ".view_" not in r} == set()
    assert {r for r in admin if r.startswith("auth.")} == set()


def test_auditor_may_look_at_all_and_change_nothing():
    reference.load(at=NOW)
    auditor = rights("auditor")
    assert "bank.view_auditentry" in auditor
    assert {right for right in auditor if ".view_" not in right} == set()


def test_supervisor_and_manager_need_nothing_in_the_admin():
    reference.load(at=NOW)
    assert rights("supervisor") == rights("relationship_manager") == set()


def test_rights_follow_the_role_of_the_user():
    reference.load(at=NOW)
    admin, auditor = make_user("admin", "administrator"), make_user("qiu", "auditor")
    assert admin.has_perm("bank.change_team")
    assert not auditor.has_perm("bank.change_team")
    assert auditor.has_perm("bank.view_team")
    assert not make_user("x", "").has_perm("bank.view_team")


def test_load_sets_the_rights_of_a_role_anew():
    reference.load(at=NOW)
    group = Group.objects.get(name="auditor")
    wanted = rights("auditor")
    group.permissions.clear()
    reference.load(at=NOW)
    assert rights("auditor") == wanted


def test_load_ships_settings_and_keeps_the_banks_own(monkeypatch):
    reference.load(at=NOW)
    settings.put("hotline", "400-111-2222", at=NOW, by=None)
    monkeypatch.setitem(settings.DEFAULTS, "hotline", "400-999-9999")
    monkeypatch.setitem(settings.DEFAULTS, "bank_address_en", "2 New Street")
    reference.load(at=NOW)
    assert settings.get("hotline") == "400-111-2222"
    assert Setting.objects.get(key="hotline").loaded == "400-999-9999"
    assert settings.get("bank_address_en") == "2 New Street"
