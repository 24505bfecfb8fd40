import re
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils.translation import gettext_lazy

from bank import audit, words
from bank.models import AuditEntry
from tests.factories import NOW, make_team, make_user

pytestmark = pytest.mark.django_db


def note(count: int, act: str = "thing.do") -> None:
    for number in range(count):
        audit.record(act, f"thing:{number}", at=NOW, data={"n": number})


def sql(text: str, *args: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, args)


def test_record_names_the_person_the_thing_and_the_act():
    lan = make_user("lan", "relationship_manager")
    team = make_team("EAST")
    entry = audit.record("team.add", team, at=NOW, by=lan, data={"code": "EAST"})
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_label, entry.at) == (lan, "lan", NOW)
    assert (entry.act, entry.subject_type, entry.subject_id) == ("team.add", "team", str(team.pk))
    assert (entry.data, entry.number, entry.digest) == ({"code": "EAST"}, None, "")


def test_record_without_a_person_names_the_system():
    assert audit.record("clock.tick", "clock:1", at=NOW).actor_label == "system"


def test_record_takes_dates_decimals_and_lazy_texts():
    data = {"on": NOW.date(), "at": NOW, "sum": Decimal("1.50"), "word": gettext_lazy("team")}
    entry = audit.record("x", "x:1", at=NOW, data=data)
    assert entry.data["on"] == "2026-11-24"
    assert entry.data["sum"] == "1.50"
    assert isinstance(entry.data["word"], str)


def test_record_vanishes_with_the_transaction_of_the_act():
    with transaction.atomic():
        audit.record("x", "x:1", at=NOW)
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == 0


def test_chain_numbers_and_links_in_order_and_only_once():
    note(3)
    assert (audit.chain(), audit.chain()) == (3, 0)
    rows = list(AuditEntry.objects.order_by("id").values_list("number", "previous", "digest"))
    assert [row[0] for row in rows] == [1, 2, 3]
    assert rows[0][1] == audit.FIRST
    assert [row[1] for row in rows[1:]] == [row[2] for row in rows[:-1]]


def test_chain_of_nothing_costs_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        audit.chain()


def test_chain_goes_on_where_it_ended():
    note(2)
    audit.chain()
    note(2)
    audit.chain()
    assert audit.verify(at=NOW) == audit.Verdict(checked=4, broken=None, late=0)


def test_verify_of_an_empty_trail_holds():
    assert audit.verify(at=NOW) == audit.Verdict(checked=0, broken=None, late=0)


def test_verify_chains_what_waits_first():
    note(2)
    assert audit.verify(at=NOW).checked == 2


def test_verify_counts_entries_that_waited_too_long():
    note(2)
    assert audit.verify(at=NOW + timedelta(seconds=11)).late == 2
    assert audit.verify(at=NOW + timedelta(seconds=11)).late == 0


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE bank_auditentry SET act = 'other' WHERE number = 2",
        "UPDATE bank_auditentry SET actor_label = 'bo' WHERE number = 2",
        "UPDATE bank_auditentry SET subject_id = '99' WHERE number = 2",
        "UPDATE bank_auditentry SET data = '{\"n\": 7}' WHERE number = 2",
        "UPDATE bank_auditentry SET digest = previous WHERE number = 2",
        "UPDATE bank_auditentry SET number = 77 WHERE number = 2",
        "DELETE FROM bank_auditentry WHERE number = 2",
    ],
)
def test_verify_finds_an_edit_and_a_deletion_by_sql(edit):
    note(4)
    audit.chain()
    sql(edit)
    assert audit.verify(at=NOW) == audit.Verdict(checked=1, broken=2, late=0)


def test_verify_finds_a_changed_time():
    note(3)
    audit.chain()
    AuditEntry.objects.filter(number=3).update(at=NOW + timedelta(days=1))
    assert audit.verify(at=NOW).broken == 3


def test_verify_finds_a_changed_person():
    lan, bo = make_user("lan", "relationship_manager"), make_user("bo", "relationship_manager")
    audit.record("x", "x:1", at=NOW, by=lan)
    audit.chain()
    AuditEntry.objects.update(actor=bo)
    assert audit.verify(at=NOW).broken == 1


def test_verify_finds_entries_cut_off_at_the_end():
    note(4)
    audit.chain()
    sql("DELETE FROM bank_auditentry WHERE number > 2")
    assert audit.verify(at=NOW) == audit.Verdict(checked=2, broken=3, late=0)


def test_verify_finds_a_cut_end_that_new_entries_have_buried():
    note(4)
    audit.chain()
    sql("DELETE FROM bank_auditentry WHERE number > 2")
    note(5)
    audit.chain()
    assert audit.verify(at=NOW) == audit.Verdict(checked=2, broken=3, late=0)


def test_chain_goes_on_when_the_note_of_its_end_is_lost():
    note(2)
    audit.chain()
    sql("DELETE FROM bank_setting")
    note(1)
    assert audit.verify(at=NOW) == audit.Verdict(checked=3, broken=None, late=0)


def test_digest_does_not_depend_on_the_zone_of_the_time():
    audit.record("x", "x:1", at=datetime.fromisoformat("2026-11-24T10:00:00.000123+08:00"))
    audit.chain()
    assert AuditEntry.objects.get().at == datetime(2026, 11, 24, 2, 0, 0, 123, tzinfo=UTC)
    assert audit.verify(at=NOW).broken is None


def test_chain_is_written_in_batches(monkeypatch):
    monkeypatch.setattr(audit, "BATCH", 2)
    note(5)
    assert [audit.chain() for _ in range(4)] == [2, 2, 1, 0]
    assert audit.verify(at=NOW).checked == 5


@pytest.mark.django_db(transaction=True)
def test_writers_side_by_side_make_one_chain():
    # SQLite lets one thread of an in-memory database write; the race is PostgreSQL's.
    if connection.vendor != "postgresql":
        pytest.skip("needs PostgreSQL")
    start = threading.Barrier(4)
    errors: list[BaseException] = []

    def work(name: str) -> None:
        try:
            start.wait()
            for _ in range(25):
                with transaction.atomic():
                    note(2, act=name)
                audit.chain()
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert audit.verify(at=NOW) == audit.Verdict(checked=200, broken=None, late=0)


def test_command_says_how_many_hold(capsys):
    note(2)
    call_command("verify_audit")
    assert capsys.readouterr().out == "2 entries hold.\n"


def test_command_exits_1_with_the_first_broken_number(capsys):
    note(3)
    audit.chain()
    sql("UPDATE bank_auditentry SET act = 'x' WHERE number = 2")
    with pytest.raises(SystemExit) as exit_:
        call_command("verify_audit")
    assert exit_.value.code == 1
    assert "entry 2;" in capsys.readouterr().out


def test_command_warns_of_late_entries(capsys):
    note(1)
    call_command("verify_audit")
    # The entry is dated NOW, the command asks the real clock.
    assert ("Warning: 1 entries" in capsys.readouterr().err) == (
        datetime.now(UTC) > NOW + timedelta(seconds=10)
    )


def test_every_act_that_the_product_records_has_words():
    root = Path(__file__).parents[2]
    found = set()
    for app in ("bank", "clients", "surveys", "metrics", "cxportal"):
        for path in (root / app).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            found |= set(re.findall(r'(?:audit\.record\(|_decide\(\w+, )\s*"([\w.]+)"', text))
    assert len(found) > 20
    assert found - set(words.ACTS) == set()
