"""The admin of surveys, one module a noun."""

from surveys.admin import campaign, delivery, questionnaire, response, rule, trigger

__all__ = ["campaign", "delivery", "questionnaire", "response", "rule", "trigger"]
