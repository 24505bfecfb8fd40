"""The admin of questionnaires, responses and hits."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bank import reference
from bank.models import AuditEntry
from surveys import answering, visits
from surveys.models import Questionnaire, Version
from tests.factories import (
    NOW,
    make_client,
    make_contact,
    make_invitation,
    make_response,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client, staff):
    reference.load(at=NOW)
    client.force_login(staff.admin)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def url(model, page, *args):
    return reverse(f"admin:surveys_{model}_{page}", args=args)


def posted(version, **changes):
    """What the form of a draft posts when nothing is changed."""
    data = {
        "questionnaire": version.questionnaire_id,
        "attribution": version.attribution,
        "minutes": version.minutes,
        "intro_zh": version.intro_zh,
        "intro_en": version.intro_en,
        "closing_zh": "",
        "closing_en": "",
        "emails": "{}",
        "variables": '[{"name": "bank_name"}]',
        "questions-TOTAL_FORMS": "1",
        "questions-INITIAL_FORMS": "0",
        "questions-0-position": "1",
        "questions-0-key": "nps",
        "questions-0-type": "nps",
        "questions-0-text_zh": "您会推荐吗？",
        "questions-0-text_en": "Would you recommend us?",
        "questions-0-lo": "0",
        "questions-0-hi": "10",
        "questions-0-labels": "{}",
        "questions-0-options": "[]",
        "questions-0-required": "on",
    }
    return data | changes


def messages(page):
    return [str(message) for message in page.context["messages"]]


def test_a_draft_is_made_edited_and_published(admin, staff):
    line = Questionnaire.objects.create(key="new", kind="pulse", title_zh="新", title_en="New")
    draft = Version(questionnaire=line, attribution="relationship_team")
    assert admin.get(url("version", "add")).status_code == 200
    page = admin.post(url("version", "add"), posted(draft))
    assert page.status_code == 302, page.context["errors"]
    draft = Version.objects.get()
    assert (draft.number, draft.published_at, draft.questions.count()) == (1, None, 1)
    page = admin.post(url("version", "publish", draft.pk), follow=True)
    assert messages(page)[-1:] == ["The version is published."]
    draft.refresh_from_db()
    assert draft.published_at is not None
    entry = AuditEntry.objects.get(act="version.publish")
    assert entry.actor == staff.admin


def test_publishing_says_everything_that_is_wrong(admin):
    draft = make_version(published_at=None, intro_en="")
    draft.questions.filter(key="csat").update(text_en="")
    page = admin.post(url("version", "publish", draft.pk), follow=True)
    assert messages(page) == [
        "The introduction is missing in one language.",
        "Question csat: the text is missing in one language.",
    ]
    draft.refresh_from_db()
    assert draft.published_at is None


def test_a_published_version_is_read_only_whatever_is_posted(admin):
    version = make_version()
    page = admin.get(url("version", "change", version.pk))
    assert page.status_code == 200
    assert 'name="intro_zh"' not in page.text
    assert "questions-0-text_zh" not in page.text
    refused = admin.post(url("version", "change", version.pk), posted(version, intro_zh="改"))
    assert refused.status_code == 403
    assert admin.post(url("version", "delete", version.pk), {"post": "yes"}).status_code == 403
    version.refresh_from_db()
    assert version.intro_zh == "{{contact_name}}，您好。"


def test_a_new_draft_comes_from_a_version_and_opens(admin):
    version = make_version()
    page = admin.post(url("version", "draft", version.pk))
    draft = Version.objects.get(published_at=None)
    assert page.headers["Location"] == url("version", "change", draft.pk)
    assert draft.number == 2
    assert "questions-0-text_zh" in admin.get(page.headers["Location"]).text


def test_a_second_draft_is_refused_in_words(admin):
    draft = make_version(published_at=None)
    page = admin.post(url("version", "add"), posted(draft))
    assert "This questionnaire has a draft already." in page.text
    broken = admin.post(url("version", "change", draft.pk), posted(draft, variables="[1]"))
    assert "is needed." in broken.text
    assert Version.objects.count() == 1


@pytest.mark.parametrize(("language", "word"), [("zh", "非常满意"), ("en", "Very satisfied")])
def test_the_preview_shows_the_survey_and_cannot_be_submitted(admin, language, word):
    version = make_version(published_at=None)
    page = admin.get(url("version", "preview", version.pk), {"lang": language})
    assert page.status_code == 200
    assert word in page.text
    assert "disabled" in page.text
    assert admin.post(url("version", "preview", version.pk)).status_code == 405


def test_buttons_are_posts_of_administrators_on_what_exists(client, admin, staff):
    version = make_version()
    assert admin.get(url("version", "publish", version.pk)).status_code == 405
    assert admin.post(url("version", "publish", 999)).status_code == 404
    client.force_login(staff.lan)
    assert client.post(url("version", "publish", version.pk)).status_code == 403
    client.logout()
    assert "login" in client.post(url("version", "draft", version.pk)).headers["Location"]


def test_responses_and_hits_are_only_looked_at(admin):
    invitation = make_invitation()
    response = make_response(invitation, {"nps": 3, "csat": "na", "reason": "一句话"})
    page = admin.get(url("response", "change", response.pk))
    assert page.status_code == 200
    assert "一句话" in page.text
    assert admin.post(url("response", "change", response.pk), {}).status_code == 403
    assert admin.get(url("response", "add")).status_code == 403
    assert admin.get(url("hit", "add")).status_code == 403


def test_no_instant_joins_a_nameless_answer_to_the_person_who_was_asked(admin):
    invitation = make_invitation(version=make_version(attribution="anonymous_optional"))
    hit = visits.note(invitation, visits.Visit("survey", "GET", NOW, agent="Firefox"))
    moment = NOW + timedelta(minutes=7)
    answering.submit(invitation, {"nps": 3, "csat": 2}, at=moment, language="zh")
    for page in (
        admin.get(url("invitation", "changelist")),
        admin.get(url("invitation", "change", invitation.pk)),
        admin.get(url("hit", "changelist")),
        admin.get(url("hit", "change", hit.pk), follow=True),
    ):
        assert page.status_code == 200
        assert "10:07" not in page.text
        assert "Firefox" not in page.text
    assert "10:07" in admin.get(url("response", "changelist")).text


@pytest.mark.parametrize("model", ["questionnaire", "version", "response", "hit"])
def test_lists_search_and_cost_the_same_whatever_their_length(admin, model):
    def rows(count):
        for _ in range(count):
            invitation = make_invitation(make_contact(make_client()))
            make_response(invitation)
            invitation.hits.create(page="survey", method="GET", at=NOW)

    counts = []
    for more in (1, 2):
        rows(more)
        with CaptureQueriesContext(connection) as queries:
            page = admin.get(url(model, "changelist"), {"q": ""})
        assert page.status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
    assert admin.get(url(model, "changelist"), {"q": "C0"}).status_code == 200


def test_the_page_of_a_questionnaire_lists_its_versions(admin):
    version = make_version()
    page = admin.get(url("questionnaire", "change", version.questionnaire_id))
    assert url("version", "change", version.pk) in page.text
    found = admin.get(
        reverse("admin:autocomplete"),
        {
            "app_label": "surveys",
            "model_name": "version",
            "field_name": "questionnaire",
            "term": version.questionnaire.key,
        },
    )
    assert len(found.json()["results"]) == 1
