"""Loading the shipped questionnaires and suppression rules."""

import copy
import json
from pathlib import Path

import pytest

from bank.models import AuditEntry
from surveys import questionnaires, reference
from surveys.models import Question, Questionnaire, SuppressionRule, Version
from tests.factories import NOW, make_invitation

pytestmark = pytest.mark.django_db
FOLDER = Path(__file__).parents[2] / "reference"


@pytest.fixture
def data():
    return {
        name: json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("questionnaires", "case_model")
    }


def test_every_shipped_questionnaire_becomes_a_published_version_without_faults(data):
    reference.load(data, NOW)
    assert Questionnaire.objects.count() == len(data["questionnaires"]["questionnaires"]) == 9
    for version in Version.objects.all():
        assert version.number == 1
        assert questionnaires.faults(version, list(version.questions.order_by("position"))) == []
        assert questionnaires.current(version.questionnaire) == version
    nps = Question.objects.get(version__questionnaire__key="relational_nps_csat", key="nps")
    assert (nps.lo, nps.hi, nps.na_allowed, nps.required) == (0, 10, False, True)


def test_loading_the_same_text_twice_changes_nothing(data):
    reference.load(data, NOW)
    before = list(Question.objects.order_by("id").values_list("id", flat=True))
    reference.load(data, NOW)
    assert list(Question.objects.order_by("id").values_list("id", flat=True)) == before
    entry = AuditEntry.objects.get(act="reference.load", subject_type="surveys")
    assert entry.data == {"questionnaires": 9, "rules": 13, "triggers": 18}
    assert Version.objects.count() == 9


def test_changed_text_mends_an_unused_version(data):
    reference.load(data, NOW)
    changed = copy.deepcopy(data)
    changed["questionnaires"]["questionnaires"][0]["items"][0]["text_en"] = "Would you?"
    reference.load(changed, NOW)
    version = Version.objects.get(questionnaire__key="relational_nps_csat")
    assert version.number == 1
    assert version.questions.get(key="nps").text_en == "Would you?"


def test_changed_text_of_a_used_version_becomes_a_new_version(data):
    reference.load(data, NOW)
    first = Version.objects.get(questionnaire__key="relational_nps_csat")
    make_invitation(version=first)
    changed = copy.deepcopy(data)
    changed["questionnaires"]["questionnaires"][0]["items"][0]["text_en"] = "Would you?"
    reference.load(changed, NOW)
    newest = questionnaires.current(first.questionnaire)
    assert newest.number == 2
    assert newest.questions.get(key="nps").text_en == "Would you?"
    assert first.questions.get(key="nps").text_en != "Would you?"


def test_a_rule_keeps_what_the_administrator_changed(data):
    reference.load(data, NOW)
    SuppressionRule.objects.filter(code="contact_cooldown").update(parameter=60, enabled=False)
    changed = copy.deepcopy(data)
    row = next(
        rule
        for rule in changed["case_model"]["survey_suppression"]
        if rule["code"] == "contact_cooldown"
    )
    row["parameter"], row["en"] = 120, "new words"
    reference.load(changed, NOW)
    rule = SuppressionRule.objects.get(code="contact_cooldown")
    assert (rule.parameter, rule.enabled, rule.name_en) == (60, False, "new words")
    assert SuppressionRule.objects.count() == 13
