"""The admin of surveys, one module a noun."""

from surveys.admin import campaign, delivery, hit, questionnaire, response, rule, trigger

__all__ = ["campaign", "delivery", "hit", "questionnaire", "response", "rule", "trigger"]
