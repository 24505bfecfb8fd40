"""Submitting and correcting: once per link, under concurrency, whatever the listeners do."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection

from bank.models import AuditEntry
from surveys import answering, campaigns, links
from surveys.models import Answer, Invitation, Response
from surveys.signals import response_submitted
from tests.factories import NOW, make_campaign, make_invitation, make_response, make_version

GOOD = {"nps": 9, "csat": 4}
LOW = {"nps": 2, "csat": "na", "callback": "yes", "reason": " 太慢\x00 "}


@pytest.fixture
def heard():
    """The ids that a listener was told."""
    told = []

    def listen(sender, response_id, **_more):
        told.append(response_id)

    response_submitted.connect(listen)
    yield told
    response_submitted.disconnect(listen)


@pytest.mark.django_db
def test_submit_stores_values_texts_choices_and_not_applicable(heard):
    invitation = make_invitation()
    response = answering.submit(invitation, LOW, at=NOW, language="en")
    rows = {row.question.key: row for row in response.answers.all()}
    assert rows["nps"].value == 2
    assert (rows["csat"].value, rows["csat"].na) == (None, True)
    assert rows["callback"].choices == ["yes"]
    assert rows["reason"].text == "太慢"
    assert (response.language, response.submitted_at, response.channel) == ("en", NOW, "email")
    assert answering.answers_of(response) == {**LOW, "reason": "太慢"}
    invitation.refresh_from_db()
    assert (invitation.state, invitation.answered_at) == ("answered", NOW)


@pytest.mark.django_db
def test_the_bell_rings_after_commit_and_only_once(heard, django_capture_on_commit_callbacks):
    invitation = make_invitation()
    with django_capture_on_commit_callbacks(execute=True):
        first = answering.submit(invitation, GOOD, at=NOW, language="zh")
        assert heard == []
    with django_capture_on_commit_callbacks(execute=True):
        again = answering.submit(invitation, LOW, at=NOW, language="zh")
    assert again == first
    assert heard == [first.pk]


@pytest.mark.django_db
def test_a_listener_that_fails_costs_no_answer(django_capture_on_commit_callbacks, caplog):
    def broken(sender, **_more):
        raise RuntimeError("listener")

    response_submitted.connect(broken)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            response = answering.submit(make_invitation(), GOOD, at=NOW, language="zh")
    finally:
        response_submitted.disconnect(broken)
    assert Response.objects.get() == response
    assert "A receiver of response_submitted failed" in caplog.text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "faults"),
    [
        ({}, {"nps": "missing", "csat": "missing"}),
        ({"nps": 11, "csat": 4}, {"nps": "unknown"}),
        ({"nps": True, "csat": 4}, {"nps": "unknown"}),
        ({"nps": 9.5, "csat": 4}, {"nps": "unknown"}),
        ({"nps": "na", "csat": 4}, {"nps": "unknown"}),
        ({"nps": 9, "csat": [4, 5]}, {"csat": "one"}),
        ({"nps": 2, "csat": 4, "callback": "later"}, {"callback": "unknown"}),
        ({"nps": 2, "csat": 4, "callback": ["yes", "no"]}, {"callback": "one"}),
        ({"nps": 9, "csat": 4, "reason": "x" * 1001}, {"reason": "too_long"}),
        ({"nps": 9, "csat": 4, "reason": 7}, {"reason": "unknown"}),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(values, faults):
    invitation = make_invitation()
    with pytest.raises(answering.Invalid) as refusal:
        answering.submit(invitation, values, at=NOW, language="zh")
    assert refusal.value.faults == faults
    assert Response.objects.count() == 0
    assert Answer.objects.count() == 0
    invitation.refresh_from_db()
    assert invitation.state == Invitation.State.INVITED


@pytest.mark.django_db
def test_multiple_choices_keep_their_limit():
    version = make_version()
    version.questions.filter(key="callback").update(
        type="multi", show_if=None, max_choices=1, key="causes"
    )
    for chosen, faults in (
        (["yes"], {}),
        (["yes", "no"], {"causes": "too_many"}),
        (["yes", "yes"], {"causes": "unknown"}),
        (["maybe"], {"causes": "unknown"}),
        ("yes", {"causes": "unknown"}),
    ):
        values = {**GOOD, "causes": chosen}
        questions = list(version.questions.order_by("position"))
        assert answering.judge(questions, values, {})[1] == faults


@pytest.mark.django_db
@pytest.mark.parametrize(
    "fields", [{"state": "withdrawn"}, {"state": "skipped", "reason": "no_consent"}]
)
def test_a_link_that_is_not_open_takes_no_answer(fields):
    with pytest.raises(answering.Closed):
        answering.submit(make_invitation(**fields), GOOD, at=NOW, language="zh")
    assert Response.objects.count() == 0


@pytest.mark.django_db
def test_the_deadline_ends_the_link_on_the_instant():
    invitation = make_invitation()
    assert answering.is_open(invitation, invitation.closes_at - timedelta(microseconds=1))
    assert not answering.is_open(invitation, invitation.closes_at)


@pytest.mark.django_db
def test_a_campaign_that_has_ended_ends_its_links():
    for status in ("sending", "paused", "collecting"):
        invitation = make_invitation(campaign=make_campaign(status=status))
        assert answering.is_open(invitation, NOW)
        end = campaigns.stop if status == "sending" else campaigns.close
        end(invitation.campaign, at=NOW, by=None)
        invitation.refresh_from_db()
        assert not answering.is_open(invitation, NOW)


@pytest.mark.django_db
def test_a_correction_replaces_and_keeps_what_was_said():
    first = answering.submit(make_invitation(), GOOD, at=NOW, language="zh")
    later = NOW + timedelta(hours=1)
    second = answering.correct(first, LOW, at=later, language="en")
    first.refresh_from_db()
    assert (first.retracted_at, second.replaces, second.submitted_at) == (later, first, later)
    assert list(Response.objects.standing()) == [second]
    assert answering.answers_of(first) == GOOD
    entry = AuditEntry.objects.get(act="response.correct")
    assert entry.data["replaces"] == first.response_id
    third = answering.correct(second, GOOD, at=later, language="zh")
    assert len({row.response_id for row in (first, second, third)}) == 3


@pytest.mark.django_db
def test_the_same_correction_twice_makes_one_version():
    first = answering.submit(make_invitation(), GOOD, at=NOW, language="zh")
    second = answering.correct(first, LOW, at=NOW, language="zh")
    assert answering.correct(first, LOW, at=NOW, language="zh") == second
    assert answering.correct(second, LOW, at=NOW, language="zh") == second
    assert Response.objects.count() == 2


@pytest.mark.django_db
def test_a_correction_after_the_deadline_or_without_a_link_is_refused():
    first = answering.submit(make_invitation(), GOOD, at=NOW, language="zh")
    with pytest.raises(answering.Closed):
        answering.correct(first, LOW, at=first.invitation.closes_at, language="zh")
    imported = make_response()
    imported.invitation = None
    with pytest.raises(answering.Closed):
        answering.correct(imported, LOW, at=NOW, language="zh")
    assert Response.objects.standing().filter(invitation=first.invitation).get() == first


@pytest.mark.django_db
def test_somebody_anonymous_is_named_only_if_they_say_who_they_are():
    version = make_version(attribution="anonymous_optional")
    version.questions.filter(key="reason").update(key="contact_optional")
    silent = answering.submit(make_invitation(version=version), GOOD, at=NOW, language="zh")
    named = {**GOOD, "contact_optional": "程述安"}
    spoken = answering.submit(make_invitation(version=version), named, at=NOW, language="zh")
    assert silent.contact is None
    assert spoken.contact == spoken.invitation.contact


@pytest.mark.django_db
def test_the_audit_trail_says_which_response_and_never_what_was_said():
    answering.submit(make_invitation(), {**GOOD, "reason": "secret"}, at=NOW, language="zh")
    entry = AuditEntry.objects.get(act="response.submit")
    assert entry.actor_label == "contact"
    assert set(entry.data) == {"response", "version"}


def at_once(count, call):
    """Run the call in so many threads, each with its own connection, and collect results."""
    gate, results = threading.Barrier(count), []

    def run():
        try:
            gate.wait()
            results.append(call())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_six_submits_at_once_make_one_response():
    for _round in range(5):
        invitation = make_invitation()
        results = at_once(6, partial(answering.submit, invitation, GOOD, at=NOW, language="zh"))
        assert len(results) == 6
        assert len(set(results)) == 1
        assert Response.objects.filter(invitation=invitation).count() == 1
    assert AuditEntry.objects.filter(act="response.submit").count() == 5


@pytest.mark.django_db(transaction=True)
def test_six_posts_at_once_are_all_thanked_and_one_is_stored(client, time_machine):
    time_machine.move_to(NOW, tick=False)
    invitation = make_invitation()
    address = f"/s/{links.survey_token(invitation.uuid)}/"
    pages = at_once(6, lambda: client.post(address, {"nps": "9", "csat": "4"}).headers["Location"])
    assert pages == [f"{address}done/"] * 6
    assert Response.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_six_corrections_at_once_leave_one_that_stands():
    first = answering.submit(make_invitation(), GOOD, at=NOW, language="zh")
    results = at_once(6, lambda: answering.correct(first, LOW, at=NOW, language="zh").pk)
    assert len(set(results)) == 1
    assert Response.objects.standing().count() == 1
    assert Response.objects.count() == 2
