"""Who may be written to, and who decides."""

from datetime import timedelta

import pytest

from bank.models import AuditEntry
from clients import consent
from clients.models import Consent, Freeze, Suppression
from tests.factories import NOW, make_client, make_contact

LATER = NOW + timedelta(hours=1)


def acts():
    return list(AuditEntry.objects.order_by("pk").values_list("act", flat=True))


def test_a_contact_who_agreed_may_be_written_to(db):
    assert consent.refusal(make_contact(make_client()), at=NOW) == ""


@pytest.mark.parametrize("state", ["no", "unknown", ""])
def test_a_contact_who_did_not_agree_must_not(db, state):
    assert consent.refusal(make_contact(make_client(), consent=state), at=NOW) == "no_consent"


def test_a_contact_who_left_must_not_from_that_day(db):
    client = make_client()
    gone = make_contact(client, left_on=NOW.date())
    leaving = make_contact(client, left_on=NOW.date() + timedelta(days=1))
    assert set(consent.refusals([gone, leaving], at=NOW)) == {gone.pk}


def test_opt_out_closes_the_address_for_every_contact_that_has_it(db):
    first = make_contact(make_client(), email="One@Client.example")
    second = make_contact(make_client(), email="one@client.example ")
    other = make_contact(make_client())
    consent.opt_out(first, at=NOW)
    consent.opt_out(first, at=LATER)
    assert set(consent.refusals([first, second, other], at=NOW)) == {first.pk, second.pk}
    assert acts() == ["consent.opt_out"]
    assert Suppression.objects.get().at == NOW


def test_the_person_returns_but_not_from_a_bounced_address(db):
    contact = make_contact(make_client())
    consent.opt_out(contact, at=NOW)
    consent.bounce(contact, at=NOW)
    consent.return_(contact, at=LATER)
    consent.return_(contact, at=LATER)
    assert consent.refusal(contact, at=LATER) == "address_bounced"
    assert acts() == ["consent.opt_out", "consent.bounce", "consent.return"]


def test_staff_and_files_cannot_overrule_the_person(staff):
    contact = make_contact(make_client())
    consent.opt_out(contact, at=NOW)
    with pytest.raises(consent.NotAllowed):
        consent.state(contact, "survey", "yes", "staff", at=LATER, by=staff.admin)
    assert Consent.objects.get().state == "no"


def test_an_address_that_opted_out_stays_closed_under_another_contact(staff):
    contact = make_contact(make_client(), email="same@client.example")
    consent.opt_out(contact, at=NOW)
    twin = make_contact(make_client(), email="SAME@client.example", consent="")
    with pytest.raises(consent.NotAllowed):
        consent.state(twin, "survey", "yes", "staff", at=LATER, by=staff.admin)


def test_staff_write_what_was_agreed_and_the_trail_says_so(staff):
    contact = make_contact(make_client(), consent="unknown")
    for _again in range(2):
        consent.state(contact, "survey", "yes", "staff", at=NOW, by=staff.lan)
    consent.state(contact, "marketing", "no", "staff", at=NOW, by=staff.lan)
    entries = AuditEntry.objects.order_by("pk")
    assert [(entry.act, entry.actor_label, entry.data["purpose"]) for entry in entries] == [
        ("consent.state", "lan", "survey"),
        ("consent.state", "lan", "marketing"),
    ]
    assert consent.refusal(contact, at=NOW) == ""


def test_marketing_decided_by_the_person_is_kept_too(db):
    contact = make_contact(make_client())
    consent.state(contact, "marketing", "no", "person", at=NOW, by=None)
    with pytest.raises(consent.NotAllowed):
        consent.state(contact, "marketing", "yes", "import", at=LATER, by=None)


def test_a_cleared_bounce_opens_the_address_once(staff):
    contact = make_contact(make_client())
    consent.bounce(contact, at=NOW)
    consent.bounce(contact, at=NOW)
    assert consent.clear_bounce(contact, at=LATER, by=staff.admin) is True
    assert consent.clear_bounce(contact, at=LATER, by=staff.admin) is False
    assert consent.refusal(contact, at=LATER) == ""
    assert acts() == ["consent.bounce", "consent.clear_bounce"]


def test_the_digest_is_blind_to_case_width_and_blanks_and_does_not_show_the_address():
    assert consent.digest(" Ａ@Client.example") == consent.digest("a@client.example")
    assert consent.digest("a@client.example") != consent.digest("b@client.example")
    assert len(consent.digest("a@client.example")) == 64


@pytest.mark.parametrize(
    "same",
    [
        "程述安@münchen.example",
        " 程述安@MÜNCHEN.example. ",
        "程述安@xn--mnchen-3ya.example",
        "程述安\u200b＠mu\u0308nchen.example",
    ],
)
def test_the_digest_is_blind_to_how_an_address_is_written(same):
    assert consent.digest(same) == consent.digest("程述安@münchen.example")
    assert consent.digest(same) != consent.digest("程述安@munchen.example")


def test_the_digest_needs_the_key(settings):
    before = consent.digest("a@client.example")
    settings.SECRET_KEY = "another key of the same length, with nothing in common at all"
    assert consent.digest("a@client.example") != before


@pytest.mark.parametrize("label", ["xn--", "xn--\u00fc", "xn--99999999999"])
def test_a_domain_that_cannot_be_decoded_is_taken_as_it_stands(label):
    assert len(consent.digest(f"a@{label}.example")) == 64


def test_an_opt_out_outlives_the_contact_and_meets_the_same_address_again(db):
    client = make_client()
    contact = make_contact(client, email="one@münchen.example")
    consent.opt_out(contact, at=NOW)
    contact.delete()
    again = make_contact(client, email=" ONE@xn--mnchen-3ya.example")
    assert consent.refusal(again, at=LATER) == "no_consent"
    with pytest.raises(consent.NotAllowed):
        consent.state(again, "survey", "yes", "import", at=LATER, by=None)


def test_the_reason_is_kept_once_and_changes_nothing_else(db):
    contact = make_contact(make_client())
    assert consent.say_why(contact, "too_many", at=NOW) is False
    consent.opt_out(contact, at=NOW)
    assert [consent.say_why(contact, "too_many", at=LATER) for _again in range(2)] == [True, False]
    row = Suppression.objects.get()
    assert (row.why, row.at) == ("too_many", NOW)
    assert acts() == ["consent.opt_out", "consent.why"]


def test_staff_take_back_an_opt_out_only_by_the_persons_own_wish(staff):
    contact = make_contact(make_client())
    consent.opt_out(contact, at=NOW)
    with pytest.raises(consent.NotAllowed):
        consent.return_(contact, at=LATER, by=staff.admin, how=" ")
    consent.return_(contact, at=LATER, by=staff.admin, how="called the hotline")
    assert consent.refusal(contact, at=LATER) == ""
    entry = AuditEntry.objects.get(act="consent.return")
    assert (entry.actor, entry.data) == (staff.admin, {"how": "called the hotline"})
    assert Consent.objects.get().source == "person"


def test_a_freeze_holds_until_its_own_cause_is_lifted(staff):
    client = make_client()
    contact = make_contact(client)
    first = consent.freeze(client, "open_complaint", cause="K-1", at=NOW, by=staff.admin)
    assert consent.freeze(client, "open_complaint", cause="K-1", at=LATER) == first
    consent.freeze(client, "compliance_hold", severity="high", at=NOW)
    assert consent.refusal(contact, at=NOW) == "open_complaint"
    consent.thaw(first, at=LATER)
    consent.thaw(first, at=LATER + timedelta(hours=1))
    assert consent.refusal(contact, at=NOW) == "compliance_hold"
    assert Freeze.objects.get(pk=first.pk).ended_at == LATER
    assert acts() == ["consent.freeze", "consent.freeze", "consent.thaw"]


def test_reasons_are_given_in_the_order_of_the_rules(db):
    client = make_client()
    contact = make_contact(client, consent="no", left_on=NOW.date())
    consent.bounce(contact, at=NOW)
    consent.freeze(client, "follow_up_open", cause="F-1", at=NOW)
    consent.freeze(client, "follow_up_open", cause="F-2", at=LATER)
    consent.freeze(client, "decline_freeze", at=NOW)
    found = consent.reasons([contact], at=NOW)[contact.pk]
    assert [item.code for item in found] == [
        "no_consent",
        "decline_freeze",
        "left_company",
        "address_bounced",
        "follow_up_open",
    ]
    assert found[1].since == NOW
    assert found[4].since == LATER


@pytest.mark.parametrize("number", [1, 3])
def test_any_number_of_contacts_is_judged_in_three_queries(db, django_assert_num_queries, number):
    contacts = [make_contact(make_client()) for _each in range(number)]
    with django_assert_num_queries(3):
        assert consent.refusals(contacts, at=NOW) == {}


@pytest.mark.django_db
def test_many_contacts_are_judged_as_few_are(monkeypatch):
    people = [make_contact(make_client()), make_contact(make_client(), consent="no")]
    few = consent.reasons(people, at=NOW)
    monkeypatch.setattr(consent, "NARROW", 0)
    assert consent.reasons(people, at=NOW) == few
    assert [bool(few[person.pk]) for person in people] == [False, True]
