"""The suppression rules: who must not be asked now, why, and until when."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection

from clients import consent
from clients.models import Suppression
from cxportal import reference
from surveys import clearance, governance, history, invitations
from surveys.models import Delivery, Invitation, Occasion, SuppressionRule, Trigger
from tests.factories import (
    NOW,
    make_case,
    make_client,
    make_contact,
    make_delivery,
    make_invitation,
    make_touchpoint,
)

pytestmark = pytest.mark.django_db


def refused(*contacts, at=NOW):
    return {
        contact.external_id: found
        for contact in contacts
        if (found := governance.refusals(contacts, at=at).get(contact.pk))
    }


def make_rule(code, **fields):
    return SuppressionRule.objects.create(
        **{
            "code": code,
            "position": 1,
            "name_zh": code,
            "name_en": code,
            "scope": "pushed",
            "action": "skip",
        }
        | fields
        | {"code": code}
    )


def test_contact_who_agreed_and_was_not_asked_is_free():
    assert refused(make_contact(make_client())) == {}


@pytest.mark.parametrize("state", ["no", "unknown", ""])
def test_contact_without_consent_is_refused(state):
    contact = make_contact(make_client(), consent=state)
    assert refused(contact)[contact.external_id] == governance.Refusal("no_consent")


def test_contact_who_left_or_whose_address_bounced_is_refused():
    client = make_client()
    left = make_contact(client, left_on=date(2026, 11, 1))
    bounced = make_contact(client)
    consent.bounce(bounced, at=NOW)
    assert {name: one.code for name, one in refused(left, bounced).items()} == {
        left.external_id: "left_company",
        bounced.external_id: "address_bounced",
    }


def test_client_under_a_freeze_is_refused_with_its_reason():
    client = make_client()
    contact = make_contact(client)
    freeze = consent.freeze(client, "open_complaint", cause="X-1", severity="", at=NOW, by=None)
    assert refused(contact)[contact.external_id].code == "open_complaint"
    consent.thaw(freeze, at=NOW, by=None)
    assert refused(contact) == {}


def test_declined_application_freezes_for_the_days_of_the_rule():
    client = make_client()
    contact = make_contact(client)
    consent.freeze(client, "decline_freeze", cause="L-1", severity="", at=NOW, by=None)
    assert refused(contact)[contact.external_id] == governance.Refusal(
        "decline_freeze", date(2026, 12, 24)
    )
    assert refused(contact, at=NOW + timedelta(days=30)) == {}


def test_declined_case_without_an_end_has_no_days_to_count():
    client = make_client()
    contact = make_contact(client)
    make_case(client, stage="declined")
    assert refused(contact) == {}


@pytest.mark.parametrize(("days", "code"), [(89, "contact_cooldown"), (90, None)])
def test_contact_asked_within_ninety_days_is_refused_until_they_are_over(days, code):
    contact = make_contact(make_client())
    make_invitation(contact, sent_at=NOW - timedelta(days=days))
    found = refused(contact).get(contact.external_id)
    assert (found.code if found else None) == code
    if found:
        assert found.free_on == (NOW + timedelta(days=1)).date()


def test_invitation_that_never_left_does_not_count():
    contact = make_contact(make_client())
    make_invitation(contact, sent_at=None, state="skipped", reason="no_consent")
    assert refused(contact) == {}


def test_contact_who_moved_to_another_client_was_asked_all_the_same():
    contact = make_contact(make_client())
    invitation = make_invitation(contact, sent_at=NOW - timedelta(days=10))
    contact.client = make_client()
    contact.save()
    assert refused(contact)[contact.external_id].code == "contact_cooldown"
    Invitation.objects.update(sent_at=None, state="planned")
    Delivery.objects.create(
        invitation=invitation, state="unknown", message_id="<1@x>", next_try_at=NOW
    )
    assert refused(contact)[contact.external_id].code == "contact_cooldown"


def test_mail_with_an_open_outcome_counts_as_asked():
    contact = make_contact(make_client())
    invitation = make_invitation(contact, sent_at=None, state="planned")
    delivery = Delivery.objects.create(
        invitation=invitation, state="queued", message_id="<1@x>", next_try_at=NOW
    )
    assert refused(contact) == {}
    for fields in (
        {"state": "sending"},
        {"state": "unknown"},
        {"state": "queued", "losses": 1},
        {"state": "retry", "losses": 1},
    ):
        Delivery.objects.filter(pk=delivery.pk).update(**{"losses": 0} | fields)
        assert refused(contact)[contact.external_id].code == "contact_cooldown"
    assert clearance.refusal(invitation, at=NOW) is None


def test_mail_settled_between_the_two_reads_of_history_counts_as_asked():
    contact = make_contact(make_client())
    invitation = make_invitation(contact, sent_at=None, state="planned")
    delivery = Delivery.objects.create(
        invitation=invitation, state="sending", message_id="<1@x>", next_try_at=NOW
    )
    rules, settled = governance.book(), []

    def settle(execute, sql, params, many, context):
        cursor = execute(sql, params, many, context)
        if not settled and '"surveys_invitation"' in sql:
            settled.append(sql)
            Delivery.objects.filter(pk=delivery.pk).update(state="sent")
            Invitation.objects.filter(pk=invitation.pk).update(sent_at=NOW)
        return cursor

    with connection.execute_wrapper(settle):
        found = governance.refusals([contact], at=NOW, rules=rules)
    assert (found[contact.pk].code, len(settled)) == ("contact_cooldown", 1)


def test_client_cap_takes_the_first_three_by_role_then_number():
    client = make_client()
    user_b = make_contact(client, external_id="B", buying_role="user")
    user_a = make_contact(client, external_id="A", buying_role="user")
    decider = make_contact(client, external_id="Z", buying_role="decider")
    influencer = make_contact(client, external_id="Y", buying_role="influencer")
    nobody = make_contact(client, external_id="0", buying_role="decider", consent="no")
    found = refused(user_b, user_a, decider, influencer, nobody)
    assert found == {
        "B": governance.Refusal("client_cap", date(2026, 12, 24)),
        "0": governance.Refusal("no_consent"),
    }


def test_client_cap_counts_the_contacts_asked_within_thirty_days():
    client = make_client()
    free = make_contact(client)
    for days in (29, 20, 10):
        make_invitation(make_contact(client), sent_at=NOW - timedelta(days=days))
    assert refused(free)[free.external_id] == governance.Refusal("client_cap", date(2026, 11, 25))
    assert refused(free, at=NOW + timedelta(days=1)) == {}


def test_parameters_are_read_from_the_row():
    make_rule("contact_cooldown", parameter=10)
    contact = make_contact(make_client())
    make_invitation(contact, sent_at=NOW - timedelta(days=11))
    assert refused(contact) == {}


def test_disabled_rule_does_not_act_but_an_opt_out_always_does():
    for code in ("contact_cooldown", "client_cap", "no_consent", "left_company"):
        make_rule(code, enabled=False)
    client = make_client()
    asked, gone = make_contact(client), make_contact(client, left_on=date(2026, 1, 1))
    make_invitation(asked)
    silent = make_contact(client)
    consent.opt_out(silent, at=NOW)
    assert {name: one.code for name, one in refused(asked, gone, silent).items()} == {
        silent.external_id: "no_consent"
    }


def test_first_rule_by_position_is_the_reason_given():
    contact = make_contact(make_client(), left_on=date(2026, 1, 1))
    make_invitation(contact)
    assert refused(contact)[contact.external_id].code == "contact_cooldown"
    make_rule("left_company", position=0)
    assert refused(contact)[contact.external_id].code == "left_company"


def test_refusals_take_the_same_queries_for_one_and_for_three_clients(
    django_assert_num_queries,
):
    contacts = [make_contact(make_client()) for _ in range(3)]
    for some in (contacts[:1], contacts):
        with django_assert_num_queries(8):
            governance.refusals(some, at=NOW)


def test_opt_out_of_an_address_reaches_every_contact_that_has_it():
    client = make_client()
    first = make_contact(client, email="shared@client.example")
    second = make_contact(client, email="Shared@client.example")
    consent.opt_out(first, at=NOW)
    assert Suppression.objects.count() == 1
    assert refused(first, second).keys() == {first.external_id, second.external_id}


@pytest.mark.parametrize(
    ("zone", "at", "expected"),
    [
        ("", NOW, NOW),
        ("", datetime(2026, 11, 24, 4, 0, tzinfo=UTC), datetime(2026, 11, 24, 6, 30, tzinfo=UTC)),
        ("", datetime(2026, 11, 27, 9, 0, tzinfo=UTC), datetime(2026, 11, 30, 1, 30, tzinfo=UTC)),
        ("Europe/Berlin", NOW, datetime(2026, 11, 24, 8, 30, tzinfo=UTC)),
        ("No/Such", NOW, NOW),
    ],
)
def test_mail_waits_for_the_window_where_the_recipient_lives(zone, at, expected):
    contact = make_contact(make_client(), time_zone=zone)
    book = governance.book()
    assert book.next_send(contact, at=at) == expected
    assert book.next_send(contact, at=at) == expected


def test_quiet_hours_switched_off_let_mail_go_at_night():
    make_rule("quiet_hours", enabled=False)
    night = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
    assert governance.book().next_send(make_contact(make_client()), at=night) == night


def test_bank_wide_plan_reads_the_history_without_a_list_of_clients(monkeypatch):
    monkeypatch.setattr(history, "NARROW", 0)
    asked, free = make_contact(make_client()), make_contact(make_client())
    make_invitation(asked)
    assert refused(asked, free).keys() == {asked.external_id}


def test_contact_asked_before_the_shorter_window_counts_for_the_longer_one_only():
    client = make_client()
    for days in (60, 60, 60):
        make_invitation(make_contact(client), sent_at=NOW - timedelta(days=days))
    assert refused(make_contact(client)) == {}


def asked_in(year, *, months=(1, 4, 7, 10), **fields):
    """A contact who was asked on the second day of each of these months."""
    contact = make_contact(make_client(), **fields)
    for month in months:
        make_invitation(contact, sent_at=datetime(year, month, 2, 2, tzinfo=UTC))
    return contact


def test_contact_who_was_asked_four_times_waits_for_the_next_year():
    make_rule("contact_cooldown", enabled=False)
    four, three = asked_in(2026), asked_in(2026, months=(1, 4, 7))
    assert refused(four, three) == {
        four.external_id: governance.Refusal("yearly_cap", date(2027, 1, 1))
    }
    last_second = datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC)  # of the year in Shanghai
    assert refused(four, at=last_second).keys() == {four.external_id}
    assert refused(four, at=last_second + timedelta(seconds=1)) == {}


def test_year_of_the_bank_counts_not_that_of_greenwich():
    make_rule("contact_cooldown", enabled=False)
    contact = asked_in(2026, months=(4, 7, 10))
    eve = make_invitation(contact, sent_at=datetime(2025, 12, 31, 15, 59, tzinfo=UTC))
    assert refused(contact) == {}
    Invitation.objects.filter(pk=eve.pk).update(sent_at=eve.sent_at + timedelta(minutes=1))
    assert refused(contact).keys() == {contact.external_id}


def test_mail_on_its_way_is_one_of_the_four():
    make_rule("contact_cooldown", enabled=False)
    contact = asked_in(2026, months=(1, 4, 7))
    invitation = make_invitation(contact, sent_at=None, state="planned")
    delivery = make_delivery(invitation, state="sending", sent_at=None)
    assert refused(contact)[contact.external_id].code == "yearly_cap"
    # Sent, and sent again after a lost outcome, is still one questionnaire.
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=NOW, state="invited")
    Delivery.objects.filter(pk=delivery.pk).update(state="unknown", losses=1)
    assert history_of(contact).years[contact.pk] == 4


def history_of(contact):
    year = datetime(2026, 1, 1, tzinfo=UTC)
    return history.read([contact], at=NOW, spans=history.Spans(year, year, year))


def test_reminder_is_no_questionnaire_of_its_own():
    make_rule("contact_cooldown", enabled=False)
    contact = asked_in(2026, months=(1, 4, 7))
    for invitation in Invitation.objects.filter(contact=contact):
        make_delivery(invitation, sent_at=invitation.sent_at)
        make_delivery(invitation, kind="reminder", sent_at=invitation.sent_at + timedelta(days=7))
    assert refused(contact) == {}
    # Nor is it refused for the invitation that it repeats.
    SuppressionRule.objects.all().delete()
    invitation = make_invitation(contact, sent_at=NOW - timedelta(days=7))
    assert clearance.refusal(invitation, at=NOW) is None
    assert refused(contact).keys() == {contact.external_id}


def test_contact_is_free_when_the_last_rule_that_ends_by_itself_has_ended():
    client = make_client()
    contact = make_contact(client)
    make_invitation(contact, sent_at=NOW - timedelta(days=89))
    for days in (20, 10, 5):
        make_invitation(make_contact(client), sent_at=NOW - timedelta(days=days))
    assert refused(contact)[contact.external_id] == governance.Refusal(
        "contact_cooldown", date(2026, 12, 4)
    )


def ask_on(trigger, contact, **fields):
    """An invitation of a trigger."""
    at = fields.get("sent_at") or NOW
    occasion = Occasion.objects.create(
        trigger=trigger, event="x", client=contact.client, happened_at=at, due_at=at, state="asked"
    )
    return make_invitation(contact, occasion=occasion, **fields)


@pytest.fixture
def triggers(db):
    reference.load(NOW - timedelta(days=30))
    return {trigger.code: trigger for trigger in Trigger.objects.all()}


def test_rule_for_pushed_questionnaires_neither_holds_nor_counts_the_others(triggers):
    desk, line = triggers["TR13"], governance.book()
    assert line.free(desk) == {
        *("contact_cooldown", "client_cap", "lower_priority", "decline_freeze", "open_complaint"),
        *("yearly_cap", "quiet_hours", "address_bounced", "follow_up_open"),
    }
    contact = make_contact(make_client())
    ask_on(desk, contact)
    assert refused(contact) == {}
    ask_on(triggers["TR12"], contact)
    assert refused(contact)[contact.external_id].code == "contact_cooldown"
    night = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
    visit, draw = Invitation.objects.order_by("pk")
    assert clearance.next_send(visit, at=night, rules=line) == night
    assert clearance.next_send(draw, at=night, rules=line) > night
    assert clearance.refusal(visit, at=NOW) is None
    consent.opt_out(contact, at=NOW)
    assert clearance.refusal(visit, at=NOW).code == "no_consent"


def test_closed_complaint_is_exempt_from_what_the_case_model_says(triggers):
    contact = asked_in(2026)
    make_invitation(contact)
    consent.freeze(contact.client, "follow_up_open", cause="F-1", at=NOW)
    asked = ask_on(triggers["TR15"], contact, sent_at=None, state="planned")
    assert clearance.refusal(asked, at=NOW) is None
    consent.freeze(contact.client, "compliance_hold", cause="A-1", at=NOW)
    assert clearance.refusal(asked, at=NOW).code == "compliance_hold"


def test_campaign_yields_to_what_is_due_before_it(triggers):
    client = make_client()
    waits, coming, free = (make_contact(client, job_role=job) for job in ("cfo", "other", "cfo"))
    queued = ask_on(triggers["TR15"], waits, sent_at=None, state="planned")
    invitations.delivery(queued, first=NOW + timedelta(days=1)).save()
    touchpoint = make_touchpoint(client, kind="visit", contact=coming)
    trigger = triggers["TR15"]
    event = Occasion.objects.create(
        trigger=trigger,
        event="client:complaint_closed",
        client=client,
        touchpoint=touchpoint,
        happened_at=NOW,
        due_at=NOW + timedelta(days=3),
    )
    found = clearance.refusals([waits, coming, free], at=NOW, rules=governance.book())
    assert found == {
        waits.pk: governance.Refusal("lower_priority", date(2027, 2, 23)),
        coming.pk: governance.Refusal("lower_priority", date(2027, 2, 25)),
    }
    # What is due later than the days of the rule, or is switched off, keeps nobody free.
    Occasion.objects.filter(pk=event.pk).update(due_at=NOW + timedelta(days=31))
    Delivery.objects.update(next_try_at=NOW + timedelta(days=31))
    assert clearance.refusals([waits, coming], at=NOW, rules=governance.book()) == {}
    make_rule_off("lower_priority")
    assert clearance.outranked([waits], rank=2, at=NOW, rules=governance.book()) == {}


def make_rule_off(code):
    SuppressionRule.objects.filter(code=code).update(enabled=False)


def test_bank_wide_campaign_looks_at_every_event_that_goes_first(triggers, monkeypatch):
    monkeypatch.setattr(history, "NARROW", 0)
    client = make_client()
    person = make_contact(client)
    visit = make_touchpoint(client, kind="visit", contact=person)
    Occasion.objects.create(
        trigger=triggers["TR15"], event="x", client=client, touchpoint=visit,
        happened_at=NOW, due_at=NOW,
    )  # fmt: skip
    found = clearance.refusals([person], at=NOW, rules=governance.book())
    assert found[person.pk].code == "lower_priority"
