"""A thousand events of cases as a bank reports them: out of order, twice, late and corrected."""

import csv
import random
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command

from clients import consent
from clients.models import Milestone, Party
from cxportal import reference
from surveys import sending, triggers
from surveys.models import Invitation, Occasion
from tests.factories import make_case, make_client, make_contact
from tests.sinks import Sink

pytestmark = pytest.mark.django_db
LOADED = datetime(2026, 10, 25, tzinfo=UTC)
PATH = (
    ("enquiry", ""),
    ("application", "application_submitted"),
    ("due_diligence", "application_accepted"),
    ("risk_review", "report_submitted"),
    ("approval", "review_passed"),
    ("approved", "approval_communicated"),
    ("contracting", "offer_accepted"),
    ("conditions_precedent", "contract_signed"),
    ("disbursed", "first_drawdown"),
    ("extension_review", "extension_requested"),
    ("disbursed", "extension_granted"),
    ("settled", "final_repayment"),
)
OLD = 84
# The day of the report, number, case, code, event, day of the event.
NEW = [
    (10, "R01", "R-01", "approved", "approval_communicated", 16),
    (10, "R02", "R-02", "approved", "approval_communicated", 20),
    (10, "R03", "R-03", "disbursed", "first_drawdown", 17),
    # Two events of one loan ask two people.
    (10, "R04a", "R-04", "approved", "approval_communicated", 16),
    (20, "R04b", "R-04", "disbursed", "first_drawdown", 19),
    # Back-dated.
    (18, "R05", "R-05", "approved", "approval_communicated", 13),
    # Corrected before it is due, and after somebody was asked.
    (18, "R06", "R-06", "approved", "approval_communicated", 18),
    (19, "R06", "R-06", "approved", "approval_communicated", 19),
    (16, "R07", "R-07", "approved", "approval_communicated", 16),
    (20, "R07", "R-07", "approved", "approval_communicated", 19),
    # Opened again and approved again.
    (16, "R08a", "R-08", "approved", "approval_communicated", 16),
    (19, "R08b", "R-08", "risk_review", "returned_for_review", 18),
    (20, "R08c", "R-08", "approval", "review_passed", 19),
    (20, "R08d", "R-08", "approved", "approval_communicated", 20),
    # Declined, and another loan of the same client.
    (12, "R09", "R-09", "declined", "approval_refused", 12),
    (17, "R10", "R-10", "approved", "approval_communicated", 17),
    # Of a client under a hold.
    (17, "R11", "R-11", "approved", "approval_communicated", 17),
    # Settled in peace, and after trouble.
    (16, "R12", "R-12", "settled", "final_repayment", 16),
    (11, "R13a", "R-13", "overdue", "payment_missed", 10),
    (16, "R13b", "R-13", "settled", "final_repayment", 16),
    # Reported when the link would have ended.
    (23, "R14", "R-14", "approved", "approval_communicated", 2),
    # The same report twice, and the same event under another number.
    (18, "R15", "R-15", "approved", "approval_communicated", 18),
    (19, "R15", "R-15", "approved", "approval_communicated", 18),
    (20, "R15x", "R-15", "approved", "approval_communicated", 18),
    # Without the event, which only one step can mean.
    (18, "R16a", "R-16", "approval", "review_passed", 16),
    (18, "R16b", "R-16", "approved", "", 18),
    # A project deal.
    (12, "P1", "PF-01", "approved", "approval_communicated", 12),
    (18, "P2", "PF-01", "financial_close", "", 16),
    (18, "P3", "PF-01", "construction_start", "", 16),
]
# Case, what was reached, who the contact is for in the deal, language, due on.
EXPECTED = [
    ("PF-01", "P1", "borrower_spv", "zh", date(2026, 11, 16)),
    ("PF-01", "P1", "sponsor", "en", date(2026, 11, 16)),
    ("PF-01", "P2", "borrower_spv", "en", date(2026, 11, 23)),
    ("PF-01", "P2", "borrower_spv", "zh", date(2026, 11, 23)),
    ("R-01", "R01", "borrower", "zh", date(2026, 11, 17)),
    ("R-02", "R02", "borrower", "en", date(2026, 11, 23)),
    ("R-03", "R03", "borrower", "en", date(2026, 11, 20)),
    ("R-04", "R04a", "borrower", "en", date(2026, 11, 17)),
    ("R-04", "R04b", "borrower", "zh", date(2026, 11, 24)),
    ("R-05", "R05", "borrower", "zh", date(2026, 11, 16)),
    ("R-06", "R06", "borrower", "en", date(2026, 11, 20)),
    ("R-07", "R07", "borrower", "zh", date(2026, 11, 17)),
    ("R-08", "R08a", "borrower", "en", date(2026, 11, 17)),
    ("R-12", "R12", "borrower", "en", date(2026, 11, 23)),
    ("R-15", "R15", "borrower", "zh", date(2026, 11, 19)),
    ("R-16", "R16b", "borrower", "en", date(2026, 11, 19)),
]


def make_bank():
    """Clients and cases; the language of a person goes by the number of the loan."""
    reference.load(LOADED)
    for number in range(1, OLD + 1):
        client = make_client(f"OLD{number:03d}")
        make_contact(client, job_role="cfo")
        make_case(client, number=f"O-{number:03d}", opened_on=date(2024, 1, 2))
    same = None
    for number in range(1, 17):
        client = same if number == 10 else make_client(f"NEW{number:02d}")
        same = client
        if number != 10:
            even = number % 2 == 0
            make_contact(client, job_role="cfo", language="en" if even else "zh")
            make_contact(client, job_role="treasury_officer", language="zh" if even else "en")
        make_case(client, number=f"R-{number:02d}")
        if number == 11:
            consent.freeze(client, "compliance_hold", cause="1", at=LOADED)
    make_deal()


def make_deal():
    spv = make_client("SPV")
    for job, language in (("cfo", "zh"), ("legal_counsel", "zh"), ("project_director", "en")):
        make_contact(spv, job_role=job, language=language)
    case = make_case(spv, number="PF-01", kind="project_finance", name="苍屿项目")
    parties = (
        ("sponsor", "sponsor_representative"),
        ("agent_bank", "cfo"),
        ("adviser", "project_director"),
    )
    for role, job in parties:
        client = make_client(role)
        make_contact(client, job_role=job, language="en")
        Party.objects.create(case=case, role=role, client=client)


def make_files(folder):
    """One file for each day of November; what is old comes on any of these days."""
    dice = random.Random(7)
    files = {day: [] for day in range(10, 28)}
    for number in range(1, OLD + 1):
        for step, (code, event) in enumerate(PATH):
            at = datetime(2024, 1, 2, 1, tzinfo=UTC) + timedelta(days=9 * step + number % 5)
            row = [f"O{number}-{step}", f"O-{number:03d}", code, event, at.isoformat()]
            files[dice.choice(list(files))].append(row)
    for told, number, case, code, event, day in NEW:
        at = datetime(2026, 11, day, 6, tzinfo=UTC)
        files[told].append([number, case, code, event, at.isoformat()])
    for day, rows in files.items():
        dice.shuffle(rows)
        with (folder / f"{day}.csv").open("w", newline="", encoding="utf-8") as file:
            write = csv.writer(file).writerows
            write([["external_id", "case_number", "code", "event", "occurred_at"], *rows])
    return {day: folder / f"{day}.csv" for day in files}


def take(path):
    call_command("import_file", "milestones", str(path), "--apply", verbosity=0)


def told():
    rows = Invitation.objects.filter(state="invited").select_related(
        "case", "milestone", "occasion", "client"
    )
    roles = dict(Party.objects.values_list("client", "role"))
    found = []
    for row in rows:
        own = "borrower_spv" if row.case.kind == "project_finance" else "borrower"
        due = row.occasion.due_at + timedelta(hours=8)
        role = roles.get(row.client_id, own)
        found.append((row.case.number, row.milestone.external_id, role, row.language, due.date()))
    return sorted(found)


def test_a_thousand_events_ask_exactly_whom_the_list_names(tmp_path, settings):
    make_bank()
    files = make_files(tmp_path)
    with Sink() as sink:
        settings.EMAIL_URL = sink.url
        for day, path in files.items():
            take(path)
            for hour in (2, 3):
                at = datetime(2026, 11, day, hour, tzinfo=UTC)
                triggers.invite_due(at)
                sending.drain(clock=lambda at=at: at)
        assert told() == EXPECTED
        assert len(sink.recipients) == len(EXPECTED)
        for path in files.values():
            take(path)
        triggers.invite_due(datetime(2026, 11, 30, 2, tzinfo=UTC))
        assert sending.drain(clock=lambda: datetime(2026, 11, 30, 2, tzinfo=UTC)).sent == 0
    assert told() == EXPECTED
    assert Invitation.objects.count() == len(EXPECTED)
    assert OLD * len(PATH) + len(NEW) > 1000
    reasons = Counter(Occasion.objects.filter(state="passed").values_list("reason", flat=True))
    assert reasons == {
        # What lies years back leaves no trace.
        "too_old": 1,
        "already_asked": 2,
        "no_eligible_contact": 2,
        "after_overdue": 1,
    }
    assert Milestone.objects.count() == OLD * len(PATH) + len({row[1] for row in NEW})
