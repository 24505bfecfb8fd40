"""Every message for people has its Chinese text, written as Chinese is written."""

import re

import pytest
from babel.messages.pofile import read_po
from django.conf import settings

from cxportal import catalogues

# Names and signs that are the same in both languages.
SAME = {"API", "CSAT", "CSV", "HTML", "NPS", "XLSX"}
HAN = r"[\u3400-\u9fff]"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


@pytest.fixture(scope="module")
def gathered():
    return {(one.context, one.id) for one in catalogues.gather(settings.BASE_DIR) if one.id}


@pytest.fixture(scope="module")
def chinese():
    path = settings.BASE_DIR / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        return {(one.context, one.id): one for one in read_po(file, locale="zh_Hans") if one.id}


def texts(message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def first(key) -> str:
    return key[1] if isinstance(key[1], str) else key[1][0]


def test_extraction_finds_messages_of_code_and_templates(gathered):
    known = {first(key) for key in gathered}
    assert {"Relationship manager", "Caught mail", "Page %(number)s of %(of)s"} <= known


def test_every_message_in_use_is_translated(gathered, chinese):
    done = {key for key, one in chinese.items() if all(texts(one)) and not one.fuzzy}
    assert sorted(map(first, gathered - done)) == []


def test_no_translation_is_left_over(gathered, chinese):
    assert sorted(map(first, set(chinese) - gathered)) == []


def test_nothing_is_left_in_english(chinese):
    same = {first(key) for key, one in chinese.items() if first(key) in texts(one)}
    assert sorted(same - SAME) == []


def test_placeholders_are_the_same_in_both_languages(chinese):
    wrong = [
        first(key)
        for key, one in chinese.items()
        for text in texts(one)
        if not isinstance(key[1], tuple)
        and sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(key[1]))
    ]
    assert wrong == []


def test_marks_next_to_chinese_are_full_width(chinese):
    half = re.compile(rf"{HAN}[,;:?!()]|[,;:?!()]{HAN}|{HAN}\.(\s|$)")
    assert [text for one in chinese.values() for text in texts(one) if half.search(text)] == []


def test_a_space_stands_between_chinese_and_latin(chinese):
    tight = re.compile(rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9%]{HAN}")
    bare = (PLACEHOLDER.sub(" ", text) for one in chinese.values() for text in texts(one))
    assert [text for text in bare if tight.search(text)] == []


def test_chinese_has_one_form_so_it_says_the_number_itself(chinese):
    wrong = [
        key[1][0]
        for key, one in chinese.items()
        if isinstance(key[1], tuple)
        and sorted(PLACEHOLDER.findall(texts(one)[0])) != sorted(PLACEHOLDER.findall(key[1][1]))
    ]
    assert wrong == []


def test_texts_that_are_only_marked_are_gathered_too(gathered):
    assert {"Hold all outgoing mail", "Signed in"} <= {first(key) for key in gathered}
