"""The admin of clients: lists in constant queries, acts with audit lines, nothing deleted."""

from datetime import timedelta

import pytest
from django.urls import reverse

from bank import reference as bank_reference
from bank.models import AuditEntry
from clients import consent
from clients import reference as clients_reference
from clients.models import Client, Consent, Freeze, Milestone, Suppression
from cxportal.reference import read
from tests.factories import NOW, make_case, make_client, make_contact

MODELS = [
    "case",
    "caseevent",
    "client",
    "consent",
    "contact",
    "freeze",
    "industry",
    "milestone",
    "milestonetype",
    "product",
    "province",
    "stage",
    "suppression",
    "transition",
]


@pytest.fixture
def admin(client, staff):
    bank_reference.load(at=NOW)
    client.force_login(staff.admin)
    return client


def url(model, page, *args):
    return reverse(f"admin:clients_{model}_{page}", args=args)


def fill(staff, number):
    for _each in range(number):
        made = make_client(manager=staff.lan, team=staff.east)
        case = make_case(made, manager=staff.lan)
        Milestone.objects.create(
            external_id=f"M{case.pk}", case=case, code="enquiry", occurred_at=NOW
        )
        consent.bounce(make_contact(made), at=NOW)
        consent.freeze(made, "compliance_hold", at=NOW, by=staff.lan)


@pytest.mark.parametrize("model", MODELS)
def test_each_list_opens_and_can_be_searched(admin, model):
    clients_reference.load(read(), NOW)
    assert admin.get(url(model, "changelist")).status_code == 200
    assert admin.get(url(model, "changelist"), {"q": "x"}).status_code == 200


@pytest.mark.parametrize(
    "model", ["client", "contact", "case", "milestone", "consent", "freeze", "suppression"]
)
def test_lists_take_the_same_number_of_queries_for_any_number_of_rows(
    admin, staff, model, django_assert_num_queries, django_assert_max_num_queries
):
    fill(staff, 1)
    with django_assert_max_num_queries(12) as first:
        admin.get(url(model, "changelist"))
    fill(staff, 2)
    with django_assert_num_queries(len(first.captured_queries)):
        admin.get(url(model, "changelist"))


def form(made, **more):
    fields = ("code", "name_zh", "name_en", "short_name", "kind", "segment", "status")
    return {name: getattr(made, name) for name in fields} | {"uscc": ""} | more


def test_a_change_of_a_client_leaves_an_audit_line(admin, staff):
    made = make_client("C1")
    page = url("client", "change", made.pk)
    assert admin.post(page, form(made, manager=staff.bo.pk, status="closed")).status_code == 302
    made.refresh_from_db()
    assert (made.manager, made.status) == (staff.bo, "closed")
    entry = AuditEntry.objects.get(act="client.change")
    assert (entry.actor_label, entry.data["now"]["manager_id"]) == ("admin", staff.bo.pk)


@pytest.mark.parametrize(
    "fault", [{"uscc": "91110000710931201X"}, {"code": "a/b"}, {"name_en": "a\x07b"}]
)
def test_a_fault_in_the_form_is_shown_and_nothing_is_saved(admin, fault):
    made = make_client("C1")
    page = admin.post(url("client", "change", made.pk), form(made) | fault)
    assert page.status_code == 200
    assert list(page.context["adminform"].form.errors) == list(fault)


def test_an_empty_credit_code_is_none(admin):
    made = make_client("C1")
    admin.post(url("client", "change", made.pk), form(made))
    assert Client.objects.get().uscc is None


@pytest.mark.parametrize("model", MODELS)
def test_nothing_is_deleted_here(admin, staff, model):
    fill(staff, 1)
    clients_reference.load(read(), NOW)
    view = admin.get(url(model, "changelist")).context["cl"]
    row = view.queryset.first()
    before = view.queryset.count()
    assert admin.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    admin.post(
        url(model, "changelist"),
        {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
    )
    assert view.queryset.count() == before


def act(admin, model, name, *rows):
    data = {"action": name, "_selected_action": [row.pk for row in rows]}
    return admin.post(url(model, "changelist"), data, follow=True)


def test_staff_note_consent_but_never_overrule_the_person(admin):
    made = make_client()
    asked, gone = make_contact(made, consent=""), make_contact(made)
    consent.opt_out(gone, at=NOW)
    page = act(admin, "contact", "note_agreed", asked, gone)
    assert gone.external_id in page.content.decode()
    assert dict(Consent.objects.values_list("contact", "state")) == {
        asked.pk: "yes",
        gone.pk: "no",
    }
    act(admin, "contact", "note_refused", asked)
    assert Consent.objects.get(contact=asked).state == "no"


def test_a_bounced_address_is_cleared_by_an_act(admin):
    contact = make_contact(make_client())
    consent.bounce(contact, at=NOW)
    act(admin, "contact", "clear_bounce", contact)
    assert not Suppression.objects.exists()
    assert AuditEntry.objects.filter(act="consent.clear_bounce").count() == 1


def test_a_freeze_begins_and_is_lifted_by_acts(admin, staff):
    made = make_client()
    data = {"client": made.pk, "reason": "compliance_hold", "cause": "X-1", "severity": ""}
    admin.post(url("freeze", "add"), data)
    admin.post(url("freeze", "add"), data)
    row = Freeze.objects.get()
    assert (row.by, row.ended_at) == (staff.admin, None)
    act(admin, "freeze", "lift", row)
    row.refresh_from_db()
    assert row.ended_at - row.started_at < timedelta(minutes=1)
    acts = AuditEntry.objects.filter(act__startswith="consent.").order_by("pk")
    assert [entry.act for entry in acts] == ["consent.freeze", "consent.thaw"]


def test_the_bank_sets_promised_days_but_not_the_graph(admin):
    clients_reference.load(read(), NOW)
    stage = admin.get(url("stage", "changelist")).context["cl"].queryset.first()
    data = {
        "sla_working_days": 7,
        "client_label_zh": "已登记",
        "client_label_en": "Registered",
        "code": "moon",
    }
    assert admin.post(url("stage", "change", stage.pk), data).status_code == 302
    stage.refresh_from_db()
    assert (stage.sla_working_days, stage.code) == (7, "enquiry")
