import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from bank import mail
from bank.models import AuditEntry
from tests.factories import NOW


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://relay.example", ("relay.example", 25, "", "", False)),
        ("smtp://relay.example:587?tls=1", ("relay.example", 587, "", "", True)),
        ("smtp://u%40b:p%3Aw@[::1]:25?tls=0", ("::1", 25, "u@b", "p:w", False)),
    ],
)
def test_address_of_the_relay_is_read(url, expected):
    found = mail.address(url)
    assert (found.host, found.port, found.user, found.password, found.tls) == expected


@pytest.mark.parametrize(
    "url",
    [
        "smtp://",
        "smtps://r.example",
        "smtp://u:topsecret@r.example:99999",
        "smtp://u:topsecret@r.example?tls=yes",
        "smtp://u:topsecret@r.example?ssl=1",
    ],
)
def test_wrong_address_of_the_relay_is_refused_without_its_password(url):
    with pytest.raises(ImproperlyConfigured) as error:
        mail.address(url)
    assert "topsecret" not in str(error.value)


@pytest.mark.django_db
def test_hold_and_release_act_at_once_and_twice_is_once():
    assert mail.held() is False
    mail.hold(at=NOW, by=None)
    mail.hold(at=NOW, by=None)
    assert mail.held() is True
    mail.release(at=NOW, by=None)
    mail.release(at=NOW, by=None)
    assert mail.held() is False
    assert list(AuditEntry.objects.order_by("id").values_list("data", flat=True)) == [
        {"mail_held": [False, True]},
        {"mail_held": [True, False]},
    ]


@pytest.mark.django_db
def test_commands_hold_and_release(capsys):
    call_command("hold_mail")
    assert mail.held() is True
    call_command("release_mail")
    assert mail.held() is False
    assert capsys.readouterr().out == (
        "All mail is held. release_mail lets it go.\nMail goes out again.\n"
    )
