from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from bank import keys
from bank.models import ApiKey, AuditEntry
from tests.factories import NOW, make_team

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def make(**fields):
    return keys.make(
        **{"name": "crm", "scopes": ["read"], "team": None, "at": NOW, "by": None} | fields
    )


def test_only_the_digest_of_the_secret_is_kept():
    key, secret = make()
    random = secret.partition(".")[2]
    assert len(random) == 43  # 256 bits
    row = ApiKey.objects.values().get()
    assert not any(random in str(value) for value in row.values())
    assert not any(random in str(entry) for entry in AuditEntry.objects.values())
    assert secret.startswith(f"{key.prefix}.")


def test_find_gives_the_key_of_its_secret_and_nothing_else():
    key, secret = make()
    make(name="other")
    assert keys.find(secret, NOW) == key
    for wrong in (secret[:-1], secret + "x", key.prefix, f"{key.prefix}.", "", ".", "x" * 500):
        assert keys.find(wrong, NOW) is None
    for odd in ("\x00.a", "\ud800.a", f"{key.prefix}.\ud800", "张.三"):
        assert keys.find(odd, NOW) is None


def test_scopes_are_checked_and_kept_in_order():
    assert make(scopes=["manage", "read"])[0].scopes == ["read", "manage"]
    for wrong in ([], ["root"], ["read", "write"]):
        with pytest.raises(keys.UnknownScope):
            make(scopes=wrong)


def test_expired_key_is_worthless_from_its_instant_on():
    key, secret = make(expires_at=NOW + MINUTE)
    assert keys.find(secret, NOW) == key
    assert keys.find(secret, NOW + MINUTE) is None


def test_revoked_key_is_worthless_at_once_and_the_first_time_stands(staff):
    key, secret = make()
    keys.revoke(key, at=NOW, by=staff.admin)
    keys.revoke(key, at=NOW + MINUTE, by=staff.admin)
    assert keys.find(secret, NOW) is None
    assert key.revoked_at == NOW
    acts = AuditEntry.objects.order_by("id").values_list("act", "actor_label")
    assert list(acts) == [("key.make", "system"), ("key.revoke", "admin")]


def test_use_is_noted_at_most_once_a_minute(django_assert_num_queries):
    key, secret = make()
    with django_assert_num_queries(2):
        keys.find(secret, NOW)
    with django_assert_num_queries(1):
        keys.find(secret, NOW + timedelta(seconds=59))
    key.refresh_from_db()
    assert key.last_used_at == NOW
    keys.find(secret, NOW + MINUTE)
    key.refresh_from_db()
    assert key.last_used_at == NOW + MINUTE


def test_command_prints_the_key_once(capsys):
    team = make_team("EAST")
    call_command("create_api_key", "crm", scopes="read, ingest", team="EAST")
    secret = capsys.readouterr().out.strip()
    key = keys.find(secret, timezone.now())
    assert (key.name, key.scopes, key.team) == ("crm", ["read", "ingest"], team)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scopes": "root"}, "root"),
        ({"scopes": " , "}, "no scope"),
        ({"scopes": "read", "team": "NO"}, "There is no team NO."),
    ],
)
def test_command_refuses_what_does_not_exist(options, words):
    with pytest.raises(CommandError, match=words):
        call_command("create_api_key", "crm", **options)
    assert ApiKey.objects.count() == 0
