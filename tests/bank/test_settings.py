import pytest

from bank import settings
from bank.models import AuditEntry, Setting
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def test_get_gives_what_is_shipped_until_a_row_overrides_it():
    assert settings.get("send_windows") == [["09:30", "11:00"], ["14:30", "16:30"]]
    settings.put("send_windows", [["08:00", "18:00"]], at=NOW, by=None)
    assert settings.get("send_windows") == [["08:00", "18:00"]]


def test_get_is_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        settings.get("hotline")


def test_unknown_setting_is_an_error():
    with pytest.raises(settings.Unknown):
        settings.get("no_such")
    with pytest.raises(settings.Unknown):
        settings.put("no_such", 1, at=NOW, by=None)
    assert Setting.objects.count() == 0


def test_put_notes_old_and_new_value_and_person(staff):
    settings.put("hotline", "400-111-2222", at=NOW, by=staff.admin)
    entry = AuditEntry.objects.get()
    assert (entry.act, entry.actor, entry.at) == ("setting.put", staff.admin, NOW)
    assert entry.data == {"hotline": ["400-000-0000", "400-111-2222"]}


def test_put_of_the_same_value_leaves_no_second_line():
    settings.put("hotline", "400-111-2222", at=NOW, by=None)
    settings.put("hotline", "400-111-2222", at=NOW, by=None)
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("mail_held", 1),
        ("mail_held", "yes"),
        ("hotline", 400),
        ("hotline", "x" * 501),
        ("hotline", "400\nBcc: x"),
        ("privacy_email", "nobody"),
        ("privacy_email", "a@b.example\n"),
        ("reminder_after_working_days", -1),
        ("reminder_after_working_days", True),
        ("reminder_after_working_days", 2.5),
        ("send_windows", []),
        ("send_windows", [["09:30"]]),
        ("send_windows", [["9:30", "11:00"]]),
        ("send_windows", [["11:00", "09:30"]]),
        ("send_windows", [["14:30", "16:30"], ["09:30", "11:00"]]),
        ("send_windows", [["09:30", "11:00"], ["10:00", "12:00"]]),
        ("send_windows", [["09:30", "24:00"]]),
        ("send_windows", [[9, 11]]),
        ("send_windows", "09:30-11:00"),
    ],
)
def test_value_that_does_not_fit_is_refused_and_nothing_changes(key, value):
    with pytest.raises(settings.Invalid):
        settings.put(key, value, at=NOW, by=None)
    assert settings.get(key) == settings.DEFAULTS[key]
    assert AuditEntry.objects.count() == 0


def test_every_setting_is_valid_as_shipped_and_has_a_label():
    for key, value in settings.DEFAULTS.items():
        settings.check(key, value)
        assert settings.label(key) != key
