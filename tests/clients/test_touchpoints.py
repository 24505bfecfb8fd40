"""Contacts with a client as people log them: once, checked, and taken back on the same day."""

from datetime import timedelta
from uuid import UUID

import pytest

from bank.models import AuditEntry
from clients import touchpoints
from clients.models import ChangeNote, Touchpoint
from clients.touchpoints import Logged, NotYours, Refused
from tests.factories import NOW, make_client, make_contact, make_touchpoint

pytestmark = pytest.mark.django_db
KEY = UUID(int=7)


def what(**fields):
    return Logged(**{"key": KEY, "kind": "call", "happened_at": NOW - timedelta(hours=2)} | fields)


def test_contact_is_recorded_with_who_logged_it(staff):
    client = make_client()
    person = make_contact(client)
    made = touchpoints.log(client, what(contact=person, minutes=30), at=NOW, by=staff.lan)
    made.refresh_from_db()
    assert (made.event_id, made.client, made.contact) == (f"cx:log:{KEY}", client, person)
    assert (made.kind, made.at, made.duration_s) == ("call", NOW - timedelta(hours=2), 1800)
    assert (made.logged_by, made.logged_at) == (staff.lan, NOW)
    note = ChangeNote.objects.get()
    assert (note.client_ids, note.at) == ([client.pk], NOW)
    entry = AuditEntry.objects.get(act="touchpoint.log")
    assert (entry.actor, entry.at, entry.data["client"]) == (staff.lan, NOW, client.code)


def test_same_form_sent_twice_is_one_contact(staff):
    client = make_client()
    first = touchpoints.log(client, what(), at=NOW, by=staff.lan)
    assert touchpoints.log(client, what(), at=NOW, by=staff.lan) == first
    assert (Touchpoint.objects.count(), ChangeNote.objects.count()) == (1, 1)


def test_form_of_another_client_is_refused(staff):
    touchpoints.log(make_client(), what(), at=NOW, by=staff.lan)
    with pytest.raises(Refused) as error:
        touchpoints.log(make_client(), what(), at=NOW, by=staff.lan)
    assert error.value.field == ""


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kind": "login"}, "kind"),
        ({"kind": "message_click"}, "kind"),
        ({"happened_at": NOW + timedelta(minutes=2)}, "happened_at"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": 1441}, "minutes"),
    ],
)
def test_what_cannot_be_is_refused_and_not_stored(fields, wrong, staff):
    with pytest.raises(Refused) as error:
        touchpoints.log(make_client(), what(**fields), at=NOW, by=staff.lan)
    assert error.value.field == wrong
    assert (Touchpoint.objects.count(), ChangeNote.objects.count()) == (0, 0)


def test_person_of_another_client_is_refused(staff):
    person = make_contact(make_client())
    with pytest.raises(Refused) as error:
        touchpoints.log(make_client(), what(contact=person), at=NOW, by=staff.lan)
    assert error.value.field == "contact"


def test_contact_logged_by_mistake_is_taken_back_on_the_same_day(staff):
    made = touchpoints.log(make_client(), what(), at=NOW, by=staff.lan)
    ChangeNote.objects.all().delete()
    touchpoints.take_back(made, at=NOW + timedelta(hours=13), by=staff.lan)
    assert Touchpoint.objects.count() == 0
    assert ChangeNote.objects.get().client_ids == [made.client_id]
    entry = AuditEntry.objects.get(act="touchpoint.take_back")
    assert (entry.actor, entry.data["kind"]) == (staff.lan, "call")


def test_taking_back_twice_does_nothing_the_second_time(staff):
    made = touchpoints.log(make_client(), what(), at=NOW, by=staff.lan)
    again = Touchpoint.objects.get()
    touchpoints.take_back(made, at=NOW, by=staff.lan)
    touchpoints.take_back(again, at=NOW, by=staff.lan)
    assert AuditEntry.objects.filter(act="touchpoint.take_back").count() == 1


@pytest.mark.parametrize(("who", "hours"), [("bo", 1), ("mu", 1), ("lan", 14)])
def test_others_and_the_next_day_are_too_late(who, hours, staff):
    made = touchpoints.log(make_client(), what(), at=NOW, by=staff.lan)
    with pytest.raises(NotYours):
        touchpoints.take_back(made, at=NOW + timedelta(hours=hours), by=getattr(staff, who))
    assert Touchpoint.objects.count() == 1


def test_what_a_machine_told_is_not_taken_back(staff):
    told = make_touchpoint(make_client(), kind="call")
    with pytest.raises(NotYours):
        touchpoints.take_back(told, at=NOW, by=staff.lan)


def test_own_events_are_written_once_and_noted_where_new():
    first, second = make_client(), make_client()

    def events(*clients):
        return [
            touchpoints.own(f"x:{one.pk}", client_id=one.pk, kind="visit", at=NOW)
            for one in clients
        ]

    assert touchpoints.write(events(first), at=NOW) == 1
    assert touchpoints.write(events(first, second, second), at=NOW) == 1
    assert touchpoints.write([], at=NOW) == 0
    assert [note.client_ids for note in ChangeNote.objects.order_by("pk")] == [
        [first.pk],
        [second.pk],
    ]
