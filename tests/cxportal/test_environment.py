"""What the settings derive from an address."""

from pathlib import Path

import pytest

from cxportal import environment


@pytest.mark.parametrize(
    ("broker", "cache"),
    [
        ("redis://host:6379/0", "redis://host:6379/1"),
        ("redis://host:6379/1", "redis://host:6379/0"),
        ("redis://host:6379", "redis://host:6379/1"),
        ("redis://host/", "redis://host/1"),
        ("rediss://user:pass@host:6380/14", "rediss://user:pass@host:6380/15"),
        ("redis+socket:///run/x.sock", "unix:///run/x.sock?db=1"),
    ],
)
def test_cache_is_never_the_database_of_the_queue(broker, cache):
    assert environment.cache_of(broker) == cache


def test_relative_file_of_the_database_lies_under_the_root():
    config = environment.database("sqlite:///var/db.sqlite3", root=Path("/srv/cx"))
    assert config["NAME"] == "/srv/cx/var/db.sqlite3"
    assert config["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_postgres_has_time_limits_and_checks_its_connections():
    config = environment.database("postgres://cx:pw@db.example:5433/cx", root=Path("/srv/cx"))
    assert (config["HOST"], config["PORT"], config["NAME"]) == ("db.example", 5433, "cx")
    assert config["CONN_HEALTH_CHECKS"] is True
    assert "statement_timeout=15000" in config["OPTIONS"]["options"]
