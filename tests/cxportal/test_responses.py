"""The list of responses and one response, under the promise made with the questionnaire."""

from datetime import timedelta

import pytest

from surveys import answering
from tests import factories

pytestmark = pytest.mark.usefixtures("today")
NOW = factories.NOW


@pytest.fixture
def lan(client, staff):
    client.force_login(staff.lan)
    return client


def make(staff, answers, **fields):
    version = fields.pop("version", None) or factories.make_version()
    contact = factories.make_contact(factories.make_client(manager=staff.lan, team=staff.east))
    return factories.make_response(
        factories.make_invitation(contact, version=version), answers, **fields
    )


def ids(response):
    return [line.response.response_id for line in response.context["lines"]]


@pytest.mark.parametrize("number", [1, 3])
def test_list_takes_the_same_queries_for_any_number(lan, staff, number, django_assert_num_queries):
    for _each in range(number):
        make(staff, {"nps": 3, "reason": "慢"})
    with django_assert_num_queries(9):
        assert lan.get("/responses/").status_code == 200


def test_list_is_newest_first(lan, staff):
    old = make(staff, {"nps": 3}, submitted_at=NOW - timedelta(days=3))
    new = make(staff, {"nps": 9}, submitted_at=NOW - timedelta(days=1))
    assert ids(lan.get("/responses/")) == [new.response_id, old.response_id]


@pytest.mark.parametrize(
    ("score", "found"),
    [("0-6", ["a", "b"]), ("7-8", ["c"]), ("9-10", ["d"]), ("0", ["a"]), ("8", ["c"])],
)
def test_score_range_counts_zero_as_a_rating(lan, staff, score, found):
    for name, value in (("a", 0), ("b", 6), ("c", 8), ("d", 10)):
        make(staff, {"nps": value}, response_id=name)
    make(staff, {"csat": 1}, response_id="no-rating")
    assert sorted(ids(lan.get("/responses/", {"score": score}))) == found


@pytest.mark.parametrize("score", ["x", "6-0", "0-11", "-", "1-2-3", "٣"])
def test_nonsense_as_a_score_is_no_filter(lan, staff, score):
    make(staff, {"nps": 3}, response_id="a")
    assert ids(lan.get("/responses/", {"score": score})) == ["a"]


def test_list_is_narrowed_by_date_questionnaire_campaign_and_words(lan, book):
    one = book.mine.response
    key = one.version.questionnaire.key
    for query, found in (
        ({"from": "2026-11-15", "to": "2026-11-15"}, [one.response_id]),
        ({"from": "2026-11-16"}, []),
        ({"to": "2026-11-14"}, []),
        ({"from": "yesterday"}, [one.response_id]),
        ({"questionnaire": key}, [one.response_id]),
        ({"campaign": one.invitation.campaign_id}, [one.response_id]),
        ({"campaign": book.theirs.campaign.pk}, [one.response_id]),
        ({"q": "太慢"}, [one.response_id]),
        ({"q": "没有这句话"}, []),
        ({"client": "C-MINE"}, [one.response_id]),
        ({"client": "C-THEIRS"}, []),
    ):
        assert ids(lan.get("/responses/", query)) == found, query


def test_hidden_answers_are_listed_without_person_rating_and_words(lan, staff):
    version = factories.make_version(attribution="experience_team_only")
    hidden = make(staff, {"nps": 1, "reason": "秘密"}, version=version)
    response = lan.get("/responses/")
    (line,) = response.context["lines"]
    assert (line.open, line.score, line.comment, line.name) == (False, None, "", "")
    assert hidden.contact.name not in response.content.decode()


@pytest.mark.parametrize("query", [{"score": "0-6"}, {"q": "秘密"}, {"q": "联系人"}])
def test_filters_do_not_betray_hidden_answers(lan, staff, query):
    version = factories.make_version(attribution="experience_team_only")
    make(staff, {"nps": 1, "reason": "秘密"}, version=version)
    assert ids(lan.get("/responses/", query)) == []


def test_one_response_shows_questions_and_answers_in_the_readers_language(lan, staff, settings):
    one = make(staff, {"nps": 3, "reason": "审批太慢", "csat": 2, "callback": "yes"})
    lan.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    items = lan.get(f"/responses/{one.response_id}/").context["items"]
    assert [(item.text, item.words) for item in items] == [
        ("Would you recommend Yunting Bank?", ""),
        ("What is the main reason?", "审批太慢"),
        ("How satisfied are you with our speed?", "Dissatisfied"),
        ("Shall we contact you?", "Yes"),
    ]


def test_not_applicable_is_told_in_words(lan, staff, settings):
    one = make(staff, {"nps": 9, "csat": "na"})
    lan.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    items = lan.get(f"/responses/{one.response_id}/").context["items"]
    assert items[1].words == "Not applicable or don't know"


def test_hidden_response_shows_the_reason_and_nothing_else(client, staff):
    version = factories.make_version(attribution="experience_team_only")
    one = make(staff, {"nps": 1, "reason": "只给体验团队"}, version=version)
    client.force_login(staff.lan)
    response = client.get(f"/responses/{one.response_id}/")
    text = response.content.decode()
    assert response.context["items"] == []
    assert "只给体验团队" not in text
    assert one.contact.name not in text
    client.force_login(staff.admin)
    assert "只给体验团队" in client.get(f"/responses/{one.response_id}/").content.decode()


def test_correction_keeps_both_submissions_in_the_history(lan, staff):
    one = make(staff, {"nps": 3, "csat": 2})
    new = answering.correct(one, {"nps": 8, "csat": 4}, at=NOW, language="zh")
    assert ids(lan.get("/responses/")) == [new.response_id]
    for row in (one, new):
        context = lan.get(f"/responses/{row.response_id}/").context
        assert [item.response_id for item in context["history"]] == [
            one.response_id,
            new.response_id,
        ]
        assert context["open"] is True


def test_withdrawn_response_keeps_the_fact_and_hides_the_words(lan, staff):
    one = make(staff, {"nps": 3, "reason": "撤回的话"})
    one.retracted_at = NOW
    one.save()
    response = lan.get(f"/responses/{one.response_id}/")
    assert response.context["withdrawn"] is True
    assert "撤回的话" not in response.content.decode()
    assert ids(lan.get("/responses/")) == []


def test_imported_response_without_invitation_has_a_page(lan, staff):
    client = factories.make_client(manager=staff.lan)
    one = factories.make_scores(factories.make_scored_version(), client, {"nps": 9})
    assert lan.get(f"/responses/{one.response_id}/").status_code == 200
    assert ids(lan.get("/responses/")) == [one.response_id]


def test_markup_in_a_comment_is_shown_as_text(lan, staff):
    make(staff, {"nps": 3, "reason": "<b>bold</b><script>alert(1)</script>"})
    text = lan.get("/responses/").content.decode()
    assert "<script>" not in text
    assert "&lt;b&gt;bold" in text
