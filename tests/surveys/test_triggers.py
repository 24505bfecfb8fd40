"""Triggers: which event asks whom, when, in what order, and why somebody is not asked."""

import threading
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection, connections

from bank.models import AuditEntry
from clients import consent
from clients.models import ClientEvent, Contact, Milestone, Party, Product
from cxportal import reference
from surveys import clearance, occasions, picking, sending, triggers
from surveys.models import Delivery, Invitation, Occasion, Trigger
from tests.factories import (
    NOW,
    make_case,
    make_client,
    make_contact,
    make_invitation,
    make_response,
    make_touchpoint,
)
from tests.sinks import Sink

pytestmark = pytest.mark.django_db
MONDAY = NOW - timedelta(days=1)
LOADED = NOW - timedelta(days=30)  # the wave of October has begun before


@pytest.fixture
def model(db):
    """All reference data as shipped."""
    return reference.load(LOADED)


@pytest.fixture
def firm(model):
    """A borrower with three people who deal with loans, and a loan in approval."""
    client = make_client("ACME", short_name="安可")
    people = {
        job: make_contact(client, external_id=job, job_role=job, language=language)
        for job, language in (("cfo", "zh"), ("finance_manager", "en"), ("accountant", "zh"))
    }
    return SimpleNamespace(client=client, case=make_case(client, number="L-1"), **people)


def reach(case, code, at, event="", number=""):
    return Milestone.objects.create(
        external_id=number or f"{case.number}/{code}/{at:%Y%m%d%H%M}",
        case=case,
        code=code,
        event=event,
        occurred_at=at,
    )


def approve(case, at=MONDAY, **fields):
    return reach(case, "approved", at, "approval_communicated", **fields)


def asked(at=NOW):
    """Whom one pass asks, in order."""
    known = set(Invitation.objects.values_list("pk", flat=True))
    triggers.invite_due(at)
    new = Invitation.objects.exclude(pk__in=known).order_by("pk")
    return list(new.values_list("contact__external_id", flat=True))


def reason(**fields):
    return Occasion.objects.get(**fields).reason


def spoke(**fields):
    """What spoke against each contact on an occasion, without the day on which it is over."""
    rows = Occasion.objects.get(**fields).refused
    return {number: said["reason"] for number, said in rows.items()}


def tune(code, **fields):
    Trigger.objects.filter(code=code).update(**fields)


def test_approval_asks_the_first_of_the_roles_a_banking_day_later(firm):
    approved = approve(firm.case)
    assert asked(MONDAY) == []
    assert asked(NOW) == ["cfo"]
    invitation = Invitation.objects.get()
    assert (invitation.case, invitation.milestone) == (firm.case, approved)
    assert (invitation.state, invitation.language, invitation.campaign) == ("planned", "zh", None)
    assert invitation.version.questionnaire.key == "post_approval_loan"
    assert invitation.closes_at == NOW + timedelta(days=10)
    assert invitation.variables["case_no"] == "L-1"
    assert invitation.variables["event_date"] == {
        "zh": "2026 年 11 月 23 日",
        "en": "23 November 2026",
    }
    assert invitation.variables["survey_context"] == "credit_approval"
    delivery = invitation.deliveries.get()
    assert (delivery.state, delivery.next_try_at) == ("queued", NOW)
    occasion = invitation.occasion
    assert (occasion.state, occasion.refused) == ("asked", {})
    assert occasion.due_at == datetime(2026, 11, 23, 16, tzinfo=UTC)  # midnight in Shanghai
    entry = AuditEntry.objects.get(act="trigger.invite")
    assert entry.data == {"asked": {"TR02": 1}, "passed": {}}


def test_days_of_the_bank_count_and_the_mail_waits_for_its_hours(firm):
    approve(firm.case, at=datetime(2026, 9, 30, 7, tzinfo=UTC))  # then seven days off
    assert asked(datetime(2026, 10, 7, 8, tzinfo=UTC)) == []
    assert asked(datetime(2026, 10, 7, 16, tzinfo=UTC)) == ["cfo"]
    assert Delivery.objects.get().next_try_at == datetime(2026, 10, 8, 1, 30, tzinfo=UTC)


def test_the_next_in_line_is_asked_where_the_first_must_not_be(firm):
    consent.opt_out(firm.cfo, at=LOADED)
    approve(firm.case)
    assert asked() == ["finance_manager"]
    assert Invitation.objects.get().language == "en"
    assert Occasion.objects.get().refused == {"cfo": {"reason": "no_consent", "free_on": None}}


def test_nobody_is_asked_where_nobody_has_a_role_or_everybody_is_refused(model, firm):
    other = make_client()
    make_contact(other, job_role="other")
    approve(make_case(other))
    for contact in (firm.cfo, firm.finance_manager, firm.accountant):
        make_invitation(contact, sent_at=NOW - timedelta(days=10))
    approve(firm.case)
    assert asked() == []
    assert reason(client=other) == "no_contact"
    assert reason(client=firm.client) == "no_eligible_contact"
    recent = {"reason": "contact_cooldown", "free_on": "2027-02-12"}
    assert Occasion.objects.get(client=firm.client).refused == {
        "cfo": recent,
        "finance_manager": recent,
        "accountant": recent,
    }


def test_replay_and_another_report_of_the_same_event_ask_nobody_again(firm):
    approve(firm.case)
    assert asked() == ["cfo"]
    assert asked() == []
    approve(firm.case, number="again")
    assert asked() == []
    assert reason(milestone__external_id="again") == "already_asked"


def test_case_that_is_opened_again_asks_nobody_again(firm):
    approve(firm.case, at=NOW - timedelta(days=200))
    assert asked(NOW - timedelta(days=198)) == ["cfo"]
    approve(firm.case)
    assert asked() == []
    assert list(Occasion.objects.order_by("pk").values_list("reason", flat=True)) == [
        "",
        "already_asked",
    ]


def test_event_reported_late_is_asked_while_its_link_would_still_hold(firm):
    late = approve(firm.case, at=NOW - timedelta(days=8))
    older = approve(make_case(firm.client), at=NOW - timedelta(days=20))
    assert asked() == ["cfo"]
    assert Invitation.objects.get().milestone == late
    assert reason(milestone=older) == "too_old"


def test_correction_moves_what_is_undecided_and_nothing_else(firm):
    milestone = approve(firm.case, at=NOW)
    assert asked() == []
    for day in (3, 1):
        Milestone.objects.update(occurred_at=NOW + timedelta(days=day))
        assert asked(NOW + timedelta(days=1, hours=1)) == []
    assert asked(NOW + timedelta(days=3)) == ["cfo"]
    Milestone.objects.update(occurred_at=NOW + timedelta(days=2))
    assert asked(NOW + timedelta(days=4)) == []
    assert Occasion.objects.get(milestone=milestone).happened_at == NOW + timedelta(days=1)


def test_wrong_year_that_is_mended_is_asked_after_all(firm):
    milestone = approve(firm.case, at=NOW - timedelta(days=365))
    assert asked() == []
    assert Occasion.objects.count() == 0  # of what is long past, nothing is kept
    Milestone.objects.filter(pk=milestone.pk).update(occurred_at=NOW - timedelta(days=20))
    assert asked() == []
    assert reason() == "too_old"
    Milestone.objects.filter(pk=milestone.pk).update(occurred_at=MONDAY)
    assert asked() == ["cfo"]


def test_event_taken_back_before_it_is_due_asks_nobody(firm):
    milestone = approve(firm.case, at=NOW)
    assert asked() == []
    Milestone.objects.filter(pk=milestone.pk).update(
        occurred_at=None, planned_on=date(2026, 12, 1)
    )
    assert asked(NOW + timedelta(days=5)) == []
    assert Occasion.objects.count() == 0


def test_step_that_only_one_event_makes_needs_no_event(firm):
    reach(firm.case, "approval", NOW - timedelta(days=5))
    reach(firm.case, "approved", MONDAY)
    assert asked() == ["cfo"]
    assert Occasion.objects.get().event == "approval_communicated"


def test_step_that_several_events_make_is_no_trigger_without_its_event(firm):
    # Granted and refused lead the same way.
    reach(firm.case, "extension_review", NOW - timedelta(days=12))
    reach(firm.case, "disbursed", NOW - timedelta(days=6))
    assert asked() == []
    assert Occasion.objects.count() == 0


def test_loan_settled_after_trouble_is_not_asked(firm):
    reach(firm.case, "overdue", NOW - timedelta(days=30), "payment_missed")
    reach(firm.case, "settled", NOW - timedelta(days=10), "final_repayment")
    smooth = make_case(firm.client)
    reach(smooth, "settled", NOW - timedelta(days=10), "final_repayment")
    assert asked() == ["cfo"]
    assert reason(case=firm.case) == "after_overdue"
    assert Invitation.objects.get().case == smooth


@pytest.mark.parametrize("stage", ["declined", "overdue", "recovery"])
def test_client_with_a_declined_or_troubled_case_is_left_alone(firm, stage):
    make_case(firm.client, stage=stage, closed_on=date(2026, 11, 20))
    approve(firm.case)
    assert asked() == []
    code = "decline_freeze" if stage == "declined" else "overdue_or_recovery"
    assert set(spoke().values()) == {code}


def test_declined_case_leaves_alone_for_the_days_of_the_rule(firm):
    make_case(firm.client, stage="declined", closed_on=date(2026, 10, 20))
    approve(firm.case)
    assert asked() == ["cfo"]


def test_decline_is_asked_about_only_where_the_bank_has_switched_it_on(firm):
    reach(firm.case, "declined", NOW - timedelta(days=15), "approval_refused")
    firm.case.stage, firm.case.closed_on = "declined", date(2026, 11, 9)
    firm.case.save()
    assert asked() == []
    tune("TR11", is_active=True)
    firm.case.decline_reason = "repayment_capacity"
    firm.case.save()
    make_touchpoint(firm.client, kind="call", at=NOW - timedelta(days=14))
    assert asked() == ["finance_manager"]
    invitation = Invitation.objects.get()
    assert invitation.version.questionnaire.key == "declined_application"
    assert clearance.refusal(invitation, at=NOW) is None


def decline(case, cause, at=NOW - timedelta(days=15)):
    tune("TR11", is_active=True)
    reach(case, "declined", at, "approval_refused")
    case.stage, case.closed_on, case.decline_reason = "declined", at.date(), cause
    case.save()


@pytest.mark.parametrize("cause", ["", "compliance_confidential"])
def test_refusal_whose_reason_is_confidential_or_unknown_is_not_asked_about(firm, cause):
    decline(firm.case, cause)
    make_touchpoint(firm.client, kind="call", at=NOW - timedelta(days=14))
    assert asked() == []
    assert reason() == "decline_reason"


def test_nobody_is_asked_about_a_refusal_before_the_manager_has_called(firm):
    decline(firm.case, "credit_record")
    make_touchpoint(firm.client, kind="call", at=NOW - timedelta(days=16))
    make_touchpoint(firm.client, kind="login", at=NOW - timedelta(days=1))
    assert asked() == []
    occasion = Occasion.objects.get()
    assert (occasion.state, occasion.due_at) == ("waiting", datetime(2026, 11, 24, 16, tzinfo=UTC))
    make_touchpoint(firm.client, kind="call", at=NOW)
    assert asked() == []
    assert asked(NOW + timedelta(days=1)) == ["finance_manager"]


def test_refusal_without_a_call_is_dropped_after_thirty_days(firm):
    decline(firm.case, "credit_record")
    for day in range(17):
        assert asked(NOW + timedelta(days=day)) == []
    assert reason() == "not_called"


@pytest.mark.parametrize(
    ("product", "applied", "found"),
    [
        ("RENEWAL", 4, []),  # Thursday to Monday: two working days
        ("RENEWAL", 5, ["cfo"]),  # Wednesday to Monday: three
        ("WC-TERM", 4, ["cfo"]),
        ("", 4, ["cfo"]),
    ],
)
def test_renewal_approved_within_three_working_days_is_no_event(firm, product, applied, found):
    firm.case.product = Product.objects.filter(code=product).first()
    firm.case.save()
    reach(firm.case, "application", NOW - timedelta(days=30), "documents_received")
    reach(firm.case, "application", NOW - timedelta(days=applied + 1), "application_submitted")
    Milestone.objects.filter(event="documents_received").delete()
    approve(firm.case)
    assert asked() == found
    if not found:
        assert reason() == "quick_renewal"


def test_renewal_without_an_application_counts_from_its_opening(firm):
    firm.case.product = Product.objects.get(code="RENEWAL")
    firm.case.opened_on = date(2026, 11, 19)
    firm.case.save()
    approve(firm.case)
    assert asked() == []
    assert reason() == "quick_renewal"


def test_frozen_client_is_not_asked_and_stays_unasked(firm):
    freeze = consent.freeze(firm.client, "compliance_hold", cause="1", at=LOADED)
    approve(firm.case)
    assert asked() == []
    consent.thaw(freeze, at=NOW)
    assert asked() == []
    assert set(spoke().values()) == {"compliance_hold"}


def test_share_that_is_asked_does_not_depend_on_when_or_how_often_one_looks(model):
    trigger = Trigger.objects.get(code="TR12")

    def is_drawn(number):
        milestone = Milestone(external_id=f"D-{number}")
        return picking.is_sampled(Occasion(trigger=trigger, milestone=milestone))

    drawn = [number for number in range(2000) if is_drawn(number)]
    assert 340 < len(drawn) < 460
    clients = [make_client() for _ in range(6)]
    wanted, unwanted = drawn[:3], [n for n in range(20) if n not in drawn][:3]
    for client, number in zip(clients, [*wanted, *unwanted], strict=True):
        make_contact(client, job_role="accountant", external_id=f"of-{number}")
        case = make_case(client)
        reach(case, "disbursed", MONDAY, "further_drawdown", number=f"D-{number}")
    assert asked() == [f"of-{number}" for number in wanted]
    assert Occasion.objects.filter(reason="sampled_out").count() == 3
    assert asked() == []


def test_client_rests_between_two_events_of_a_kind(firm):
    tune("TR12", sample_share=1)
    make_contact(firm.client, job_role="treasury_officer")
    for number in range(3):
        at = MONDAY + timedelta(days=32 * number)
        reach(firm.case, "disbursed", at, "further_drawdown", number=f"D{number}")
        asked(at + timedelta(days=4))
    assert list(Occasion.objects.order_by("pk").values_list("state", "reason")) == [
        ("asked", ""),
        ("passed", "client_pause"),
        ("asked", ""),
    ]


def test_what_goes_first_takes_the_contact(firm):
    # A drawdown (priority 4) and an approval (5) come due at once for the same three people.
    tune("TR02", targets=["accountant"])
    approve(firm.case)
    reach(make_case(firm.client), "disbursed", NOW - timedelta(days=5), "first_drawdown")
    assert asked() == ["accountant"]
    assert Invitation.objects.get().occasion.trigger.code == "TR03"
    assert reason(trigger__code="TR02") == "lower_priority"


def test_what_comes_due_soon_with_higher_priority_keeps_its_contact_free(firm):
    tune("TR02", targets=["accountant"])
    approve(firm.case)
    reach(make_case(firm.client), "disbursed", MONDAY, "first_drawdown")
    assert asked() == []
    assert reason(trigger__code="TR02") == "lower_priority"
    assert asked(NOW + timedelta(days=3)) == ["accountant"]


def test_lower_priority_that_was_queued_first_is_dropped_at_the_moment_of_sending(firm):
    tune("TR02", targets=["accountant"])
    approve(firm.case)
    assert asked() == ["accountant"]
    queued = Invitation.objects.get()
    reach(make_case(firm.client), "disbursed", NOW - timedelta(days=5), "first_drawdown")
    assert asked() == ["accountant"]
    assert clearance.refusal(queued, at=NOW).code == "lower_priority"
    assert clearance.refusal(Invitation.objects.last(), at=NOW) is None


def test_weeks_before_a_wave_belong_to_it(firm):
    for contact, role in ((firm.cfo, "decider"), (firm.accountant, "user")):
        Contact.objects.filter(pk=contact.pk).update(buying_role=role)
    Contact.objects.filter(pk=firm.finance_manager.pk).update(buying_role=None)
    at = datetime(2027, 3, 10, 2, tzinfo=UTC)
    tune("TR02", targets=["cfo", "accountant"])
    approve(firm.case, at=at - timedelta(days=1))
    assert asked(at) == []
    assert reason() == "reserved_for_wave"
    early = datetime(2027, 2, 24, 2, tzinfo=UTC)
    approve(make_case(firm.client), at=early - timedelta(days=1))
    assert asked(early) == ["cfo"]


def test_answer_to_financial_close_spares_the_first_drawdown(model):
    client = make_client("SPV")
    make_contact(client, job_role="cfo", external_id="cfo")
    make_contact(client, job_role="project_director", external_id="director")
    case = make_case(client, kind="project_finance")
    reach(case, "financial_close", NOW - timedelta(days=20))
    assert asked(NOW - timedelta(days=10)) == ["cfo", "director"]
    invitation = Invitation.objects.first()
    make_response(invitation, {"nps": 9}, submitted_at=NOW - timedelta(days=9))
    reach(case, "construction", NOW - timedelta(days=6), "first_drawdown")
    assert asked() == []
    assert reason(trigger__code="TR06") == "answered_before"


def test_milestone_somebody_was_asked_on_elsewhere_is_not_asked_again(firm):
    milestone = approve(firm.case)
    make_invitation(firm.accountant, case=firm.case, milestone=milestone)
    assert asked() == []
    assert reason() == "already_asked"


def make_deal(**roles):
    """A project deal: the case of the project company, and one contact of each party."""
    spv = make_client("SPV", kind="spv")
    case = make_case(spv, kind="project_finance", number="PF-1", name="苍屿项目")
    people = {}
    for role, job in roles.items():
        client = spv if role == "borrower_spv" else make_client(role.upper())
        if client != spv:
            Party.objects.create(case=case, role=role, client=client)
        people[role] = make_contact(client, external_id=role, job_role=job)
    return case, people


def test_each_party_of_a_deal_gets_what_concerns_it(model):
    case, people = make_deal(
        borrower_spv="cfo",
        sponsor="sponsor_representative",
        agent_bank="cfo",
        lender_lead="project_director",
        adviser="project_director",
    )
    reach(case, "approved", NOW - timedelta(days=5), "approval_communicated")
    assert asked() == ["borrower_spv", "sponsor"]
    invitation = Invitation.objects.get(contact=people["sponsor"])
    assert invitation.client == people["sponsor"].client
    assert invitation.variables["project_name"] == "苍屿项目"
    assert invitation.variables["milestone"] == "credit_approval"
    tune("TR05", party_roles=["agent_bank", "lender_lead", "adviser"], max_contacts=3)
    reach(case, "financial_close", NOW + timedelta(days=1))
    assert asked(NOW + timedelta(days=9)) == ["agent_bank", "lender_lead", "adviser"]
    assert asked(NOW + timedelta(days=9)) == []


def test_parties_come_one_after_the_other_before_anybody_gets_a_second_place(model):
    case, _people = make_deal(borrower_spv="cfo", sponsor="sponsor_representative")
    make_contact(case.client, job_role="project_director")
    reach(case, "approved", NOW - timedelta(days=5), "approval_communicated")
    assert asked() == ["borrower_spv", "sponsor"]


def test_place_of_a_party_without_anybody_goes_to_the_others(model):
    case, people = make_deal(borrower_spv="cfo", sponsor="sponsor_representative")
    make_contact(case.client, job_role="project_director", external_id="director")
    consent.freeze(people["sponsor"].client, "open_complaint", cause="1", at=LOADED)
    reach(case, "approved", NOW - timedelta(days=5), "approval_communicated")
    assert asked() == ["borrower_spv", "director"]


def test_person_whom_the_deal_names_goes_first_among_equals_and_stands_in(model):
    case, _people = make_deal(borrower_spv="cfo")
    sponsor = make_client("SPONSOR")
    make_contact(sponsor, job_role="cfo", external_id="a")
    named = make_contact(sponsor, job_role="cfo", external_id="b")
    Party.objects.create(case=case, role="sponsor", client=sponsor, contact=named)
    stand_in = make_contact(make_client(), job_role="other", external_id="c")
    Party.objects.create(case=case, role="adviser", name="独立顾问", contact=stand_in)
    tune("TR04", party_roles=["sponsor", "adviser"])
    reach(case, "approved", NOW - timedelta(days=5), "approval_communicated")
    assert asked() == ["b", "c"]


def test_borrower_that_the_parties_name_is_taken_for_the_client_of_the_case(model):
    group = make_client("GROUP", kind="group")
    make_contact(group, job_role="cfo", external_id="of-group")
    case = make_case(group, kind="project_finance")
    spv = make_client("SPV")
    make_contact(spv, job_role="cfo", external_id="of-spv")
    Party.objects.create(case=case, role="borrower_spv", client=spv)
    reach(case, "approved", NOW - timedelta(days=5), "approval_communicated")
    assert asked() == ["of-spv"]


def test_visits_by_people_are_asked_about_and_machines_are_not(firm):
    firm.client.contacts.filter(pk=firm.accountant.pk).update(job_role="project_director")
    make_touchpoint(firm.client, kind="visit", source="site_visit", at=MONDAY)
    make_touchpoint(firm.client, kind="page_view", source="site_visit", at=MONDAY)
    make_touchpoint(firm.client, kind="visit", source="branch_visit", at=MONDAY)
    assert asked() == ["accountant"]
    invitation = Invitation.objects.get()
    assert (invitation.case, invitation.milestone) == (None, None)
    assert invitation.variables["contact_reason"] == {"zh": "上门走访", "en": "Site visit"}
    assert Occasion.objects.count() == 1
    make_touchpoint(firm.client, kind="visit", source="post_loan_check", at=NOW)
    assert asked(NOW + timedelta(days=2)) == []
    assert reason(event="touchpoint:post_loan_check") == "client_pause"


def test_visit_that_is_taken_back_before_it_is_due_asks_nobody(firm):
    firm.client.contacts.filter(pk=firm.accountant.pk).update(job_role="project_director")
    visit = make_touchpoint(firm.client, kind="visit", source="site_visit", at=NOW)
    assert asked() == []
    visit.delete()
    assert asked(NOW + timedelta(days=2)) == []
    assert Occasion.objects.count() == 0


def complain(client, number="X-1", at=NOW - timedelta(days=5)):
    return ClientEvent.objects.create(
        external_id=number, client=client, event="complaint_closed", occurred_at=at
    )


def test_closed_complaint_is_asked_about_whatever_was_asked_before(firm):
    tune("TR15", targets=["cfo"])
    make_invitation(firm.cfo, sent_at=NOW - timedelta(days=2))
    consent.freeze(firm.client, "follow_up_open", cause="1", at=LOADED)
    complain(firm.client)
    assert asked() == ["cfo"]
    with Sink() as sink, pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.conf.settings.EMAIL_URL", sink.url)
        assert sending.drain(clock=lambda: NOW) == sending.Drained(sent=1)
    assert sink.recipients == [firm.cfo.email]


def test_complainant_is_asked_and_nobody_else(firm):
    event = complain(firm.client)
    ClientEvent.objects.filter(pk=event.pk).update(contact=firm.accountant)
    assert asked() == ["accountant"]


def test_complainant_nobody_knows_is_not_asked(firm):
    complain(firm.client)
    assert asked() == []
    assert reason() == "no_contact"


def test_no_consent_holds_for_complaints_too(firm):
    tune("TR15", targets=["cfo"])
    consent.opt_out(firm.cfo, at=LOADED)
    complain(firm.client)
    assert asked() == []
    assert reason() == "no_eligible_contact"


def test_onboarding_is_asked_about_once_per_client(firm):
    for number, at in (("1", NOW - timedelta(days=10)), ("2", NOW - timedelta(days=9))):
        ClientEvent.objects.create(
            external_id=number,
            client=firm.client,
            event="onboarding_completed",
            occurred_at=at,
        )
    assert asked() == ["finance_manager"]
    assert reason(client_event__external_id="2") == "already_asked"


@pytest.fixture
def buyers(model):
    client = make_client()
    return {
        name: make_contact(client, external_id=name, buying_role=name.rstrip("2"))
        for name in ("decider", "influencer", "user", "user2")
    }


APRIL = datetime(2027, 4, 1, 2, tzinfo=UTC)


def test_wave_asks_one_contact_of_each_role_of_each_active_client(buyers):
    make_contact(make_client(status="closed"))
    make_contact(make_client(status="prospect"))
    assert asked(APRIL - timedelta(days=1)) == []
    assert asked(APRIL) == ["decider", "influencer", "user"]
    assert asked(APRIL + timedelta(days=30)) == []
    assert {row.version.questionnaire.key for row in Invitation.objects.all()} == {
        "relational_nps_csat"
    }
    assert set(Delivery.objects.values_list("next_try_at", flat=True)) == {APRIL}


def test_wave_stays_open_for_who_is_free_before_it_ends(buyers):
    make_invitation(buyers["decider"], sent_at=APRIL - timedelta(days=60))
    make_invitation(buyers["influencer"], sent_at=APRIL - timedelta(days=10))
    assert asked(APRIL) == ["user"]
    occasion = Occasion.objects.get()
    assert (occasion.state, occasion.due_at) == ("waiting", datetime(2027, 4, 30, 16, tzinfo=UTC))
    assert asked(APRIL + timedelta(days=29)) == []
    assert asked(APRIL + timedelta(days=30)) == ["decider"]
    occasion.refresh_from_db()
    assert occasion.state == "asked"
    assert occasion.refused["influencer"]["reason"] == "contact_cooldown"


def test_wave_that_began_before_the_trigger_was_switched_on_is_not_begun_late(buyers):
    tune("TR18", active_since=APRIL + timedelta(days=1))
    assert asked(APRIL + timedelta(days=2)) == []
    assert Occasion.objects.count() == 0


def test_wave_spares_whom_a_campaign_has_asked_the_same(buyers):
    line = Trigger.objects.get(code="TR18").questionnaire
    make_invitation(
        buyers["decider"],
        version=line.versions.get(),
        created_at=APRIL - timedelta(days=100),
        sent_at=APRIL - timedelta(days=100),
    )
    assert asked(APRIL) == ["influencer", "user"]
    assert spoke()["decider"] == "trigger_cooldown"


def test_trigger_that_is_switched_off_sees_nothing(firm):
    tune("TR02", is_active=False)
    approve(firm.case)
    assert asked() == []
    assert Occasion.objects.count() == 0


def test_questionnaire_without_a_mail_or_a_value_asks_nobody(firm):
    branch_visit = Trigger.objects.get(code="TR13").questionnaire
    tune("TR02", questionnaire=branch_visit)
    approve(firm.case)
    assert asked() == []
    assert reason() == "questionnaire_not_ready"
    pulse = Trigger.objects.get(code="TR12").questionnaire
    tune("TR02", questionnaire=pulse, context="", once=False)
    approve(firm.case, number="2")
    assert asked() == []
    assert reason(milestone__external_id="2") == "missing_value"


def test_opt_out_between_planning_and_sending_stops_the_mail(firm, settings):
    approve(firm.case)
    assert asked() == ["cfo"]
    consent.opt_out(firm.cfo, at=NOW)
    with Sink() as sink:
        settings.EMAIL_URL = sink.url
        assert sending.drain(clock=lambda: NOW) == sending.Drained(passed=1)
    assert sink.recipients == []
    assert Invitation.objects.get().reason == "no_consent"


def test_pass_takes_the_same_queries_for_one_and_for_three_events(
    model, django_assert_num_queries
):
    def add(number):
        for _ in range(number):
            client = make_client()
            make_contact(client, job_role="cfo")
            approve(make_case(client))

    add(1)
    with django_assert_num_queries(QUERIES):
        triggers.invite_due(NOW)
    add(3)
    with django_assert_num_queries(QUERIES):
        assert triggers.invite_due(NOW).asked == 3


QUERIES = 60


def test_blocks_go_on_where_the_last_one_ended(firm, monkeypatch):
    monkeypatch.setattr(triggers, "BLOCK", 2)
    monkeypatch.setattr(occasions, "BLOCK", 2)
    for _ in range(5):
        client = make_client()
        make_contact(client, job_role="cfo")
        approve(make_case(client))
    done = triggers.invite_due(NOW)
    assert (done.seen, done.asked, sum(done.passed.values())) == (5, 5, 0)


@pytest.mark.django_db(transaction=True)
def test_two_passes_at_once_ask_each_contact_once():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    reference.load(LOADED)
    for _ in range(40):
        client = make_client()
        for job in ("cfo", "finance_manager"):
            make_contact(client, job_role=job)
        approve(make_case(client))
    failed = []

    def run():
        try:
            triggers.invite_due(NOW)
        except Exception as error:  # noqa: BLE001
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert Invitation.objects.filter(contact__job_role="cfo").count() == 40
    assert Invitation.objects.count() == Delivery.objects.count() == 40
    assert Occasion.objects.filter(state="asked").count() == 40
