"""Every admin page keeps the house rules: search, filters, autocomplete, evidence read-only."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import ForeignKey
from django.test import RequestFactory

from bank import reference
from bank.models import AuditEntry
from clients import consent
from metrics.models import ClientState, Measurement, ParameterSet
from surveys.models import Answer, Delivery, Hit, Invitation, Response
from tests import factories

OWN = ("bank", "clients", "surveys", "metrics")
EVIDENCE = (
    AuditEntry, Delivery, Invitation, Hit, Response, Measurement, ParameterSet, ClientState,
)  # fmt: skip
PAGES = [
    pytest.param(model, page, id=model._meta.label)
    for model, page in admin.site._registry.items()
    if model._meta.app_label in OWN
]


def _request(user):
    request = RequestFactory().get("/admin/")
    request.user = user
    return request


@pytest.mark.parametrize(("model", "page"), PAGES)
def test_each_list_can_be_searched(model, page):
    assert tuple(page.search_fields) != ()


@pytest.mark.parametrize(("model", "page"), PAGES)
def test_each_foreign_key_that_can_be_chosen_is_completed_while_typing(model, page, staff):
    request = _request(staff.admin)
    keys = {field.name for field in model._meta.fields if isinstance(field, ForeignKey)}
    if not (page.has_add_permission(request) or page.has_change_permission(request)):
        keys = set()
    chosen = {
        name
        for name in keys & set(_names(page, request))
        if name not in page.get_readonly_fields(request)
    }
    assert chosen - set(page.autocomplete_fields) == set()


def _names(page, request) -> list[str]:
    """The fields of the form for a new row."""
    names: list[str] = []
    for _title, options in page.get_fieldsets(request):
        for entry in options["fields"]:
            names += entry if isinstance(entry, list | tuple) else [entry]
    return names


@pytest.mark.parametrize("model", EVIDENCE, ids=lambda model: model.__name__)
def test_evidence_cannot_be_added_changed_or_deleted(model, staff):
    page, request = admin.site._registry[model], _request(staff.admin)
    rights = (
        page.has_add_permission(request),
        page.has_change_permission(request),
        page.has_delete_permission(request),
    )
    assert rights == (False, False, False)


def test_answers_and_groups_have_no_page_of_their_own():
    assert {Answer, Group} & set(admin.site._registry) == set()


def test_a_suppressed_address_is_found_by_typing_the_address(client, staff):
    reference.load(at=factories.NOW)
    contact = factories.make_contact(factories.make_client())
    consent.bounce(contact, at=factories.NOW)
    client.force_login(staff.admin)
    found = client.get("/admin/clients/suppression/", {"q": contact.email.upper()})
    other = client.get("/admin/clients/suppression/", {"q": "somebody@else.example"})
    assert found.context["cl"].result_count == 1
    assert other.context["cl"].result_count == 0
