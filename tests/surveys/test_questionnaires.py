"""Versions: conditions, words, publishing and freezing."""

import pytest

from bank.models import AuditEntry
from surveys import questionnaires
from surveys.models import Question, Version
from tests.factories import NOW, make_version

TRUE = {"item": "n", "op": "eq", "value": 6}
FALSE = {"var": "v", "op": "eq", "value": "x"}
UNTRANSLATED = [{"value": "a", "zh": "甲", "en": ""}, {"value": "b", "zh": "乙", "en": "B"}]
LATE = {"item": "csat", "op": "lte", "value": 2}


def keys(rows):
    return [row.key for row in rows]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, True),
        ({"item": "n", "op": "eq", "value": 6}, True),
        ({"item": "n", "op": "eq", "value": 5}, False),
        ({"item": "n", "op": "lte", "value": 6}, True),
        ({"item": "n", "op": "lte", "value": 5}, False),
        ({"item": "n", "op": "gte", "value": 6}, True),
        ({"item": "n", "op": "gte", "value": 7}, False),
        ({"item": "n", "op": "between", "value": [6, 8]}, True),
        ({"item": "n", "op": "between", "value": [4, 6]}, True),
        ({"item": "n", "op": "between", "value": [7, 8]}, False),
        ({"item": "c", "op": "in", "value": ["a", "b"]}, True),
        ({"item": "c", "op": "in", "value": ["b"]}, False),
        ({"item": "m", "op": "in", "value": ["y", "z"]}, True),
        ({"item": "m", "op": "eq", "value": "x"}, True),
        ({"item": "na", "op": "lte", "value": 9}, False),
        ({"item": "na", "op": "eq", "value": "na"}, False),
        ({"item": "none", "op": "lte", "value": 9}, False),
        ({"item": "c", "op": "lte", "value": 9}, False),
        ({"item": "zero", "op": "lte", "value": 0}, True),
        ({"var": "v", "op": "eq", "value": "cod"}, True),
        ({"var": "empty", "op": "eq", "value": ""}, False),
        ({"var": "none", "op": "in", "value": ["cod"]}, False),
        ({"any": [FALSE, TRUE]}, True),
        ({"any": [FALSE, FALSE]}, False),
        ({"all": [TRUE, FALSE]}, False),
        ({"all": [TRUE, {"any": [FALSE, TRUE]}]}, True),
    ],
)
def test_conditions_are_judged_as_the_catalogue_says(condition, expected):
    values = {"n": 6, "c": "a", "m": ["x", "y"], "na": "na", "zero": 0}
    assert questionnaires.holds(condition, values, {"v": "cod", "empty": ""}) is expected


def test_an_answer_of_a_hidden_question_makes_nothing_visible():
    rows = [
        Question(key="a", position=1),
        Question(key="b", position=2, show_if={"item": "a", "op": "lte", "value": 2}),
        Question(key="c", position=3, show_if={"item": "b", "op": "eq", "value": "yes"}),
    ]
    seen = questionnaires.visible(rows, {"a": 5, "b": "yes"}, {})
    assert keys(seen) == ["a"]
    assert keys(questionnaires.visible(rows, {"a": 1, "b": "yes"}, {})) == ["a", "b", "c"]


def test_possible_tells_what_the_variables_alone_decide():
    var = {"var": "v", "op": "eq", "value": "x"}
    item = {"item": "a", "op": "eq", "value": 1}
    judge = questionnaires.possible
    assert [judge(var, {"v": "x"}), judge(var, {}), judge(item, {})] == [True, False, None]
    assert [judge({"any": [var, item]}, {"v": "x"}), judge({"any": [var, item]}, {})] == [
        True,
        None,
    ]
    assert [judge({"all": [var, item]}, {"v": "x"}), judge({"all": [var, item]}, {})] == [
        None,
        False,
    ]
    assert [judge({"any": [var]}, {}), judge({"all": [var]}, {"v": "x"})] == [False, True]


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{{name}}，您好", "程女士，您好"),
        ("{{ name }}", "程女士"),
        ("{{unknown}}", "{{unknown}}"),
        ("{% debug %}{name.__class__}${name}", "{% debug %}{name.__class__}${name}"),
        ("{{name.__class__}}", "{{name.__class__}}"),
        ("{{name|safe}}", "{{name|safe}}"),
    ],
)
def test_only_listed_places_are_filled(text, filled):
    assert questionnaires.fill(text, {"name": "程女士"}) == filled


def test_a_value_with_a_place_in_it_is_not_filled_again():
    values = {"a": "{{b}}", "b": "secret"}
    assert questionnaires.fill("{{a}}", values) == "{{b}}"


@pytest.mark.django_db
def test_values_are_spoken_in_the_language_with_fallbacks():
    version = make_version()
    values = {"bank_name": {"zh": "云汀银行", "en": "Yunting Bank"}, "contact_name": ""}
    assert questionnaires.spoken(version, values, "zh") == {
        "bank_name": "云汀银行",
        "contact_name": "尊敬的客户",
    }
    assert questionnaires.spoken(version, values, "en")["contact_name"] == "client"
    assert questionnaires.spoken(version, {"other": "x"}, "en") == {"contact_name": "client"}


@pytest.mark.django_db
def test_current_is_the_newest_published_version():
    first = make_version()
    line = first.questionnaire
    second = make_version(questionnaire=line, number=2)
    make_version(questionnaire=line, number=3, published_at=None)
    assert questionnaires.current(line) == second


@pytest.mark.django_db
def test_publishing_freezes_once_and_leaves_one_audit_line(staff):
    draft = make_version(published_at=None)
    for _ in range(2):
        published = questionnaires.publish(draft, at=NOW, by=staff.admin)
        assert published.published_at == NOW
    assert AuditEntry.objects.filter(act="version.publish").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("key", "change", "fault"),
    [
        ("nps", {"text_en": " "}, "Question %(key)s: the text is missing in one language."),
        ("reason", {"hint_zh": ""}, "Question %(key)s: the hint is missing in one language."),
        (
            "callback",
            {"options": UNTRANSLATED},
            "Question %(key)s: an option is missing in one language.",
        ),
        ("callback", {"options": []}, "Question %(key)s: there is nothing to choose from."),
        ("csat", {"lo": None, "hi": None}, "Question %(key)s: there is nothing to choose from."),
        (
            "reason",
            {"show_if": LATE},
            "Question %(key)s: its condition must refer to an earlier question "
            "or to a variable of this version.",
        ),
        (
            "csat",
            {"show_if": {"var": "nothing", "op": "eq", "value": 1}},
            "Question %(key)s: its condition must refer to an earlier question "
            "or to a variable of this version.",
        ),
        (
            "csat",
            {"show_if": {"item": "nps", "op": "like", "value": 1}},
            "Question %(key)s: its condition must refer to an earlier question "
            "or to a variable of this version.",
        ),
    ],
)
def test_a_draft_with_a_fault_is_not_published(key, change, fault):
    draft = make_version(published_at=None)
    draft.questions.filter(key=key).update(**change)
    with pytest.raises(questionnaires.NotPossible) as refusal:
        questionnaires.publish(draft, at=NOW)
    assert refusal.value.faults == [(fault, {"key": key})]
    draft.refresh_from_db()
    assert draft.published_at is None


@pytest.mark.django_db
def test_the_recommend_question_comes_first_and_alone():
    draft = make_version(published_at=None, intro_en="", closing_zh="谢谢。")
    draft.questions.filter(key="nps").update(position=9)
    found = questionnaires.faults(draft, list(draft.questions.order_by("position")))
    assert [text for text, _words in found[:3]] == [
        "The introduction is missing in one language.",
        "The closing words are missing in one language.",
        "The recommend question must come first.",
    ]
    two = [Question(key=key, type="nps", lo=0, hi=10, text_zh="问", text_en="q") for key in "ab"]
    assert questionnaires.faults(Version(), two)[0][0] == (
        "There is more than one recommend question."
    )
    assert questionnaires.faults(Version(), [])[0][0] == "The version has no question."


@pytest.mark.django_db
def test_a_new_draft_copies_the_version_and_there_is_only_one(staff):
    version = make_version(source_digest="shipped")
    draft = questionnaires.draft_from(version, at=NOW, by=staff.admin)
    assert (draft.number, draft.published_at, draft.source_digest) == (2, None, "")
    assert keys(draft.questions.order_by("position")) == keys(
        version.questions.order_by("position")
    )
    assert questionnaires.draft_from(version, at=NOW) == draft
    assert version.questions.count() == 4
    assert AuditEntry.objects.filter(act="version.draft").count() == 1


@pytest.mark.django_db
def test_questions_of_a_published_version_are_read_once(django_assert_num_queries):
    version, draft = make_version(), make_version(published_at=None)
    with django_assert_num_queries(1):
        assert questionnaires.questions(version) == questionnaires.questions(version)
    with django_assert_num_queries(2):
        questionnaires.questions(draft)
        questionnaires.questions(draft)
