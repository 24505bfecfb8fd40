import pytest

from bank import audit, tasks
from bank.models import AuditEntry
from tests.factories import NOW


@pytest.mark.django_db
def test_chain_audit_numbers_what_waits():
    audit.record("x", "x:1", at=NOW)
    tasks.chain_audit.delay()
    assert AuditEntry.objects.get().number == 1
