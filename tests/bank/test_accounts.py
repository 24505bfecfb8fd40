from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from bank import accounts
from bank.models import AuditEntry
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db
RIGHT = "a long password 1"


@pytest.fixture(autouse=True)
def lan():
    return make_user("lan", "relationship_manager")


def attempt(password, username="lan", **extra):
    """Whether these words open the door, each time for a fresh browser."""
    client = Client()
    client.post("/accounts/login/", {"username": username, "password": password}, **extra)
    return "_auth_user_id" in client.session


def fail(count=10, **extra):
    for _ in range(count):
        assert not attempt("wrong", **extra)


def test_nine_failures_still_let_the_right_password_in():
    fail(9)
    assert attempt(RIGHT)


def test_ten_failures_shut_the_door_also_for_the_right_password():
    fail()
    assert not attempt(RIGHT)
    assert not attempt(RIGHT, username="LAN")


def test_slowed_page_looks_like_any_failure(client):
    fail(9)
    data = {"username": "lan", "password": "wrong"}
    wrong = client.post("/accounts/login/", data)
    slowed = client.post("/accounts/login/", data)
    assert wrong.status_code == slowed.status_code == 200
    assert wrong.context["form"].errors == slowed.context["form"].errors


def test_door_opens_after_a_quarter_of_an_hour():
    with time_machine.travel(NOW, tick=False) as clock:
        fail()
        clock.shift(timedelta(minutes=14, seconds=59))
        assert not attempt(RIGHT)
        clock.shift(timedelta(seconds=1))
        assert attempt(RIGHT)


def test_colleague_and_other_address_are_not_shut_out():
    make_user("bo", "relationship_manager")
    fail()
    assert attempt(RIGHT, username="bo")
    assert attempt(RIGHT, REMOTE_ADDR="10.9.9.9")


def test_success_wipes_earlier_failures_out():
    fail(9)
    assert attempt(RIGHT)
    fail(9)
    assert attempt(RIGHT)


def test_changing_a_header_changes_no_address():
    for number in range(10):
        assert not attempt("wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}")
    assert not attempt(RIGHT)


def test_neighbours_of_the_sixth_version_count_as_one():
    for number in range(10):
        assert not attempt("wrong", REMOTE_ADDR=f"2001:db8::{number + 1}")
    assert not attempt(RIGHT, REMOTE_ADDR="2001:db8::ffff")
    assert attempt(RIGHT, REMOTE_ADDR="2001:db8:0:1::1")


def test_attempts_are_in_the_trail_without_words_of_strangers(lan):
    attempt("wrong")
    attempt("wrong", username="my secret by mistake")
    attempt(RIGHT)
    rows = list(AuditEntry.objects.order_by("id").values("act", "actor_label", "data"))
    here = {"address": "127.0.0.1"}
    assert rows == [
        {"act": accounts.FAILED, "actor_label": "stranger", "data": {"username": "lan"} | here},
        {"act": accounts.FAILED, "actor_label": "stranger", "data": {"username": None} | here},
        {"act": accounts.DONE, "actor_label": "lan", "data": here},
    ]
    everything = str(list(AuditEntry.objects.values()))
    assert RIGHT not in everything
    assert "by mistake" not in everything


def test_slowed_attempts_do_not_fill_the_trail():
    fail(15)
    assert AuditEntry.objects.count() == 10


@pytest.mark.parametrize("username", ["", "\x00", "\ud800", "x" * 5000, "张三"])
def test_odd_names_are_counted_like_others(username):
    for _ in range(10):
        accounts.note_failure(username, address="", at=NOW)
    assert accounts.is_slowed(username, address="", at=NOW)
    assert not accounts.is_slowed(username + "1", address="", at=NOW)
