"""The demo bank is the same everywhere, and the product shows the truths planted in it."""

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.db.models import F
from stdnum.cn import uscc

from bank import workdays
from bank.models import AuditEntry, Team, User
from clients.models import (
    Client,
    Contact,
    ExchangeRate,
    Facility,
    FacilityBalance,
    Outage,
    Party,
    Statement,
    Touchpoint,
    Transaction,
)
from cxportal import demo
from cxportal.demo import acceptance, answering, names, seeding, truths
from cxportal.demo.streams import Plan
from metrics import queries, references
from metrics.facts import answers
from metrics.facts.where import Where
from metrics.formulas import periods
from surveys import governance
from surveys.models import Answer, Delivery, Hit, Invitation, Response, Version
from tests import factories

AS_OF = date(2026, 11, 24)
AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
GOLDEN = Path(__file__).with_name("demo_golden.json")
SMALL = {"size": "small", "number": 20_261_124, "as_of": AS_OF, "at": AT}


@pytest.fixture(scope="module")
def generated(django_db_setup, django_db_blocker):
    """The bank, generated once for this module inside a transaction that is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("load_reference", verbosity=0)
        yield demo.seed(**SMALL)
        transaction.set_rollback(True)


@pytest.fixture
def bank(generated, db) -> demo.Seeded:
    return generated


def _digest() -> dict[str, str]:
    """A digest by table of what matters in it, in an order that no database decides."""
    own = Touchpoint.objects.exclude(event_id__startswith="cx:")
    tables = {
        "answer": Answer.objects.values_list(
            "response__response_id", "response__submitted_at", "question__key", "value", "text"
        ),
        "balance": FacilityBalance.objects.values_list(
            "facility__number", "as_of", "limit", "drawn", "facility__currency"
        ),
        "transaction": Transaction.objects.values_list(
            "external_id", "client__code", "kind", "amount", "booked_at", "days_past_due"
        ),
        "touchpoint": own.values_list(
            "event_id", "client__code", "contact__external_id", "kind", "at", "quantity"
        ),
        "invitation": Invitation.objects.values_list(
            "uuid", "contact__external_id", "state", "reason", "sent_at", "milestone__external_id"
        ),
        "statement": Statement.objects.values_list(
            "client__code", "period_end", "total_assets", "equity", "cfo", "cfi", "cff"
        ),
    }
    return {name: _sha(sorted(map(repr, rows))) for name, rows in tables.items()}


def _sha(rows: list[str]) -> str:
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()[:16]


def test_small_bank_has_the_golden_rows_and_running_twice_changes_nothing(bank):
    golden = json.loads(GOLDEN.read_text())
    again = demo.seed(**SMALL)
    assert (again.made, again.rows) == (False, bank.rows)
    assert {"suffix": bank.suffix, "rows": bank.rows, "digest": _digest()} == golden


def test_every_planted_truth_is_shown(bank):
    assert bank.missed == []


def test_flushed_and_generated_again_it_is_the_same_bank(bank):
    first = _digest()
    demo.flush(at=AT)
    assert {model._meta.model_name: model.objects.count() for model in seeding.COUNTED} == {
        model._meta.model_name: 0 for model in seeding.COUNTED
    }
    assert not Version.objects.filter(number=0).exists()
    assert references.newest() is None
    demo.seed(**SMALL)
    assert _digest() == first


def test_flush_leaves_what_is_not_the_demonstrations_own(bank):
    ExchangeRate.objects.create(currency="JPY", as_of=AS_OF, rate=Decimal("0.046"))
    demo.flush(at=AT)
    assert [row.currency for row in ExchangeRate.objects.all()] == ["JPY"]


def test_a_truth_that_no_drawing_shows_is_told_and_the_best_drawing_stands(monkeypatch):
    written: list[str] = []
    faults = {"": ["T0: one", "T0: two"], "/1": ["T0: two"], "/2": ["T0: one", "T0: two"]}
    monkeypatch.setattr(seeding, "REDRAWS", 2)
    monkeypatch.setattr(answering, "make_replies", lambda *_args: [])
    monkeypatch.setattr(truths, "missed", lambda plan, *_args: faults[plan.suffix])
    monkeypatch.setattr(acceptance, "missed", lambda _plan: [])
    monkeypatch.setattr(seeding, "_write", lambda plan, *_args: written.append(plan.suffix))
    bank = seeding._Bank([], [], {}, {}, {})
    assert seeding._say(Plan("small", 1, AS_OF), bank) == ("/1", ["T0: two"])
    assert written == ["/1"]


def test_t1_approval_is_the_weakest_stage_by_far(bank):
    year = periods.parse("rolling12m", as_of=AT, zone="Asia/Shanghai")
    shares = {}
    for stage in ("approval", "conditions_precedent", "disbursed"):
        found = answers.sums(year, "transactional", where=Where(stage=stage))
        n = found.count("processing_efficiency_n")
        assert n >= 5
        shares[stage] = 100 * found.count("processing_efficiency_top") / n
    here = shares.pop("approval")
    assert 58 <= here <= 70
    assert min(shares.values()) - here >= 12


def test_t3_both_giants_are_detractors_and_the_client_nps_stays_positive(bank):
    figures = queries.figures("bank", 0, period="rolling12m")
    assert 12 <= figures["nps"].value <= 30
    assert figures["nps"].value - figures["nps_exposure"].value >= 15
    for code in ("C000001", "C000002"):
        giant = Client.objects.get(code=code)
        shown = queries.figures("client", giant.pk, period="rolling12m")
        assert shown["client_label"].label == "detractor"
        assert shown["recommend_mean"].n >= 3


def test_each_giant_holds_an_eighth_of_the_book_and_nobody_else_a_fiftieth(bank):
    book: dict[str, Decimal] = {}
    rates = {"CNY": Decimal(1)}
    for row in ExchangeRate.objects.order_by("as_of"):
        rates[row.currency] = row.rate
    for row in Facility.objects.filter(ends_on__gte=AS_OF).select_related("client"):
        amount = row.limit * rates[row.currency]
        book[row.client.code] = book.get(row.client.code, Decimal(0)) + amount
    whole = sum(book.values())
    shares = sorted((100 * amount / whole for amount in book.values()), reverse=True)
    assert [round(share) for share in shares[:2]] == [12, 12]
    assert shares[2] <= Decimal("2.01")


def test_each_giant_has_a_case_behind_its_facilities(bank):
    assert all(Client.objects.get(code=code).cases.exists() for code in acceptance.GIANTS)


def test_the_dimensions_of_satisfaction_hang_together_at_the_bank(bank):
    for period in ("rolling12m", "rolling90", "2026Q4"):
        found = queries.figures("bank", 0, period=period)["csat"]
        assert (found.gate, found.detail["alpha"] > 0.7) == ("", True)


def test_t4_thirty_one_percent_of_the_exposure_is_silent_and_no_giant_among_it(bank):
    figures = queries.figures("bank", 0, period="rolling12m")
    assert 0.305 <= figures["silent_exposure"].value <= 0.315
    assert 0.685 <= figures["coverage_exposure"].value <= 0.695
    held = figures["silent_exposure"].detail
    assert held["amount"] / held["exposure"] == figures["silent_exposure"].value
    giants = Response.objects.standing().filter(client__code__in=["C000001", "C000002"])
    year = periods.parse("rolling12m", as_of=AT, zone="Asia/Shanghai")
    spoken = giants.filter(submitted_at__gte=year.start).values_list("client__code", flat=True)
    assert set(spoken) == {"C000001", "C000002"}


def test_t10_the_smallest_branch_does_not_show_its_project_finance(bank):
    team = Team.objects.get(code="BR-SN")
    parts = queries.parts("team", team.pk, period="rolling12m", metric="nps")
    cell = parts["segment=project_finance"]
    assert (cell.n, cell.value) == (4, None)
    assert parts["segment=corporate"].value is None


def test_t6_no_gateway_answers_and_its_hits_are_most_of_all(bank):
    machines = Hit.objects.filter(address__startswith="192.0.2.") | Hit.objects.filter(
        address__startswith="198.51.100."
    )
    opened = Hit.objects.filter(method="GET")
    assert not machines.filter(method="POST").exists()
    assert opened.count() >= 5 * opened.exclude(pk__in=machines).count()
    clicks = Touchpoint.objects.filter(kind="message_click")
    people = Hit.objects.filter(person=True).values("invitation").distinct()
    assert not machines.filter(person=True).exists()
    assert clicks.count() == people.count()


def test_t7_the_old_wave_is_a_series_of_its_own(bank):
    old = Answer.objects.filter(question__version__number=0)
    assert set(old.values_list("question__type", flat=True)) == {"rating"}
    assert set(old.values_list("response__channel", flat=True)) == {"import"}
    days = old.values_list("response__submitted_at", flat=True)
    assert (min(days) >= datetime(2024, 4, 14, tzinfo=UTC), max(days).month) == (True, 4)


def test_t9_exactly_three_answers_are_zero_and_count_as_detractors(bank):
    zeros = Answer.objects.filter(question__type="nps", value=0, response__retracted_at=None)
    assert zeros.count() == 3
    counts = queries.figures("bank", 0, period="rolling12m")["nps_respondent"].detail
    assert counts["counts"][0] == 3
    assert counts["detractors"] == sum(counts["counts"][:7])


def test_t13_answers_stay_with_the_earlier_employer(bank):
    moved = Response.objects.exclude(client=F("contact__client")).filter(contact__isnull=False)
    mover = Contact.objects.get(pk__in=moved.values("contact"))
    given = mover.responses.order_by("submitted_at").values_list("client__code", flat=True)
    assert given[0] != mover.client.code
    assert given.last() == mover.client.code


def test_mails_leave_on_working_days_within_the_windows_only(bank):
    calendar = workdays.calendar()
    zone = ZoneInfo("Asia/Shanghai")
    windows = [["09:30", "11:00"], ["14:30", "16:30"]]
    sent = Delivery.objects.filter(sent_at__isnull=False).values_list("sent_at", flat=True)
    assert [at for at in sent if calendar.next_send(at, zone, windows) != at] == []


def test_nobody_is_asked_twice_within_ninety_days(bank):
    sent = Invitation.objects.filter(sent_at__isnull=False).exclude(
        client__short_name="禾屿海上风电"
    )
    exempt = {"complaint"}
    last: dict[int, datetime] = {}
    early = []
    for row in sent.order_by("sent_at", "pk"):
        if row.variables.get("survey_context") in exempt:
            continue
        before = last.get(row.contact_id)
        if before and row.sent_at - before < timedelta(days=90):
            early.append(row.uuid)
        last[row.contact_id] = row.sent_at
    assert early == []


def test_balance_sheets_add_up_and_flows_have_the_signs_of_a_stage(bank):
    rows = Statement.objects.all()
    wrong = [row for row in rows if row.total_assets != row.total_liabilities + row.equity]
    signs = {(row.cfo > 0, row.cfi > 0, row.cff > 0) for row in rows.filter(basis="annual")}
    assert wrong == []
    assert {(False, False, True), (True, False, True), (True, False, False)} <= signs


def test_project_deals_name_their_parties(bank):
    roles = set(Party.objects.filter(case__number="PF-2026-0147").values_list("role", flat=True))
    assert {"borrower_spv", "sponsor", "agent_bank", "lender_lead", "adviser"} <= roles


def test_nothing_is_logged_during_the_outage(bank):
    outage = Outage.objects.get(source="online")
    assert not Touchpoint.objects.filter(
        kind__in=["login", "page_view"], at__gte=outage.starts_at, at__lt=outage.ends_at
    ).exists()


def test_engagement_is_measured_by_the_banks_own_history(bank):
    frozen = references.newest()
    assert frozen is not None
    bank_wide = frozen.of("login", "corporate", "no such size")
    assert (bank_wide.segment, bank_wide.clients >= 30) == ("corporate", True)
    assert bank_wide.quarters == ["2025-12-31", "2026-03-31", "2026-06-30", "2026-09-30"]


def test_a_client_without_a_contract_never_signs_in(bank):
    without = Client.objects.filter(online_contract=False)
    assert without.exists()
    assert not Touchpoint.objects.filter(client__in=without, kind="login").exists()


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
    assert AuditEntry.objects.filter(act="demo.seed").count() == len(seeding.COUNTED)


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
