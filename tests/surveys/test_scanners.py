"""A gateway follows every link of a mail, then a person answers by the same link."""

import re
from datetime import timedelta
from email import message_from_bytes

import pytest
from django.test import Client as Browser

from bank import reference
from bank import settings as values
from bank.models import AuditEntry
from clients.models import ChangeNote, Consent, Suppression, Touchpoint
from surveys import evidence, letters, queries
from surveys.models import Hit, Invitation, Response
from tests.factories import (
    NOW,
    make_campaign,
    make_client,
    make_contact,
    make_delivery,
    make_invitation,
    make_mailed_version,
    make_visitor,
)

pytestmark = pytest.mark.django_db
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36"
GATE, HOME = "192.0.2.7", "203.0.113.5"
GOOD = {"nps": "9", "csat": "4"}
LATER = NOW + timedelta(minutes=30)


@pytest.fixture
def mail(time_machine):
    """A mail that left 40 seconds ago, from a campaign of one."""
    time_machine.move_to(NOW, tick=False)
    version = make_mailed_version()
    contact = make_contact(make_client())
    words = letters.common(version, closes_at=LATER, at=NOW) | letters.personal(contact)
    campaign = make_campaign(version=version)
    invitation = make_invitation(contact, version=version, variables=words, campaign=campaign)
    return make_delivery(invitation, sent_at=NOW - timedelta(seconds=40))


def browser(address):
    return Browser(enforce_csrf_checks=True, headers={"user-agent": CHROME}, REMOTE_ADDR=address)


def links_of(mail):
    """Every address of ours in the HTML of the mail, in its order."""
    message = message_from_bytes(letters.Press().letter(mail, at=NOW).data)
    html = message.get_payload()[-1].get_payload(decode=True).decode()
    return re.findall(r'href="http://[^/"]+(/[su]/[^"]+)"', html)


def scan(mail):
    """HEAD and GET of every link within one second; a redirect is followed."""
    gateway = browser(GATE)
    for link in links_of(mail):
        gateway.head(link)
        gateway.get(link, follow=True)


def answer(mail, address=HOME):
    survey = links_of(mail)[0].partition("?")[0]
    person = browser(address)
    assert person.get(survey).status_code == 200
    return survey, person


def test_scanner_spends_nothing_and_the_person_after_it_answers_once(mail, time_machine):
    scan(mail)
    evidence.judge_visits(at=NOW)
    asked = mail.invitation
    assert (Response.objects.count(), Suppression.objects.count()) == (0, 0)
    assert Consent.objects.get().state == "yes"
    time_machine.move_to(LATER, tick=False)
    survey, person = answer(mail)
    time_machine.move_to(LATER + timedelta(seconds=40), tick=False)
    for _again in range(2):
        assert person.post(survey, GOOD).status_code == 302
    evidence.judge_visits(at=LATER)
    assert Response.objects.get().invitation == asked
    judged = set(Hit.objects.values_list("address", "person"))
    assert judged == {(GATE, False), (HOME, True)}
    assert not Response.objects.doubted().exists()
    asked.refresh_from_db()
    assert asked.opened_at == LATER


def test_machine_reaches_neither_funnel_nor_engagement(mail):
    scan(mail)
    evidence.judge_visits(at=NOW)
    funnel = queries.funnel(mail.invitation.campaign)
    assert (funnel.sent, funnel.opened, funnel.started, funnel.completed) == (1, 0, 0, 0)
    assert not Touchpoint.objects.filter(kind="message_click").exists()
    assert not ChangeNote.objects.exists()
    assert Invitation.objects.get().state == "invited"


def test_every_hit_keeps_its_signals_weight_and_rule(mail):
    scan(mail)
    evidence.judge_visits(at=NOW)
    for hit in Hit.objects.all():
        assert {"trap", "scores", "same_second", "opt_out"} <= set(hit.signals)
        assert (hit.person, hit.rule) == (False, "1")
        assert hit.weight >= 100


def test_judgement_turns_while_the_gateway_is_still_at_work(mail, time_machine):
    gateway, scores = browser(GATE), links_of(mail)[:11]
    for second, link in enumerate(scores, start=1):
        time_machine.move_to(NOW + timedelta(seconds=second), tick=False)
        gateway.get(link)
        evidence.judge_visits(at=NOW)
        clicked = Touchpoint.objects.filter(kind="message_click").exists()
        assert clicked is (second < 4)
    mail.invitation.refresh_from_db()
    assert mail.invitation.opened_at is None
    # The figures are told of the click that was, and that it was none.
    assert ChangeNote.objects.count() == 2


def test_form_field_that_no_person_sees_flags_the_answer_and_never_drops_it(mail, staff):
    survey, robot = answer(mail, GATE)
    robot.post(survey, {**GOOD, "_more": "http://spam.example"})
    evidence.judge_visits(at=NOW)
    assert Response.objects.doubted().get() == Response.objects.standing().get()
    number = Response.objects.get().response_id
    reference.load(at=NOW)
    visitor = make_visitor(staff.admin)
    page_en = visitor.get(f"/responses/{number}/", headers={"accept-language": "en"})
    assert number in visitor.get("/admin/surveys/response/?doubt=1").text
    assert "A machine may have sent this answer" in page_en.text
    assert "followed a link or filled in a field that no person sees" in page_en.text


def test_administrator_decides_with_a_reason_and_the_figures_follow(mail, staff):
    scan(mail)
    evidence.judge_visits(at=NOW)
    hit = Hit.objects.filter(page="survey", method="GET").order_by("pk").first()
    with pytest.raises(evidence.NoReason):
        evidence.rule(hit, person=True, reason=" ", at=LATER, by=staff.admin)
    for _again in range(2):
        evidence.rule(hit, person=True, reason="she called us", at=LATER, by=staff.admin)
    assert queries.funnel(mail.invitation.campaign).opened == 1
    assert Touchpoint.objects.get(kind="message_click").at == hit.at
    assert ChangeNote.objects.get().client_ids == [mail.invitation.client_id]
    entry = AuditEntry.objects.get(act="hit.rule")
    assert (entry.actor, entry.data["person"]) == (staff.admin, [False, True])
    assert entry.data["reason"] == "she called us"
    evidence.judge_visits(at=LATER)
    evidence.rule(hit, person=False, reason="it was her gateway", at=LATER, by=staff.admin)
    assert queries.funnel(mail.invitation.campaign).opened == 0
    assert not Touchpoint.objects.filter(kind="message_click").exists()
    assert ChangeNote.objects.count() == 2


def test_what_a_person_decided_is_not_judged_again(mail, staff, time_machine):
    gateway, scores = browser(GATE), links_of(mail)[:11]
    gateway.get(scores[0])
    evidence.judge_visits(at=NOW)
    evidence.rule(Hit.objects.get(), person=True, reason="seen", at=NOW, by=staff.admin)
    for link in scores[1:]:
        gateway.get(link)
    evidence.judge_visits(at=NOW)
    assert (
        list(Hit.objects.order_by("pk").values_list("person", flat=True)) == [True] + [False] * 10
    )


def test_networks_and_names_on_the_banks_list_are_machines(mail, staff):
    values.put("scanner_networks", ["203.0.113.0/24"], at=NOW, by=staff.admin)
    values.put("scanner_agents", ["corpmail"], at=NOW, by=staff.admin)
    survey, _person = answer(mail)
    Browser(headers={"user-agent": f"{CHROME} CorpMail/2"}, REMOTE_ADDR="198.51.100.9").get(survey)
    evidence.judge_visits(at=NOW)
    assert sorted(Hit.objects.values_list("signals", flat=True)) == [["agent"], ["network"]]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("scanner_networks", ["0.0.0.0/0"]),
        ("scanner_networks", ["gateway"]),
        ("scanner_networks", "192.0.2.0/24"),
        ("scanner_agents", ["Chrome/"]),
        ("scanner_agents", ["bot"]),
    ],
)
def test_lists_that_would_shut_out_persons_are_refused(key, value):
    with pytest.raises(values.Invalid):
        values.check(key, value)


def test_links_of_many_mails_from_one_address_are_a_signal():
    for _person in range(5):
        mail = make_delivery(
            make_invitation(version=make_mailed_version()), sent_at=NOW - timedelta(seconds=10)
        )
        Hit.objects.create(
            invitation=mail.invitation,
            page="survey",
            method="GET",
            at=NOW,
            address=GATE,
            agent=CHROME,
        )
    evidence.judge_visits(at=NOW)
    assert set(map(tuple, Hit.objects.values_list("signals", flat=True))) == {("mails", "quick")}
    assert not Hit.objects.filter(person=True).exists()


def decide(visitor, hit, action, reason):
    data = {"action": action, "_selected_action": [hit.pk], "reason": reason}
    return visitor.post("/admin/surveys/hit/", data, follow=True)


def test_only_administrators_decide_and_only_with_a_reason(mail, staff):
    answer(mail)
    evidence.judge_visits(at=NOW)
    hit = Hit.objects.get()
    reference.load(at=NOW)
    admin = make_visitor(staff.admin)
    decide(admin, hit, "call_machine", " ")
    hit.refresh_from_db()
    assert hit.person
    decide(admin, hit, "call_machine", "a test of ours")
    hit.refresh_from_db()
    assert (hit.person, hit.ruled_by, hit.ruled_why) == (False, staff.admin, "a test of ours")
    assert "a test of ours" in admin.get("/admin/surveys/hit/").text
    inside = admin.get(f"/admin/surveys/invitation/{mail.invitation_id}/change/", follow=True)
    assert "a test of ours" in inside.text
    decide(make_visitor(staff.qiu), hit, "call_person", "mine")
    hit.refresh_from_db()
    assert not hit.person
