"""The pages of the client, through the test client: no session, no cookie, no scripts."""

import gzip
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from bank import settings
from bank.models import AuditEntry, Role
from clients import consent
from clients.models import Consent, Suppression
from surveys import answering, campaigns, http, links, reference, visits
from surveys.models import Hit, Invitation, Response, Version
from tests.factories import (
    NOW,
    make_campaign,
    make_case,
    make_client,
    make_contact,
    make_invitation,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db
FOLDER = Path(__file__).parents[2] / "reference"
GOOD = {"nps": "9", "csat": "4"}
LOW = {"nps": "3", "csat": "2"}


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def browser():
    return Browser(enforce_csrf_checks=True)


@pytest.fixture
def invitation():
    return make_invitation()


def survey(invitation, tail=""):
    return f"/s/{links.survey_token(invitation.uuid)}/{tail}"


def opt_out(invitation):
    return f"/u/{links.opt_out_token(invitation.uuid)}/"


def checked(html):
    return re.findall(r'<input[^>]*id="([^"]+)"[^>]*\schecked', html)


def test_opening_the_link_with_a_score_twenty_times_stores_no_answer(browser, invitation):
    for _ in range(10):
        browser.get(survey(invitation, "?nps=9"))
        browser.head(survey(invitation, "?nps=9"))
    invitation.refresh_from_db()
    assert Response.objects.count() == 0
    assert invitation.state == Invitation.State.INVITED
    assert invitation.opened_at is None
    assert Hit.objects.filter(score=9).count() == 20


def test_one_post_stores_one_answer_and_a_second_changes_nothing(browser, invitation):
    first = browser.post(survey(invitation), GOOD)
    assert (first.status_code, first.headers["Location"]) == (302, survey(invitation, "done/"))
    second = browser.post(survey(invitation), LOW)
    assert (second.status_code, second.headers["Location"]) == (302, survey(invitation, "done/"))
    response = Response.objects.get()
    assert {row.question.key: row.value for row in response.answers.all()} == {"nps": 9, "csat": 4}
    assert AuditEntry.objects.filter(act="response.submit").count() == 1


def test_the_link_preselects_the_score_and_says_so(browser, invitation):
    html = browser.get(survey(invitation, "?nps=9&lang=en")).text
    assert checked(html) == ["nps-9"]
    assert "We brought over the 9 you picked" in html
    plain = browser.get(survey(invitation, "?lang=en")).text
    assert checked(plain) == []
    assert "We brought over" not in plain


@pytest.mark.parametrize("score", ["11", "-1", "x", "９", "", "9.5", "09"])
def test_a_score_that_does_not_exist_is_not_preselected(browser, invitation, score):
    page = browser.get(survey(invitation), {"nps": score})
    assert page.status_code == 200
    assert checked(page.text) == []


def test_score_zero_is_preselected_and_stored_as_zero(browser, invitation):
    assert checked(browser.get(survey(invitation, "?nps=0")).text) == ["nps-0"]
    browser.post(survey(invitation), {"nps": "0", "csat": "na"})
    answers = Response.objects.get().answers.order_by("question__position")
    assert [(row.value, row.na) for row in answers] == [(0, False), (None, True)]


@pytest.mark.parametrize(("language", "word"), [("zh", "非常满意"), ("en", "Very satisfied")])
def test_the_page_is_a_plain_form_in_both_languages(browser, language, word):
    invitation = make_invitation(language=language)
    html = browser.get(survey(invitation)).text
    assert len(re.findall(r'<input type="radio"\s+name="nps"', html)) == 11
    assert html.index(word) < html.index("一般" if language == "zh" else "Neither satisfied")
    assert "1 / 3" in html
    assert "4 / 4" not in html
    assert "style=" not in html
    assert "<script" not in html
    assert ("Dear Ms Cheng," if language == "en" else "程女士，您好。") in html


def test_a_survey_is_completed_by_its_own_fields_in_both_languages(browser):
    for language in ("zh", "en"):
        invitation = make_invitation(language=language)
        html = browser.get(survey(invitation)).text
        names = set(re.findall(r'name="([^"]+)"', html))
        assert {"nps", "reason", "csat", "callback", "_language"} <= names
        posted = {**LOW, "reason": "慢", "callback": "yes", "_language": language}
        thanks = browser.post(survey(invitation), posted, follow=True)
        assert thanks.status_code == 200
        response = Response.objects.get(invitation=invitation)
        assert (response.language, response.answers.count()) == (language, 4)


def test_a_question_that_a_choice_reveals_is_tied_to_that_choice(browser, invitation):
    html = browser.get(survey(invitation)).text
    shows = re.findall(r'id="([^"]+)"[^>]*class="shows-1"', html)
    assert set(shows) == {f"nps-{score}" for score in range(7)} | {"csat-1", "csat-2"}
    assert 'class="q if if-1"' in html


def test_answers_of_hidden_questions_are_cleared(browser, invitation):
    browser.post(survey(invitation), {**GOOD, "callback": "yes"})
    assert set(Response.objects.get().answers.values_list("question__key", flat=True)) == {
        "nps",
        "csat",
    }


def test_a_missing_required_answer_brings_the_page_back_with_the_rest(browser, invitation):
    page = browser.post(survey(invitation), {"nps": "7", "reason": "很快", "_language": "en"})
    assert page.status_code == 200
    assert "Error:" in re.search(r"<title>(.*?)</title>", page.text, re.DOTALL)[1]
    assert 'href="#csat-5"' in page.text
    assert page.text.count("Please choose how satisfied you are.") == 2
    assert checked(page.text) == ["nps-7"]
    assert "很快" in page.text
    assert Response.objects.count() == 0
    assert Hit.objects.get().method == "POST"


def test_a_condition_that_makes_a_required_question_visible_asks_for_it(browser):
    version = make_version()
    version.questions.filter(key="callback").update(required=True)
    invitation = make_invitation(version=version)
    page = browser.post(survey(invitation), {**LOW, "_language": "en"})
    assert page.status_code == 200
    assert 'href="#callback-yes"' in page.text
    assert Response.objects.count() == 0
    assert browser.post(survey(invitation), {**LOW, "callback": "no"}).status_code == 302


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nps", "11"),
        ("nps", "-1"),
        ("nps", "９"),
        ("nps", "9\x00"),
        ("nps", ["9", "8"]),
        ("nps", "na"),
        ("csat", "6"),
        ("csat", "yes"),
        ("callback", "perhaps"),
        ("reason", "长" * 1001),
    ],
)
def test_a_bad_value_is_explained_in_both_languages_and_stores_nothing(
    browser, invitation, field, value
):
    titles = []
    for language in ("zh", "en"):
        page = browser.post(survey(invitation), {**LOW, field: value, "_language": language})
        assert page.status_code == 200
        assert 'class="errsum"' in page.text
        with translation.override(http.LANGUAGES[language]):
            assert translation.gettext("Error:") in page.text
        titles.append(page.headers["Content-Language"])
    assert titles == ["zh-hans", "en"]
    assert Response.objects.count() == 0


def test_free_text_loses_control_characters_and_stays_text(browser, invitation):
    browser.post(survey(invitation), {**GOOD, "reason": "a\x00b\x1b[31m\r\n<script>alert(1)"})
    row = Response.objects.get().answers.get(question__key="reason")
    assert row.text == "ab[31m\n<script>alert(1)"


def test_text_that_comes_back_is_escaped(browser, invitation):
    page = browser.post(survey(invitation), {"reason": "</textarea><script>x</script>"})
    assert "<script" not in page.text
    assert "&lt;/textarea&gt;" in page.text


def test_names_on_the_page_are_escaped(browser):
    invitation = make_invitation(variables={"contact_name": "<a href=//evil>", "bank_name": "B"})
    html = browser.get(survey(invitation)).text
    assert "<a href=//evil>" not in html
    assert "&lt;a href=//evil&gt;，您好。" in html


def test_two_invitations_of_one_version_see_their_own_names_and_links(browser):
    version = make_version()
    one, two = (
        make_invitation(version=version, variables={"bank_name": "B", "contact_name": name})
        for name in ("甲女士", "乙先生")
    )
    pages = [browser.get(survey(row)).text for row in (one, two, one)]
    assert ["甲女士" in page for page in pages] == [True, False, True]
    assert ["乙先生" in page for page in pages] == [False, True, False]
    assert [opt_out(one) in page for page in pages] == [True, False, True]


def test_a_template_in_a_name_stays_text(browser):
    invitation = make_invitation(variables={"contact_name": "{{ bank_name }}{% debug %}"})
    assert "{{ bank_name }}{% debug %}" in browser.get(survey(invitation)).text


def test_changing_the_language_keeps_answers_and_stores_nothing(browser, invitation):
    page = browser.post(
        survey(invitation), {"nps": "8", "reason": "好", "_language": "zh", "_switch": "en"}
    )
    assert page.status_code == 200
    assert page.headers["Content-Language"] == "en"
    assert '<html lang="en">' in page.text
    assert checked(page.text) == ["nps-8"]
    assert "好" in page.text
    assert "errsum" not in page.text
    assert Response.objects.count() == 0


def test_enter_presses_submit_and_not_a_language(browser, invitation):
    html = browser.get(survey(invitation)).text
    first = re.search(r"<button[^>]*>", html)[0]
    assert "hidden" in first
    assert "name=" not in first


def test_opening_an_answered_link_says_when_and_offers_to_change(browser, invitation):
    browser.post(survey(invitation), {**GOOD, "reason": "a secret remark"})
    page = browser.get(survey(invitation, "?lang=en"))
    assert page.status_code == 200
    assert "You have already answered, thank you" in page.text
    assert "2026-11-24 10:00" in page.text
    assert survey(invitation, "edit/") in page.text
    assert "a secret remark" not in page.text


def test_a_correction_starts_empty_and_keeps_both_versions(browser, invitation):
    browser.post(survey(invitation), {**GOOD, "reason": "a secret remark"})
    page = browser.get(survey(invitation, "edit/?lang=en"))
    assert checked(page.text) == []
    assert "a secret remark" not in page.text
    assert "The page starts empty" in page.text
    assert browser.post(survey(invitation, "edit/"), LOW).status_code == 302
    old, new = Response.objects.order_by("id")
    assert (new.replaces, old.retracted_at, new.retracted_at) == (old, NOW, None)
    assert new.answers.get(question__key="nps").value == 3
    assert old.answers.get(question__key="nps").value == 9


def test_a_correction_with_a_fault_leaves_the_old_answer(browser, invitation):
    browser.post(survey(invitation), GOOD)
    page = browser.post(survey(invitation, "edit/"), {"nps": "12"})
    assert page.status_code == 200
    assert Response.objects.get().retracted_at is None


def test_several_choices_repeat_their_field_and_come_back_ticked(browser):
    version = make_version()
    version.questions.filter(key="callback").update(type="multi", show_if=None, max_choices=1)
    invitation = make_invitation(version=version)
    both = {**GOOD, "callback": ["yes", "no"], "_language": "en"}
    page = browser.post(survey(invitation), both)
    assert "Please choose at most 1 answers." in page.text
    assert checked(page.text)[-2:] == ["callback-yes", "callback-no"]
    browser.post(survey(invitation), {**GOOD, "callback": ["no"]})
    response = Response.objects.get()
    assert answering.answers_of(response) == {"nps": 9, "csat": 4, "callback": ["no"]}


def test_before_an_answer_edit_and_thanks_lead_to_the_survey(browser, invitation):
    for tail in ("edit/", "done/"):
        page = browser.get(survey(invitation, tail))
        assert (page.status_code, page.headers["Location"]) == (302, survey(invitation))


def test_unknown_malformed_and_foreign_tokens_look_the_same(browser, invitation):
    other_type = links.opt_out_token(invitation.uuid)
    pages = [
        browser.get(address)
        for address in (
            "/s/" + "A" * 43 + "/",
            "/s/x/",
            f"/s/{other_type}/",
            "/u/x/",
            "/s/%00/",
            "/s/x/edit/",
            "/s/x/done/",
        )
    ]
    assert {page.status_code for page in pages} == {404}
    assert len({page.content for page in pages}) == 1


@pytest.mark.parametrize("how", ["expired", "withdrawn", "campaign closed", "campaign stopped"])
def test_a_closed_link_is_gone_with_the_page_of_unknown_ones(browser, how):
    changes = {
        "expired": {"closes_at": NOW},
        "withdrawn": {"state": "withdrawn"},
        "campaign closed": {"campaign": make_campaign()},
        "campaign stopped": {"campaign": make_campaign()},
    }
    invitation = make_invitation(**changes[how])
    if "campaign" in how:
        end = campaigns.close if how == "campaign closed" else campaigns.stop
        end(invitation.campaign, at=NOW, by=None)
    unknown = browser.get("/s/nobody/")
    for page in (browser.get(survey(invitation)), browser.post(survey(invitation), GOOD)):
        assert page.status_code == 410
        assert page.content == unknown.content
    assert Response.objects.count() == 0


def test_the_deadline_is_checked_at_submit(browser, invitation, time_machine):
    assert browser.get(survey(invitation)).status_code == 200
    time_machine.move_to(invitation.closes_at + timedelta(seconds=1))
    assert browser.post(survey(invitation), GOOD).status_code == 410


def test_after_the_deadline_an_answer_can_no_longer_be_changed(browser, invitation, time_machine):
    browser.post(survey(invitation), GOOD)
    time_machine.move_to(invitation.closes_at + timedelta(seconds=1))
    assert browser.post(survey(invitation, "edit/"), LOW).status_code == 410
    page = browser.get(survey(invitation))
    assert page.status_code == 200
    assert survey(invitation, "edit/") not in page.text


def test_guessing_is_slowed_down_and_a_valid_link_is_not(browser, invitation):
    codes = [browser.get(f"/s/guess-{number}/").status_code for number in range(http.MISSES + 2)]
    assert codes == [404] * http.MISSES + [429, 429]
    assert browser.get("/u/guess/").headers["Retry-After"] == "60"
    assert browser.get(survey(invitation)).status_code == 200
    assert browser.get(opt_out(invitation)).status_code == 200


def test_with_the_cache_away_an_unknown_link_is_just_unknown(browser, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    assert browser.get("/s/nobody/").status_code == 404


@pytest.mark.parametrize("tail", ["", "edit/", "done/"])
def test_other_methods_are_refused(browser, invitation, tail):
    for method in (browser.put, browser.delete, browser.patch, browser.options):
        assert method(survey(invitation, tail)).status_code == 405


def test_every_client_page_is_private_and_sets_no_cookie(browser, invitation):
    addresses = [survey(invitation), opt_out(invitation), "/s/nobody/"]
    pages = [browser.get(address) for address in addresses]
    browser.post(survey(invitation), GOOD)
    pages += [browser.get(survey(invitation, tail)) for tail in ("", "done/", "edit/")]
    for page in pages:
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert not page.cookies
        assert "style=" not in page.text
        assert "http://" not in page.text
        assert "https://" not in page.text


def test_a_visit_takes_at_most_two_statements_and_a_submit_seven(browser, invitation):
    invitation.version.variables.append({"name": "hotline"})
    invitation.version.save()
    invitation.variables["hotline"] = "400-000-0000"
    invitation.save()
    browser.get(survey(invitation))
    browser.get(survey(invitation, "?nps=9"))
    with CaptureQueriesContext(connection) as warm:
        browser.get(survey(invitation, "?nps=9"))
    with CaptureQueriesContext(connection) as submit:
        browser.post(survey(invitation), {**LOW, "reason": "x", "callback": "no"})
    at_once = connection.vendor == "postgresql"
    assert verbs(warm) == (["WITH"] if at_once else ["SELECT", "INSERT"])
    acts = ["SELECT", "INSERT", "INSERT", "UPDATE", "INSERT", "INSERT"]
    assert verbs(submit) == ["SELECT", "SAVEPOINT", *acts, "RELEASE"]


def verbs(captured):
    return [row["sql"].split()[0] for row in captured]


def test_the_page_of_the_longest_questionnaire_stays_small(browser):
    data = {
        name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("questionnaires", "case_model")
    }
    reference.load(data, NOW)
    for version in Version.objects.all():
        examples = {row["name"]: row["example_zh"] for row in version.variables}
        invitation = make_invitation(version=version, variables=examples)
        page = browser.get(survey(invitation))
        assert page.status_code == 200
        assert len(page.content) < 25_000
        assert len(gzip.compress(page.content)) < 5_000
        assert "{{" not in page.text
        assert "\x01" not in page.text


def test_hits_keep_who_asked_within_bounds(browser, invitation):
    browser.get(survey(invitation), headers={"user-agent": "Mo\x07zilla " + "x" * 500})
    hit = Hit.objects.get()
    assert (hit.method, hit.page, hit.address) == ("GET", "survey", "127.0.0.1")
    assert len(hit.agent) == 299


# The thanks


def answered(browser, values, **fields):
    manager = make_user("lin", Role.RELATIONSHIP_MANAGER, name_zh="林知微", name_en="Lin Zhiwei")
    contact = make_contact(make_client(manager=manager))
    invitation = make_invitation(contact, language="en", **fields)
    return browser.post(survey(invitation), {**values, "_language": "en"}, follow=True).text


def test_thanks_for_a_low_score_apologise_with_a_name_and_the_promised_call(browser):
    text = answered(browser, {**LOW, "callback": "yes"})
    assert "We are sorry that we did not do better." in text
    assert "Lin Zhiwei" in text
    assert "within 2 working days" in text
    assert "recommend" not in text


def test_thanks_for_a_low_score_without_a_call_promise_none(browser):
    text = answered(browser, {**LOW, "callback": "no"})
    assert "You did not ask us to contact you" in text
    assert "within 2 working days" not in text


def test_thanks_for_a_high_score_are_thanks_only(browser):
    text = answered(browser, GOOD)
    assert "sorry" not in text
    assert "contact you" not in text
    assert "change your answers" in text


def test_thanks_tell_the_truth_about_who_reads_it(browser):
    text = answered(browser, GOOD, version=make_version(attribution="experience_team_only"))
    assert "customer-experience team only" in text
    assert "Lin Zhiwei" not in text


def test_the_case_is_named_where_there_is_one(browser):
    contact = make_contact(make_client())
    case = make_case(contact.client, name="苍屿 <b>项目</b>融资")
    html = browser.get(survey(make_invitation(contact, case=case))).text
    assert "苍屿 &lt;b&gt;项目&lt;/b&gt;融资" in html


# Opting out


def survey_consent(invitation):
    return Consent.objects.get(contact=invitation.contact, purpose="survey").state


def test_asking_to_stop_changes_nothing(browser, invitation):
    before = AuditEntry.objects.count()
    for method in (browser.get, browser.head):
        assert method(opt_out(invitation)).status_code == 200
    assert survey_consent(invitation) == "yes"
    assert consent.refusal(invitation.contact, at=NOW) == ""
    assert AuditEntry.objects.count() == before


def test_one_click_stops_at_once_without_cookie_and_a_hundred_times(browser, invitation):
    codes = {
        browser.post(opt_out(invitation), {"List-Unsubscribe": "One-Click"}).status_code
        for _ in range(100)
    }
    assert codes == {200}
    assert consent.refusal(invitation.contact, at=NOW) == "no_consent"
    assert AuditEntry.objects.filter(act="consent.opt_out").count() == 1


def test_one_click_works_for_a_used_and_for_a_closed_link(browser):
    for fields in ({"state": "answered"}, {"closes_at": NOW - timedelta(days=1)}):
        invitation = make_invitation(**fields)
        page = browser.post(opt_out(invitation), {"List-Unsubscribe": "One-Click"})
        assert page.status_code == 200
        assert survey_consent(invitation) == "no"


def test_one_click_with_another_value_leaves_everything(browser, invitation):
    page = browser.post(opt_out(invitation), {"List-Unsubscribe": "Two-Click"})
    assert page.status_code == 400
    assert survey_consent(invitation) == "yes"


def test_the_button_stops_says_what_goes_on_and_can_be_undone(browser, invitation):
    page = browser.post(opt_out(invitation), {"stop": "1"}, follow=True)
    assert page.status_code == 200
    english = browser.get(opt_out(invitation) + "?lang=en").text
    assert "Done: we will not send you surveys any more" in english
    assert "notices on your contracts and loans" in english
    assert "Undo" in english
    back = browser.post(opt_out(invitation) + "?lang=en", {"undo": "1"}, follow=True)
    assert consent.refusal(invitation.contact, at=NOW) == ""
    assert "Undone: you stay on the list for surveys." in back.text
    assert "Undone" not in browser.get(opt_out(invitation) + "?lang=en").text


def test_the_reason_is_asked_after_the_stop_and_never_before(browser, invitation):
    address = opt_out(invitation)
    before = browser.get(address + "?lang=en").text
    assert ('name="why"' in before, before.count("<button")) == (False, 1)
    browser.post(address, {"tell": "1", "why": "too_many"})
    assert not Suppression.objects.exists()
    browser.post(address, {"stop": "1"})
    assert 'name="why"' in browser.get(address).text
    for given in ("", "nonsense"):
        assert browser.post(address, {"tell": "1", "why": given}).status_code == 302
    said = browser.post(address + "?lang=en", {"tell": "1", "why": "too_many"}, follow=True)
    assert "Your reason is kept" in said.text
    assert Suppression.objects.get().why == "too_many"


def test_the_link_that_no_person_sees_leads_to_the_survey_and_is_evidence(browser, invitation):
    page = browser.get(survey(invitation))
    assert (
        f'<a href="{survey(invitation, "view/")}" tabindex="-1" rel="nofollow"></a>' in page.text
    )
    hidden = re.search(r'<div hidden aria-hidden="true">.*?</div>', page.text, re.DOTALL)[0]
    assert 'name="_more"' in hidden
    led = browser.get(survey(invitation, "view/"))
    assert (led.status_code, led.headers["Location"]) == (302, survey(invitation))
    assert [hit.page for hit in Hit.objects.order_by("pk")] == ["survey", "trap"]
    assert browser.get("/s/nobody/view/").status_code == 404


def test_the_fast_and_the_plain_way_find_and_note_the_same(invitation):
    visit = visits.Visit("survey", "GET", NOW, "203.0.113.5", "Firefox", 9)
    digest = links.digest(links.survey_token(invitation.uuid))
    found = [visits.follow(digest, visit), visits.follow_plainly(digest, visit)]
    assert found == [invitation, invitation]
    assert found[0].variables == found[1].variables == invitation.variables
    assert found[0].closes_at == found[1].closes_at == invitation.closes_at
    rows = [Hit.objects.values().exclude(pk=None)[number] for number in (0, 1)]
    assert rows[0] | {"id": 0} == rows[1] | {"id": 0}
    assert visits.follow("nobody", visit) is visits.follow_plainly("nobody", visit) is None
    assert Hit.objects.count() == 2


def test_undo_ends_after_ten_minutes(browser, invitation, time_machine):
    browser.post(opt_out(invitation), {"stop": "1"})
    time_machine.move_to(NOW + timedelta(minutes=10), tick=False)
    assert 'name="undo"' not in browser.get(opt_out(invitation)).text
    browser.post(opt_out(invitation), {"undo": "1"})
    assert survey_consent(invitation) == "no"


def test_who_opted_out_can_still_answer_the_link_already_held(browser, invitation):
    browser.post(opt_out(invitation), {"List-Unsubscribe": "One-Click"})
    assert browser.post(survey(invitation), GOOD).status_code == 302


def test_the_privacy_notice_is_open_to_anybody_in_both_languages(browser):
    assert "Who is responsible" in browser.get("/privacy/?lang=en").text
    chinese = browser.get("/privacy/?lang=zh").text
    assert "个人信息" in chinese
    assert "{{" not in chinese


def test_page_kept_ready_follows_the_banks_telephone_number(browser, invitation):
    assert "400-000-0000" in browser.get(survey(invitation)).text
    settings.put("hotline", "400-111-2222", at=NOW, by=None)
    page = browser.get(survey(invitation)).text
    assert ("400-111-2222" in page, "400-000-0000" in page) == (True, False)
