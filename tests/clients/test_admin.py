"""The admin of clients: lists in constant queries, acts with audit lines, nothing deleted."""

from datetime import timedelta

import pytest
from django.urls import reverse

from bank import reference as bank_reference
from bank.models import AuditEntry
from clients import consent
from clients import reference as clients_reference
from clients.models import (
    ChangeNote,
    Client,
    ClientEvent,
    Consent,
    ExchangeRate,
    Facility,
    FacilityBalance,
    Freeze,
    Milestone,
    Outage,
    Party,
    Profile,
    Statement,
    Suppression,
    Touchpoint,
    Transaction,
)
from cxportal.reference import read
from tests.factories import NOW, make_case, make_client, make_contact

MODELS = [
    "case",
    "caseevent",
    "client",
    "clientevent",
    "consent",
    "contact",
    "facility",
    "freeze",
    "industry",
    "milestone",
    "milestonetype",
    "party",
    "product",
    "profile",
    "province",
    "stage",
    "statement",
    "suppression",
    "touchpoint",
    "transaction",
    "transition",
]
FACTS = ["clientevent", "facility", "party", "profile", "statement", "touchpoint", "transaction"]
BY_HAND = ["exchangerate", "outage"]


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
        fill_facts(made, case)


def fill_facts(made, case):
    day = NOW.date() - timedelta(days=made.pk)
    facility = Facility.objects.create(number=f"F{made.pk}", client=made, as_of=day, case=case)
    FacilityBalance.objects.create(facility=facility, as_of=day, limit=7)
    Transaction.objects.create(
        external_id=f"T{made.pk}", client=made, facility=facility, booked_at=NOW
    )
    Statement.objects.create(client=made, period_end=day, basis="annual")
    Profile.objects.create(client=made, as_of=day)
    Touchpoint.objects.create(event_id=f"V{made.pk}", client=made, kind="login", at=NOW)
    Party.objects.create(case=case, role="sponsor", client=made, contact=made.contacts.get())
    ClientEvent.objects.create(
        external_id=f"E{made.pk}", client=made, event="complaint_closed", occurred_at=NOW
    )
    ExchangeRate.objects.create(currency="USD", as_of=day, rate=7)
    Outage.objects.create(source="online", starts_at=NOW - timedelta(days=made.pk), ends_at=NOW)


@pytest.mark.parametrize("model", MODELS + BY_HAND)
def test_each_list_opens_and_can_be_searched(admin, model):
    clients_reference.load(read(), NOW)
    assert admin.get(url(model, "changelist")).status_code == 200
    assert admin.get(url(model, "changelist"), {"q": "x"}).status_code == 200


@pytest.mark.parametrize(
    "model",
    [
        "client",
        "contact",
        "case",
        "milestone",
        "consent",
        "freeze",
        "suppression",
        *FACTS,
        *BY_HAND,
    ],
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


def test_persons_come_back_by_their_own_wish_and_the_page_asks_how_they_said_so(admin):
    contact = make_contact(make_client())
    consent.opt_out(contact, at=NOW)
    act(admin, "contact", "come_back", contact)
    assert Suppression.objects.exists()
    data = {"action": "come_back", "_selected_action": [contact.pk], "how": "by telephone"}
    admin.post(url("contact", "changelist"), data)
    assert not Suppression.objects.exists()
    assert AuditEntry.objects.get(act="consent.return").data == {"how": "by telephone"}


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


@pytest.mark.parametrize("model", FACTS)
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_fact_is_looked_at_and_not_changed(admin, staff, model, language):
    fill(staff, 1)
    page = url(model, "change", admin.get(url(model, "changelist")).context["cl"].queryset[0].pk)
    admin.cookies["django_language"] = language
    assert admin.get(page).status_code == 200
    assert admin.post(page, {}).status_code == 403
    assert admin.get(url(model, "add")).status_code == 403


def test_a_facility_shows_what_it_held_on_earlier_days(admin, staff):
    fill(staff, 1)
    page = admin.get(url("facility", "change", Facility.objects.get().pk))
    [inline] = page.context["inline_admin_formsets"]
    assert [form.instance.limit for form in inline.formset.forms] == [7]


def noted():
    ids = {pk for note in ChangeNote.objects.all() for pk in note.client_ids}
    ChangeNote.objects.all().delete()
    return ids


def test_a_rate_is_set_audited_and_noted_for_those_who_owe_in_it(admin, staff):
    fill(staff, 2)
    owing = Client.objects.first()
    owing.facilities.update(currency="USD")
    noted()
    data = {"currency": "usd", "as_of": "2026-09-30", "rate": "7.1"}
    assert admin.post(url("exchangerate", "add"), data).status_code == 302
    rate = ExchangeRate.objects.get(as_of="2026-09-30")
    assert (rate.currency, str(rate.rate)) == ("USD", "7.10000000")
    assert noted() == {owing.pk}
    admin.post(url("exchangerate", "change", rate.pk), data | {"currency": "EUR"})
    assert noted() == {owing.pk}
    admin.post(url("exchangerate", "delete", rate.pk), {"post": "yes"})
    assert noted() == set()
    acts = AuditEntry.objects.filter(act__startswith="exchangerate.").order_by("pk")
    assert [entry.act.partition(".")[2] for entry in acts] == ["add", "change", "delete"]
    row = ExchangeRate.objects.first()
    act(admin, "exchangerate", "delete_selected", row)
    action = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    admin.post(url("exchangerate", "changelist"), action)
    assert noted() == {owing.pk}


@pytest.mark.parametrize(
    ("fault", "field"), [({"currency": "US"}, "currency"), ({"rate": "0"}, "rate")]
)
def test_a_rate_that_is_none_is_refused(admin, fault, field):
    data = {"currency": "USD", "as_of": "2026-09-30", "rate": "7.1"} | fault
    page = admin.post(url("exchangerate", "add"), data)
    assert list(page.context["adminform"].form.errors) == [field]
    assert not ExchangeRate.objects.exists()


OUTAGE = {
    "source": "online",
    "starts_at_0": "2026-09-01",
    "starts_at_1": "08:00",
    "ends_at_0": "2026-09-02",
    "ends_at_1": "08:00",
    "note": "log lost",
}


def test_an_outage_is_told_audited_and_noted_for_every_client(admin):
    clients = {make_client().pk, make_client().pk}
    assert admin.post(url("outage", "add"), OUTAGE).status_code == 302
    outage = Outage.objects.get()
    assert (outage.ends_at - outage.starts_at, outage.source) == (timedelta(days=1), "online")
    assert noted() == clients
    admin.post(url("outage", "change", outage.pk), OUTAGE | {"source": "mail"})
    assert noted() == clients
    admin.post(url("outage", "delete", outage.pk), {"post": "yes"})
    assert noted() == clients
    acts = AuditEntry.objects.filter(act__startswith="outage.").order_by("pk")
    assert [entry.act.partition(".")[2] for entry in acts] == ["add", "change", "delete"]


def test_an_outage_ends_after_it_began(admin):
    page = admin.post(url("outage", "add"), OUTAGE | {"ends_at_0": "2026-08-31"})
    assert list(page.context["adminform"].form.errors) == ["ends_at"]


def test_a_change_that_figures_follow_is_noted(admin, staff):
    made, other = make_client("C1"), make_client("C2")
    page = url("client", "change", made.pk)
    admin.post(page, form(made, name_en="New"))
    assert noted() == set()
    admin.post(page, form(made, team=staff.west.pk))
    assert noted() == {made.pk}
    admin.post(page, form(made, team=staff.west.pk, merged_into=other.pk, merged_on="2026-09-30"))
    assert noted() == {made.pk, other.pk}
    person = make_contact(made, external_id="P1")
    data = {"external_id": "P1", "client": made.pk, "name": "云", "email": "y@c.example"}
    data |= {"language": "zh", "buying_role": "user"}
    admin.post(url("contact", "change", person.pk), data)
    assert noted() == set()
    admin.post(url("contact", "change", person.pk), data | {"client": other.pk})
    assert noted() == {made.pk, other.pk}


@pytest.mark.parametrize("half", ["merged_on", "merged_into", "both"])
def test_a_merger_has_a_successor_and_a_day_and_no_circle(admin, half):
    made, other = make_client("C1"), make_client("C2")
    if half == "both":
        other.merged_into, other.merged_on = made, NOW.date()
        other.save()
    data = {"merged_into": other.pk} if half != "merged_on" else {}
    data |= {"merged_on": "2026-09-30"} if half != "merged_into" else {}
    page = admin.post(url("client", "change", made.pk), form(made, **data))
    assert page.status_code == 200
    assert len(page.context["adminform"].form.errors) == 1
    made.refresh_from_db()
    assert made.merged_into is None
