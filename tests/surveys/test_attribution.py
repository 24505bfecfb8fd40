"""The promise about single answers holds for each role and for machines."""

import pytest

from bank.models import ApiKey
from surveys import attribution
from surveys.models import Response
from tests.factories import (
    NOW,
    make_client,
    make_contact,
    make_invitation,
    make_response,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def responses(staff):
    """One response of each promise, all of Lan's client."""
    contact = make_contact(make_client(manager=staff.lan, team=staff.east))
    return {
        promise: make_response(
            make_invitation(contact, version=make_version(attribution=promise)),
            contact=None if promise == "anonymous_optional" else contact,
        )
        for promise in ("relationship_team", "experience_team_only", "anonymous_optional")
    }


def seen(viewer):
    rows = Response.objects.visible_to(viewer).filter(attribution.may_see(viewer))
    return set(rows.values_list("version__attribution", flat=True))


def test_each_viewer_sees_the_answers_that_were_promised_to_them(staff, responses):
    team = {"relationship_team", "anonymous_optional"}
    assert seen(staff.lan) == team
    assert seen(staff.mu) == team
    assert seen(staff.chen) == set()
    assert seen(staff.admin) == seen(staff.qiu) == {*team, "experience_team_only"}
    key = ApiKey.objects.create(name="k", prefix="k", digest="d", created_at=NOW)
    assert seen(key) == {"relationship_team"}


def test_one_response_is_judged_like_the_list(staff, responses):
    key = ApiKey.objects.create(name="k", prefix="k", digest="d", created_at=NOW)
    for viewer in (staff.lan, staff.mu, staff.admin, staff.qiu, key):
        listed = Response.objects.filter(attribution.may_see(viewer))
        for response in responses.values():
            assert attribution.sees(viewer, response) is listed.contains(response)


def test_nobody_learns_who_answered_anonymously(staff, responses):
    anonymous = responses["anonymous_optional"]
    assert not any(attribution.names_person(one, anonymous) for one in (staff.lan, staff.admin))
    anonymous.contact = make_contact(anonymous.client)
    assert attribution.names_person(staff.lan, anonymous)


def test_the_contact_of_a_declined_application_is_kept_from_the_team(staff, responses):
    declined = responses["experience_team_only"]
    assert not attribution.names_person(staff.lan, declined)
    assert attribution.names_person(staff.qiu, declined)
