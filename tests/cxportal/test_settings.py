"""The environment decides everything, and a value that is not understood starts nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAFE = {
    "DEMO": "0",
    "SECRET_KEY": "x7Q-" + "wJk29dLpZ" * 8,
    "ALLOWED_HOSTS": "cx.bank.example",
    "PUBLIC_BASE_URL": "https://cx.bank.example",
    "EMAIL_URL": "smtp://relay.bank.example:25",
    "BROKER_URL": "redis://127.0.0.1:6379/9",
}


def manage(tmp_path, *words, **environment):
    """Run a command in a fresh process whose environment holds nothing but what is given."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "STATE_DIR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("DEMO", "yes", "DEMO must be 0 or 1, not 'yes'."),
        ("PORT", "80a", "PORT must be a whole number up to 65535, not '80a'."),
        ("MAIL_PORT", "99999", "MAIL_PORT must be a whole number up to 65535, not '99999'."),
        ("TIME_ZONE", "Asia/Nowhere", "TIME_ZONE must be a name of the IANA list"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL must be CRITICAL, DEBUG, ERROR, INFO, WARNING"),
        ("DATABASE_URL", "mysql://a", "DATABASE_URL must start with sqlite:/// or postgres://."),
        (
            "DATABASE_URL",
            "postgres://",
            "DATABASE_URL must name a database: postgres://host/name.",
        ),
        ("MAIL_FROM", "nobody", "MAIL_FROM must be one e-mail address, such as cx@bank.example."),
        ("BROKER_URL", "amqp://a", "BROKER_URL must start with redis:// or rediss://."),
        ("EMAIL_URL", "http://a", "EMAIL_URL must start with smtp://."),
        ("PUBLIC_BASE_URL", "cx.example", "PUBLIC_BASE_URL must be an http or https address."),
        ("TRUSTED_PROXIES", "-1", "TRUSTED_PROXIES must be a whole number up to 10, not '-1'."),
    ],
)
def test_unknown_value_refuses_to_start_with_one_sentence(tmp_path, name, value, sentence):
    result = manage(tmp_path, "check", **{name: value})
    assert result.returncode == 1
    assert result.stderr.startswith(sentence)
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is needed when DEMO=0"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short or a known example."),
        ({"SECRET_KEY": "django-insecure-" + "k" * 50}, "SECRET_KEY is too short or a known"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name the hosts when DEMO=0"),
        ({"ALLOWED_HOSTS": ""}, "ALLOWED_HOSTS must name the hosts when DEMO=0"),
        ({"PUBLIC_BASE_URL": "http://cx.bank.example"}, "PUBLIC_BASE_URL must be https"),
    ],
)
def test_production_refuses_what_is_unsafe(tmp_path, change, sentence):
    result = manage(tmp_path, "check", **SAFE | change)
    assert result.returncode == 1
    assert result.stderr.startswith(sentence)


def test_production_with_safe_settings_passes_the_deploy_check(tmp_path):
    result = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **SAFE)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"EMAIL_URL": "smtp://127.0.0.1:8025"}, "cxportal.E005"),
        ({"DATABASE_URL": "postgres://cx:postgres@db.bank.example/cx"}, "cxportal.E001"),
    ],
)
def test_deploy_check_refuses_defaults_of_other_parts(tmp_path, change, code):
    result = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **SAFE | change)
    assert result.returncode == 1
    assert code in result.stderr


def test_deploy_check_refuses_the_state_folder_of_the_demo(tmp_path):
    (tmp_path / "accounts.json").write_text("[]")
    result = manage(tmp_path, "check", "--deploy", "--fail-level", "WARNING", **SAFE)
    assert result.returncode == 1
    assert "cxportal.E003" in result.stderr


def test_secret_key_of_the_demo_is_made_once_for_its_owner_alone(tmp_path):
    show = ("shell", "-v0", "-c", "from django.conf import settings; print(settings.SECRET_KEY)")
    first, second = manage(tmp_path, *show), manage(tmp_path, *show)
    assert first.stdout == second.stdout
    assert len(first.stdout.strip()) > 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_cookies_of_two_installations_on_one_host_differ(tmp_path):
    show = "from django.conf import settings; print(settings.SESSION_COOKIE_NAME)"
    names = {manage(tmp_path, "shell", "-v0", "-c", show, PORT=port).stdout for port in "12"}
    assert names == {"p1-session\n", "p2-session\n"}
