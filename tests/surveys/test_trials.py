"""A test send: the real mail to colleagues, of which nothing counts anywhere."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from bank import reference
from bank.models import AuditEntry
from clients.models import Suppression, Touchpoint
from metrics import slicing
from surveys import (
    answering,
    campaigns,
    evidence,
    governance,
    links,
    queries,
    reminders,
    sending,
    traces,
    trials,
)
from surveys.models import Campaign, Delivery, Hit, Invitation, Question, Response
from tests.factories import (
    NOW,
    make_client,
    make_contact,
    make_draft,
    make_mailed_version,
    make_visitor,
)
from tests.sinks import Sink

pytestmark = pytest.mark.django_db
ANSWER = {"nps": 2, "csat": 1}


@pytest.fixture
def relay(settings):
    with Sink() as sink:
        settings.EMAIL_URL = sink.url
        yield sink


@pytest.fixture
def house(staff):
    for person in (staff.admin, staff.mu):
        person.email = f"{person.username}@bank.example"
        person.save()
    return staff


@pytest.fixture
def contact(db):
    return make_contact(make_client(name_zh="白榆有限公司"), name="程述安")


@pytest.fixture
def draft(contact):
    return make_draft()


def send(campaign, *people, at=NOW):
    return trials.send(campaign, to=people, at=at, by=people[0])


def drain(at=NOW):
    return sending.drain(clock=lambda: at)


def blocked(campaign):
    return [note.code for note in campaigns.preflight(campaign, at=NOW).warnings]


def test_each_colleague_gets_both_languages_marked_as_a_test(relay, house, draft):
    send(draft, house.admin, house.mu)
    assert drain() == sending.Drained(sent=4)
    assert relay.recipients == ["admin@bank.example"] * 2 + ["mu@bank.example"] * 2
    subjects = [str(mail["Subject"]) for _, mail in relay.mails]
    assert [subject[: subject.index("]") + 1] for subject in subjects] == ["[测试]", "[Test]"] * 2
    assert {mail["To"] for _, mail in relay.mails} == {"admin@bank.example", "mu@bank.example"}
    entry = AuditEntry.objects.get(act="campaign.test")
    assert (entry.actor, entry.data["to"]) == (house.admin, ["admin", "mu"])


def test_mail_tells_nothing_of_the_client_whose_place_it_takes(relay, house, draft, contact):
    send(draft, house.admin)
    drain()
    for _, mail in relay.mails:
        raw = mail.as_string()
        texts = "".join(part.get_content() for part in mail.walk() if not part.is_multipart())
        for told in (contact.name, contact.email, contact.client.name_zh, contact.client.code):
            assert told not in texts
            assert told not in raw


def test_version_in_one_language_is_tested_in_that_language(relay, house, contact):
    version = make_mailed_version()
    del version.emails["invitation"]["body_en"]
    version.save()
    send(make_draft(version), house.admin)
    assert drain() == sending.Drained(sent=1)


def test_test_goes_at_any_hour_and_past_the_rules_but_never_past_the_hold(relay, house, contact):
    midnight = NOW + timedelta(hours=14)
    send(make_draft(send_window=True), house.admin, at=midnight)
    contact.left_on = NOW.date()
    contact.save()
    assert drain(midnight) == sending.Drained(sent=2)


def test_test_is_no_history_of_the_person_whose_place_it_takes(relay, house, draft, contact):
    send(draft, house.admin)
    Delivery.objects.update(state="unknown")
    assert governance.refusals([contact], at=NOW) == {}
    Delivery.objects.update(state="queued")
    drain()
    assert governance.refusals([contact], at=NOW) == {}
    campaigns.launch(draft, at=NOW, by=None)
    assert drain() == sending.Drained(sent=1)
    assert reminders.plan_due(NOW + timedelta(days=10)) == 1


def test_refused_colleague_closes_no_address_of_a_client(settings, house, draft):
    with Sink(rcpt=lambda address: "550 5.1.1 no such user") as sink:
        settings.EMAIL_URL = sink.url
        send(draft, house.admin)
        assert drain() == sending.Drained(failed=2)
    assert Suppression.objects.count() == 0


def test_answer_is_marked_and_counts_nowhere(relay, house, draft, contact):
    first, _second = send(draft, house.admin)
    drain()
    token = links.survey_token(first.uuid)
    visitor = make_visitor(None)
    page = visitor.get(reverse("surveys:answer", args=[token]))
    assert 'class="trial"' in page.content.decode()
    posted = visitor.post(reverse("surveys:answer", args=[token]), ANSWER)
    assert posted.status_code == 302
    for name in ("done", "answer"):
        again = visitor.get(reverse(f"surveys:{name}", args=[token])).content.decode()
        assert 'class="trial"' in again
        assert contact.client.name_zh not in again
    response = Response.objects.get()
    assert (response.is_test, response.contact) == (True, None)
    assert list(Response.objects.standing()) == []
    assert list(Response.objects.visible_to(house.admin)) == []
    assert list(queries.invitations(house.admin)) == []
    assert queries.funnel(draft, viewer=house.admin).planned == 0
    ask = slicing.Ask(
        ("nps",),
        slicing.asking.named_span("rolling12m", at=timezone.now(), zone="Asia/Shanghai"),
        "relational",
    )
    (row,) = slicing.rows(ask, None, viewer=house.admin, at=timezone.now())
    assert row.figure.n == 0


def test_correction_of_a_test_is_a_test(relay, house, draft):
    first, _second = send(draft, house.admin)
    answering.submit(first, ANSWER, at=NOW, language="zh")
    again = answering.submit(first, ANSWER, at=NOW, language="zh")
    answering.correct(again, {"nps": 9, "csat": 5}, at=NOW, language="zh")
    assert set(Response.objects.values_list("is_test", flat=True)) == {True}
    assert Response.objects.count() == 2


def test_mail_and_visit_of_a_test_are_no_touchpoints(relay, house, draft):
    first, _second = send(draft, house.admin)
    drain()
    agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/128.0"
    for minute in (1, 2):
        Hit.objects.create(
            invitation=first,
            page="survey",
            method="GET",
            at=NOW + timedelta(minutes=minute),
            address="10.0.0.1",
            agent=agent,
        )
    evidence.judge_visits(at=NOW + timedelta(days=1))
    traces.record_sent(at=NOW)
    assert Touchpoint.objects.count() == 0


def test_opt_out_link_of_a_test_takes_nobody_off(house, draft, contact):
    first, _second = send(draft, house.admin)
    address = reverse("surveys:opt_out", args=[links.opt_out_token(first.uuid)])
    visitor = make_visitor(None)
    assert 'class="trial"' in visitor.get(address).content.decode()
    for data in ({"stop": "1"}, {"List-Unsubscribe": "One-Click"}, {"undo": "1"}):
        assert visitor.post(address, data).status_code == 200
    assert Suppression.objects.count() == 0


def test_preflight_warns_until_tested_and_again_after_a_change(house, draft):
    assert "no_test_send" in blocked(draft)
    send(draft, house.admin)
    draft.refresh_from_db()
    assert "no_test_send" not in blocked(draft)
    fields = {"name": "新名"}
    assert "no_test_send" not in blocked(campaigns.revise(draft, fields=fields, at=NOW, by=None))
    later = {"closes_at": draft.closes_at + timedelta(days=1)}
    assert "no_test_send" in blocked(campaigns.revise(draft, fields=later, at=NOW, by=None))


def test_new_version_of_the_questionnaire_has_to_be_tested_again(house, draft):
    send(draft, house.admin)
    old = draft.questionnaire.versions.get()
    questions = list(old.questions.all())
    version = make_mailed_version(questionnaire=draft.questionnaire, number=2)
    assert Question.objects.filter(version=version).count() == len(questions)
    draft.refresh_from_db()
    assert "no_test_send" in blocked(draft)


@pytest.mark.parametrize("code", ["wrong_status", "no_version", "no_recipients", "no_address"])
def test_test_that_makes_no_sense_says_why(house, draft, code):
    person = house.admin
    if code == "wrong_status":
        campaigns.launch(draft, at=NOW, by=None)
    elif code == "no_version":
        draft.questionnaire.versions.update(published_at=None)
    elif code == "no_recipients":
        Campaign.objects.update(audience={"segment": "project_finance"})
    else:
        person = house.lan
    with pytest.raises(trials.NotPossible) as caught:
        send(draft, person)
    assert caught.value.code == code
    assert Invitation.objects.filter(test_of=draft).count() == 0


def test_administrator_sends_a_test_from_the_page(client, house, draft, settings):
    settings.LANGUAGE_CODE = "en"
    reference.load(at=NOW)
    client.force_login(house.admin)
    client.cookies["django_language"] = "en"
    address = reverse("admin:surveys_campaign_test", args=[draft.pk])
    change = reverse("admin:surveys_campaign_change", args=[draft.pk])
    assert address in client.get(change).content.decode()
    page = client.get(address).content.decode()
    assert "admin@bank.example" in page
    assert f'value="{house.lan.pk}"' not in page
    assert "never" in page
    assert "This field is required." in client.post(address, {}).content.decode()
    answer = client.post(address, {"people": [house.admin.pk]}, follow=True)
    assert "2 test mails are on their way." in answer.content.decode()
    assert "as the mail is now" in client.get(address).content.decode()
    Campaign.objects.update(closes_at=NOW + timedelta(days=20))
    assert "the mail was changed since" in client.get(address).content.decode()
    Campaign.objects.update(audience={"segment": "project_finance"})
    answer = client.post(address, {"people": [house.admin.pk]}, follow=True)
    assert "The audience has no contact." in answer.content.decode()


def test_test_send_is_for_those_who_may_change_the_campaign(client, house, draft):
    reference.load(at=NOW)
    address = reverse("admin:surveys_campaign_test", args=[draft.pk])
    for person in (house.qiu, house.mu, house.lan):
        type(person).objects.filter(pk=person.pk).update(is_staff=True)
        client.force_login(person)
        assert client.post(address, {"people": [house.admin.pk]}).status_code in {403, 404}
    client.force_login(house.admin)
    Campaign.objects.update(status="closed", version=draft.questionnaire.versions.get())
    assert client.get(address).status_code == 403
    assert Invitation.objects.count() == 0
