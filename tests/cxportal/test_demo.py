"""The demo bank is the same everywhere, and the product shows the truths planted in it."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from stdnum.cn import uscc

from bank.models import AuditEntry, User
from clients.models import Client, Contact
from cxportal import demo
from cxportal.demo import names
from cxportal.demo.streams import Plan
from metrics import queries
from surveys import governance
from surveys.models import Answer, Invitation, Response
from tests import factories

AS_OF = date(2026, 11, 24)
AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
# Rows and digest of the small bank for the default seed: a change here is a change of the demo.
GOLDEN = {
    "client": 120,
    "contact": 391,
    "case": 196,
    "milestone": 2746,
    "invitation": 1688,
    "response": 503,
}


@pytest.fixture(scope="module")
def generated(django_db_setup, django_db_blocker):
    """The bank, generated once for this module inside a transaction that is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("load_reference", verbosity=0)
        yield demo.seed(size="small", number=20_261_124, as_of=AS_OF, at=AT)
        transaction.set_rollback(True)


@pytest.fixture
def bank(generated, db) -> demo.Seeded:
    return generated


def _digest() -> str:
    rows = Answer.objects.order_by("response__response_id", "question__key").values_list(
        "response__response_id", "response__submitted_at", "question__key", "value", "text"
    )
    return hashlib.sha256(repr(list(rows)).encode()).hexdigest()[:16]


def test_small_bank_has_the_golden_rows_and_running_twice_changes_nothing(bank):
    first = _digest()
    again = demo.seed(size="small", number=20_261_124, as_of=AS_OF, at=AT)
    assert bank.rows == GOLDEN
    assert (again.made, again.rows, _digest()) == (False, GOLDEN, first)


def test_flushed_and_generated_again_it_is_the_same_bank(bank):
    first = _digest()
    demo.flush(at=AT)
    assert Client.objects.count() == Response.objects.count() == Invitation.objects.count() == 0
    demo.seed(size="small", number=20_261_124, as_of=AS_OF, at=AT)
    assert _digest() == first


def test_t3_both_giants_are_detractors_and_the_client_nps_stays_positive(bank):
    figures = queries.figures("bank", 0, period="rolling12m")
    assert 12 <= figures["nps"].value <= 30
    for code in ("C000001", "C000002"):
        giant = Client.objects.get(code=code)
        shown = queries.figures("client", giant.pk, period="rolling12m")
        assert shown["client_label"].label == "detractor"
        assert shown["recommend_mean"].n >= 3


def test_t4_thirty_one_percent_of_the_other_clients_are_silent(bank):
    since = AT - timedelta(days=365)
    others = Client.objects.exclude(code__in=["C000001", "C000002"])
    heard = Response.objects.filter(submitted_at__gte=since).values("client")
    silent = others.exclude(pk__in=heard).count()
    assert abs(100 * silent / others.count() - 31.0) <= 0.5
    nps = queries.figures("bank", 0, period="rolling12m")["nps"]
    assert nps.eligible == 120
    assert abs(100 * nps.coverage - 69) <= 1


def test_t9_exactly_three_answers_are_zero_and_count_as_detractors(bank):
    zeros = Answer.objects.filter(question__type="nps", value=0)
    assert zeros.count() == 3
    counts = queries.figures("bank", 0, period="rolling12m")["nps_respondent"].detail
    assert counts["counts"][0] == 3
    assert counts["detractors"] == sum(counts["counts"][:7])


def test_twenty_contacts_of_the_first_manager_are_free_to_be_asked_today(bank):
    contacts = list(Contact.objects.filter(client__manager__username="lan").order_by("pk"))
    refused = governance.refusals(contacts, at=AT)
    assert len([contact for contact in contacts if contact.pk not in refused]) >= 20


def test_named_accounts_stand_where_the_tours_expect_them(bank):
    rows = {u.username: (u.role, u.team.code if u.team else None) for u in User.objects.all()}
    assert rows["lan"] == rows["bo"] == ("relationship_manager", "BR-ZJ")
    assert rows["chen"] == ("relationship_manager", "BR-GD")
    assert rows["mu"] == ("supervisor", "BR-ZJ")
    assert rows["qiu"] == ("auditor", None)
    assert rows["admin"] == rows["admin2"] == ("administrator", None)


def test_heyu_answered_its_first_drawdown_with_six(bank):
    client = Client.objects.get(short_name="禾屿海上风电")
    assert client.manager.username == "lan"
    answer = Answer.objects.get(
        response__invitation__case__number="PF-2026-0147", question__key="nps"
    )
    assert (answer.value, answer.response.contact.name) == (6, "程述安")


def test_every_address_is_invented(bank):
    assert not Contact.objects.exclude(email__endswith=".example").exists()


def test_each_table_leaves_one_line_in_the_audit_trail(bank):
    assert AuditEntry.objects.filter(act="demo.seed").count() == 6


def test_a_database_with_clients_of_its_own_is_left_alone(bank):
    demo.flush(at=AT)
    factories.make_client("REAL")
    with pytest.raises(CommandError, match="clients of its own"):
        call_command("seed_demo")


def test_another_seed_is_refused_while_a_demo_bank_is_here(bank):
    with pytest.raises(CommandError, match="--flush"):
        call_command("seed_demo", "--seed", "7")


def test_streams_do_not_depend_on_each_other():
    plan = Plan("small", 1, AS_OF)
    first = plan.stream("client", 5).random()
    plan.stream("client", 4).random()
    assert plan.stream("client", 5).random() == first


def test_credit_codes_are_valid_in_form():
    plan = Plan("small", 1, AS_OF)
    codes = [names.credit_code(plan.stream("uscc", number), "33") for number in range(200)]
    assert [code for code in codes if not uscc.is_valid(code)] == []
