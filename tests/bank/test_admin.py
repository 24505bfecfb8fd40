import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bank import audit, keys, reference, settings
from bank.models import ApiKey, AuditEntry, Deputy, Holiday, Setting, Team, User
from tests.factories import NOW, make_team, make_user

pytestmark = pytest.mark.django_db
MODELS = ("user", "team", "deputy", "apikey", "auditentry", "setting", "holiday")
PAGE = "admin:bank_%s_%s"


@pytest.fixture
def house(staff):
    reference.load(at=NOW)
    staff.root = make_user("root", "", is_superuser=True, is_staff=True)
    staff.other = make_user("admin2", "administrator")
    return staff


@pytest.fixture
def admin(client, house):
    client.force_login(house.admin)
    return client


def url(model, page, *args):
    return reverse(PAGE % (model, page), args=args)


def fields(user, **more):
    """What the form of an account posts."""
    return {
        "username": user.username,
        "name_zh": user.name_zh,
        "name_en": user.name_en,
        "title_zh": "",
        "title_en": "",
        "email": user.email,
        "team": user.team_id or "",
        "is_active": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
    } | more


@pytest.mark.parametrize("model", MODELS)
def test_administrator_opens_every_list(admin, model):
    assert admin.get(url(model, "changelist")).status_code == 200


@pytest.mark.parametrize("name", ["lan", "mu", "qiu"])
def test_other_roles_get_403_everywhere(client, house, name):
    user = getattr(house, name)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client.force_login(user)
    pages = [url(model, "changelist") for model in MODELS]
    pages += [reverse("admin:index"), reverse("admin:jsi18n"), reverse("admin:autocomplete")]
    assert {client.get(page).status_code for page in pages} == {403}
    assert client.post(url("team", "add"), {"code": "X"}).status_code == 403


def test_administrator_without_staff_status_gets_403(client, house):
    User.objects.filter(username="admin").update(is_staff=False)
    client.force_login(house.admin)
    assert client.get(reverse("admin:index")).status_code == 403


def test_stranger_is_led_to_the_one_sign_in_page(client, house):
    response = client.get(url("team", "changelist"), follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/?next=")
    assert response.templates[0].name == "bank/login.html"


def test_signing_in_through_the_admins_own_address_is_not_possible(client, house):
    data = {"username": "admin", "password": "a long password 1"}
    client.post(reverse("admin:login"), data)
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_titles_follow_the_language(admin, language, settings):
    admin.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    assert admin.get(reverse("admin:index")).status_code == 200


def test_administrator_cannot_make_anybody_mightier(admin, house):
    for target in (house.admin, house.lan):
        powers = {
            "role": "auditor",
            "is_superuser": "on",
            "is_staff": "on",
            "groups": "1",
            "user_permissions": "1",
        }
        response = admin.post(url("user", "change", target.pk), fields(target, **powers))
        assert response.status_code == 302
        before = (target.role, target.is_superuser, target.is_staff)
        target.refresh_from_db()
        assert (target.role, target.is_superuser, target.is_staff) == before
        assert (target.groups.count(), target.user_permissions.count()) == (0, 0)


def test_administrator_changes_name_and_team_and_the_trail_tells(admin, house):
    change = fields(house.lan, name_en="Lan Xin", team=house.west.pk)
    assert admin.post(url("user", "change", house.lan.pk), change).status_code == 302
    house.lan.refresh_from_db()
    assert (house.lan.name_en, house.lan.team) == ("Lan Xin", house.west)
    entry = AuditEntry.objects.get(act="user.change")
    assert (entry.actor, entry.subject_id) == (house.admin, str(house.lan.pk))
    assert entry.data["now"]["team_id"] == house.west.pk


def test_superuser_gives_roles(client, house):
    client.force_login(house.root)
    powers = fields(house.lan, role="supervisor")
    assert client.post(url("user", "change", house.lan.pk), powers).status_code == 302
    house.lan.refresh_from_db()
    assert house.lan.role == "supervisor"


def test_supervisor_without_a_team_is_refused_with_words(client, house):
    client.force_login(house.root)
    response = client.post(
        url("user", "change", house.lan.pk), fields(house.lan, role="supervisor", team="")
    )
    assert response.status_code == 200
    assert response.context["adminform"].form.errors


def test_administrator_cannot_touch_a_superuser(admin, house):
    assert admin.post(url("user", "change", house.root.pk), fields(house.root)).status_code == 403
    passwords = {"password1": "new long secret 9", "password2": "new long secret 9"}
    page = reverse("admin:auth_user_password_change", args=[house.root.pk])
    assert admin.post(page, passwords).status_code == 403
    house.root.refresh_from_db()
    assert house.root.check_password("a long password 1")


@pytest.mark.parametrize(
    ("name", "status"), [("lan", 302), ("admin", 302), ("other", 403), ("qiu", 403)]
)
def test_administrator_resets_passwords_but_not_of_those_who_check(admin, house, name, status):
    page = reverse("admin:auth_user_password_change", args=[getattr(house, name).pk])
    passwords = {
        "usable_password": "true",
        "password1": "new long secret 9",
        "password2": "new long secret 9",
    }
    assert admin.post(page, passwords).status_code == status


def test_new_account_starts_without_rights(admin, house):
    data = {
        "username": "new",
        "usable_password": "true",
        "password1": "new long secret 9",
        "password2": "new long secret 9",
        "role": "administrator",
        "is_superuser": "on",
    }
    assert admin.post(url("user", "add"), data).status_code == 302
    made = User.objects.get(username="new")
    assert (made.role, made.is_superuser, made.is_staff) == ("", False, False)


def test_nobody_is_deleted(client, house):
    client.force_login(house.root)
    assert client.post(url("user", "delete", house.lan.pk), {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [house.lan.pk], "post": "yes"}
    client.post(url("user", "changelist"), data)
    assert User.objects.filter(username="lan").exists()


def test_audit_trail_is_read_only_even_for_a_superuser(client, house):
    entry = audit.record("x", "x:1", at=NOW)
    client.force_login(house.root)
    assert client.get(url("auditentry", "change", entry.pk)).status_code == 200
    assert client.post(url("auditentry", "change", entry.pk), {"act": "y"}).status_code == 403
    assert client.post(url("auditentry", "delete", entry.pk), {"post": "yes"}).status_code == 403
    assert client.post(url("auditentry", "add"), {"act": "y"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
    client.post(url("auditentry", "changelist"), data)
    assert AuditEntry.objects.filter(pk=entry.pk, act="x").exists()


def test_audit_trail_is_searched_and_filtered(admin):
    audit.record("thing.do", "thing:7", at=NOW, label="lan")
    audit.record("thing.undo", "thing:8", at=NOW, label="bo")
    for query, found in (({"q": "7"}, 1), ({"q": "lan"}, 1), ({"act": "thing.undo"}, 1)):
        response = admin.get(url("auditentry", "changelist"), query)
        assert len(response.context["cl"].result_list) == found


def test_key_is_made_shown_once_and_revoked(admin, house):
    data = {"name": "crm", "scopes": ["read", "ingest"], "team": house.east.pk}
    response = admin.post(url("apikey", "add"), data, follow=True)
    key = ApiKey.objects.get()
    assert (key.scopes, key.team, key.created_by) == (["read", "ingest"], house.east, house.admin)
    shown = str(next(iter(response.context["messages"])))
    secret = shown[shown.index(key.prefix) :]
    assert keys.find(secret, NOW) == key
    page = admin.get(url("apikey", "change", key.pk)).content.decode()
    assert "读取指标与列表 · 送入数据" in page
    assert secret not in page
    assert key.digest not in page
    admin.post(url("apikey", "changelist"), {"action": "revoke", "_selected_action": [key.pk]})
    assert keys.find(secret, NOW) is None


def test_key_is_neither_edited_nor_deleted(admin):
    key, _ = keys.make("crm", scopes=["read"], team=None, at=NOW, by=None)
    page = url("apikey", "change", key.pk)
    assert admin.post(page, {"name": "x", "digest": "0" * 64}).status_code == 403
    assert admin.post(url("apikey", "delete", key.pk), {"post": "yes"}).status_code == 403


def test_setting_is_changed_by_the_act_and_judged_by_it(admin, house):
    row = Setting.objects.get(key="send_windows")
    page = url("setting", "change", row.pk)
    response = admin.post(page, {"value": '[["11:00", "09:00"]]'})
    assert response.context["adminform"].form.errors["value"]
    assert admin.post(page, {"value": '[["08:00", "17:00"]]'}).status_code == 302
    assert settings.get("send_windows") == [["08:00", "17:00"]]
    entry = AuditEntry.objects.get(act="setting.put")
    assert entry.actor == house.admin


@pytest.mark.parametrize(
    ("key", "posted", "value"),
    [
        ("mail_held", "on", True),
        ("hotline", "400-111-2222", "400-111-2222"),
        ("reminder_after_working_days", "7", 7),
    ],
)
def test_setting_is_typed_as_its_kind_asks(admin, key, posted, value):
    row = Setting.objects.get(key=key)
    assert admin.post(url("setting", "change", row.pk), {"value": posted}).status_code == 302
    assert settings.get(key) == value


def test_marks_of_the_program_are_no_settings(admin):
    audit.chain()
    row = Setting.objects.get(key=audit.HEAD)
    assert admin.get(url("setting", "change", row.pk)).status_code == 302
    shown = admin.get(url("setting", "changelist")).context["cl"].result_count
    assert shown == len(settings.DEFAULTS)


def test_changed_guess_is_no_guess_any_more(admin):
    row = Holiday.objects.filter(provisional=True).first()
    data = {"date": row.date.isoformat(), "kind": "workday", "name": "x", "provisional": "on"}
    assert admin.post(url("holiday", "change", row.pk), data).status_code == 302
    row.refresh_from_db()
    assert (row.kind, row.provisional) == ("workday", False)


def test_deputy_of_oneself_is_refused_with_words(admin, house):
    data = {
        "principal": house.lan.pk,
        "deputy": house.lan.pk,
        "starts_at_0": "2026-11-24",
        "starts_at_1": "00:00",
        "ends_at_0": "2026-11-25",
        "ends_at_1": "00:00",
    }
    assert admin.post(url("deputy", "add"), data).status_code == 200
    assert admin.post(url("deputy", "add"), data | {"deputy": house.bo.pk}).status_code == 302
    assert Deputy.objects.get().deputy == house.bo
    assert AuditEntry.objects.filter(act="deputy.add").count() == 1


def written_together(queries, *tables):
    """Whether one transaction, here a savepoint, spans the writes to all these tables."""
    words = [query["sql"].upper() for query in queries]
    opened = next(n for n, sql in enumerate(words) if sql.startswith("SAVEPOINT"))
    name = words[opened].split()[1]
    closed = words.index(f"RELEASE SAVEPOINT {name}")
    writes = [n for n, sql in enumerate(words) if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    return all(
        any(f'"{table}"' in words[n].lower() and opened < n < closed for n in writes)
        for table in tables
    )


def test_new_password_and_its_entry_are_one_transaction(admin, house):
    form = {
        "usable_password": "true",
        "password1": "new long secret 9",
        "password2": "new long secret 9",
    }
    with CaptureQueriesContext(connection) as caught:
        answer = admin.post(reverse("admin:auth_user_password_change", args=[house.lan.pk]), form)
    assert answer.status_code == 302
    assert written_together(caught, "bank_user", "bank_auditentry")


def test_teams_deleted_by_the_dozen_and_their_entries_are_one_transaction(admin):
    teams = [make_team("DESK-1"), make_team("DESK-2")]
    form = {
        "action": "delete_selected",
        "_selected_action": [team.pk for team in teams],
        "post": "yes",
    }
    with CaptureQueriesContext(connection) as caught:
        assert admin.post(url("team", "changelist"), form).status_code == 302
    assert not Team.objects.filter(code__startswith="DESK").exists()
    assert AuditEntry.objects.filter(act="team.delete").count() == 2
    assert written_together(caught, "bank_team", "bank_auditentry")


def test_deleted_team_leaves_an_entry(admin):
    team = make_team("GONE")
    data = {"action": "delete_selected", "_selected_action": [team.pk], "post": "yes"}
    admin.post(url("team", "changelist"), data)
    assert not Team.objects.filter(code="GONE").exists()
    assert AuditEntry.objects.get(act="team.delete").subject_id == str(team.pk)


@pytest.mark.parametrize("model", ["team", "user"])
def test_people_and_teams_are_found_by_typing(admin, model):
    field = {"team": ("user", "team"), "user": ("deputy", "principal")}[model]
    query = {"app_label": "bank", "model_name": field[0], "field_name": field[1], "term": "a"}
    assert admin.get(reverse("admin:autocomplete"), query).json()["results"]


def make_row(model, house, number):
    match model:
        case "user":
            make_user(f"u{number}", "relationship_manager", (house.east, house.west)[number % 2])
        case "team":
            make_team(f"X{number}", parent=(house.east, house.west)[number % 2])
        case "deputy":
            ends = NOW.replace(year=2030)
            Deputy.objects.create(
                principal=house.lan, deputy=house.bo, starts_at=NOW, ends_at=ends
            )
        case "apikey":
            keys.make("k", scopes=["read"], team=house.east, at=NOW, by=house.admin)
        case _:
            audit.record("x", "x:1", at=NOW, by=house.admin)


@pytest.mark.parametrize("model", ["user", "team", "deputy", "apikey", "auditentry"])
def test_list_takes_the_same_queries_for_one_row_and_for_many(
    admin, house, model, django_assert_num_queries, django_assert_max_num_queries
):
    make_row(model, house, 0)
    with django_assert_max_num_queries(9) as first:
        admin.get(url(model, "changelist"))
    for number in range(1, 4):
        make_row(model, house, number)
    with django_assert_num_queries(len(first)):
        admin.get(url(model, "changelist"))
